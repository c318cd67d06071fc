import { AwsService, failure } from '../cloudformation/aws-endpoint';
import { inlinePoliciesOf, managedPoliciesOf, policyDocumentOf } from '../cloudformation/role-policies';
import { Authorize } from '../cloudformation/secrets-manager';
import { Stack } from '../cloudformation/stack';
import { ResourceState } from '../cloudformation/template';
import { IssuedCredentials } from '../iam/credentials';
import { PolicyDocument } from '../iam/policy-document';
import { TokenEndpoint } from '../iam/token-endpoint';
import { fault } from '../rds-api/query-protocol';
import { cloudFormationApi, StackFacts } from './cloudformation-api';
import { cloudWatchApi, cloudWatchLogsApi } from './cloudwatch-api';
import { iamApi } from './iam-api';
import { stsApi } from './sts-api';

export interface RehearsedAccount {
  readonly authorize: Authorize;
  readonly credentials: IssuedCredentials;
  readonly existing: () => ResourceState[];
  readonly stacks: () => Stack[];
  /** A managed policy that was given. */
  readonly policy: (arn: string) => PolicyDocument | undefined;
  readonly sum: (metric: string, instance: string) => number;
  readonly log: (group: string) => readonly { readonly at: Date; readonly text: string }[] | undefined;
}

/** What only reads: whose credentials they are, roles and their policies, metrics and logs of RDS, and stacks. */
export function readOnlyApis({
  authorize,
  credentials,
  existing,
  stacks,
  policy,
  sum,
  log,
}: RehearsedAccount): AwsService[] {
  const document = (policyArn: string) => policyDocumentOf(policyArn, existing()) ?? policy(policyArn);
  return [
    refuseExpired(credentials),
    stsApi(accessKeyId => credentials.find(accessKeyId)?.principal),
    iamApi({
      authorize,
      policy: document,
      role: (name) => {
        const role = existing().find(({ type, physicalId }) => type === 'AWS::IAM::Role' && physicalId === name);
        return (
          role && {
            arn: role.attributes.Arn as string,
            inline: inlinePoliciesOf(role, existing()),
            attached: managedPoliciesOf(role, existing()),
            boundary: role.properties.PermissionsBoundary as string | undefined,
          }
        );
      },
    }),
    cloudWatchApi({ authorize, sum, log }),
    cloudWatchLogsApi({ authorize, sum, log }, (group, region) => `arn:aws:logs:${region}:*:log-group:${group}`),
    cloudFormationApi(
      authorize,
      name =>
        stacks()
          .map(factsOf)
          .find(({ id }) => id === name || id.includes(`:stack/${name}/`)),
      () => stacks().map(factsOf),
    ),
  ];
}

/** https://docs.aws.amazon.com/STS/latest/APIReference/CommonErrors.html */
function refuseExpired(credentials: IssuedCredentials): AwsService {
  const text = 'The security token included in the request is expired';
  return ({ accessKeyId, target }) =>
    credentials.isExpired(accessKeyId)
      ? target === undefined
        ? fault(403, 'ExpiredToken', text)
        : failure(400, 'ExpiredTokenException', text)
      : undefined;
}

function factsOf({ identity, resources, exports }: Stack): StackFacts {
  return {
    id: identity.id,
    exports,
    resources: [...resources.values()].map(({ logicalId, physicalId, type }) => ({ logicalId, physicalId, type })),
  };
}

/** What the log of RDS says of refused sign-ins. Of its form no more is documented than the names of errors. */
export function signInErrors(refusals: TokenEndpoint['refusals']): { at: Date; text: string }[] {
  return refusals.map(({ at, username, reason }) => {
    const [principal] = reason.split(' may not rds-db:connect');
    const error
      = principal !== reason
        ? `403 NotAuthorized: ${principal} is not authorized to perform: rds-db:connect`
        : reason.includes('Throttling')
          ? '429 ThrottlingException'
          : reason.includes('expired')
            ? '400 ExpiredToken'
            : '400 InvalidToken';
    return { at, text: `Failed to authenticate user "${username}": ${error}` };
  });
}
