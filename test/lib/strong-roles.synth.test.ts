import { Annotations, App, CfnParameter, Stack } from 'aws-cdk-lib';
import { Annotations as Found, Match } from 'aws-cdk-lib/assertions';
import * as rds from 'aws-cdk-lib/aws-rds';
import * as secretsmanager from 'aws-cdk-lib/aws-secretsmanager';
import { AdminCredentials, AuroraIamAuth, DatabaseRole, InstanceIamAuth, Privileges } from '../../lib';
import { PREDEFINED_ROLES } from '../../lib/contract/predefined-roles';
import { collectAccess } from '../../lib/report/collect';
import { htmlOf } from '../../lib/report/html';
import { markdownOf } from '../../lib/report/markdown';
import { attribute, logicalIdOf, newApp, newCluster, newInstance, resourcesOf, templateOf } from './support';

let app: App;
let stack: Stack;
let iamAuth: AuroraIamAuth;
beforeEach(() => {
  app = newApp();
  stack = new Stack(app, 'Data');
  iamAuth = new AuroraIamAuth(stack, 'IamAuth', { cluster: newCluster(stack) });
});

const memberOf = (name: string) => ({
  privileges: [Privileges.memberOf(DatabaseRole.fromRoleName(stack, `Imported ${name}`, name))],
});

const BECOMES_SUPERUSER = 'its members can become a superuser, as PostgreSQL documents; leave it out';

describe('membership is refused', () => {
  const ADMIN
    = 'it is the admin of the database, and its members have all its rights; for a DBA who signs in with IAM, use a role with the privileges it needs, or rds_superuser';

  test.each([
    ['postgres', ADMIN],
    ['pg_execute_server_program', BECOMES_SUPERUSER],
    ['pg_read_server_files', BECOMES_SUPERUSER],
    ['pg_write_server_files', BECOMES_SUPERUSER],
    ['rdsadmin', 'its members are superusers, and it belongs to AWS; for a DBA who signs in with IAM, use rds_superuser'],
    ['rds_ad',
      'its members sign in with Kerberos, and AWS says not to combine it with rds_iam, directly or through other roles; let a role that is not managed by this library sign in with Kerberos'],
    ['pg_database_owner',
      'its members are always exactly the owner of the database; PostgreSQL refuses other members; leave it out'],
  ])('in %s: of a user, a list and a group role', (group, reason) => {
    const message = `membership in ${JSON.stringify(group)} is not allowed: ${reason}`;
    expect(() => iamAuth.addUser('a', memberOf(group))).toThrow(message);
    stack = new Stack(app, 'Second');
    expect(() => iamAuth.addUsers('B', { usernames: ['b', 'c'], ...memberOf(group) })).toThrow(message);
    stack = new Stack(app, 'Third');
    expect(() => iamAuth.addRole('d', memberOf(group))).toThrow(message);
    stack = new Stack(app, 'Fourth');
    expect(() => iamAuth.addUser('e').addPrivileges(...memberOf(group).privileges)).toThrow(message);
  });

  test('in the admin that the provisioner signs in as, and in the master beside it', () => {
    const database = new AuroraIamAuth(stack, 'Other', {
      cluster: newCluster(stack, 'Other cluster'),
      admin: AdminCredentials.fromIam('provisioner'),
    });
    expect(() => database.addUser('a', memberOf('provisioner'))).toThrow(
      'membership in "provisioner" is not allowed: it is the admin of the database',
    );
    expect(() => database.addUser('b', memberOf('postgres'))).toThrow(
      'membership in "postgres" is not allowed: it is the admin of the database',
    );
    database.addUser('c', memberOf('Postgres'));
  });
});

