import { oncePerApp } from '../app/synthesized-app';
import type { Target } from '../iam/target';
import { databasesWithUsersOf, masterSecretsOf } from './master-secrets';
import { databaseTarget } from './targets';

/** What the password of a master is set by. */
export interface PasswordHolder {
  readonly target: Target;
  /** Those that set it, or with which one gets at it. */
  readonly actions: string[];
  /** Of the database, for people. */
  readonly database: string;
}

/** @see https://docs.aws.amazon.com/service-authorization/latest/reference/list_awssecretsmanager.html */
export const SECRET_ACTIONS = ['PutSecretValue', 'UpdateSecret', 'RotateSecret', 'PutResourcePolicy'].map(
  action => `secretsmanager:${action}`,
);

/** @see https://docs.aws.amazon.com/service-authorization/latest/reference/list_amazonrds.html */
export const DATABASE_ACTIONS: Record<string, string> = {
  'AWS::RDS::DBCluster': 'rds:ModifyDBCluster',
  'AWS::RDS::DBInstance': 'rds:ModifyDBInstance',
};

/** The databases that have users, and the secrets of their masters. */
export const passwordHoldersOf = oncePerApp((app): PasswordHolder[] => [
  ...databasesWithUsersOf(app).map(database => ({
    target: databaseTarget(database),
    actions: [DATABASE_ACTIONS[database.type]],
    database: database.logicalId,
  })),
  ...masterSecretsOf(app).map(({ target, database }) => ({ target, actions: SECRET_ACTIONS, database })),
]);
