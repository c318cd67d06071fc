import { ExistingResources } from './existing-resources';
import { StackOutputRequest } from './intrinsics';
import { Stack } from './stack';
import { StackIdentity } from './template';
import { valuesOf } from '../plan/app-graph';
import { DeploymentPlan } from '../plan/deployment-plan';

/** What stacks read of each other and of Systems Manager: exports, outputs and parameters. */
export class SharedValues {
  constructor(
    private readonly stacks: () => Stack[],
    private readonly resources: ExistingResources,
    private readonly plan?: DeploymentPlan,
  ) {}

  importValue(name: string, { account, region }: StackIdentity): string {
    // Names of exports are unique in an account and Region; an app may have several of these, as stages.
    const exporting = this.nearest(account, region).find(stack => Object.hasOwn(stack.exports, name));
    const { exports = {} } = this.plan ?? {};
    if (exporting || Object.hasOwn(exports, name)) {
      return exporting?.exports[name] ?? exports[name];
    }
    if (this.plan) {
      return inventedExport(name);
    }
    throw new Error(`no export named ${name} found: deploy the stack that exports it first`);
  }

  stackOutput({ stackName, outputName, region }: StackOutputRequest, asking: StackIdentity): string {
    const stack = this.nearest(asking.account, region ?? asking.region).find(
      ({ identity }) => identity.name === stackName,
    );
    const { exports = {} } = this.plan ?? {};
    const given = `${stackName}.${outputName}`;
    const value = stack?.outputs[outputName] ?? (Object.hasOwn(exports, given) ? exports[given] : undefined);
    if (value !== undefined) {
      return value;
    }
    if (this.plan && !stack) {
      return inventedExport(given);
    }
    throw new Error(stack
      ? `stack ${stackName} has no output ${outputName} at this moment`
      : `no stack ${stackName} exists: deploy it first`);
  }

  importerOf(name: string, { account, region }: StackIdentity): string | undefined {
    const imports = ({ identity, deployed }: Stack) => identity.account === account && identity.region === region
      && valuesOf(deployed?.Resources, 'Fn::ImportValue').some(({ argument }) => argument === name);
    return this.stacks().find(imports)?.identity.name;
  }

  /** Of a stack, or one that was given. */
  ssmParameter(name: string): string | undefined {
    const own = this.resources.all().find(({ type, properties, physicalId }) =>
      type === 'AWS::SSM::Parameter' && [properties.Name, physicalId].includes(name));
    const { ssm = {} } = this.plan ?? {};
    return (own?.properties.Value as string | undefined) ?? (Object.hasOwn(ssm, name) ? ssm[name] : undefined);
  }

  /** Those of Systems Manager. References to secrets are resolved where a database is made. */
  resolveReferences(text: string): string {
    return text.replace(/\{\{resolve:ssm:([^:}]+)(?::\d+)?\}\}/g, (reference, name: string) =>
      this.ssmParameter(name) ?? (this.plan ? `invented-${name.split('/').at(-1)}` : reference));
  }

  /** All stacks, those of an account and Region first. */
  private nearest(account: string, region: string): Stack[] {
    const distance = ({ identity }: Stack) => Number(identity.account !== account) + Number(identity.region !== region);
    return this.stacks().sort((a, b) => distance(a) - distance(b));
  }
}

/** The same for the same name. Where it may be the id of a VPC, it looks like one. */
function inventedExport(name: string): string {
  return `invented-${name.replace(/[^\w-]/g, '-')}`;
}
