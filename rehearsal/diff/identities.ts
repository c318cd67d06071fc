import { policyOfAws } from '../cloudformation/role-policies';
import { PolicyDocument } from '../iam/policy-document';
import { Holder } from './access-diff';
import { branchesOf } from './branches';
import { Document, statementsIn, unreadable } from './connect-statements';
import { isSamRole, policiesOfSam, samRole } from './sam-roles';
import { TemplateStack } from './template-stack';
import { writtenPolicies } from './written-policies';
import { onlySymbol, symbolsIn, symbolText } from './symbols';
import { conditionOf, TemplateResource, TemplateValues } from './template-values';

/** An IAM identity, or a policy that identities may have. */
export interface Identity {
  readonly who: Holder;
  readonly key: string;
  readonly documents: Document[];

  /** Of a role. */
  readonly trust?: { readonly stack: TemplateStack; readonly document: unknown };

  /** Of a role or a user, which a policy may name by `aws:PrincipalTag`; by the key in lower case. */
  readonly tags: Map<string, { readonly value: string; readonly undecided?: string }[]>;

  /** Of a permission set: its resource. */
  readonly permissionSet?: string;

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
  private readonly managedByName = new Map<string, { readonly stack: TemplateStack; readonly document: Document }[]>();

  constructor(
    private readonly values: TemplateValues,
    private readonly policies: (arn: string) => PolicyDocument | undefined,
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
        const name = this.values.text(stack, Properties.ManagedPolicyName);
        this.managedByName.set(name, [...this.managedByName.get(name) ?? [], { stack, document }]);
      }
    }
    const resources = values.resources.filter(({ definition }) => IDENTITIES[definition.Type]);
    resources.forEach(resource => this.add(resource));
    values
      .ofType(/^AWS::Serverless::(Function|StateMachine)$/)
      .filter(isSamRole)
      .forEach(resource => this.addSam(resource));
    values.ofType(/^(Custom::|AWS::CloudFormation::CustomResource$)/).forEach(resource => this.addWritten(resource));
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
    // A permission set refers to those of the account by their names.
    for (const { value, undecided: branch } of branchesOf(
      [Properties.ManagedPolicyArns, ofPermissionSet.ManagedPolicies, ofPermissionSet.CustomerManagedPolicyReferences],
      undecided,
    )) {
      this.addManaged(identity, this.values.text(stack, nameIn(value)), stack, branch);
    }
    this.setBoundary(identity, stack, Properties.PermissionsBoundary);
    if (trust !== undefined) {
      Object.assign(identity, { trust: { stack, document: trust } });
    }
    // The tags of a permission set are no tags of the principals that have it.
    for (const { value, undecided: branch } of branchesOf(
      type === 'AWS::SSO::PermissionSet' ? [] : Properties.Tags,
      undecided,
    )) {
      const { Key: key, Value: tag } = Object(value) as { Key?: unknown; Value?: unknown };
      const name = this.values.text(stack, key).toLowerCase();
      identity.tags.set(name, [
        ...(identity.tags.get(name) ?? []),
        { value: this.values.text(stack, tag), undecided: branch },
      ]);
    }
    if (type === 'AWS::SSO::PermissionSet') {
      Object.assign(identity, { permissionSet: symbolText(['resource', stack.definition.id, resource.logicalId, '']) });
    }
  }

  /** The role that AWS SAM makes for a function or a state machine. */
  private addSam(resource: TemplateResource): void {
    const { stack, logicalId, definition: { Properties = {} } } = resource;
    const { name, trust, undecided = conditionOf(resource) } = samRole(resource);
    const path = `${this.values.pathOf(stack.definition.id, logicalId)}Role`;
    const identity = this.identity('IAM role', symbolText(['name', `${stack.definition.id}.${name}`]), undefined, path);
    for (const { document, managed, undecided: branch } of policiesOfSam(Properties.Policies, undecided)) {
      if (document !== undefined) {
        identity.documents.push(this.document(stack, document, branch));
      } else {
        const policy = this.values.text(stack, managed);
        this.addManaged(
          identity,
          /^[\w/]+$/.test(policy) ? `arn:aws:iam::aws:policy/${policy}` : policy,
          stack,
          branch,
        );
      }
    }
    this.setBoundary(identity, stack, Properties.PermissionsBoundary);
    Object.assign(identity, { trust: { stack, document: trust } });
  }

  /** Policies that a custom resource gives to identities which only its function knows. */
  private addWritten(resource: TemplateResource): void {
    const { stack, logicalId, definition } = resource;
    const { documents, managed } = writtenPolicies(definition, value => this.values.text(stack, value));
    if (documents.length + managed.length > 0) {
      const itself = symbolText(['resource', stack.definition.id, logicalId, '']);
      const identity = this.identity('identities with the policy', itself, undefined, this.values.named(itself));
      identity.documents.push(
        ...documents.map(({ document, isRead }) =>
          perhaps(
            isRead ? { statements: statementsIn(document, String) } : this.document(stack, document),
            conditionOf(resource),
          ),
        ),
      );
      managed.forEach(arn => this.addManaged(identity, arn, stack, conditionOf(resource)));
    }
  }

  private addManaged(identity: Identity, arn: string, stack: TemplateStack, undecided?: string): void {
    const documents = this.managedPolicies(arn, identity, stack);
    identity.documents.push(...documents.map(document => perhaps(document, undecided)));
    if (documents.length === 0) {
      identity.unknownPolicies.add(arn);
    }
  }

  /** One that depends on a condition may refuse what another one allows. */
  private setBoundary(identity: Identity, stack: TemplateStack, boundary: unknown): void {
    const { ManagedPolicyArn, CustomerManagedPolicyReference } = Object(boundary) as {
      ManagedPolicyArn?: unknown;
      CustomerManagedPolicyReference?: unknown;
    };
    const [one, ...others] = branchesOf(ManagedPolicyArn ?? CustomerManagedPolicyReference ?? boundary);
    if (one !== undefined) {
      const isDecided = others.length === 0 && one.undecided === undefined;
      const documents = isDecided
        ? this.managedPolicies(this.values.text(stack, nameIn(one.value)), identity, stack)
        : [];
      identity.boundary = documents.length === 1 ? documents[0] : 'unknown';
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
      const names
        = type.endsWith('ManagedPolicy') || type === 'AWS::IAM::Policy' ? Properties[several] : Properties[one];
      branchesOf(names).forEach(({ value, undecided }) =>
        this.named(kind, this.values.text(stack, value), stack).documents.push(perhaps(document, undecided)));
    }
  }

  /** What a group may do, its users may do. */
  private joinGroups(): void {
    const join = (user: Identity, name: unknown, stack: TemplateStack, undecided?: string) => {
      const group = this.named('IAM group', this.values.text(stack, name), stack);
      user.documents.push(...group.documents.map(document => perhaps(document, undecided)));
      group.unknownPolicies.forEach(policy => user.unknownPolicies.add(policy));
    };
    for (const resource of this.values.ofType(/^AWS::IAM::User$/)) {
      const { stack, definition: { Properties = {} } } = resource;
      branchesOf(Properties.Groups, conditionOf(resource)).forEach(({ value, undecided }) =>
        join(this.identityOf(resource), value, stack, undecided));
    }
    for (const resource of this.values.ofType(/^AWS::IAM::UserToGroupAddition$/)) {
      const { stack, definition: { Properties = {} } } = resource;
      branchesOf(Properties.Users, conditionOf(resource)).forEach(({ value: user, undecided: of }) =>
        branchesOf(Properties.GroupName, of).forEach(({ value, undecided }) =>
          join(this.named('IAM user', this.values.text(stack, user), stack), value, stack, undecided)));
    }
  }

  /** By its name, where the app gives it one: then it is the same whatever its logical id is. */
  private identityOf({ stack, logicalId, definition: { Type: type, Properties = {} } }: TemplateResource): Identity {
    const { kind, name } = IDENTITIES[type]!;
    const itself = symbolText(['resource', stack.definition.id, logicalId, '']);
    const given = Properties[name] === undefined ? undefined : this.values.text(stack, Properties[name]);
    const key = given === undefined || symbolsIn(given).length > 0 ? itself : given;
    return this.identity(kind, key, key === given ? placeOf(stack) : undefined, this.values.named(itself));
  }

  /** By a reference to it, or by the name of one that may be elsewhere. */
  private named(kind: Holder['kind'], name: string, stack: TemplateStack): Identity {
    const symbol = onlySymbol(name);
    const definition = symbol?.[0] === 'resource' ? this.values.definitionOf(symbol[1], symbol[2]) : undefined;
    const owner = symbol?.[0] === 'resource' ? this.values.stackOf(symbol[1]) : undefined;
    if (symbol?.[0] === 'resource' && definition && owner && IDENTITIES[definition.Type]) {
      return this.identityOf({ stack: owner, logicalId: symbol[2], definition });
    }
    return this.identity(kind, name, symbol === undefined ? placeOf(stack) : undefined, this.values.named(name));
  }

  private identity(kind: Holder['kind'], id: string, account: string | undefined, name: string): Identity {
    const key = JSON.stringify([kind, account ?? '', id]);
    const known = this.byKey.get(key) ?? {
      who: { kind, name },
      key,
      documents: [],
      tags: new Map<string, { readonly value: string; readonly undecided?: string }[]>(),
      unknownPolicies: new Set<string>(),
    };
    this.byKey.set(key, known);
    return known;
  }

  /** Several, where a permission set names one that there is in several accounts. */
  private managedPolicies(arn: string, identity: Identity, stack: TemplateStack): Document[] {
    const itself = this.managed.get(arn);
    const own = itself ? [itself] : this.namedPolicies(arn.replace(/^arn:.*:policy\/(.*\/)?/, ''), identity, stack);
    const readable = this.values.readable(arn);
    const known
      = this.policies(readable)
        ?? policyOfAws(readable.replace('${AWS::Partition}', 'aws'))
        ?? POLICIES_OF_AWS[readable.split(':iam::aws:policy/')[1]];
    return known ? [{ statements: statementsIn(known, String) }] : own;
  }

  /** Stages have policies of the same names, each in its account. */
  private namedPolicies(name: string, { who: { kind } }: Identity, { account, stage }: TemplateStack): Document[] {
    const isForAll = kind === 'permission set' || account === undefined;
    const all = (this.managedByName.get(name) ?? [])
      .filter(({ stack }) => isForAll || stack.account === undefined || stack.account === account);
    const inAccount = all.filter(({ stack }) => stack.account === account);
    const inStage = (inAccount.length > 0 ? inAccount : all).filter(({ stack }) => stack.stage === stage);
    return ([inStage, inAccount, all].find(found => found.length > 0) ?? []).map(({ document }) => document);
  }

  private document(stack: TemplateStack, document: unknown, undecided?: string): Document {
    const statements = branchesOf(document).flatMap(({ value, undecided: branch }) =>
      this.statements(stack, value).map(statement =>
        branch === undefined ? statement : { ...statement, undecided: branch },
      ),
    );
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

/** Names of identities are of an account. Where that is not known, each stage may be deployed to another one. */
function placeOf({ account, stage }: TemplateStack): string | undefined {
  return account ?? stage;
}

/** The same, where it is not decided whether it applies. */
function perhaps(document: Document, undecided: string | undefined): Document {
  return undecided === undefined || document.undecided !== undefined ? document : { ...document, undecided };
}

/** Of a reference of a permission set to a policy; of others the value itself. */
function nameIn(value: unknown): unknown {
  return (Object(value) as { Name?: unknown }).Name ?? value;
}

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
