import { Token, Tokenization } from 'aws-cdk-lib';
import * as rds from 'aws-cdk-lib/aws-rds';
import { Construct, IConstruct } from 'constructs';
import { Database } from './database';
import { errorAt } from './errors';
import { IamAuthenticationResource } from './iam-authentication-resource';
import { NOT_LOOKED_UP, ofImport, saidResourceId, SignInTarget } from './sign-in-target';
import { DatabaseKind } from '../contract/wire';
import type { IamAuthOptions } from '../iam-auth-options';

/** Whether, and how, IAM authentication of an imported database is switched on. */
export type SwitchOptions = Pick<IamAuthOptions, 'enableIamAuthentication' | 'provisioner' | 'reapply' | 'transport'>;

/** What an import knows, each only if it was told. */
export interface Import {
  readonly target: () => SignInTarget;
  readonly identifier: string;
  readonly endpoint: () => rds.Endpoint;
  /** Names of what the endpoint is made of. */
  readonly attributes: string;
}

/** A database of another app. */
export function importedDatabase(scope: Construct, kind: DatabaseKind, construct: Database['construct'], options: SwitchOptions, known: Import): Database {
  if (options.enableIamAuthentication === true) {
    return switchedOn(scope, kind, construct, options, known);
  }
  const target = known.target();
  const { hostname, port } = endpointOf(construct, known.attributes, known.endpoint);
  checkSecurityGroups(construct, target.resourceId, options);
  return { kind, construct, target, host: hostname, port };
}

/** Where it is comes from RDS then; what the import says of it is compared with that by the deployment. */
function switchedOn(scope: Construct, kind: DatabaseKind, construct: Database['construct'], switches: SwitchOptions, { identifier, endpoint }: Import): Database {
  const { provisioner: options, reapply } = switches;
  const resourceId = saidResourceId(construct, kind);
  const { fromPort: saidPort } = (construct.connections.defaultPort?.toRuleJson() ?? {}) as { fromPort?: number };
  checkSecurityGroups(construct, resourceId, switches);
  const resource = new IamAuthenticationResource(scope, 'IamAuthentication', {
    kind,
    database: construct,
    identifier,
    expected: { ResourceId: resourceId, Host: ofImport(endpoint)?.hostname, Port: saidPort === undefined ? undefined : Tokenization.stringifyNumber(saidPort) },
    reapply,
    options,
  });
  return {
    kind,
    construct,
    target: { construct, identity: construct, resourceId: resource.attribute('ResourceId'), ...construct.env, check: () => undefined, takesConditions: true },
    host: resource.attribute('Host'),
    port: saidPort ?? Token.asNumber(resource.attribute('Port')),
  };
}

function endpointOf(construct: IConstruct, attributes: string, read: () => rds.Endpoint): rds.Endpoint {
  const endpoint = ofImport(read);
  if (!endpoint) {
    throw errorAt(construct, `the import does not tell the endpoint, and users are created over a connection to it; give ${attributes} where it is imported`);
  }
  return endpoint;
}

/** For a connection, which another transport is not. */
function checkSecurityGroups({ connections, node }: Database['construct'], resourceId: string | undefined, { transport }: SwitchOptions): void {
  if (transport === undefined && connections.securityGroups.length === 0 && resourceId !== NOT_LOOKED_UP) {
    throw errorAt({ node } as IConstruct, 'the import does not tell its security groups, and the function that creates the users is let in by a rule of one; give securityGroups where it is imported');
  }
}
