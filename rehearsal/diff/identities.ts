import { policyOfAws } from '../cloudformation/role-policies';
import { PolicyDocument } from '../iam/policy-document';
import { Holder } from './access-diff';
import { branchesOf } from './branches';
import { Document, statementsIn, unreadable } from './connect-statements';
import {
  conditionOf,
  onlySymbol,
  symbolsIn,
  symbolText,
  TemplateResource,
  TemplateStack,
  TemplateValues,
} from './template-values';

/** An IAM identity, or a policy that identities may have. */
export interface Identity {
  readonly who: Holder;
  readonly key: string;
  readonly documents: Document[];

  /** Of a role. */
  readonly trust?: { readonly stack: TemplateStack; readonly document: unknown };

  /** Managed policies and boundaries whose statements are not known. */
  readonly unknownPolicies: Set<string>;
  boundary?: Document | 'unknown';
  undecided?: string;
}

const IDENTITIES: Record<string, { readonly kind: Holder['kind']; readonly name: string } | undefined> = {
  'AWS::IAM::Role': { kind: 'IAM role', name: 'RoleName' },
  'AWS::IAM::User': { kind: 'IAM user', name: 'UserName' },
  'AWS::IAM::Group': { kind: 'IAM group', name: 'GroupName' },
  'AWS::IAM::ManagedPolicy': { kind: 'identities with the policy', name: 'ManagedPolicyName' },
  'AWS::SSO::PermissionSet': { kind: 'permission set', name: 'Name' },
};
const ATTACHED = [
  ['IAM role', 'Roles', 'RoleName'],
  ['IAM user', 'Users', 'UserName'],
  ['IAM group', 'Groups', 'GroupName'],
] as const;

/** The identities of an app, with all policies that they have. */
export class Identities {
  private readonly byKey = new Map<string, Identity>();
  private readonly managed = new Map<string, Document>();
  private readonly managedByName = new Map<string, Document>();

  constructor(
    private readonly values: TemplateValues,
    private readonly policies: Readonly<Record<string, PolicyDocument>>,
  ) {}

  all(): Identity[] {
    const { values } = this;
    for (const resource of values.ofType(/^AWS::IAM::ManagedPolicy$/)) {
      const {
        stack,
        logicalId,
        definition: { Properties = {} },
      } = resource;
      const document = this.document(stack, Properties.PolicyDocument, conditionOf(resource));
      this.managed.set(symbolText(['resource', stack.definition.id, logicalId, '']), document);
      if (Properties.ManagedPolicyName !== undefined) {
        this.managedByName.set(this.values.text(stack, Properties.ManagedPolicyName), document);
      }
    }
    const resources = values.resources.filter(({ definition }) => IDENTITIES[definition.Type]);
    resources.forEach(resource => this.add(resource));
    values
      .ofType(/^AWS::IAM::(Policy|ManagedPolicy|RolePolicy|UserPolicy|GroupPolicy)$/)
      .forEach(resource => this.attach(resource));
    this.joinGroups();
    return [...this.byKey.values()];
  }

  private add(resource: TemplateResource): void {
    const {
      stack,
      definition: { Properties = {}, Type: type },
    } = resource;
    const identity = this.identityOf(resource);
    const undecided = conditionOf(resource);
    const {
      Policies,
      PolicyDocument: own,
      InlinePolicy,
      AssumeRolePolicyDocument: trust,
    } = Properties;
    const inline = [
      ...branchesOf(Policies).map(({ value, undecided: branch }) =>
        [(value as { PolicyDocument?: unknown }).PolicyDocument ?? value, undecided ?? branch] as const),
      [InlinePolicy, undecided] as const,
      [type === 'AWS::IAM::ManagedPolicy' ? own : undefined, undecided] as const,
    ];
    inline
      .filter(([document]) => document !== undefined)
      .forEach(([document, why]) => identity.documents.push(this.document(stack, document, why)));
    const ofPermissionSet = type === 'AWS::SSO::PermissionSet' ? Properties : {};
    for (const arn of [
      ...this.values.list(stack, Properties.ManagedPolicyArns),
      ...this.values.list(stack, ofPermissionSet.ManagedPolicies),
      // Those of the account, by their names.
      ...branchesOf(ofPermissionSet.CustomerManagedPolicyReferences).map(({ value }) =>
        this.values.text(stack, (value as { Name?: unknown }).Name ?? value)),
    ]) {
      const document = this.managedPolicy(arn);
      if (document) {
        identity.documents.push(document);
      } else {
        identity.unknownPolicies.add(arn);
      }
    }
    if (Properties.PermissionsBoundary !== undefined && type !== 'AWS::SSO::PermissionSet') {
      identity.boundary = this.managedPolicy(this.values.text(stack, Properties.PermissionsBoundary)) ?? 'unknown';
    }
    if (trust !== undefined) {
      Object.assign(identity, { trust: { stack, document: trust } });
    }
  }

