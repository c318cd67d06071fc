import { Token, Tokenization } from 'aws-cdk-lib';
import type * as rds from 'aws-cdk-lib/aws-rds';
import type { IConstruct } from 'constructs';
import type { Database } from './database';
import { alsoResourceIds, declaredResourceId, NOT_LOOKED_UP, type SignInTarget, tryRead } from './sign-in-target';
import type { DatabaseAddress, DatabaseKind, IamAuthenticationAttribute } from '../contract/wire';
import { errorAt } from '../model/errors';

/** What the app asks for at an imported database. */
export interface ImportOptions {
  /** Whether users are created over a connection, which a security group lets in. */
  readonly overConnection: boolean;

  /** Further resource ids; also of a database that is made in this app. */
  readonly alsoResourceIds?: string[];

  /** Has the deployment enable IAM authentication. Undefined where the app does not ask for it. */
  readonly enable?: (database: DatabaseToEnable) => EnabledDatabase;
}

export interface DatabaseToEnable {
  readonly kind: DatabaseKind;
  readonly database: Database['construct'];
  readonly identifier: string;
  /** What the import says of it. */
  readonly expected: Partial<DatabaseAddress>;
}

export interface EnabledDatabase {
  /** Known when IAM authentication is on, so that what refers to it comes after. */
  attribute(name: IamAuthenticationAttribute): string;
}

/** What an import knows, each only if it was told. */
export interface Import {
  readonly target: () => SignInTarget;
  readonly identifier: string;
  readonly endpoint: () => rds.Endpoint;
  readonly readerHost?: () => string;
  /** Names of what the endpoint is made of. */
  readonly attributes: string;
}

/** A database of another app. */
export function importedDatabase(
  kind: DatabaseKind, construct: Database['construct'], options: ImportOptions, known: Import,
): Database {
  const { overConnection, enable } = options;
  if (enable) {
    return enabled(kind, construct, options, enable, known);
  }
  const target = known.target();
  const { hostname, port } = endpointOf(construct, known.attributes, known.endpoint);
  checkSecurityGroups(construct, target.resourceId, overConnection);
  return { kind, construct, target, host: hostname, readerHost: readerHostIn(known), port };
}

/** Where it is comes from RDS then; what the import says of it is compared with that by the deployment. */
function enabled(
  kind: DatabaseKind, construct: Database['construct'], { overConnection, ...options }: ImportOptions,
  enable: NonNullable<ImportOptions['enable']>, known: Import,
): Database {
  const { identifier, endpoint } = known;
  const resourceId = declaredResourceId(construct, kind);
  const { fromPort: declaredPort } = (construct.connections.defaultPort?.toRuleJson() ?? {}) as { fromPort?: number };
  checkSecurityGroups(construct, resourceId, overConnection);
  const resource = enable({
    kind,
    database: construct,
    identifier,
    expected: {
      ResourceId: resourceId,
      Host: tryRead(endpoint)?.hostname,
      Port: declaredPort === undefined ? undefined : Tokenization.stringifyNumber(declaredPort),
    },
  });
  return {
    kind,
    construct,
    target: {
      construct,
      identity: construct,
      resourceId: resource.attribute('ResourceId'),
      alsoResourceIds: alsoResourceIds(construct, kind, resourceId, options),
      ...construct.env,
      check: () => undefined,
      takesConditions: true,
    },
    host: resource.attribute('Host'),
    readerHost: readerHostIn(known),
    port: declaredPort ?? Token.asNumber(resource.attribute('Port')),
  };
}

function readerHostIn({ readerHost }: Import): string | undefined {
  return readerHost && tryRead(readerHost);
}

function endpointOf(construct: IConstruct, attributes: string, read: () => rds.Endpoint): rds.Endpoint {
  const endpoint = tryRead(read);
  if (!endpoint) {
    throw errorAt(
      construct,
      `the import does not tell the endpoint, and users are created over a connection to it; give ${attributes} where it is imported`,
    );
  }
  return endpoint;
}

/** For a connection, which another transport is not. */
function checkSecurityGroups(
  { connections, node }: Database['construct'], resourceId: string | undefined, overConnection: boolean,
): void {
  if (overConnection && connections.securityGroups.length === 0 && resourceId !== NOT_LOOKED_UP) {
    throw errorAt(
      { node },
      'the import does not tell its security groups, and the function that creates the users is let in by a rule of one; give securityGroups where it is imported',
    );
  }
}
