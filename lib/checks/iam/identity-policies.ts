import { oncePerApp } from '../app/synthesized-app';
import type { CheckedApp, Resource } from '../app/template';
import { attributeIn, itemsOf, mayBeUnset, type Part, partsOf, settingOf, shown, textOf, textsOf } from '../app/value';
import { awsManagedArn, awsManagedStatements } from './aws-managed-policies';
import { SAM_TYPES, samPolicyDocument } from './sam-policies';
import { type Statement, statementsOf } from './statement';
import { writtenPoliciesOf } from './written-policies';

/** A role, user, group or permission set that a policy is attached to. */
export interface Principal {
  readonly shown: string;
  /** Of this app. */
  readonly resource?: Resource;
}

/** A document that says what identities may do. */
export interface IdentityPolicy {
  /** The resource that has the document in it, or that has a policy of AWS attached. */
  readonly carrier: Resource;
  readonly principals: Principal[];
  /** Undefined where the document is known at the deployment only. */
  readonly statements?: Statement[];
  readonly location: string;
  /** Of a policy of AWS. */
  readonly awsManaged?: string;
  /** Why there are no statements, and how to tell it from others in the same resource. */
  readonly unread?: Unread;
}

export interface Unread {
  readonly what: string;
  readonly why: string;
}

/** Of a document that is a parameter, for one. */
export const UNREAD: Unread = { what: 'document', why: 'the policy is known at the deployment only' };

/** The property with the name of an identity. */
const IDENTITIES: Record<string, string> = {
  'AWS::IAM::Role': 'RoleName',
  'AWS::IAM::User': 'UserName',
  'AWS::IAM::Group': 'GroupName',
};

/** The properties that say whom a policy is attached to. */
const ATTACHED: Record<string, string[]> = {
  'AWS::IAM::Policy': ['Roles', 'Users', 'Groups'],
  'AWS::IAM::ManagedPolicy': ['Roles', 'Users', 'Groups'],
  'AWS::IAM::RolePolicy': ['RoleName'],
  'AWS::IAM::UserPolicy': ['UserName'],
  'AWS::IAM::GroupPolicy': ['GroupName'],
};

const PERMISSION_SET = 'AWS::SSO::PermissionSet';

/** What deploys a template of its own. */
const STACKS = ['AWS::CloudFormation::Stack', 'AWS::CloudFormation::StackSet'];

/** The policies of an app that say what identities may do. */
export const identityPoliciesOf = oncePerApp(app => new IdentityPolicies(app));

class IdentityPolicies {
  private readonly byCarrier = new Map<Resource, IdentityPolicy[]>();
  private readonly byName = new Map<string, Resource[]>();
  /** Who has a managed policy of this app attached. */
  private readonly attachedBy = new Map<Resource, Principal[]>();
  private readonly boundaries = new Set<Resource>();
  /** Identities with a managed policy that is not of this app, nor of AWS. */
  private readonly open = new Set<Resource>();

  constructor(app: CheckedApp) {
    const identities = app.ofType(...Object.keys(IDENTITIES));
    for (const named of [...identities, ...app.ofType('AWS::IAM::ManagedPolicy')]) {
      const name = settingOf(named.properties[IDENTITIES[named.type] ?? 'ManagedPolicyName'], named.template);
      if (name.state === 'known') {
        const key = `${named.type} ${name.value}`;
        this.byName.set(key, [...this.byName.get(key) ?? [], named]);
      }
    }
    for (const holder of [...identities, ...app.ofType(PERMISSION_SET, ...SAM_TYPES)]) {
      for (const item of itemsOf(holder.properties.PermissionsBoundary)) {
        const { CustomerManagedPolicyReference: reference } = Object(item) as {
          CustomerManagedPolicyReference?: unknown;
        };
        const boundary = partsOf((Object(reference) as { Name?: unknown }).Name ?? item, holder.template);
        this.ownManagedPolicies(nameOf(boundary) ?? boundary, holder).forEach(policy => this.boundaries.add(policy));
      }
    }
    for (const holder of [...identities, ...app.ofType(PERMISSION_SET)]) {
      this.add(holder, [...this.inlineOf(holder), ...this.managedOf(holder)]);
    }
    for (const holder of app.ofType(...SAM_TYPES).filter(({ properties }) => mayBeUnset(properties.Role))) {
      this.add(holder, this.samPoliciesOf(holder));
    }
    for (const resource of app.resources) {
      this.add(resource, this.writtenBy(resource));
    }
    for (const stack of app.ofType(...STACKS).filter(resource => !app.nestedIn(resource))) {
      this.add(stack, [{
        carrier: stack,
        principals: [{ shown: 'an identity in the template of this stack' }],
        location: `Properties/${stack.properties.TemplateBody === undefined ? 'TemplateURL' : 'TemplateBody'}`,
        unread: { what: 'template', why: 'the template of this stack is not JSON that is known at synthesis' },
      }]);
    }
    for (const policy of app.ofType(...Object.keys(ATTACHED))) {
      const principals = [...this.principalsOf(policy), ...this.attachedBy.get(policy) ?? []];
      // Who has a policy as its boundary may not do what it says by that alone.
      if (principals.length > 0 || !this.boundaries.has(policy)) {
        this.add(policy, documentsIn(policy.properties.PolicyDocument).map(document => ({
          carrier: policy,
          principals,
          statements: statementsOf(document, policy.template),
          location: 'Properties/PolicyDocument',
        })));
      }
    }
  }

