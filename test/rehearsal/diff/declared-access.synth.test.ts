import { App, Aws, CfnCondition, CfnParameter, Fn, NestedStack, Stack, Stage } from 'aws-cdk-lib';
import * as iam from 'aws-cdk-lib/aws-iam';
import * as rds from 'aws-cdk-lib/aws-rds';
import * as sso from 'aws-cdk-lib/aws-sso';
import {
  AuroraIamAuth,
  ConnectGrants,
  DatabaseRole,
  DatabaseUser,
  OnRemoval,
  Privileges,
  SchemaPrivilege,
  TablePrivilege,
} from '../../../lib';
import { accessDiff, ComparableFact } from '../../../rehearsal/diff/access-diff';
import { IRELAND, newCluster } from '../../lib/support';
import { declaredBy, diffOf, textsOf } from './declared';

type Declare = (context: {
  stack: Stack;
  iamAuth: AuroraIamAuth;
  cluster: rds.IDatabaseCluster;
  role: (id: string) => iam.Role;
}) => void;

/** An app with one stack and one cluster. */
const app = (declare: Declare) => (root: App) => {
  const stack = new Stack(root, 'Shop', { env: IRELAND });
  const cluster = newCluster(stack);
  declare({
    stack,
    cluster,
    iamAuth: new AuroraIamAuth(stack, 'IamAuth', { cluster }),
    role: id => new iam.Role(stack, id, { assumedBy: new iam.ServicePrincipal('ecs-tasks.amazonaws.com') }),
  });
};

