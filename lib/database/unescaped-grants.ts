import { Stack } from 'aws-cdk-lib';
import type { IConstruct } from 'constructs';
import { resourcesOfApp } from './resources-of-app';
import { policyUsername } from '../contract/names';
import { warn } from '../model/warning';

/** Where a grant of CDK may be: `cluster.grantConnect(role, 'app*')` does not escape. */
const POLICIES = ['AWS::IAM::Policy', 'AWS::IAM::ManagedPolicy'];

/** Says at the end of the synthesis which policies take a username of this app for a pattern: others match it, too. */
export function warnOfUnescapedGrants(scope: IConstruct, usernames: readonly string[]): void {
  const escaped = usernames.filter(username => policyUsername(username) !== username);
  if (escaped.length === 0) {
    return;
  }
  scope.node.addValidation({
    validate: () => {
      const policies = resourcesOfApp(scope).filter(({ cfnResourceType }) => POLICIES.includes(cfnResourceType));
      for (const policy of policies) {
        const text = JSON.stringify(
          Stack.of(policy).resolve((policy as { policyDocument?: unknown }).policyDocument) ?? '',
        );
        const username = escaped.find(
          one => text.includes('rds-db:connect') && text.includes(`/${JSON.stringify(one).slice(1)}`),
        );
        warn(policy, [username === undefined
          ? undefined
          : {
              id: 'cdk-aurora-iam-auth:unescapedGrant',
              text:
                `policy ${policy.node.path} allows to sign in as ${JSON.stringify(username)} without an escape, as grantConnect() of aws-cdk-lib grants it, and so as every user that matches; `
                + 'grant with grantConnect() of the user, or acknowledge',
            }]);
      }
      return [];
    },
  });
}