  private attach(resource: TemplateResource): void {
    const {
      stack,
      logicalId,
      definition: { Properties = {}, Type: type },
    } = resource;
    const document
      = this.managed.get(symbolText(['resource', stack.definition.id, logicalId, '']))
        ?? this.document(stack, Properties.PolicyDocument, conditionOf(resource));
    for (const [kind, several, one] of ATTACHED) {
      const names = this.values.list(
        stack,
        type.endsWith('ManagedPolicy') || type === 'AWS::IAM::Policy' ? Properties[several] : Properties[one],
      );
      names.forEach(name => this.named(kind, name, stack).documents.push(document));
    }
  }

  /** What a group may do, its users may do. */
  private joinGroups(): void {
    const join = (user: Identity, name: string, stack: TemplateStack) => {
      const group = this.named('IAM group', name, stack);
      user.documents.push(...group.documents);
      group.unknownPolicies.forEach(policy => user.unknownPolicies.add(policy));
    };
    for (const resource of this.values.ofType(/^AWS::IAM::User$/)) {
      const {
        stack,
        definition: { Properties = {} },
      } = resource;
      this.values.list(stack, Properties.Groups).forEach(group => join(this.identityOf(resource), group, stack));
    }
    for (const {
      stack,
      definition: { Properties = {} },
    } of this.values.ofType(/^AWS::IAM::UserToGroupAddition$/)) {
      this.values
        .list(stack, Properties.Users)
        .forEach(user =>
          join(this.named('IAM user', user, stack), this.values.text(stack, Properties.GroupName), stack),
        );
    }
  }

  /** By its name, where the app gives it one: then it is the same whatever its logical id is. */
  private identityOf({ stack, logicalId, definition: { Type: type, Properties = {} } }: TemplateResource): Identity {
    const { kind, name } = IDENTITIES[type]!;
    const itself = symbolText(['resource', stack.definition.id, logicalId, '']);
    const given = Properties[name] === undefined ? undefined : this.values.text(stack, Properties[name]);
    const key = given === undefined || symbolsIn(given).length > 0 ? itself : given;
    return this.identity(kind, key, key === given ? stack.account : undefined, this.values.named(itself));
  }

  /** By a reference to it, or by the name of one that may be elsewhere. */
  private named(kind: Holder['kind'], name: string, stack: TemplateStack): Identity {
    const symbol = onlySymbol(name);
    const definition = symbol?.[0] === 'resource' ? this.values.definitionOf(symbol[1], symbol[2]) : undefined;
    const owner = symbol?.[0] === 'resource' ? this.values.stackOf(symbol[1]) : undefined;
    if (symbol?.[0] === 'resource' && definition && owner && IDENTITIES[definition.Type]) {
      return this.identityOf({ stack: owner, logicalId: symbol[2], definition });
    }
    return this.identity(kind, name, symbol === undefined ? stack.account : undefined, this.values.named(name));
  }

  private identity(kind: Holder['kind'], id: string, account: string | undefined, name: string): Identity {
    const key = JSON.stringify([kind, account ?? '', id]);
    const known = this.byKey.get(key) ?? {
      who: { kind, name },
      key,
      documents: [],
      unknownPolicies: new Set<string>(),
    };
    this.byKey.set(key, known);
    return known;
  }

  private managedPolicy(arn: string): Document | undefined {
    const own = this.managed.get(arn) ?? this.managedByName.get(arn.replace(/^arn:.*:policy\/(.*\/)?/, ''));
    const readable = this.values.readable(arn);
    const known
      = this.policies[readable]
        ?? policyOfAws(readable.replace('${AWS::Partition}', 'aws'))
        ?? POLICIES_OF_AWS[readable.split(':iam::aws:policy/')[1]];
    return known ? { statements: statementsIn(known, String) } : own;
  }

  private document(stack: TemplateStack, document: unknown, undecided?: string): Document {
    const statements = branchesOf(document).flatMap(({ value, undecided: branch }) =>
      this.statements(stack, value).map(statement => (branch === undefined ? statement : { ...statement, undecided: branch })));
    return { statements, ...(undecided === undefined ? {} : { undecided }) };
  }

  private statements(stack: TemplateStack, document: unknown): Document['statements'] {
    const { 'Fn::ToJsonString': json = document } = Object(document) as { 'Fn::ToJsonString'?: unknown };
    if (!isText(json)) {
      return statementsIn(json, value => this.values.text(stack, value));
    }
    const text = this.values.text(stack, json);
    const resolved = parsed(text);
    return resolved === undefined ? [unreadable(text)] : statementsIn(resolved, String);
  }
}

/** Others that AWS has, and whose statements reach databases. */
const POLICIES_OF_AWS: Record<string, PolicyDocument | undefined> = {
  PowerUserAccess: {
    Statement: { Effect: 'Allow', NotAction: ['iam:*', 'organizations:*', 'account:*'], Resource: '*' },
  },
};

/** An inline policy of a permission set may be JSON. */
function isText(document: unknown): boolean {
  return (
    typeof document === 'string' || (typeof document === 'object' && document !== null && !('Statement' in document))
  );
}

function parsed(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    return undefined;
  }
}
