import { Principal } from '../../rehearsal/iam/condition-keys';
import { IdentityPolicies } from '../../rehearsal/iam/identity-policies';
import { Condition, PolicyDocument, PolicyStatement } from '../../rehearsal/iam/policy-document';

export const CONNECT = 'rds-db:connect';
export const NOON = new Date('2026-03-01T12:00:00Z');
export const ROLE: Principal = {
  arn: 'arn:aws:iam::111122223333:role/app/Reader',
  tags: { Team: 'orders', wild: '*', empty: '', dollar: '${aws:username}' },
};

export const user = (name: string) => `arn:aws:rds-db:eu-west-1:111122223333:dbuser:cluster-ABC/${name}`;

export const allow = (Resource: string | string[], others: Partial<PolicyStatement> = {}) => ({
  Effect: 'Allow',
  Action: CONNECT,
  Resource,
  ...others,
});
/** RDS evaluates no condition of rds-db:connect: what IAM does with conditions is asked of another action. */
export const OTHER = 'rds:DescribeDBClusters';
export const allowIf = (condition: Condition) => allow('*', { Action: OTHER, Condition: condition });

export const version = (Statement: PolicyStatement | PolicyStatement[], Version = '2012-10-17'): PolicyDocument => ({
  Version,
  Statement,
});

export function ask(
  policies: IdentityPolicies,
  resource: string,
  { action = CONNECT, principal = ROLE, at = NOON } = {},
) {
  return policies.allows({ action, resource, principal, at });
}

export function allows(
  statement: PolicyStatement | PolicyStatement[],
  name: string,
  request: { action?: string; principal?: Principal; at?: Date } = {},
) {
  return ask(new IdentityPolicies([version(statement)]), user(name), request);
}
