import { ProvisionerWitness } from '../../cli/doctor/collect/catalog';
import { deployedStackFor } from '../../cli/doctor/deployed-app';
import { Seen } from '../../cli/doctor/observations';
import { AssemblyStack } from '../../rehearsal/cloudformation/cloud-assembly';
import { ResourceDefinition, Template } from '../../rehearsal/cloudformation/template';

const ID = 'cluster-A';
const NONE
  = 'no stack that was looked at has deployed users of this database; pass --app, or --stack with a stack that has';
const FACTS = { roles: [], database: null, server: { max: 100, used: 1 } };

const handler: ResourceDefinition = { Type: 'AWS::Lambda::Function' };
const alias = (Name: string, FunctionName = 'Handler'): ResourceDefinition =>
  ({ Type: 'AWS::Lambda::Alias', Properties: { Name, FunctionName: { Ref: FunctionName } } });
const user = (Handler = 'Handler'): ResourceDefinition => ({
  Type: 'Custom::RdsIamUser',
  Properties: { ServiceToken: { 'Fn::GetAtt': [Handler, 'Arn'] }, Username: 'orders' },
});

function stackOf(id: string, Resources: Template['Resources'], others: Partial<AssemblyStack> = {}): AssemblyStack {
  return {
    id,
    name: id,
    template: { Resources },
    templateBytes: 0,
    dependencies: [],
    parameters: {},
    nested: {},
    ...others,
  };
}

const SHOP = { Handler: handler, Alias: alias('plan'), User: user() };
const PHYSICAL = { 'Shop Alias': 'arn:alias', 'Shop User': `${ID}/orders/User` };

interface World {
  /** Physical ids by stack and logical id. */
  readonly physical?: Record<string, string>;
  readonly answer?: Seen<unknown>;
  readonly forbidden?: boolean;
}

/** What is asked of AWS, and what comes of it. */
async function ask(
  stacks: AssemblyStack[],
  { physical = PHYSICAL, answer = { value: { resourceId: ID, ...FACTS } }, forbidden }: World = {},
): Promise<unknown> {
  const asked: string[] = [];
  const witness = new ProvisionerWitness(() => Promise.resolve(stacks), {
    region: 'eu-central-1',
    stacks: {
      find: (stack: string, logicalId: string) => {
        asked.push(`${stack} ${logicalId}`);
        const value = (physical as Record<string, string | undefined>)[`${stack} ${logicalId}`];
        return Promise.resolve(forbidden ? { unseen: 'needs cloudformation:DescribeStackResource' } : { value });
      },
    },
    invoke: (arn: string, event: unknown) => {
      asked.push(`${arn} ${JSON.stringify(event)}`);
      return Promise.resolve(answer);
    },
  } as unknown as ConstructorParameters<typeof ProvisionerWitness>[1]);
  return witness.ask('orders', 'shop', { identifier: 'shop', resourceId: ID }).then(
    facts => ({ facts, asked }),
    (error: Error) => error.message,
  );
}

const QUESTION = '{"signIn":{"username":"orders","database":"shop"}}';

test('the provisioner of the database is asked by its alias, once', async () => {
  await expect(ask([stackOf('Shop', SHOP)])).resolves.toEqual(
    { facts: FACTS, asked: ['Shop User', 'Shop Alias', `arn:alias ${QUESTION}`] },
  );
});

test('in a nested stack, it is found by the ARN of that stack', async () => {
  const inner = stackOf('Shop/Outer/Inner', SHOP);
  const app = stackOf('Shop', {}, { nested: { Outer: stackOf('Shop/Outer', {}, { nested: { Inner: inner } }) } });
  const physical = {
    'Shop Outer': 'arn:outer',
    'arn:outer Inner': 'arn:inner',
    'arn:inner User': `${ID}/orders/User`,
    'arn:inner Alias': 'arn:alias',
  };
  await expect(ask([app], { physical })).resolves.toEqual(
    { facts: FACTS,
      asked: ['Shop Outer', 'arn:outer Inner', 'arn:inner User', 'arn:inner Alias', `arn:alias ${QUESTION}`] },
  );
  await expect(ask([app], { physical: {} })).resolves.toBe(NONE);
});

test('a stage has stacks of the same name: their ids are paths', async () => {
  const app = stackOf('Prod/Shop', {}, { name: 'Shop', nested: { Inner: stackOf('Prod/Shop/Inner', SHOP) } });
  const physical = { 'Shop Inner': 'arn:inner', 'arn:inner User': `${ID}/orders/User`, 'arn:inner Alias': 'arn:alias' };
  await expect(ask([app], { physical })).resolves.toMatchObject({ facts: FACTS });
});

test('of two provisioners, it is the one of this database', async () => {
  const both = { ...SHOP, User: user('Other'), Other: handler, OtherAlias: alias('plan', 'Other'), Second: user() };
  const physical = {
    'Shop User': 'cluster-B/orders/User',
    'Shop Second': `${ID}/orders/Second`,
    'Shop Alias': 'arn:alias',
    'Shop OtherAlias': 'arn:other',
  };
  await expect(ask([stackOf('Shop', both)], { physical })).resolves.toMatchObject(
    { facts: FACTS, asked: expect.arrayContaining([`arn:alias ${QUESTION}`]) as string[] },
  );
});