  /** The policies that are in a resource of the template. */
  public in(carrier: Resource): IdentityPolicy[] {
    return this.byCarrier.get(carrier) ?? [];
  }

  /** The policies of an identity, and whether they are all of them. */
  public of(identity: Resource): { readonly policies: IdentityPolicy[]; readonly complete: boolean } {
    const all = [...this.byCarrier.values()].flat();
    return {
      policies: all.filter(({ principals }) => principals.some(({ resource }) => resource === identity)),
      complete: !this.open.has(identity),
    };
  }

  private add(carrier: Resource, policies: IdentityPolicy[]): void {
    if (policies.length > 0) {
      this.byCarrier.set(carrier, [...this.in(carrier), ...policies]);
    }
  }

  private inlineOf(holder: Resource): IdentityPolicy[] {
    const { type, properties, template } = holder;
    const principals = [{ shown: holder.logicalId, resource: holder }];
    if (type === PERMISSION_SET) {
      return documentsIn(properties.InlinePolicy).map(document => ({
        carrier: holder,
        principals,
        statements: statementsOf(document, template),
        location: 'Properties/InlinePolicy',
      }));
    }
    return itemsOf(properties.Policies).flatMap((policy, index) =>
      documentsIn((Object(policy) as { PolicyDocument?: unknown }).PolicyDocument ?? null).map(document => ({
        carrier: holder,
        principals,
        statements: statementsOf(document, template),
        location: `Properties/Policies/${index}/PolicyDocument`,
      })),
    );
  }

  private managedOf(holder: Resource): IdentityPolicy[] {
    const { type, properties, template } = holder;
    const property = type === PERMISSION_SET ? 'ManagedPolicies' : 'ManagedPolicyArns';
    // A permission set names those of its account.
    itemsOf(properties.CustomerManagedPolicyReferences).forEach(item =>
      this.attach(
        this.ownManagedPolicies(partsOf((Object(item) as { Name?: unknown }).Name, template), holder),
        holder,
      ),
    );
    return textsOf(properties[property], template).flatMap(arn =>
      this.managed(holder, arn, `Properties/${property}`, { shown: holder.logicalId, resource: holder }),
    );
  }

