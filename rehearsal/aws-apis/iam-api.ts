import { AwsAnswer, AwsCall, AwsService } from '../cloudformation/aws-endpoint';
import { Authorize } from '../cloudformation/secrets-manager';
import { PolicyDocument } from '../iam/policy-document';
import { simulate } from '../iam/simulator';
import { Elements, fault, parametersOf, result } from '../rds-api/query-protocol';

/** https://docs.aws.amazon.com/IAM/latest/APIReference/welcome.html */
const VERSION = '2010-05-08';

export interface IamRole {
  readonly arn: string;
  readonly inline: readonly { readonly name: string; readonly document: PolicyDocument }[];
  /** ARNs of managed policies. */
  readonly attached: readonly string[];
  /** ARN of the permissions boundary. */
  readonly boundary?: string;
}

/** What there is to call, at this moment. */
export interface IamState {
  readonly authorize: Authorize;
  /** By its name, without a path. */
  readonly role: (name: string) => IamRole | undefined;
  /** A managed policy by its ARN. */
  readonly policy: (arn: string) => PolicyDocument | undefined;
  /** Service control policies of the account. */
  readonly organization?: () => PolicyDocument[];
}

/** Reads roles and their policies, and simulates them. Each action needs its permission on the role or the policy. */
export function iamApi(state: IamState): AwsService {
  return (call) => {
    const { Action: action, ...parameters } = parametersOf(call, VERSION) ?? {};
    const answer = action === undefined ? undefined : ACTIONS[action];
    return answer && answerOf(call, action, parameters, state, answer);
  };
}

type Answer = (parameters: Record<string, string>, role: IamRole, state: IamState) => Elements | AwsAnswer;

const ofRole = ({ RoleName = '', PolicySourceArn = '' }: Record<string, string>, { role }: IamState) => {
  const found = role(RoleName || PolicySourceArn.split('/').at(-1)!);
  // An ARN must have the path that the role has.
  return found && (PolicySourceArn === '' || found.arn === PolicySourceArn) ? found : undefined;
};

function answerOf(
  { accessKeyId }: AwsCall,
  action: string,
  parameters: Record<string, string>,
  state: IamState,
  answer: Answer,
): AwsAnswer {
  const { PolicyArn } = parameters;
  const role = PolicyArn === undefined ? ofRole(parameters, state) : undefined;
  const resource = PolicyArn ?? role?.arn ?? '*';
  if (!state.authorize(accessKeyId, `iam:${action}`, resource)) {
    return fault(
      403,
      'AccessDenied',
      `User is not authorized to perform: iam:${action} on resource: ${resource} because no identity-based policy allows the iam:${action} action`,
    );
  }
  if (PolicyArn === undefined ? role === undefined : state.policy(PolicyArn) === undefined) {
    return fault(
      404,
      'NoSuchEntity',
      `${PolicyArn ?? parameters.RoleName ?? parameters.PolicySourceArn} cannot be found.`,
    );
  }
  const content = answer(parameters, role!, state);
  return 'status' in content && 'body' in content ? (content as AwsAnswer) : result(action, content);
}

/** https://docs.aws.amazon.com/IAM/latest/APIReference/API_GetRolePolicy.html: documents are URL-encoded. */
const encoded = (document: PolicyDocument) => encodeURIComponent(JSON.stringify(document));

const ACTIONS: Record<string, Answer> = {
  GetRole: (_, { arn, boundary }) => ({
    Role: {
      Arn: arn,
      RoleName: arn.split('/').at(-1),
      PermissionsBoundary:
        boundary === undefined
          ? undefined
          : { PermissionsBoundaryType: 'PermissionsBoundaryPolicy', PermissionsBoundaryArn: boundary },
    },
  }),
  ListRolePolicies: (_, { inline }) => ({
    PolicyNames: { member: inline.map(({ name }) => name) },
    IsTruncated: false,
  }),
  GetRolePolicy: ({ PolicyName, RoleName }, { inline }) => {
    const found = inline.find(({ name }) => name === PolicyName);
    return found === undefined
      ? fault(404, 'NoSuchEntity', `The role policy with name ${PolicyName} cannot be found.`)
      : { RoleName, PolicyName, PolicyDocument: encoded(found.document) };
  },
  ListAttachedRolePolicies: (_, { attached }) => ({
    AttachedPolicies: { member: attached.map(arn => ({ PolicyArn: arn, PolicyName: arn.split('/').at(-1) })) },
    IsTruncated: false,
  }),
  GetPolicy: ({ PolicyArn }) => ({ Policy: { Arn: PolicyArn, DefaultVersionId: 'v1' } }),
  GetPolicyVersion: ({ PolicyArn }, _, { policy }) => ({
    PolicyVersion: { VersionId: 'v1', IsDefaultVersion: true, Document: encoded(policy(PolicyArn)!) },
  }),
  // Of one action on one resource, as it is asked for here.
  SimulatePrincipalPolicy: (
    { 'ActionNames.member.1': action, 'ResourceArns.member.1': resource },
    { inline, attached, boundary },
    { policy, organization },
  ) => {
    const { decision, boundaryAllows, organizationAllows, missing } = simulate(
      {
        identity: [...inline.map(({ document }) => document), ...attached.flatMap(arn => policy(arn) ?? [])],
        boundary: boundary === undefined ? undefined : policy(boundary),
        organization: organization?.(),
      },
      action,
      resource,
    );
    return {
      EvaluationResults: {
        member: {
          EvalActionName: action,
          EvalResourceName: resource,
          EvalDecision: decision,
          MissingContextValues: { member: missing },
          PermissionsBoundaryDecisionDetail:
            boundaryAllows === undefined ? undefined : { AllowedByPermissionsBoundary: boundaryAllows },
          OrganizationsDecisionDetail:
            organizationAllows === undefined ? undefined : { AllowedByOrganizations: organizationAllows },
        },
      },
      IsTruncated: false,
    };
  },
};
