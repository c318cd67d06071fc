import type { Resource } from '../app/template';
import { attributeIn, itemsOf, keyOf, type Part, partsOf, settingOf, shown } from '../app/value';
import { type Allowed, allowedBy } from '../iam/allowed';
import { connectResourceOf } from '../iam/connect-resource';
import { identityPoliciesOf } from '../iam/identity-policies';
import { type Element, matches, type Token } from '../iam/pattern';
import type { Finding, Rule } from '../rule';

/** A proxy that signs in to its database with IAM, and whose role may not. */
export const proxyCannotConnect: Rule = {
  id: 'IamAuth-ProxyCannotConnect',
  remedy:
    'grant with user.grantConnect(grantee, { through: proxy }), which lets in the role of the proxy as well; or ConnectGrants.fromCluster(cluster).connect(role, username) for each user',
  source: 'https://docs.aws.amazon.com/AmazonRDS/latest/AuroraUserGuide/rds-proxy-iam-setup.html',
  check(resource) {
    const { type, properties, template } = resource;
    const scheme = settingOf(properties.DefaultAuthScheme, template);
    if (
      type !== 'AWS::RDS::DBProxy'
      || scheme.state === 'unset'
      || (scheme.state === 'known' && scheme.value !== 'IAM_AUTH')
    ) {
      return 'NOT_APPLICABLE';
    }
    const cannotTell = (why: string): Finding[] => [
      {
        unknown: true,
        location,
        problem: `whether the role of this proxy has rds-db:connect on its database, without which no client gets through: ${why}`,
      },
    ];
    if (scheme.state === 'unknown') {
      return cannotTell(`DefaultAuthScheme is ${scheme.shown}`);
    }
    const role = attributeIn(partsOf(properties.RoleArn, template))?.resource;
    if (role?.type !== 'AWS::IAM::Role') {
      return cannotTell(`its role ${shown(partsOf(properties.RoleArn, template))} is not of this app`);
    }
    const databases = databasesBehind(resource);
    if (databases.length === 0) {
      return cannotTell('its database is not of this app');
    }
    const { policies, complete } = identityPoliciesOf(template.app).of(role);
    const allowed = policies.flatMap(policy => allowedBy(policy, 'rds-db:connect'));
    const without = databases.filter(database => mayConnect(allowed, database) !== true);
    if (without.length === 0) {
      return 'COMPLIANT';
    }
    if (!complete || without.some(database => mayConnect(allowed, database) === undefined)) {
      return cannotTell(
        `a policy of role ${role.logicalId} is not of this app, or about what only the deployment knows`,
      );
    }
    const names = without.map(({ logicalId }) => logicalId).join(', ');
    return [
      {
        location,
        problem: `DefaultAuthScheme is IAM_AUTH, and role ${role.logicalId} of this proxy has no rds-db:connect on ${names}, so that no client gets through`,
      },
    ];
  },
};

const location = 'Properties/RoleArn';

/** The clusters and instances of this app in the target groups of a proxy. */
function databasesBehind(proxy: Resource): Resource[] {
  return proxy.template.app
    .ofType('AWS::RDS::DBProxyTargetGroup')
    .filter(({ properties, template }) => attributeIn(partsOf(properties.DBProxyName, template))?.resource === proxy)
    .flatMap(({ properties, template }) =>
      [...itemsOf(properties.DBClusterIdentifiers), ...itemsOf(properties.DBInstanceIdentifiers)].map(
        item => attributeIn(partsOf(item, template))?.resource,
      ),
    )
    .filter(database => database !== undefined && Object.hasOwn(BEGINNINGS, database.type)) as Resource[];
}

/** As whichever user; undefined where only the deployment knows. */
function mayConnect(allowed: Allowed[], database: Resource): boolean | undefined {
  const answers = allowed.flatMap(({ statement, unknown }) =>
    statement
      ? statement.notResources
        ? [undefined]
        : statement.resources.map(
            resource => leadsTo(resource, database, statement.hasVariables) && (unknown ? undefined : true),
          )
      : [undefined],
  );
  return answers.includes(true) || (answers.includes(undefined) ? undefined : false);
}

function leadsTo(resource: Part[], database: Resource, hasVariables: boolean): boolean | undefined {
  const { reach, possible } = connectResourceOf(resource, hasVariables, database.template.app);
  const beginning = BEGINNINGS[database.type];
  const isIt = (name: Token[]) =>
    name.length === 1
    && name[0].kind === 'reference'
    && name[0].key === keyOf([{ kind: 'attribute', resource: database, attribute: beginning.attribute }]);
  if (reach?.databases.some(name => isIt(name) || matches(name, [beginning.known, EVERY]))) {
    return true;
  }
  return possible?.databases.some(name => matches(name, [beginning.known, SOME])) ? undefined : false;
}

/** How resource ids begin, which is all that is known of them at synthesis, and the attribute that they are. */
const BEGINNINGS: Record<string, { readonly known: Element; readonly attribute: string }> = {
  'AWS::RDS::DBCluster': { known: { kind: 'text', text: 'cluster-' }, attribute: 'DBClusterResourceId' },
  'AWS::RDS::DBInstance': { known: { kind: 'text', text: 'db-' }, attribute: 'DbiResourceId' },
};
const EVERY: Element = { kind: 'open', every: true };
const SOME: Element = { kind: 'open' };
