/** Roles of IAM and what they may do. */
import {
  GetPolicyCommand,
  GetPolicyVersionCommand,
  GetRoleCommand,
  GetRolePolicyCommand,
  IAMClient,
  ListAttachedRolePoliciesCommand,
  ListRolePoliciesCommand,
  SimulatePrincipalPolicyCommand,
} from '@aws-sdk/client-iam';
import { all, AwsApi, missing } from './api';
import { PolicyDocument } from '../../../rehearsal/iam/policy-document';
import { isSeen, NamedPolicy, PolicyDocuments, Seen, Simulation } from '../observations';

export class IamPolicies {
  constructor(private readonly api: AwsApi) {}

  async simulate(principal: string, action: string, resource: string): Promise<Seen<Simulation>> {
    return this.api.see('iam:SimulatePrincipalPolicy', async () => {
      const { EvaluationResults: [found] = [] } = await this.api.client(IAMClient).send(
        new SimulatePrincipalPolicyCommand({
          PolicySourceArn: principal,
          ActionNames: [action],
          ResourceArns: [resource],
        }),
      );
      // Results for a resource are beside that of all.
      const own = found?.ResourceSpecificResults?.find(({ EvalResourceName }) => EvalResourceName === resource);
      const decision = own?.EvalResourceDecision ?? found?.EvalDecision;
      const { AllowedByPermissionsBoundary: boundaryAllows }
        = own?.PermissionsBoundaryDecisionDetail ?? found?.PermissionsBoundaryDecisionDetail ?? {};
      return decision === undefined
        ? missing('IAM gave no decision')
        : {
            decision,
            boundaryAllows,
            organizationAllows: found?.OrganizationsDecisionDetail?.AllowedByOrganizations,
            missingContext: own?.MissingContextValues ?? found?.MissingContextValues ?? [],
          };
    });
  }

  /** With its path, which the ARN of a session lacks. */
  async role(name: string): Promise<Seen<{ readonly arn: string; readonly boundary?: string }>> {
    return this.api.see('iam:GetRole', async () => {
      const { Role: { Arn: arn = '', PermissionsBoundary: boundary } = {} } = await this.api.client(IAMClient).send(
        new GetRoleCommand({ RoleName: name }),
      );
      return { arn, boundary: boundary?.PermissionsBoundaryArn };
    });
  }

  /** All that a role has, and its boundary. */
  async policiesOfRole(name: string): Promise<Seen<PolicyDocuments>> {
    const role = await this.role(name);
    if (!isSeen(role)) {
      return role;
    }
    const iam = this.api.client(IAMClient);
    const names = await this.api.see(
      'iam:ListRolePolicies',
      async () => (await iam.send(new ListRolePoliciesCommand({ RoleName: name }))).PolicyNames ?? [],
    );
    const attached = await this.api.see('iam:ListAttachedRolePolicies', async () =>
      ((await iam.send(new ListAttachedRolePoliciesCommand({ RoleName: name }))).AttachedPolicies ?? []).map(
        ({ PolicyArn = '' }) => PolicyArn,
      ),
    );
    if (!isSeen(names)) {
      return names;
    }
    if (!isSeen(attached)) {
      return attached;
    }
    const inline = await all(
      names.value.map(policy =>
        this.api.see('iam:GetRolePolicy', async () => {
          const { PolicyDocument: text } = await iam.send(
            new GetRolePolicyCommand({ RoleName: name, PolicyName: policy }),
          );
          return { name: policy, document: documentOf(text) };
        }),
      ),
    );
    const managed = await all(attached.value.map(arn => this.managedPolicy(arn)));
    const boundary: Seen<NamedPolicy | undefined>
      = role.value.boundary === undefined ? { value: undefined } : await this.managedPolicy(role.value.boundary);
    if (!isSeen(inline)) {
      return inline;
    }
    if (!isSeen(managed)) {
      return managed;
    }
    return isSeen(boundary)
      ? { value: { policies: [...inline.value, ...managed.value], boundary: boundary.value } }
      : boundary;
  }

  private async managedPolicy(arn: string): Promise<Seen<NamedPolicy>> {
    const iam = this.api.client(IAMClient);
    const version = await this.api.see(
      'iam:GetPolicy',
      async () => (await iam.send(new GetPolicyCommand({ PolicyArn: arn }))).Policy?.DefaultVersionId,
    );
    return isSeen(version)
      ? this.api.see('iam:GetPolicyVersion', async () => {
          const { PolicyVersion } = await iam.send(
            new GetPolicyVersionCommand({ PolicyArn: arn, VersionId: version.value }),
          );
          return { name: arn.split('/').at(-1)!, document: documentOf(PolicyVersion?.Document) };
        })
      : version;
  }
}

/** Policies come URL-encoded: https://docs.aws.amazon.com/IAM/latest/APIReference/API_GetRolePolicy.html */
function documentOf(text = ''): PolicyDocument {
  return JSON.parse(decodeURIComponent(text)) as PolicyDocument;
}
