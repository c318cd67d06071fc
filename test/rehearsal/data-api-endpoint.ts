import { RDSDataClient } from '@aws-sdk/client-rds-data';
import { AuroraLikeServer } from '../../rehearsal/aurora-like-server';
import { AwsCall, AwsEndpoint } from '../../rehearsal/cloudformation/aws-endpoint';
import { DataApi } from '../../rehearsal/data-api/data-api';
import { Limits, LIMITS } from '../../rehearsal/data-api/limits';

export const CLUSTER_ARN = 'arn:aws:rds:eu-central-1:111122223333:cluster:shop';
export const SECRET_ARN = 'arn:aws:secretsmanager:eu-central-1:111122223333:secret:admin-abcdef';

/** The Data API of one cluster, whose secret is the master's. */
export class DataApiEndpoint {
  static async start(server: AuroraLikeServer, limits: Partial<Limits> = {}): Promise<DataApiEndpoint> {
    const api: DataApi = new DataApi({
      authorize: (_, action, resource) => endpoint.allows(action, resource),
      secret: id => id === SECRET_ARN ? { arn: id, value: endpoint.secret } : undefined,
      cluster: arn =>
        arn === CLUSTER_ARN ? { server, httpEndpoint: endpoint.enabled, writerClass: endpoint.writerClass } : undefined,
    }, { ...LIMITS, ...limits });
    const aws = await AwsEndpoint.listen([async (call) => {
      endpoint.calls.push(call);
      await endpoint.before(call);
      return undefined;
    }, api.service]);
    const endpoint: DataApiEndpoint = new DataApiEndpoint(server, api, aws);
    return endpoint;
  }

  /** What was asked, newest last. */
  readonly calls: AwsCall[] = [];
  /** Awaited before each of them. */
  before: (call: AwsCall) => unknown = () => undefined;
  allows: (action: string, resource: string) => boolean = () => true;
  enabled = true;
  writerClass = 'db.serverless';
  readonly client: RDSDataClient;
  private given?: string;

  private constructor(
    private readonly server: AuroraLikeServer,
    readonly api: DataApi,
    private readonly aws: AwsEndpoint,
  ) {
    this.client = new RDSDataClient({
      endpoint: aws.url,
      region: 'eu-central-1',
      credentials: { accessKeyId: 'ASIA', secretAccessKey: 'x' },
      maxAttempts: 1,
    });
  }

  /** What Secrets Manager has. @default - what the server takes */
  get secret(): string {
    return this.given ?? JSON.stringify(this.server.master);
  }

  set secret(value: string | undefined) {
    this.given = value;
  }

  async close(): Promise<void> {
    this.client.destroy();
    await this.api.close();
    await this.aws.close();
  }
}
