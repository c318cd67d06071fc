import { AssemblyStack } from '../../../rehearsal/cloudformation/cloud-assembly';
import { ResourceDefinition } from '../../../rehearsal/cloudformation/template';
import { AccessChange, accessDiff } from '../../../rehearsal/diff/access-diff';
import { declaredAccess } from '../../../rehearsal/diff/declared-access';
import { FULL } from '../../full';
import { Random } from '../../lambda/random';

const PAIRS = FULL ? 400 : 100;
const SEED = Number(process.env.SEED ?? 20261130);

const IAM_ROLES = ['Service', 'Operator'];
const USERS = ['ada', 'grace', 'alan'];
const GROUPS = ['readers', 'writers', 'monitors'];
const DATABASES = ['shop', 'crm'];
const TABLES = ['*', 'orders', 'items'];

/** A role as the properties of its custom resource have it. */
interface WireRole {
  readonly names: string[];
  readonly isGroup: boolean;
  readonly memberOf: string[];
  readonly tables: Record<string, Record<string, string[]>>;
  readonly columns: Record<string, string[]>;
  readonly exclusive: boolean;
  readonly onRemoval: string;
}

interface RandomApp {
  readonly roles: WireRole[];

  /** Of IAM roles, by user. */
  readonly grants: [role: string, username: string][];
}

function randomApp(random: Random): RandomApp {
  const groups = random.some(GROUPS);
  const users = random.some(USERS, 0.8);
  const lists = random.chance(0.5) ? [users] : users.map(name => [name]);
  const role = (names: string[], isGroup: boolean, memberOf: string[]): WireRole => ({
    names,
    isGroup,
    memberOf,
    tables: Object.fromEntries(
      random
        .some(DATABASES)
        .map(database => [
          database,
          Object.fromEntries(random.some(TABLES).map(table => [table, random.few(['SELECT', 'INSERT'])])),
        ]),
    ),
    columns: Object.fromEntries(
      random.some(['orders', 'items'], 0.3).map(table => [table, random.few(['SELECT', 'INSERT'])]),
    ),
    exclusive: random.chance(0.3),
    onRemoval: random.one(['DROP_OR_DISABLE', 'DISABLE', 'RETAIN']),
  });
  return {
    // Without circles: a group is a member of groups after it.
    roles: [
      ...groups.map((name, index) => role([name], true, random.some(groups.slice(index + 1)))),
      ...lists
        .filter(names => names.length > 0)
        .map(names => role(names, false, random.some([...groups, 'pg_monitor']))),
    ],
    grants: IAM_ROLES.flatMap(name =>
      random.some([...USERS, 'a*']).map((username): [string, string] => [name, username]),
    ),
  };
}

function stackOf({ roles, grants }: RandomApp, random: Random): AssemblyStack {
  const id = { 'Fn::GetAtt': ['Cluster', 'DBClusterResourceId'] };
  const custom = roles.map(
    ({ names, isGroup, memberOf, tables, columns, exclusive, onRemoval }): ResourceDefinition => ({
      Type: isGroup ? 'Custom::RdsGroupRole' : names.length === 1 ? 'Custom::RdsIamUser' : 'Custom::RdsIamUsers',
      Properties: {
        Database: { ResourceId: id },
        ...(isGroup ? { RoleName: names[0] } : names.length === 1 ? { Username: names[0] } : { Usernames: names }),
        MemberOf: memberOf,
        Privileges: Object.fromEntries(
          DATABASES.map(database => [
            database,
            {
              Schemas: {
                public: {
                  Tables: tables[database] ?? {},
                  Columns: Object.fromEntries(Object.entries(columns).map(([table, list]) => [table, { id: list }])),
                },
              },
            },
          ]),
        ),
        ...(exclusive ? { Exclusive: 'true' } : {}),
        OnRemoval: { Action: onRemoval },
      },
    }),
  );
  const policies = grants.map(([role, username]): ResourceDefinition => ({
    Type: 'AWS::IAM::Policy',
    Properties: {
      Roles: [{ Ref: role }],
      PolicyDocument: {
        Statement: [
          {
            Effect: 'Allow',
            Action: 'rds-db:connect',
            Resource: { 'Fn::Join': ['', ['arn:aws:rds-db:*:*:dbuser:', id, `/${username}`]] },
          },
        ],
      },
    },
  }));
  const resources = random.shuffled([
    ...[...custom, ...policies].map(
      (definition, index) => [`Resource${random.chance(0.5) ? index : `Moved${index}`}`, definition] as const,
    ),
    ...IAM_ROLES.map(name => [name, { Type: 'AWS::IAM::Role' }] as const),
    ['Cluster', { Type: 'AWS::RDS::DBCluster' }] as const,
  ]);
  return {
    id: 'App',
    name: 'App',
    template: { Resources: Object.fromEntries<ResourceDefinition>(resources) },
    templateBytes: 0,
    dependencies: [],
    parameters: {},
    nested: {},
  };
}

