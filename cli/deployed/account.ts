/** What AWS says to the credentials that are here. Nothing is changed. */
import {
  CloudFormationClient,
  DescribeStacksCommand,
  GetTemplateCommand,
  ListStackResourcesCommand,
  Stack,
} from '@aws-sdk/client-cloudformation';
import { InvokeCommand, LambdaClient } from '@aws-sdk/client-lambda';
import { GetCallerIdentityCommand, STSClient } from '@aws-sdk/client-sts';
import { explain } from './aws-errors';
import { NotPossible } from './not-possible';
import { parseTemplate } from './parse-template';
import { regionOf } from '../region';
import { Template } from '../../rehearsal/cloudformation/template';

/** A stack as CloudFormation describes it. */
export interface StackFacts {
  readonly name: string;
  /** Its ARN. */
  readonly id: string;
  readonly partition: string;
  readonly account: string;
  readonly region: string;
  /** Such as UPDATE_COMPLETE. */
  readonly status: string;
  /** With the value that a name in Systems Manager stood for at the last deployment. */
  readonly parameters: ReadonlyMap<string, string>;
  readonly outputs: ReadonlyMap<string, string>;
}

export interface DeployedResource {
  readonly type: string;
  readonly physicalId: string;
}

/** The part of AWS that is asked. */
export interface Account {
  /** Of the caller. */
  id(region?: string): Promise<string>;
  /** By name or ARN; undefined if there is none that has been deployed. */
  stack(name: string, region?: string): Promise<StackFacts | undefined>;
  /** As it was uploaded. */
  template(stack: StackFacts): Promise<Template>;
  /** By logical id. */
  resources(stack: StackFacts): Promise<Map<string, DeployedResource>>;
  /**
   * Invokes a function and waits for its answer.
   *
   * @param grant the call of this library that allows it
   */
  invoke(arn: string, event: unknown, grant: string): Promise<unknown>;
}

/** Of an event. https://docs.aws.amazon.com/lambda/latest/dg/gettingstarted-limits.html */
const MAX_EVENT_BYTES = 6 * 1024 * 1024;

/** A stack that was never deployed, or that has no resources left. */
const WITHOUT_RESOURCES = ['REVIEW_IN_PROGRESS', 'ROLLBACK_COMPLETE', 'DELETE_COMPLETE'];

/** With the credentials and the Region that the SDK finds, and AWS_ENDPOINT_URL. */
export class AwsAccount implements Account {
  private readonly ids = new Map<string | undefined, Promise<string>>();

  async id(region?: string): Promise<string> {
    const known = this.ids.get(region) ?? attempt('sts:GetCallerIdentity', 'the caller', async () =>
      (await new STSClient(placeIn(region)).send(new GetCallerIdentityCommand({}))).Account ?? '');
    this.ids.set(region, known);
    return known;
  }

  async stack(name: string, region?: string): Promise<StackFacts | undefined> {
    const found = await attempt('cloudformation:DescribeStacks', `stack ${name}`, async () => {
      try {
        return (await cloudFormation(region).send(new DescribeStacksCommand({ StackName: name }))).Stacks?.[0];
      } catch (error) {
        // https://docs.aws.amazon.com/AWSCloudFormation/latest/APIReference/API_DescribeStacks.html
        if ((error as Error).name === 'ValidationError' && /does not exist/.test((error as Error).message)) {
          return undefined;
        }
        throw error;
      }
    });
    return found === undefined || WITHOUT_RESOURCES.includes(found.StackStatus ?? '') ? undefined : factsOf(found);
  }

  async template({ id, name, region }: StackFacts): Promise<Template> {
    const { TemplateBody: body = '' } = await attempt('cloudformation:GetTemplate', `stack ${name}`, () =>
      cloudFormation(region).send(new GetTemplateCommand({ StackName: id, TemplateStage: 'Original' })));
    return parseTemplate(body, name);
  }

  async resources({ id, name, region }: StackFacts): Promise<Map<string, DeployedResource>> {
    const resources = new Map<string, DeployedResource>();
    let token: string | undefined;
    do {
      const {
        StackResourceSummaries: page = [],
        NextToken: next,
      } = await attempt('cloudformation:ListStackResources', `stack ${name}`, () =>
        cloudFormation(region).send(new ListStackResourcesCommand({ StackName: id, NextToken: token })));
      for (const {
        LogicalResourceId: logicalId,
        PhysicalResourceId: physicalId,
        ResourceType: type = '',
        ResourceStatus: status,
      } of page) {
        if (logicalId !== undefined && physicalId !== undefined && status !== 'DELETE_COMPLETE') {
          resources.set(logicalId, { type, physicalId });
        }
      }
      token = next;
    } while (token !== undefined);
    return resources;
  }

  async invoke(arn: string, event: unknown, grant: string): Promise<unknown> {
    const payload = Buffer.from(JSON.stringify(event));
    if (payload.length > MAX_EVENT_BYTES) {
      throw new NotPossible(
        `the event for ${arn} has ${payload.length} bytes, and Lambda takes ${MAX_EVENT_BYTES}; ask for fewer resources at once with --only`,
      );
    }
    const region = arn.split(':')[3];
    const { Payload: answer, FunctionError: failed } = await attempt(
      'lambda:InvokeFunction',
      arn,
      () => new LambdaClient({ region }).send(new InvokeCommand({ FunctionName: arn, Payload: payload })),
      `; ${grant} grants it`,
    );
    const content = JSON.parse(Buffer.from(answer ?? []).toString() || 'null') as unknown;
    if (failed !== undefined) {
      const { errorMessage = 'it failed without a reason' } = Object(content) as { errorMessage?: string };
      throw new NotPossible(`${arn}: ${errorMessage}`);
    }
    return content;
  }
}

function cloudFormation(region?: string): CloudFormationClient {
  return new CloudFormationClient(placeIn(region));
}

/** Without a Region, the SDK looks into the profile. */
function placeIn(region = regionOf(process.env)): { readonly region?: string } {
  return region === undefined ? {} : { region };
}

/** @throws {NotPossible} what is missing, in place of what AWS or the SDK say */
async function attempt<T>(permission: string, resource: string, call: () => Promise<T>, remedy = ''): Promise<T> {
  try {
    return await call();
  } catch (error) {
    throw error instanceof NotPossible
      ? error
      : new NotPossible(explain(error as Error, permission, resource, remedy), { cause: error });
  }
}

function factsOf({
  StackId: id = '',
  StackName: name = '',
  StackStatus: status,
  Parameters: parameters = [],
  Outputs: outputs = [],
}: Stack): StackFacts {
  const [, partition, , region, account] = id.split(':');
  return {
    name,
    id,
    partition,
    account,
    region,
    status: status ?? '',
    parameters: new Map(
      parameters.map(({ ParameterKey: key = '', ParameterValue: value = '', ResolvedValue: resolved = value }) => [
        key,
        resolved,
      ]),
    ),
    outputs: new Map(outputs.map(({ OutputKey: key = '', OutputValue: value = '' }) => [key, value])),
  };
}
