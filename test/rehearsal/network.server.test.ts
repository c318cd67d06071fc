import { CloudAssembly } from '../../rehearsal/cloudformation/cloud-assembly';
import { ResourceDefinition, Template } from '../../rehearsal/cloudformation/template';
import { Rehearsal } from '../../rehearsal/rehearsal';
import { full } from '../full';
import { synthesized } from './synthesized';

/** The same app with resources changed, or taken out where that gives undefined. */
function changed(
  assembly: CloudAssembly,
  change: (resource: ResourceDefinition) => ResourceDefinition | undefined,
): CloudAssembly {
  const stacks = assembly.stacks.map((stack) => {
    const resources = Object.entries(stack.template.Resources)
      .map(([id, resource]) => [id, change(resource)] as const)
      .filter(([, resource]) => resource);
    const ids = resources.map(([id]) => id);
    const withoutDangling = resources.map(([id, resource]) => [
      id,
      { ...resource, DependsOn: [resource!.DependsOn ?? []].flat().filter(other => ids.includes(other)) },
    ]);
    return {
      ...stack,
      template: { ...stack.template, Resources: Object.fromEntries(withoutDangling) as Template['Resources'] },
    };
  });
  return Object.create(assembly, { stacks: { value: stacks } }) as CloudAssembly;
}

const withoutProperty
  = (name: string) =>
    ({ Properties = {}, ...resource }: ResourceDefinition) => ({
      ...resource,
      Properties: Object.fromEntries(Object.entries(Properties).filter(([property]) => property !== name)),
    });

const withoutType = (type: string) => (resource: ResourceDefinition) => resource.Type === type ? undefined : resource;

describe('what the provisioner reaches from its subnets', () => {
  let assembly: CloudAssembly;
  let rehearsal: Rehearsal;
  beforeAll(async () => assembly = await synthesized('examples/isolated-subnets/app.ts'));
  beforeEach(async () => rehearsal = await Rehearsal.start());
  afterEach(() => rehearsal.close());

  full.test.each([
    ['without the endpoint', withoutType('AWS::EC2::VPCEndpoint')],
    [
      'with an endpoint that names do not lead to',
      (resource: ResourceDefinition) =>
        resource.Type === 'AWS::EC2::VPCEndpoint'
          ? { ...resource, Properties: { ...resource.Properties, PrivateDnsEnabled: false } }
          : resource,
    ],
  ])(
    'isolated ones, %s for Secrets Manager: the deployment fails, and says which endpoint to add',
    async (_, change) => {
      const { status, reason } = await rehearsal.deploy(changed(assembly, change), 'IsolatedSubnets');
      expect(status).toBe('ROLLBACK_COMPLETE');
      expect(reason).toMatch(
        /cannot read the admin's secret arn:aws:secretsmanager:\S+: TimeoutError: .*; the subnets of the provisioner need a way to Secrets Manager: a NAT gateway, or an interface endpoint for com\.amazonaws\.<region>\.secretsmanager that lets its security group in on port 443/,
      );
    },
  );

  test('outside of the VPC it does not reach the database', async () => {
    const { status, reason } = await rehearsal.deploy(
      changed(assembly, withoutProperty('VpcConfig')),
      'IsolatedSubnets',
    );
    expect(status).toBe('ROLLBACK_COMPLETE');
    expect(reason).toMatch(/cannot connect to isolatedsubnets-\S+:5432/);
  });
});