/** Without what each new user has by default. */
const withoutConnect = (texts: string[]) =>
  texts
    .filter(text => !/: shop: CONNECT on database shop( \(perhaps.*)?$/.test(text))
    .map(text => text.replace('CONNECT on database shop; ', ''));

const known = new Map<Declare, ComparableFact[]>();
/** What an app declares, which is synthesized once. */
const factsOf = (declare: Declare) => {
  const facts = known.get(declare) ?? declaredBy(app(declare));
  known.set(declare, facts);
  return facts;
};
const changes = (before: Declare, after: Declare) =>
  withoutConnect(textsOf(accessDiff(factsOf(before), factsOf(after))));
const none: Declare = () => undefined;
const onShop = { database: 'shop' };
const SELECT = { database: 'shop', schema: 'public', tables: ['orders'], privileges: [TablePrivilege.SELECT] };

describe('what PUBLIC has', () => {
  const restricted = (options: { connect?: boolean; createInPublicSchema?: boolean }): Declare => ({ iamAuth }) => {
    iamAuth.addUser('orders');
    iamAuth.restrictPublic({ database: 'shop', ...options });
  };
  const open: Declare = ({ iamAuth }) => void iamAuth.addUser('orders');

  test('is a loss where it is revoked, and a gain where it is given back', () => {
    const texts = (before: Declare, after: Declare) => textsOf(accessDiff(factsOf(before), factsOf(after)));
    const [both, connect] = [{ connect: true, createInPublicSchema: true }, { connect: true }].map(restricted);
    const all = 'Shop/Cluster: PUBLIC: shop: CONNECT on database shop; CREATE on schema public';
    expect(texts(open, both)).toEqual([`- ${all}`]);
    expect(texts(both, open)).toEqual([`+ ${all}`]);
    expect(texts(both, connect)).toEqual(['+ Shop/Cluster: PUBLIC: shop: CREATE on schema public']);
    expect(texts(both, both)).toEqual([]);
  });
});

describe('access that ends', () => {
  const [withoutEnd, january, march] = [undefined, '2095-01-31T12:00:00Z', '2095-03-31T12:00:00.5Z'].map(until);

  function until(expiresAt?: string): Declare {
    return ({ iamAuth }) =>
      iamAuth.addUser('auditor', expiresAt === undefined ? {} : { expiresAt: new Date(expiresAt) });
  }

  test('is a loss for a user that is there, and a later time a gain', () => {
    expect(changes(withoutEnd, january)).toEqual([
      '+ Shop/Cluster: user auditor: access until 2095-01-31T12:00:00Z',
      '- Shop/Cluster: user auditor: access without end',
    ]);
    expect(changes(january, march)).toEqual([
      '+ Shop/Cluster: user auditor: access until 2095-03-31T12:00:00.500Z',
      '- Shop/Cluster: user auditor: access until 2095-01-31T12:00:00Z',
    ]);
    expect(changes(january, until('2095-01-31T12:00:00.000Z'))).toEqual([]);
  });

  test('is said of a new user; of one without end there is nothing to say', () => {
    expect(changes(none, january)).toEqual([
      '+ Shop/Cluster: user auditor: is created',
      '+ Shop/Cluster: user auditor: access until 2095-01-31T12:00:00Z',
    ]);
    expect(changes(none, withoutEnd)).toEqual(['+ Shop/Cluster: user auditor: is created']);
  });

  test('so is that of a membership', () => {
    const member = (expiresAt?: string): Declare => ({ iamAuth }) => {
      const support = iamAuth.addRole('support');
      iamAuth.addUser('ada', {
        privileges: [Privileges.memberOf(support, expiresAt === undefined ? {} : { expiresAt: new Date(expiresAt) })],
      });
    };
    expect(changes(member(), member('2095-01-31T12:00:00Z'))).toEqual([
      '+ Shop/Cluster: user ada: membership in support until 2095-01-31T12:00:00Z',
      '- Shop/Cluster: user ada: membership in support without end',
    ]);
    expect(changes(member('2095-01-31T12:00:00Z'), member())).toEqual([
      '+ Shop/Cluster: user ada: membership in support without end',
      '- Shop/Cluster: user ada: membership in support until 2095-01-31T12:00:00Z',
    ]);
    expect(changes(member('2026-01-31T12:00:00Z'), member('2026-01-31T12:00:00Z'))).toEqual([]);
    expect(changes(() => undefined, member('2026-01-31T12:00:00Z'))).toContain(
      '+ Shop/Cluster: user ada: membership in support until 2026-01-31T12:00:00Z, which has passed: it is no member',
    );
    expect(changes(() => undefined, member()).join()).not.toContain('without end');
  });

  test('a time that has passed is shown as such', () => {
    expect(changes(january, until('2026-01-31T12:00:00Z'))).toEqual([
      '+ Shop/Cluster: user auditor: access until 2026-01-31T12:00:00Z, which has passed: it cannot sign in',
      '- Shop/Cluster: user auditor: access until 2095-01-31T12:00:00Z',
    ]);
  });
});

describe('users and groups', () => {
  test('the same app gains and loses nothing', () => {
    const same: Declare = ({ iamAuth, role }) =>
      iamAuth.addUser('orders', { privileges: [Privileges.readOnly(onShop)] }).grantConnect(role('Service'));
    expect(diffOf(app(same), app(same))).toEqual({ format: 1, gains: [], losses: [] });
  });

  test('a group role that a user acts as from its sign-in on; other settings are no access', () => {
    const declare
      = (more: object): Declare =>
        ({ iamAuth }) => {
          const owner = iamAuth.addRole('owner');
          const setRoleAtLogin = 'setRoleAtLogin' in more ? owner : undefined;
          iamAuth.addUser('migrator', { privileges: [Privileges.memberOf(owner)], ...more, setRoleAtLogin });
        };
    const acting = declare({ setRoleAtLogin: true, connectionLimit: 5 });
    expect(changes(declare({ connectionLimit: 4 }), acting)).toEqual([
      '+ Shop/Cluster: user migrator: acts as owner from its sign-in on',
    ]);
    expect(changes(acting, declare({}))).toEqual(['- Shop/Cluster: user migrator: acts as owner from its sign-in on']);
    expect(changes(acting, declare({ setRoleAtLogin: true, settings: { jit: 'off' } }))).toEqual([]);
  });

  test('a user that is created, with each identity that signs in as it, and may have its role', () => {
    expect(
      changes(
        none,
        ({ iamAuth, role }) => {
          iamAuth.addUser('orders', { privileges: [Privileges.readOnly(onShop)] }).grantConnect(role('Service'));
        },
      ),
    ).toEqual([
      '+ principal Service ecs-tasks.amazonaws.com: may assume Shop/Service',
      '+ Shop/Cluster: IAM role Shop/Service: signs in as orders',
      '+ Shop/Cluster: user orders: is created',
      '+ Shop/Cluster: user orders: shop: USAGE on schema public; SELECT on all tables of schema public; SELECT on all sequences of schema public',
    ]);
  });

  test('a privilege through the groups of a user, and what its groups lose', () => {
    const membersOf
      = (privileges: Privileges[]): Declare =>
        ({ iamAuth }) => {
          const inner = iamAuth.addRole('inner', { privileges });
          const outer = iamAuth.addRole('outer', { privileges: [Privileges.memberOf(inner)] });
          iamAuth.addUsers('Team', { usernames: ['ada', 'grace'], privileges: [Privileges.memberOf(outer)] });
        };
    const [before, after] = [[], [Privileges.onTables(SELECT)]].map(membersOf);
    const gained = changes(before, after);
    expect(gained).toEqual([
      '+ Shop/Cluster: group role inner: shop: SELECT on table public.orders',
      '+ Shop/Cluster: group role outer: shop: SELECT on table public.orders, through inner',
      '+ Shop/Cluster: user ada, user grace: shop: SELECT on table public.orders, through inner of outer',
    ]);
    expect(changes(after, before)).toEqual(
      gained.map(text => text.replace('+', '-')),
    );
  });

  test('a membership that is new, in groups of the app, in strong roles and in those managed elsewhere', () => {
    const member
      = (...groups: string[]): Declare =>
        ({ iamAuth, stack }) => {
          iamAuth.addRole('readers', { privileges: [Privileges.onTables(SELECT)] });
          iamAuth.addUser('ada', {
            privileges: groups.map(name => Privileges.memberOf(DatabaseRole.fromRoleName(stack, name, name))),
          });
        };
    expect(changes(member(), member('readers', 'rds_superuser', 'legacy'))).toEqual([
      '+ Shop/Cluster: user ada: membership in legacy, which is not managed by the app: what it may do is not known here',
      '+ Shop/Cluster: user ada: membership in rds_superuser, a strong role: its members have the highest rights that RDS gives in PostgreSQL',
      '+ Shop/Cluster: user ada: membership in readers',
      '+ Shop/Cluster: user ada: shop: SELECT on table public.orders, through readers',
    ]);
  });

  test.each<[string, Declare, Declare]>([
    [
      'moves into a list',
      ({ iamAuth }) => iamAuth.addUser('ada', { privileges: [Privileges.onTables(SELECT)] }),
      ({ iamAuth }) => iamAuth.addUsers('Team', { usernames: ['ada'], privileges: [Privileges.onTables(SELECT)] }),
    ],
    [
      'moves to another stack',
      ({ iamAuth }) => iamAuth.addUser('ada'),
      ({ iamAuth, stack }) =>
        new DatabaseUser(new Stack(stack.node.root, 'Apps', { env: IRELAND }), 'Ada', { iamAuth, username: 'ada' }),
    ],
    [
      'has its privileges from a group, and then itself',
      ({ iamAuth }) => {
        const readers = iamAuth.addRole('readers', { privileges: [Privileges.onTables(SELECT)] });
        iamAuth.addUser('ada', { privileges: [Privileges.memberOf(readers)] });
      },
      ({ iamAuth }) => {
        const readers = iamAuth.addRole('readers', { privileges: [Privileges.onTables(SELECT)] });
        iamAuth.addUser('ada', { privileges: [Privileges.memberOf(readers), Privileges.onTables(SELECT)] });
      },
    ],
    [
      'has another construct id',
      ({ iamAuth }) => iamAuth.addUser('ada'),
      ({ iamAuth }) => iamAuth.addUser('Person', { username: 'ada' }),
    ],
    [
      'is dropped or disabled when it leaves',
      ({ iamAuth }) => iamAuth.addUser('ada'),
      ({ iamAuth }) => iamAuth.addUser('ada', { onRemoval: OnRemoval.disable() }),
    ],
  ])('no gain where a user %s', (_name, before, after) => {
    expect([changes(before, after), changes(after, before)]).toEqual([[], []]);
  });

  test('no gain from all tables to one of them, and one the other way around', () => {
    const [all, one] = [
      Privileges.onTables({ database: 'shop', schema: 'public', privileges: [TablePrivilege.SELECT] }),
      Privileges.onTables(SELECT),
    ].map(
      (privileges): Declare =>
        ({ iamAuth }) =>
          iamAuth.addUser('ada', { privileges: [privileges] }),
    );
    expect(accessDiff(factsOf(all), factsOf(one)).gains).toEqual([]);
    expect(changes(all, one)).toEqual(['- Shop/Cluster: user ada: shop: SELECT on all tables of schema public']);
    expect(changes(one, all)).toEqual(['+ Shop/Cluster: user ada: shop: SELECT on all tables of schema public']);
  });

  test('the owner of a schema may use it and create in it', () => {
    const [owner, creator] = [
      Privileges.schemaOwner({ database: 'shop', schema: 'app' }),
      Privileges.onSchema({ database: 'shop', schema: 'app', privileges: [SchemaPrivilege.CREATE] }),
    ].map(
      (privileges): Declare =>
        ({ iamAuth }) =>
          iamAuth.addUser('ada', { privileges: [privileges] }),
    );
    expect(changes(creator, owner)).toEqual(['+ Shop/Cluster: user ada: shop: OWNER on schema app']);
    expect(changes(owner, creator)).toEqual(['- Shop/Cluster: user ada: shop: OWNER on schema app']);
  });

  test('a database that has another name', () => {
    const of
      = (database: string): Declare =>
        ({ iamAuth }) =>
          iamAuth.addUser('ada', { privileges: [Privileges.onTables({ ...SELECT, database })] });
    expect(changes(of('shop'), of('store'))).toEqual([
      '+ Shop/Cluster: user ada: store: SELECT on table public.orders',
      '- Shop/Cluster: user ada: shop: SELECT on table public.orders',
    ]);
  });

  test('a cluster with another resource id', () => {
    const of = (id: string) => (root: App) => {
      const stack = new Stack(root, 'Shop', { env: IRELAND });
      const cluster = rds.DatabaseCluster.fromDatabaseClusterAttributes(stack, 'Cluster', {
        clusterIdentifier: 'shop',
        clusterResourceIdentifier: id,
      });
      ConnectGrants.fromCluster(cluster).connect(
        new iam.Role(stack, 'Service', { assumedBy: new iam.AccountRootPrincipal() }),
        'orders',
      );
    };
    expect(textsOf(diffOf(of('cluster-A'), of('cluster-B')))).toEqual([
      '+ cluster-B: IAM role Shop/Service: signs in as orders, a user that the app does not create there',
      '- cluster-A: IAM role Shop/Service: signs in as orders, a user that the app does not create there',
    ]);
  });

  test('what becomes of a user that leaves the app', () => {
    const leaves
      = (onRemoval: (owner: DatabaseRole) => OnRemoval): Declare =>
        ({ iamAuth }) => {
          const owner = iamAuth.addRole('owner');
          iamAuth.addUser('ada', { privileges: [Privileges.onTables(SELECT)], onRemoval: onRemoval(owner) });
        };
    const [byDefault, retain, drop] = [
      () => OnRemoval.dropOrDisable(),
      () => OnRemoval.retain(),
      (owner: DatabaseRole) => OnRemoval.drop({ reassignOwnedTo: owner }),
    ].map(leaves);
    const gone: Declare = ({ iamAuth }) => iamAuth.addRole('owner');
    expect(changes(byDefault, retain)).toEqual([
      '+ Shop/Cluster: user ada: its login and privileges also when it leaves the app (RETAIN)',
    ]);
    expect(changes(retain, byDefault)).toEqual([
      '- Shop/Cluster: user ada: its login and privileges also when it leaves the app (RETAIN)',
    ]);
    expect(changes(byDefault, drop)).toEqual([
      '+ Shop/Cluster: group role owner: what ada owns, as soon as that is removed',
    ]);
    expect(changes(byDefault, gone)).toEqual([
      '- Shop/Cluster: user ada: is removed',
      '- Shop/Cluster: user ada: shop: SELECT on table public.orders',
    ]);
    expect(changes(retain, gone)).toEqual(['= Shop/Cluster: user ada: keeps its login and its privileges (RETAIN)']);
  });

  test('a user that is exclusive no more keeps what is granted by hand, which a new one cannot have', () => {
    const user
      = (exclusive: boolean): Declare =>
        ({ iamAuth }) =>
          iamAuth.addUser('ada', { exclusive });
    const [exclusive, open] = [true, false].map(user);
    expect(changes(exclusive, open)).toEqual([
      '+ Shop/Cluster: user ada: what is granted by hand (it is not exclusive)',
    ]);
    expect(changes(open, exclusive)).toEqual([
      '- Shop/Cluster: user ada: what is granted by hand (it is not exclusive)',
    ]);
    expect(changes(none, open)).toEqual(['+ Shop/Cluster: user ada: is created']);
  });
});

describe('sign-ins', () => {
  const team: Declare = ({ iamAuth }) => iamAuth.addUsers('Team', { usernames: ['ada', 'grace', 'a*'] });
  const signsIn = (grant: Declare) =>
    changes(team, (context) => {
      team(context);
      grant(context);
    }).filter(text => !text.includes(' may assume '));
  const arn = (cluster: rds.IDatabaseCluster, username: string) =>
    `arn:aws:rds-db:eu-west-1:111111111111:dbuser:${cluster.clusterResourceIdentifier}/${username}`;
  const statement = (resources: string[], more: Partial<iam.PolicyStatementProps> = {}) =>
    new iam.PolicyStatement({ actions: ['rds-db:connect'], resources, ...more });

  test.each<[string, Declare, string[]]>([
    [
      'of an imported role',
      ({ stack, cluster }) =>
        ConnectGrants.fromCluster(cluster).connect(
          iam.Role.fromRoleArn(stack, 'People', 'arn:aws:iam::111111111111:role/people'),
          'ada',
        ),
      ['+ Shop/Cluster: IAM role people: signs in as ada'],
    ],
    [
      'of an IAM user, and of a group with a user',
      ({ stack, cluster }) => {
        const group = new iam.Group(stack, 'Group');
        group.addUser(new iam.User(stack, 'Grace'));
        ConnectGrants.fromCluster(cluster).connect(group, 'grace');
        ConnectGrants.fromCluster(cluster).connect(new iam.User(stack, 'Ada'), 'ada');
      },
      [
        '+ Shop/Cluster: IAM group Shop/Group: signs in as grace',
        '+ Shop/Cluster: IAM user Shop/Ada: signs in as ada',
        '+ Shop/Cluster: IAM user Shop/Grace: signs in as grace',
      ],
    ],
    [
      'of a managed policy',
      ({ stack, cluster }) => ConnectGrants.fromCluster(cluster).connect(new iam.ManagedPolicy(stack, 'Policy'), 'ada'),
      ['+ Shop/Cluster: identities with the policy Shop/Policy: signs in as ada'],
    ],
    [
      'of a permission set',
      ({ stack, cluster }) => {
        const policy = new iam.PolicyDocument({
          statements: [ConnectGrants.fromCluster(cluster).connectStatement('ada')],
        });
        for (const [id, inlinePolicy] of [
          ['Object', policy],
          ['Text', stack.toJsonString(policy)],
        ] as const) {
          new sso.CfnPermissionSet(stack, id, {
            name: id,
            instanceArn: 'arn:aws:sso:::instance/ssoins-1',
            inlinePolicy,
          });
        }
      },
      ['+ Shop/Cluster: permission set Shop/Object, permission set Shop/Text: signs in as ada'],
    ],
    [
      'by a tag',
      ({ cluster, role }) => ConnectGrants.fromCluster(cluster).connectAsPrincipalTag(role('People'), 'DatabaseUser'),
      ['+ Shop/Cluster: IAM role Shop/People: signs in as the user in its tag DatabaseUser'],
    ],
    [
      'of a name with a character of IAM',
      ({ cluster, role }) => ConnectGrants.fromCluster(cluster).connect(role('Star'), 'a*'),
      ['+ Shop/Cluster: IAM role Shop/Star: signs in as a*'],
    ],
    [
      'by a pattern',
      ({ cluster, role }) => role('Pattern').addToPolicy(statement([arn(cluster, 'a*')])),
      [
        '+ Shop/Cluster: IAM role Shop/Pattern: signs in as ada',
        '+ Shop/Cluster: IAM role Shop/Pattern: signs in as a*',
        '+ Shop/Cluster: IAM role Shop/Pattern: signs in as any user that matches a*',
      ].sort(),
    ],
    [
      'everywhere',
      ({ role }) => role('Admin').addManagedPolicy(iam.ManagedPolicy.fromAwsManagedPolicyName('AdministratorAccess')),
      [
        '+ IAM role Shop/Admin: signs in as any user that matches *',
        ...['a*', 'ada', 'grace'].map(name => `+ Shop/Cluster: IAM role Shop/Admin: signs in as ${name}`),
      ],
    ],
    [
      'but for what is denied',
      ({ cluster, role }) => {
        const almost = role('Almost');
        almost.addToPolicy(statement(['*']));
        almost.addToPolicy(statement([arn(cluster, 'ada'), arn(cluster, 'a*')], { effect: iam.Effect.DENY }));
      },
      [
        '+ IAM role Shop/Almost: signs in as any user that matches * (perhaps: a Deny statement may refuse some)',
        '+ Shop/Cluster: IAM role Shop/Almost: signs in as grace',
      ],
    ],
    [
      'with a condition',
      ({ cluster, role }) =>
        role('Conditional').addToPolicy(
          statement([arn(cluster, 'ada')], { conditions: { Bool: { 'aws:SecureTransport': 'true' } } }),
        ),
      [
        '+ Shop/Cluster: IAM role Shop/Conditional: signs in as ada (perhaps: its policy has a Condition, which RDS does not evaluate for rds-db:connect)',
      ],
    ],
    [
      'of another Region',
      ({ cluster, role }) =>
        role('Far').addToPolicy(statement([arn(cluster, 'ada').replace('eu-west-1', 'us-east-1')])),
      [],
    ],
    [
      'of another service',
      ({ role }) =>
        role('Other').addToPolicy(new iam.PolicyStatement({ actions: ['*'], resources: ['arn:aws:s3:::bucket/*'] })),
      [],
    ],
    [
      'with a boundary',
      ({ stack, cluster }) => {
        const boundary = (id: string, actions: string[]) =>
          new iam.ManagedPolicy(stack, id, { statements: [new iam.PolicyStatement({ actions, resources: ['*'] })] });
        const bounded = (id: string, permissionsBoundary: iam.IManagedPolicy) =>
          new iam.Role(stack, id, { assumedBy: new iam.AccountRootPrincipal(), permissionsBoundary });
        const grants = ConnectGrants.fromCluster(cluster);
        grants.connect(bounded('Wide', boundary('W', ['rds-db:*'])), 'ada');
        grants.connect(bounded('Narrow', boundary('N', ['s3:*'])), 'ada');
        grants.connect(
          bounded('Unknown', iam.ManagedPolicy.fromManagedPolicyArn(stack, 'U', 'arn:aws:iam::111111111111:policy/U')),
          'ada',
        );
      },
      [
        ...['any user that matches *'].map(text => `+ identities with the policy Shop/W: signs in as ${text}`),
        ...[
          'Shop/Unknown: signs in as ada (perhaps: its permissions boundary may refuse it)',
          'Shop/Wide: signs in as ada',
        ].map(text => `+ Shop/Cluster: IAM role ${text}`),
        ...['a*', 'ada', 'grace'].map(
          name => `+ Shop/Cluster: identities with the policy Shop/W: signs in as ${name}`,
        ),
      ],
    ],
    [
      'of a managed policy that is not in the app',
      ({ stack, role }) =>
        role('Other').addManagedPolicy(
          iam.ManagedPolicy.fromManagedPolicyArn(stack, 'U', 'arn:aws:iam::111111111111:policy/U'),
        ),
      [
        '+ IAM role Shop/Other: whatever managed policy arn:aws:iam::111111111111:policy/U allows (perhaps: its statements are in none of the templates; pass --policy <arn>=<file>)',
      ],
    ],
    [
      'through a proxy',
      ({ iamAuth, cluster, role }) => {
        const proxy = (cluster as rds.DatabaseCluster).addProxy('Proxy', {
          vpc: (cluster as rds.DatabaseCluster).vpc,
          defaultAuthScheme: rds.DefaultAuthScheme.IAM_AUTH,
        });
        iamAuth.addUser('service').grantConnect(role('Service'), { through: proxy });
      },
      [
        '+ Shop/Cluster: IAM role Shop/Cluster/Proxy/IAMRole: signs in as service',
        '+ Shop/Cluster: user service: is created',
        '+ Shop/Cluster/Proxy: IAM role Shop/Service: signs in as service',
      ],
    ],
  ])('%s', (_name, grant, expected) => {
    expect(signsIn(grant)).toEqual(expected);
  });

  test('who may assume a role that signs in gains it', () => {
    const assumedBy
      = (principal: iam.IPrincipal): Declare =>
        ({ stack, cluster }) => {
          ConnectGrants.fromCluster(cluster).connect(new iam.Role(stack, 'Role', { assumedBy: principal }), 'ada');
          new iam.Role(stack, 'Elsewhere', { assumedBy: principal });
        };
    const account = new iam.AccountPrincipal('222222222222');
    const byAccount = assumedBy(account);
    expect(changes(assumedBy(new iam.ServicePrincipal('lambda.amazonaws.com')), byAccount)).toEqual([
      '+ principal arn:${AWS::Partition}:iam::222222222222:root: may assume Shop/Role',
      '- principal Service lambda.amazonaws.com: may assume Shop/Role',
    ]);
    const conditional = assumedBy(
      new iam.PrincipalWithConditions(account, { Bool: { 'aws:MultiFactorAuthPresent': 'true' } }),
    );
    expect(changes(conditional, byAccount)).toHaveLength(1);
    expect(accessDiff(factsOf(byAccount), factsOf(conditional)).gains).toEqual([]);
  });

  test('a user that leaves, while a policy still names it, is no gain', () => {
    const grant: Declare = ({ cluster, role }) => ConnectGrants.fromCluster(cluster).connect(role('Service'), 'ada');
    const both: Declare = (context) => {
      context.iamAuth.addUser('ada');
      grant(context);
    };
    expect(changes(both, grant)).toEqual([
      '- Shop/Cluster: IAM role Shop/Service: signs in as ada',
      '- Shop/Cluster: user ada: is removed',
    ]);
    expect(changes(grant, both)).toEqual([
      '+ Shop/Cluster: IAM role Shop/Service: signs in as ada',
      '+ Shop/Cluster: user ada: is created',
    ]);
  });
});

describe('what is not known at synthesis', () => {
  test('is shown as the template has it, and never guessed', () => {
    const user
      = (byDefault: string): Declare =>
        ({ stack, iamAuth, role }) => {
          const { valueAsString: username } = new CfnParameter(stack, 'Name', { default: byDefault });
          iamAuth.addUser('User', { username }).grantConnect(role('Service'));
        };
    expect(changes(none, user('ada')).filter(text => text.includes('Cluster'))).toEqual([
      '+ Shop/Cluster: IAM role Shop/Service: signs in as ${Shop.Name}',
      '+ Shop/Cluster: user ${Shop.Name}: is created',
    ]);
    expect(changes(user('ada'), user('grace'))).toEqual([]);
  });

  test('a resource under a condition is undecided, where the condition is new or gone', () => {
    const user
      = (isConditional: boolean): Declare =>
        ({ stack, iamAuth }) => {
          const { node } = iamAuth.addUser('ada');
          const condition = new CfnCondition(stack, 'InProd', {
            expression: Fn.conditionEquals(Aws.REGION, 'eu-west-1'),
          });
          if (isConditional) {
            (node.defaultChild as rds.CfnDBCluster).cfnOptions.condition = condition;
          }
        };
    const reason
      = '(perhaps: only under condition InProd ({"Fn::Equals":[{"Ref":"AWS::Region"},"eu-west-1"]}) of stack Shop)';
    const [conditional, always] = [true, false].map(user);
    expect(changes(conditional, user(true))).toEqual([]);
    expect(changes(none, conditional)).toEqual([`+ Shop/Cluster: user ada: is created ${reason}`]);
    expect(changes(conditional, always)).toEqual([`+ Shop/Cluster: user ada: is created ${reason}`]);
    expect(changes(always, conditional)).toEqual([`- Shop/Cluster: user ada: is removed ${reason}`]);
  });
});

describe('apps', () => {
  test('of several stacks, stages and nested stacks', () => {
    const shop = (root: App) => {
      for (const name of ['Beta', 'Prod']) {
        const stage = new Stage(root, name, { env: IRELAND });
        const data = new Stack(stage, 'Data');
        const cluster = newCluster(new NestedStack(data, 'Databases'));
        const iamAuth = new AuroraIamAuth(data, 'IamAuth', { cluster });
        const apps = new Stack(stage, 'Apps');
        const user = new DatabaseUser(new NestedStack(apps, 'Users'), 'Orders', { iamAuth, username: 'orders' });
        user.grantConnect(
          new iam.Role(new NestedStack(apps, 'Service'), 'Role', { assumedBy: new iam.AccountRootPrincipal() }),
        );
      }
    };
    const [facts, again] = [declaredBy(shop), declaredBy(shop)];
    expect(withoutConnect(textsOf(accessDiff([], facts))).filter(text => !text.includes('assume'))).toEqual(
      ['Beta', 'Prod'].flatMap(name => [
        `+ ${name}/Data/Databases/Cluster: IAM role ${name}/Apps/Service/Role: signs in as orders`,
        `+ ${name}/Data/Databases/Cluster: user orders: is created`,
      ]),
    );
    expect(accessDiff(facts, again).gains).toEqual([]);
  });
});
