import { Annotations, Aws, Stack } from 'aws-cdk-lib';
import * as rds from 'aws-cdk-lib/aws-rds';
import type { IConstruct } from 'constructs';
import { engineVersionProblem, regionProblem } from './data-api-availability';
import { optionOfVpc } from './outside-vpc';
import type { NetworkOptions, Transport } from './transport';
import { CLUSTER_ARN, URL_SUFFIX } from '../../contract/wire';
import type { Database } from '../../database/database';
import { storedIdentifier } from '../../database/database-identifier';
import { propertiesIn } from '../../database/iam-authentication';
import { errorAt } from '../../model/errors';
import { HANDLER_WITH_DATA_API } from '../acknowledgements';
import type { Admin } from '../admin';
import type { FunctionRole } from '../function-role';

/** What a provisioner calls. It sends nothing in batches. */
const ACTIONS = [
  'rds-data:BeginTransaction',
  'rds-data:CommitTransaction',
  'rds-data:ExecuteStatement',
  'rds-data:RollbackTransaction',
];

/** Id of the warning, for those who acknowledge it. */
const REGION = 'cdk-aurora-iam-auth:dataApiRegion';

const LEAVE_OUT = 'leave transport out';

/** The RDS Data API, from outside of any VPC. */
export class DataApiTransport implements Transport {
  public readonly environment: { readonly [name: string]: string };
  public readonly identity: unknown = 'Data API';
  public readonly outsideVpc: Transport['outsideVpc'] = {
    name: 'SqlTransport.dataApi()',
    handlerId: 'DataApiHandler',
    resourceId: 'DataApiResource',
    acknowledgement: HANDLER_WITH_DATA_API,
  };

  private readonly clusterArn: string;

  constructor(scope: IConstruct, { kind, construct, resource }: Database, admin: Admin, options: NetworkOptions) {
    const refuse = (problem: string) => {
      throw errorAt(scope, `transport is SqlTransport.dataApi(), and ${problem}`);
    };
    if (kind === 'instance') {
      refuse(`instance ${construct.node.path} has no Data API, which is for clusters of Aurora; ${LEAVE_OUT}`);
    }
    if (!admin.secret) {
      refuse(
        `the Data API signs in with a password, which the admin ${JSON.stringify(admin.username)} has not; pass admin: AdminCredentials.fromSecret(secret), or ${LEAVE_OUT}`,
      );
    }
    const { caCertificates } = options.provisioner ?? {};
    if (caCertificates !== undefined) {
      refuse('caCertificates are for a connection to the database, which there is none then; leave one of the two out');
    }
    const name = optionOfVpc(options);
    if (name) {
      refuse(`${name} cannot be combined with it, because the function runs outside a VPC; leave one of the two out`);
    }
    const region = regionProblem(construct.env.region);
    if (region) {
      // AWS adds Regions.
      Annotations.of(scope).addWarningV2(
        REGION,
        `transport is SqlTransport.dataApi(), and ${region}; if there is none yet, ${LEAVE_OUT}`,
      );
    }
    this.clusterArn = clusterArnOf(scope, construct as rds.IDatabaseCluster, resource as rds.CfnDBCluster | undefined);
    this.environment = { [CLUSTER_ARN]: this.clusterArn, [URL_SUFFIX]: Aws.URL_SUFFIX };
    if (resource) {
      enableDataApi(scope, resource as rds.CfnDBCluster);
      scope.node.addValidation({ validate: () => problems(construct, resource as rds.CfnDBCluster) });
    } else if (engineOf(construct as rds.IDatabaseCluster) === 'postgres') {
      refuse(`cluster ${construct.node.path} is a Multi-AZ DB cluster, which has no Data API; ${LEAVE_OUT}`);
    }
  }

  public allow(role: FunctionRole): void {
    role.allow(ACTIONS, this.clusterArn);
  }

  public securityGroups(): undefined {
    return undefined;
  }

  public allowInboundFrom(): void {
    // The permissions and the secret are enough.
  }
}

function clusterArnOf(
  scope: IConstruct,
  cluster: rds.IDatabaseCluster,
  resource: rds.CfnDBCluster | undefined,
): string {
  if (resource) {
    return resource.attrDbClusterArn;
  }
  const { clusterIdentifier: identifier } = cluster;
  if (!identifier) {
    throw errorAt(
      scope,
      `clusterIdentifier of ${cluster.node.path} is missing, and the Data API is called with the ARN of the cluster; give it where the cluster is imported`,
    );
  }
  return Stack.of(cluster).formatArn({
    service: 'rds',
    resource: `cluster:${storedIdentifier(cluster, 'cluster', identifier)}`,
    ...cluster.env,
  });
}

function engineOf({ engine }: rds.IDatabaseCluster): string | undefined {
  return engine?.engineType;
}

/** As CDK does when it grants access to it. */
function enableDataApi(scope: IConstruct, resource: rds.CfnDBCluster): void {
  const value = Stack.of(resource).resolve(resource.enableHttpEndpoint) as unknown;
  if (value !== undefined && value !== true) {
    throw errorAt(
      scope,
      `enableDataApi of the cluster is ${value === false ? 'false' : 'a token'}, and transport is SqlTransport.dataApi(); set it to true or leave it out, or ${LEAVE_OUT}`,
    );
  }
  resource.enableHttpEndpoint = true;
}

/** What the template will say, overrides included. */
function problems({ node }: IConstruct, resource: rds.CfnDBCluster): string[] {
  const { EnableHttpEndpoint, Engine, EngineVersion } = propertiesIn(resource);
  // The first instance is the writer, as long as nothing has failed over.
  const [writer] = node.findAll().filter(child => rds.CfnDBInstance.isCfnDBInstance(child));
  const writerClass = writer && propertiesIn(writer).DBInstanceClass;
  const found = [
    EnableHttpEndpoint === true
      ? undefined
      : `EnableHttpEndpoint is ${JSON.stringify(EnableHttpEndpoint) ?? 'not set'}; let nothing change it afterwards, or ${LEAVE_OUT}`,
    Engine === 'postgres'
      ? `cluster ${node.path} is a Multi-AZ DB cluster, which has no Data API; ${LEAVE_OUT}`
      : undefined,
    engineVersionProblem(EngineVersion),
    typeof writerClass === 'string' && /^db\.t\d/.test(writerClass)
      ? `the class of the writer is ${writerClass}, and there is no Data API on T classes; choose another class, or ${LEAVE_OUT}`
      : undefined,
  ];
  return found.flatMap(problem => problem === undefined ? [] : [`transport is SqlTransport.dataApi(), and ${problem}`]);
}