test.each([
  [
    'rds_superuser',
    'rdsSuperuser',
    'cdk-aurora-iam-auth:memberOfRdsSuperuser',
    'have the highest rights that RDS gives in PostgreSQL',
  ],
  [
    'pg_maintain',
    'pgMaintain',
    'cdk-aurora-iam-auth:memberOfPgMaintain',
    'can lock every table, those of the system catalog included, so that no role can sign in and no deployment can change one until their session ends',
  ],
])(
  'membership in %s is warned of until it is acknowledged, and marked wherever it is shown',
  (group, _, id, members) => {
    const user = iamAuth.addUser('dba', memberOf(group));
    const text = `"dba" is made a member of "${group}": its members ${members}; if this is intended, acknowledge it with Annotations.of(user).acknowledgeWarning('${id}', reason) [ack: ${id}]`;
    Found.fromStack(stack).hasWarning('/Data/IamAuth/dba', text);
    const mark = `member of ${group} (strong role: its members ${members})`;
    expect(resourcesOf(stack)[logicalIdOf(user.node.findChild('Resource'))].Metadata?.Access).toContain(mark);
    expect(JSON.stringify((templateOf(stack).toJSON() as { Metadata: object }).Metadata)).toContain(mark);
    const report = collectAccess(stack);
    expect(report.servers[0].users[0].memberOf).toEqual([{ role: group, through: [], strong: members }]);
    expect(report.servers[0].groups).toMatchObject([{ name: group, strong: members }]);
    for (const page of [markdownOf(report), htmlOf(report)]) {
      expect(page).toContain('Members of strong roles');
      expect(page.replace(/&#(\d+);/g, (__, code) => String.fromCharCode(Number(code)))).toContain(
        `its members ${members}`,
      );
    }
    expect(htmlOf(report)).toContain('<span class="badge">strong role</span>');

    Annotations.of(user).acknowledgeWarning(id, 'She runs the database.');
    Found.fromStack(stack).hasNoWarning('*', Match.stringLikeRegexp('is made a member of'));
  },
);

test('a list is one warning; members of a group are marked with what it leads to, and the group has the warning', () => {
  iamAuth.addUsers('Dbas', { usernames: ['ann', 'bob'], ...memberOf('rds_superuser') });
  const ops = iamAuth.addRole('ops', {
    privileges: [Privileges.memberOf(DatabaseRole.fromRoleName(stack, 'Strong', 'rds_superuser'))],
  });
  const eve = iamAuth.addUser('eve', { privileges: [Privileges.memberOf(ops)] });
  const warnings = Found.fromStack(stack)
    .findWarning('*', Match.stringLikeRegexp('is made a member of'))
    .map(({ id, entry }) => [id, (entry.data as string).split(':')[0]]);
  expect(warnings).toEqual(expect.arrayContaining([
    ['/Data/IamAuth/Dbas', 'each of 2 users is made a member of "rds_superuser"'],
    ['/Data/IamAuth/ops', '"ops" is made a member of "rds_superuser"'],
  ]));
  expect(warnings).toHaveLength(2);
  expect(resourcesOf(stack)[logicalIdOf(eve.node.findChild('Resource'))].Metadata?.Access).toContain(
    'member of ops (leads to the strong role rds_superuser: its members have the highest rights that RDS gives in PostgreSQL)',
  );
  const { users } = collectAccess(stack).servers[0];
  expect(users.find(({ name }) => name === 'eve')?.memberOf).toMatchObject([
    { role: 'ops' },
    { role: 'rds_superuser', through: ['ops'], strong: expect.any(String) as string },
  ]);
});

test.each(PREDEFINED_ROLES.filter(({ membership }) => membership === 'allowed').map(({ name }) => name))(
  'membership in %s is neither refused nor warned of',
  (group) => {
    iamAuth.addUser('a', memberOf(group));
    Found.fromStack(stack).hasNoWarning('*', Match.stringLikeRegexp('is made a member of'));
    expect(collectAccess(stack).servers[0].users[0].memberOf).toEqual([{ role: group, through: [] }]);
  },
);

test('a name that only the deployment knows is looked at there', () => {
  iamAuth.addUser('a', {
    privileges: [
      Privileges.memberOf(DatabaseRole.fromRoleName(stack, 'Late', new CfnParameter(stack, 'Group').valueAsString)),
    ],
  });
  Found.fromStack(stack).hasNoWarning('*', Match.stringLikeRegexp('is made a member of'));
});

describe('sign-in of the provisioner as an admin with a password, to take its membership in rds_iam back', () => {
  const aurora = (version: rds.AuroraPostgresEngineVersion) => ({
    engine: rds.DatabaseClusterEngine.auroraPostgres({ version }),
  });
  const connects = (within: Stack) =>
    Object.values(resourcesOf(within, 'AWS::IAM::ManagedPolicy'))
      .flatMap(
        ({ Properties }) =>
          (Properties.PolicyDocument as { Statement: { Action: string | string[]; Resource: unknown }[] }).Statement,
      )
      .filter(({ Action }) => Action === 'rds-db:connect')
      .map(({ Resource }) => Resource);
  const asUser = (id: RegExp, name: string, user: string) => ({
    'Fn::Join': [
      '',
      [
        'arn:',
        { Ref: 'AWS::Partition' },
        ':rds-db:',
        { Ref: 'AWS::Region' },
        ':',
        { Ref: 'AWS::AccountId' },
        ':dbuser:',
        attribute(id, name),
        `/${user}`,
      ],
    ],
  });
  const connectsOf = (props: Partial<rds.DatabaseClusterProps>, admin?: AdminCredentials) => {
    new AuroraIamAuth(stack, 'Old', { cluster: newCluster(stack, 'OldCluster', props), admin }).addUser('app');
    return connects(stack);
  };

  test('is permitted on PostgreSQL 14, as this one user of this one database', () => {
    expect(connectsOf(aurora(rds.AuroraPostgresEngineVersion.VER_14_6))).toEqual([
      asUser(/^OldCluster/, 'DBClusterResourceId', 'postgres'),
    ]);
    expect(collectAccess(stack).servers[0].otherSignIns).toEqual([]);
  });

  test('is permitted with another name, as which IAM takes it for itself', () => {
    expect(
      connectsOf({
        ...aurora(rds.AuroraPostgresEngineVersion.VER_14_6),
        credentials: rds.Credentials.fromGeneratedSecret('boss*'),
      }),
    ).toEqual([asUser(/^OldCluster/, 'DBClusterResourceId', 'boss${*}')]);
  });

  test('is permitted with a password that RDS manages, and at an instance', () => {
    const second = new Stack(app, 'Second');
    const instance = newInstance(second, 'Instance', {
      engine: rds.DatabaseInstanceEngine.postgres({ version: rds.PostgresEngineVersion.VER_14 }),
    });
    new InstanceIamAuth(second, 'IamAuth', { instance }).addUser('app');
    const third = new Stack(app, 'Third');
    const cluster = newCluster(third, 'Managed', {
      ...aurora(rds.AuroraPostgresEngineVersion.VER_14_6),
      manageMasterUserPassword: true,
      credentials: rds.Credentials.fromUsername('chief'),
    } as never);
    new AuroraIamAuth(third, 'IamAuth', { cluster }).addUser('app');
    expect(connects(second)).toEqual([asUser(/^Instance/, 'DbiResourceId', 'postgres')]);
    expect(connects(third)).toEqual([asUser(/^Managed/, 'DBClusterResourceId', 'chief')]);
  });

  test.each<[string, () => unknown[]]>([
    ['from PostgreSQL 15 on', () => connectsOf(aurora(rds.AuroraPostgresEngineVersion.VER_15_4))],
    ['140 is another version', () => connectsOf(aurora(rds.AuroraPostgresEngineVersion.of('140.1', '140')))],
    ['the version is a token',
      () =>
        connectsOf(aurora(rds.AuroraPostgresEngineVersion.of(new CfnParameter(stack, 'Version').valueAsString, '14')))],
    ['the username is in a secret of elsewhere',
      () =>
        connectsOf(
          aurora(rds.AuroraPostgresEngineVersion.VER_14_6),
          AdminCredentials.fromSecret(
            secretsmanager.Secret.fromSecretCompleteArn(
              stack, 'Secret', 'arn:aws:secretsmanager:eu-west-1:111111111111:secret:a-abcdef',
            ),
          ),
        )],
  ])('is not permitted: %s', (_, statements) => {
    expect(statements()).toEqual([]);
  });

  test('is the only statement of an admin that signs in with a token anyway', () => {
    expect(
      connectsOf(aurora(rds.AuroraPostgresEngineVersion.VER_14_6), AdminCredentials.fromIam('provisioner')),
    ).toEqual([asUser(/^OldCluster/, 'DBClusterResourceId', 'provisioner')]);
  });
});