/** What each has, as a set of texts, found in another way: by asking of everything whether it is so. */
function accessOf({ roles, grants }: RandomApp): Set<string> {
  const byName = new Map(roles.flatMap(role => role.names.map(name => [name, role] as const)));
  const isIn = (name: string, group: string): boolean =>
    (byName.get(name)?.memberOf ?? []).some(direct => direct === group || isIn(direct, group));
  const has = new Set<string>();
  const all = [...byName.keys()];
  for (const name of all) {
    has.add(`role ${name}`);
    [...GROUPS, 'pg_monitor']
      .filter(group => isIn(name, group))
      .forEach(group => has.add(`${name} in ${group}${byName.has(group) ? '' : ' elsewhere'}`));
    const sources = all.filter(other => other === name || isIn(name, other)).map(other => byName.get(other)!);
    for (const database of DATABASES) {
      for (const privilege of ['SELECT', 'INSERT']) {
        const on = (table: string) => sources.some(({ tables }) => tables[database]?.[table]?.includes(privilege));
        TABLES.filter(table => on(table)).forEach(table => has.add(`${name} ${database} ${privilege} ${table}`));
        ['orders', 'items']
          .filter(table => sources.some(({ columns }) => columns[table]?.includes(privilege)))
          .forEach(table => has.add(`${name} ${database} ${privilege} ${table}.id`));
      }
    }
  }
  for (const [role, username] of grants) {
    if (username === 'a*') {
      has.add(`${role} as a*`);
    }
    USERS.filter(user =>
      byName.has(user) ? username === user || (username === 'a*' && user.startsWith('a')) : username === user,
    ).forEach(user => has.add(`${role} as ${user}${byName.has(user) ? '' : ' elsewhere'}`));
  }
  return has;
}

/** Without what something wider includes: all tables, the table of a column, a user that exists. */
function gained(before: Set<string>, after: Set<string>): string[] {
  const wider = (text: string): string[] => {
    const [, ofTable, table, column] = /^(\S+ \S+ [A-Z]+ )([a-z]+)(\.id)?$/.exec(text) ?? [];
    return [
      text,
      ...(ofTable === undefined ? [] : [`${ofTable}*`]),
      ...(column === undefined ? [] : [`${ofTable}${table}`]),
      ...(text.includes(' as ') ? [text.replace(/ elsewhere$/, '')] : []),
    ];
  };
  return [...after].filter(text => !wider(text).some(each => before.has(each))).sort();
}

function textOf({ who: { name: path }, access }: AccessChange): string[] {
  const name = path.replace(/^App\//, '');
  switch (access.kind) {
    case 'role':
      return [`role ${name}`];
    case 'membership':
      return [`${name} in ${access.group}${access.managedElsewhere ? ' elsewhere' : ''}`];
    case 'signIn':
      return [`${name} as ${access.as}${access.user === 'other' ? ' elsewhere' : ''}`];
    case 'privilege': {
      const on
        = access.on === 'all tables of schema public'
          ? '*'
          : access.on.replace(/^table public\./, '').replace(/^column id of table public\.(.*)$/, '$1.id');
      return [`${name} ${access.database} ${access.privilege} ${on}`];
    }
    default:
      return [];
  }
}

/** Whatever else is said of a change, and why. */
const plain = (changes: AccessChange[]) =>
  changes
    .map(({ who, at, access, undecided }) => {
      const { through, ...others } = access as { through?: unknown };
      return JSON.stringify([at, who, others, through === undefined, undecided]);
    })
    .sort();

describe(`${PAIRS} pairs of apps with seed ${SEED}`, () => {
  const random = new Random(SEED);
  const apps = Array.from({ length: PAIRS + 1 }, () => randomApp(random));
  const facts = apps.map(app => declaredAccess([stackOf(app, random)]));
  const pairs = apps.slice(1).map((_, index) => index);

  test('agree with sets that are found in another way', () => {
    let changes = 0;
    for (const index of pairs) {
      const { gains, losses } = accessDiff(facts[index], facts[index + 1]);
      const [was, is] = [apps[index], apps[index + 1]].map(accessOf);
      expect({ index, texts: gains.flatMap(textOf).sort() }).toEqual({ index, texts: gained(was, is) });
      expect({ index, texts: losses.flatMap(textOf).sort() }).toEqual({ index, texts: gained(is, was) });
      changes += gains.length + losses.length;
    }
    expect(changes).toBeGreaterThan(PAIRS);
  });

  test('lose one way what they gain the other way', () => {
    for (const index of pairs) {
      const [there, back] = [accessDiff(facts[index], facts[index + 1]), accessDiff(facts[index + 1], facts[index])];
      expect(plain(back.losses)).toEqual(plain(there.gains));
      expect(plain(back.gains)).toEqual(plain(there.losses));
    }
  });

  test('gain nothing where nothing changes, whatever the order and the ids of the resources', () => {
    apps.forEach((app, index) => {
      expect(accessDiff(facts[index], declaredAccess([stackOf(app, random)]))).toEqual({
        format: 1,
        gains: [],
        losses: [],
      });
    });
  });
});
