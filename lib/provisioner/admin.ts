import { Token } from 'aws-cdk-lib';
import * as secretsmanager from 'aws-cdk-lib/aws-secretsmanager';
import type { IConstruct } from 'constructs';
import { usernameProblem } from '../contract/names';
import type { Database } from '../database/database';
import { propertiesIn } from '../database/iam-authentication';
import { isRestored } from '../database/restored';
import { errorAt } from '../model/errors';
import { warn, type Warning } from '../model/warning';

/** Whom the provisioner signs in as: with the password in a secret, or with tokens. */
export type Admin
  = | { readonly secret: secretsmanager.ISecret; readonly username?: undefined }
    | { readonly secret?: undefined; readonly username: string };

export function adminOf(scope: IConstruct, database: Database, given?: Admin): Admin {
  const admin = given ?? { secret: adminSecretOf(scope, database) };
  if (admin.secret) {
    scope.node.addValidation({ validate: () => passwordProblems(database, admin.secret) });
    return admin;
  }
  const problem = Token.isUnresolved(admin.username)
    ? 'username of the admin is a token, and a * in it would let the provisioner sign in as every user; give the username itself to AdminCredentials.fromIam()'
    : usernameProblem(admin.username);
  if (problem) {
    throw errorAt(scope, problem);
  }
  scope.node.addValidation({
    validate: () => {
      warn(scope, [adminWithPassword(database, admin.username)]);
      return [];
    },
  });
  return admin;
}

function adminSecretOf(scope: IConstruct, { construct, kind, resource, secret }: Database): secretsmanager.ISecret {
  if (resource?.manageMasterUserPassword === true && !secret) {
    throw errorAt(
      scope,
      `the secret of the master of ${kind} ${construct.node.path}, which RDS manages, has a key of its own (masterUserSecret), and the provisioner must be allowed to decrypt with it; `
      + 'pass admin: AdminCredentials.fromSecret(Secret.fromSecretAttributes(scope, id, { secretCompleteArn, encryptionKey }))',
    );
  }
  if (!secret && resource && isRestored(resource)) {
    throw errorAt(
      scope,
      `${kind} ${construct.node.path} is restored, and its master keeps the password that it had, which no secret of this app is; `
      + `pass ${kind === 'cluster' ? 'snapshotCredentials' : 'credentials'}: rds.SnapshotCredentials.fromGeneratedSecret(username) where the ${kind} is made, for a new password, `
      + 'or admin: AdminCredentials.fromSecret(secret) here, with the one it has',
    );
  }
  if (!secret) {
    throw errorAt(
      scope,
      `${kind} ${construct.node.path} has no secret (it has a password from elsewhere, from a snapshot or from the ${kind} it replicates, has none at all, or is imported), `
      + 'and users are created by an admin; pass admin: AdminCredentials.fromSecret(secret), or AdminCredentials.fromIam(username) for one that signs in with a token',
    );
  }
  return secret;
}

/** A master that signs in with IAM has no password. Reads what the template will say, overrides included. */
function passwordProblems(
  { resource, secret, kind, construct }: Database,
  adminSecret: secretsmanager.ISecret,
): string[] {
  if (!resource || propertiesIn(resource).MasterUserAuthenticationType !== 'iam-db-auth') {
    return [];
  }
  const { masterUsername = '' } = resource;
  return adminSecret === secret || usernameIn(adminSecret) === masterUsername
    ? [
        `MasterUserAuthenticationType of ${kind} ${construct.node.path} is iam-db-auth, so that its master has no password and users cannot be created with one from a secret; `
        + `pass admin: AdminCredentials.fromIam(${Token.isUnresolved(masterUsername) ? 'masterUsername' : JSON.stringify(masterUsername)})`,
      ]
    : [];
}

/** RDS takes a token of members of rds_iam alone, and the master is none unless it was granted by hand. */
function adminWithPassword({ resource, secret, kind, construct }: Database, username: string): Warning | undefined {
  const { MasterUsername, MasterUserAuthenticationType, WithExpressConfiguration } = resource
    ? propertiesIn(resource)
    : {};
  return ![MasterUsername, usernameIn(secret)].includes(username)
    || MasterUserAuthenticationType === 'iam-db-auth'
    || WithExpressConfiguration === true
    ? undefined
    : {
        id: 'cdk-aurora-iam-auth:adminWithPassword',
        text:
          `admin ${JSON.stringify(username)} of AdminCredentials.fromIam() is the master of ${kind} ${construct.node.path}, which is made with a password and not as a member of rds_iam, `
          + 'so that its token is refused and the deployment fails; leave admin out, name a role of its own as docs/admin.md makes it, or acknowledge',
      };
}

/** The admins whose names the app tells: of the database, and the one that users are created with. */
export function adminsOf({ resource, secret }: Database, admin: Admin): string[] {
  return [resource?.masterUsername, usernameIn(secret), admin.username ?? usernameIn(admin.secret)]
    .filter(username => username !== undefined && !Token.isUnresolved(username)) as string[];
}

/**
 * PostgreSQL 14 and older, of which 14 is supported: every user can make every role its member, and so one of rds_iam.
 */
const MEMBERS_BY_THEMSELVES = /^14(\.|$)/;

/**
 * The admin that any user of this database can lock out: one with a password, on PostgreSQL 14. The provisioner signs
 * in with a token then and takes that membership back.
 *
 * @returns its name, or undefined where the app does not tell it, or the version
 */
export function adminToRecover({ resource, secret }: Database, admin: Admin): string | undefined {
  const { engineVersion = '' } = resource ?? {};
  if (!admin.secret || !resource || Token.isUnresolved(engineVersion) || !MEMBERS_BY_THEMSELVES.test(engineVersion)) {
    return undefined;
  }
  const username = usernameIn(admin.secret) ?? (admin.secret === secret ? resource.masterUsername : undefined);
  return username === undefined || Token.isUnresolved(username) || usernameProblem(username) !== undefined
    ? undefined
    : username;
}

/** The username of a secret that CDK generates a password for; the database itself refers to it by the secret. */
function usernameIn(secret: secretsmanager.ISecret | undefined): string | undefined {
  // What a database has as its secret is the attachment, a child of the secret.
  const resource = [secret, secret?.node.scope].map(construct => construct?.node.defaultChild)
    .find(child => secretsmanager.CfnSecret.isCfnSecret(child));
  const generated = resource?.generateSecretString;
  const template = generated && 'secretStringTemplate' in generated ? generated.secretStringTemplate : undefined;
  try {
    return (JSON.parse(template ?? '{}') as { username?: string }).username;
  } catch {
    return undefined; // not JSON, or not known at synthesis
  }
}