  /** A managed policy that something has attached. */
  private managed(holder: Resource, parts: Part[], location: string, principal: Principal): IdentityPolicy[] {
    const name = nameOf(parts);
    const isKnown = name !== undefined;
    const arn = textOfArn(parts);
    const own = this.ownManagedPolicies(name ?? parts, holder);
    const statements = isKnown ? awsManagedStatements(arn) : undefined;
    if (own.length > 0 && !statements) {
      this.attach(own, holder);
      return [];
    }
    if (!statements) {
      this.open.add(holder);
    }
    const policy = { carrier: holder, principals: [principal], statements, location };
    if (!isKnown) {
      return [
        {
          ...policy,
          unread: { what: shown(parts), why: `the managed policy ${shown(parts)} is known at the deployment only` },
        },
      ];
    }
    return statements && statements.length > 0 ? [{ ...policy, awsManaged: arn.replace(/^.*\//, '') }] : [];
  }

  private ownManagedPolicies(name: Part[], by: Resource): Resource[] {
    const attribute = attributeIn(name);
    return (attribute ? [attribute.resource] : this.named('AWS::IAM::ManagedPolicy', name, by)).filter(
      ({ type }) => type === 'AWS::IAM::ManagedPolicy',
    );
  }

  /**
   * What another resource means by a name. Stages have the same names, each in its account.
   * A permission set is for any account, and an account may be known at the deployment only.
   */
  private named(
    type: string,
    name: Part[],
    {
      type: by,
      template: {
        stack: { environment, folder },
      },
    }: Resource,
  ): Resource[] {
    const accounts = [accountOf(environment), UNKNOWN_ACCOUNT];
    const isIn = ({ template: { stack } }: Resource, account: string) => accountOf(stack.environment) === account;
    const all = (this.byName.get(`${type} ${textOf(name)}`) ?? []).filter(
      each => by === PERMISSION_SET || accounts[0] === UNKNOWN_ACCOUNT || accounts.some(account => isIn(each, account)),
    );
    const inAccount = all.filter(each => isIn(each, accounts[0]));
    const inStage = (inAccount.length > 0 ? inAccount : all).filter(
      ({ template: { stack } }) => stack.folder === folder,
    );
    return [inStage, inAccount, all].find(found => found.length > 0) ?? [];
  }

  private attach(policies: Resource[], holder: Resource): void {
    for (const policy of policies) {
      this.attachedBy.set(policy, [
        ...(this.attachedBy.get(policy) ?? []),
        { shown: holder.logicalId, resource: holder },
      ]);
    }
  }

  /**
   * Documents, policy templates of AWS SAM, and managed policies by their ARNs or, if they are of AWS, by their names.
   */
  private samPoliciesOf(holder: Resource): IdentityPolicy[] {
    const { properties, template, logicalId } = holder;
    const principals = [{ shown: logicalId, resource: holder }];
    return itemsOf(properties.Policies).flatMap((item, index): IdentityPolicy[] => {
      const location = `Properties/Policies/${index}`;
      const document = samPolicyDocument(item) ?? ('Statement' in (Object(item) as object) ? item : undefined);
      return document
        ? [{ carrier: holder, principals, statements: statementsOf(document, template), location }]
        : textsOf(item, template).flatMap(name => this.managed(holder, awsManagedArn(name), location, principals[0]));
    });
  }

  private writtenBy(resource: Resource): IdentityPolicy[] {
    const principals = [{ shown: `an identity to which ${resource.logicalId} gives this policy` }];
    return writtenPoliciesOf(resource).flatMap((written): IdentityPolicy[] => {
      if (written.kind === 'managed') {
        return this.managed(resource, written.arn, written.location, principals[0]);
      }
      const statements = statementsOf(written.document, resource.template);
      return [
        { carrier: resource, principals, statements: statements?.filter(isOfIdentity), location: written.location },
      ];
    });
  }

  private principalsOf(policy: Resource): Principal[] {
    return ATTACHED[policy.type].flatMap((property) => {
      const kind = `AWS::IAM::${property.replace(/(s|Name)$/, '')}`;
      return itemsOf(policy.properties[property]).flatMap(item =>
        this.principals(kind, partsOf(item, policy.template), policy),
      );
    });
  }

  private principals(kind: string, name: Part[], by: Resource): Principal[] {
    const attribute = attributeIn(name);
    const found = attribute ? [attribute.resource] : this.named(kind, name, by);
    return found.length > 0
      ? found.map(resource => ({ shown: resource.logicalId, resource }))
      : [{ shown: shown(name) }];
  }
}

const UNKNOWN_ACCOUNT = 'unknown-account';

/** As in `aws://111111111111/eu-west-1`. */
function accountOf(environment: string): string {
  return environment.split('/')[2];
}

function textOfArn(parts: Part[]): string {
  return parts
    .map(part =>
      part.kind === 'text' ? part.text : part.kind === 'environment' && part.name === 'AWS::Partition' ? 'aws' : '-',
    )
    .join('')
    .trim();
}

/** The name at the end of an ARN, if that is known. */
function nameOf(parts: Part[]): Part[] | undefined {
  const isKnown = parts.every(
    part => part.kind === 'environment' || (part.kind === 'text' && !part.text.includes('{{resolve:')),
  );
  return isKnown ? [{ kind: 'text', text: textOfArn(parts).replace(/^arn:.*[:/]/, '') }] : undefined;
}

/** A document, or those of both branches of an `Fn::If`. */
function documentsIn(document: unknown): unknown[] {
  return 'Fn::If' in (Object(document) as object) ? itemsOf(document) : document === undefined ? [] : [document];
}

/** A statement with principals is of the policy of a resource. */
function isOfIdentity({ principals, notPrincipals }: Statement): boolean {
  return principals.length === 0 && notPrincipals === undefined;
}
