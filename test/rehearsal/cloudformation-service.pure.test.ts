import { AwsCall } from '../../rehearsal/cloudformation/aws-endpoint';
import { CloudFormationService } from '../../rehearsal/cloudformation/cloudformation-service';
import { lambdaService, qualified } from '../../rehearsal/cloudformation/lambda-service';
import { Stack } from '../../rehearsal/cloudformation/stack';
import { Template } from '../../rehearsal/cloudformation/template';
import { nativeResource } from '../../rehearsal/cloudformation/native-resource';

const PRINCIPAL = 'arn:aws:iam::111122223333:role/Planner';

function call(body: Record<string, string>, path = '/'): AwsCall {
  return {
    method: 'POST',
    path,
    body: new URLSearchParams(body).toString(),
    accessKeyId: 'key',
    region: 'eu-central-1',
  };
}

describe('CloudFormation in a rehearsal', () => {
  const original: Template = {
    Parameters: { Name: { Type: 'AWS::SSM::Parameter::Value<String>', Default: '/name' } },
    Resources: { T0: { Type: 'AWS::SNS::Topic' } },
  };

  async function serviceFor(count: number, asked: string[] = []): Promise<CloudFormationService> {
    const stack = new Stack(
      {
        name: 'Shop',
        id: 'arn:aws:cloudformation:eu-central-1:111122223333:stack/Shop/1',
        partition: 'aws',
        region: 'eu-central-1',
        account: '111122223333',
      },
      {
        importValue: () => '',
        providerFor: () => nativeResource,
        onEvent: () => undefined,
      },
    );
    await stack.deploy({
      Parameters: { Name: { Type: 'String', Default: 'stored' } },
      Resources: Object.fromEntries(Array.from({ length: count }, (_, i) => [`T${i}`, { Type: 'AWS::SNS::Topic' }])),
    });
    return new CloudFormationService({
      authorize: (_, action, resource) => asked.push(`${action} ${resource}`) > 0 && !resource.includes('Secret'),
      principal: () => PRINCIPAL,
      stacks: () => [stack],
      original: () => original,
    });
  }
  const ask = async (service: CloudFormationService, body: Record<string, string>) =>
    (await service.service(call({ Version: '2010-05-15', ...body })))!;

  test('a stack has its status, and of a parameter in Systems Manager the name and the value', async () => {
    const { text } = await ask(await serviceFor(1), { Action: 'DescribeStacks', StackName: 'Shop' });
    expect(text).toContain('<StackStatus>CREATE_COMPLETE</StackStatus>');
    expect(text).toContain(
      '<ParameterKey>Name</ParameterKey><ParameterValue>/name</ParameterValue><ResolvedValue>stored</ResolvedValue>',
    );
  });

  test('the template is the one that was uploaded', async () => {
    const { text } = await ask(await serviceFor(1), { Action: 'GetTemplate', StackName: 'Shop' });
    expect(text).toContain('/name');
    expect(text).not.toContain('stored');
  });

  test.each([[100, false], [101, true]])('%i resources need more than a page: %s', async (count, isMore) => {
    const service = await serviceFor(count);
    const { text } = await ask(service, { Action: 'ListStackResources', StackName: 'Shop' });
    expect(text!.match(/<member>/g)).toHaveLength(100);
    expect(text!.includes('<NextToken>100</NextToken>')).toBe(isMore);
    const next = await ask(service, { Action: 'ListStackResources', StackName: 'Shop', NextToken: '100' });
    expect(next.text!.match(/<member>/g) ?? []).toHaveLength(count - 100);
  });

  test('a stack that does not exist, and one that the caller may not see', async () => {
    const asked: string[] = [];
    const service = await serviceFor(1, asked);
    expect((await ask(service, { Action: 'DescribeStacks', StackName: 'Other' })).text).toContain(
      '<Code>ValidationError</Code><Message>Stack with id Other does not exist</Message>',
    );
    expect(await ask(service, { Action: 'DescribeStacks', StackName: 'Secret' })).toMatchObject({ status: 403 });
    expect(asked[0]).toBe(
      'cloudformation:DescribeStacks arn:aws:cloudformation:eu-central-1:111122223333:stack/Other/*',
    );
  });
});

describe('aliases of functions in a rehearsal', () => {
  const ARN = 'arn:aws:lambda:eu-central-1:111122223333:function:name';

  test.each([
    ['name', 'name', undefined],
    ['name:plan', 'name', 'plan'],
    [ARN, ARN, undefined],
    [`${ARN}:plan`, ARN, 'plan'],
  ])('%s', (text, name, qualifier) => {
    expect(qualified(text)).toEqual({ name, qualifier });
  });

  test.each([
    [`${encodeURIComponent(`${ARN}:plan`)}/invocations`, ':plan'],
    ['name/invocations?Qualifier=plan', ':plan'],
    ['name/invocations', ''],
  ])('policies are asked about what is invoked: %s', async (path, suffix) => {
    const asked: string[] = [];
    const service = lambdaService(
      {
        find: (_, qualifier) => ({ arn: `${ARN}${qualifier === undefined ? '' : `:${qualifier}`}` }),
        invoke: arn => Promise.resolve({ result: arn, log: '' }),
      },
      (_, action, resource) => asked.push(`${action} ${resource}`) > 0,
    );
    await expect(service({ ...call({}, `/2015-03-31/functions/${path}`), body: '' })).resolves.toEqual({
      status: 200,
      body: `${ARN}${suffix}`,
    });
    expect(asked).toEqual([`lambda:InvokeFunction ${ARN}${suffix}`]);
  });
});
