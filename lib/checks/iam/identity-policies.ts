import { oncePerApp, SynthesizedApp } from '../app/synthesized-app';
import type { Resource } from '../app/template';
import { attributeIn, itemsOf, Part, partsOf, settingOf, shown, textOf } from '../app/value';
import { awsManagedStatements } from './aws-managed-policies';
import { Statement, statementsOf } from './statement';

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
}

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

/** The policies of an app that say what identities may do. */
export const identityPoliciesOf = oncePerApp(app => new IdentityPolicies(app));

class IdentityPolicies {
  private readonly byCarrier = new Map<Resource, IdentityPolicy[]>();
  private readonly byName = new Map<string, Resource>();
  /** Who has a managed policy of this app attached. */
  private readonly attachedBy = new Map<Resource, Principal[]>();
  private readonly boundaries = new Set<Resource>();
  /** Identities with a managed policy that is not of this app, nor of AWS. */
  private readonly open = new Set<Resource>();

  constructor(app: SynthesizedApp) {
    const identities = app.ofType(...Object.keys(IDENTITIES));
    for (const identity of identities) {
      const name = settingOf(identity.properties[IDENTITIES[identity.type]], identity.template);
      if (name.state === 'known') {
        this.byName.set(`${identity.type} ${name.value}`, identity);
      }
      const boundary = attributeIn(partsOf(identity.properties.PermissionsBoundary, identity.template));
      if (boundary) {
        this.boundaries.add(boundary.resource);
      }
    }
    for (const holder of [...identities, ...app.ofType(PERMISSION_SET)]) {
      this.add(holder, [...this.inlineOf(holder), ...this.managedOf(holder)]);
    }
    for (const policy of app.ofType(...Object.keys(ATTACHED))) {
      const principals = [...this.principalsOf(policy), ...this.attachedBy.get(policy) ?? []];
      // Who has a policy as its boundary may not do what it says by that alone.
      if (principals.length > 0 || !this.boundaries.has(policy)) {
        this.add(policy, [{
          carrier: policy,
          principals,
          statements: statementsOf(policy.properties.PolicyDocument, policy.template),
          location: 'Properties/PolicyDocument',
        }]);
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
    this.byCarrier.set(carrier, [...this.in(carrier), ...policies]);
  }

  private inlineOf(holder: Resource): IdentityPolicy[] {
    const { type, properties, template } = holder;
    const principals = [{ shown: holder.logicalId, resource: holder }];
    if (type === PERMISSION_SET) {
      const document = properties.InlinePolicy;
      return document === undefined ? [] : [{ carrier: holder, principals, statements: statementsOf(document, template), location: 'Properties/InlinePolicy' }];
    }
    return itemsOf(properties.Policies).map((policy, index) => ({
      carrier: holder,
      principals,
      statements: statementsOf((Object(policy) as { PolicyDocument?: unknown }).PolicyDocument, template),
      location: `Properties/Policies/${index}/PolicyDocument`,
    }));
  }

  private managedOf(holder: Resource): IdentityPolicy[] {
    const property = holder.type === PERMISSION_SET ? 'ManagedPolicies' : 'ManagedPolicyArns';
    return itemsOf(holder.properties[property]).flatMap((item) => {
      const parts = partsOf(item, holder.template);
      const own = attributeIn(parts)?.resource;
      const principal = { shown: holder.logicalId, resource: holder };
      if (own?.type === 'AWS::IAM::ManagedPolicy') {
        this.attachedBy.set(own, [...this.attachedBy.get(own) ?? [], principal]);
        return [];
      }
      const arn = parts.map(part => part.kind === 'text' ? part.text : 'aws').join('');
      const statements = awsManagedStatements(arn);
      if (!statements) {
        this.open.add(holder);
      }
      return statements && statements.length > 0
        ? [{ carrier: holder, principals: [principal], statements, location: `Properties/${property}`, awsManaged: arn.replace(/^.*\//, '') }]
        : [];
    });
  }

  private principalsOf({ type, properties, template }: Resource): Principal[] {
    return ATTACHED[type].flatMap((property) => {
      const kind = `AWS::IAM::${property.replace(/(s|Name)$/, '')}`;
      return itemsOf(properties[property]).map(item => this.principal(kind, partsOf(item, template)));
    });
  }

  private principal(kind: string, name: Part[]): Principal {
    const known = textOf(name);
    const resource = attributeIn(name)?.resource ?? this.byName.get(`${kind} ${known}`);
    return { shown: resource?.logicalId ?? shown(name), resource };
  }
}