test('a user that is not deployed yet tells nothing, the next one does', async () => {
  await expect(ask([stackOf('Shop', { New: user(), ...SHOP })])).resolves.toMatchObject({ facts: FACTS });
});

test.each<[string, AssemblyStack[], World, string]>([
  [
    'another Region',
    [stackOf('Shop', SHOP, { region: 'us-east-1' })],
    {},
    NONE,
  ],
  [
    'another database',
    [stackOf('Shop', SHOP)],
    { physical: { 'Shop User': 'cluster-B/orders/User' } },
    NONE,
  ],
  ['an alias that is not deployed yet', [stackOf('Shop', SHOP)], { physical: { 'Shop User': `${ID}/orders/User` } },
    'needs the alias "plan" of the provisioner in stack Shop: call iamAuth.grantPlan(role) with the role that runs this, and deploy'],
  ['the alias of another purpose', [stackOf('Shop', { ...SHOP, Alias: alias('drift') })], {},
    'needs the alias "plan" of the provisioner in stack Shop: call iamAuth.grantPlan(role) with the role that runs this, and deploy'],
  ['a caller who may not describe', [stackOf('Shop', SHOP)], { forbidden: true },
    'needs cloudformation:DescribeStackResource'],
  [
    'a caller who may not invoke',
    [stackOf('Shop', SHOP)],
    { answer: { unseen: 'needs lambda:InvokeFunction on arn:alias' } },
    'needs lambda:InvokeFunction on arn:alias',
  ],
  [
    'an answer about another database',
    [stackOf('Shop', SHOP)],
    { answer: { value: { resourceId: 'cluster-B', ...FACTS } } },
    'the provisioner is of another database, cluster-B',
  ],
  ['an answer of another form', [stackOf('Shop', SHOP)], { answer: { value: { resources: [] } } },
    'the provisioner does not answer what it was asked: deploy the stack with the version of cdk-aurora-iam-auth that this program is of'],
  ['no answer', [stackOf('Shop', SHOP)], { answer: { value: null } },
    'the provisioner does not answer what it was asked: deploy the stack with the version of cdk-aurora-iam-auth that this program is of'],
])('%s is said', async (_, stacks, world, reason) => {
  await expect(ask(stacks, world)).resolves.toBe(reason);
});

describe('without an app, the stack is read as it is deployed', () => {
  const nestedStack: ResourceDefinition = { Type: 'AWS::CloudFormation::Stack' };
  const TEMPLATES: Record<string, Template['Resources'] | undefined> = {
    'arn:shop': { Inner: nestedStack, Gone: nestedStack },
    'Shop': SHOP,
    'arn:inner': SHOP,
  };

  /** @param forbidden what the caller may not do */
  function read(identifier: string, name?: string, forbidden?: string): Promise<AssemblyStack | string> {
    const answer = <Value>(action: string, value: Value): Promise<Seen<Value>> =>
      Promise.resolve(action === forbidden ? { unseen: `needs cloudformation:${action}` } : { value });
    return deployedStackFor(identifier, name, {
      stackOf: id => answer('DescribeStackResources', id === 'shop' ? 'arn:shop' : undefined),
      template: stack => answer('GetTemplate', TEMPLATES[stack] && { Resources: TEMPLATES[stack] }),
      find: (stack, logicalId) =>
        answer('DescribeStackResource', `${stack} ${logicalId}` === 'arn:shop Inner' ? 'arn:inner' : undefined),
    }).catch((error: Error) => error.message);
  }

  test('the one that has made the database, with those that are nested in it', async () => {
    await expect(read('shop')).resolves.toMatchObject({
      id: 'arn:shop',
      name: 'arn:shop',
      nested: { Inner: { id: 'arn:shop/Inner', name: 'arn:inner', template: { Resources: SHOP }, nested: {} } },
    });
    expect(Object.keys((await read('shop') as AssemblyStack).nested)).toEqual(['Inner']);
  });

  test('its provisioner is found by the ids that CloudFormation has', async () => {
    const physical = {
      'arn:shop Inner': 'arn:inner',
      'arn:inner User': `${ID}/orders/User`,
      'arn:inner Alias': 'arn:alias',
    };
    await expect(ask([await read('shop') as AssemblyStack], { physical })).resolves.toMatchObject({ facts: FACTS });
  });

  test('the one that is named comes first', async () => {
    await expect(read('shop', 'Shop')).resolves.toMatchObject({ name: 'Shop', template: { Resources: SHOP } });
  });

  test.each([
    ['a database that no stack has made', ['other'],
      'needs the provisioner of the database, and no stack has made other: pass --stack with a stack that has its users, or --app'],
    ['a name that no stack has', ['shop', 'Other'],
      'there is no stack Other: pass --stack with a stack that has users of this database, or --app'],
    ['a caller who may not look for it', ['shop', undefined, 'DescribeStackResources'],
      'needs cloudformation:DescribeStackResources'],
    ['a caller who may not read it', ['shop', undefined, 'GetTemplate'], 'needs cloudformation:GetTemplate'],
    ['a caller who may not look for one that is nested', ['shop', undefined, 'DescribeStackResource'],
      'needs cloudformation:DescribeStackResource'],
  ] as [string, Parameters<typeof read>, string][])('%s is said', async (_, args, reason) => {
    await expect(read(...args)).resolves.toBe(reason);
  });
});
