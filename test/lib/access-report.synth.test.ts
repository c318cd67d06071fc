import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { App, Aws, NestedStack, Stack, Stage } from 'aws-cdk-lib';
import * as iam from 'aws-cdk-lib/aws-iam';
import * as rds from 'aws-cdk-lib/aws-rds';
import { AdminCredentials, AuroraIamAuth, ConnectGrants, DatabaseRole, DatabaseUser, OnRemoval, Privileges } from '../../lib';
import { AccessReport } from '../../lib/report/access-report';
import { IRELAND, newApp, newCluster, templateOf } from './support';

/** Who may assume the roles of these apps, in account 111111111111. */
const ROOT = ['arn:${AWS::Partition}:iam::111111111111:root'];
const FILES = ['access.html', 'access.json', 'access.md'];
const newRole = (scope: Stack, id: string) => new iam.Role(scope, id, { assumedBy: new iam.AccountRootPrincipal() });
const newAuth = (stack: Stack) => new AuroraIamAuth(stack, 'IamAuth', { cluster: newCluster(stack) });
const reportsIn = (folder: string) => readdirSync(folder).filter(name => /\.access\.\w+$/.test(name)).sort();
const contents = (folder: string) => Object.fromEntries(reportsIn(folder).map(name => [name, readFileSync(join(folder, name), 'utf8')]));
const reportOf = (stack: Stack, folder = (stack.node.root as App).synth().directory) => JSON.parse(readFileSync(join(folder, `${stack.artifactId}.access.json`), 'utf8')) as AccessReport;

describe('the files', () => {
  test('are next to the template, one set for each stack with users', () => {
    const app = newApp();
    const [data, apps] = ['Data', 'Apps', 'None'].map(id => new Stack(app, id));
    const iamAuth = newAuth(data);
    iamAuth.addUser('here');
    new DatabaseUser(apps, 'User', { iamAuth, username: 'there' });
    const { directory } = app.synth();
    expect(reportsIn(directory)).toEqual(['Apps', 'Data'].flatMap(stack => FILES.map(file => `${stack}.${file}`)));
    expect([data, apps].map(stack => reportOf(stack, directory).servers.map(({ path, users }) => [path, users.map(({ name }) => name)]))).toEqual([[['Data/Cluster', ['here']]], [['Data/Cluster', ['there']]]]);
  });

  test('are in the assembly of their stage', () => {
    const app = newApp();
    for (const id of ['Beta', 'Prod']) {
      newAuth(new Stack(new Stage(app, id, { env: IRELAND }), 'Data')).addUser('orders');
    }
    const assembly = app.synth();
    expect(reportsIn(assembly.directory)).toEqual([]);
    expect(assembly.nestedAssemblies.map(({ nestedAssembly: { directory } }) => reportsIn(directory))).toEqual(['BetaData', 'ProdData'].map(stack => FILES.map(file => expect.stringMatching(new RegExp(`^${stack}\\w*\\.${file}$`)) as unknown)));
  });

  test('of a nested stack have its name', () => {
    const app = newApp();
    newAuth(new NestedStack(new Stack(app, 'Parent'), 'Data')).addUser('orders');
    expect(reportsIn(app.synth().directory)).toEqual(FILES.map(file => expect.stringMatching(new RegExp(`^ParentData\\w+\\.nested\\.${file}$`)) as unknown));
  });

  test('come with assertions on templates as well, and harm none', () => {
    const stack = new Stack(newApp(), 'Data');
    newAuth(stack).addUser('orders');
    templateOf(stack).resourceCountIs('Custom::RdsIamUser', 1);
    expect(reportsIn((stack.node.root as App).outdir)).toHaveLength(3);
  });

  test('of the whole app are at its root, with a section for each database of all stages', () => {
    const app = newApp();
    for (const id of ['Beta', 'Prod']) {
      const stage = new Stage(app, id, { env: IRELAND });
      const iamAuth = newAuth(new Stack(stage, 'Data'));
      iamAuth.addUser('orders').grantConnect(newRole(new Stack(stage, 'Apps'), 'Service'));
      new DatabaseUser(new Stack(stage, 'Users'), 'Ada', { iamAuth, username: 'ada' });
    }
    const { directory } = app.synth();
    expect(readdirSync(directory).filter(name => /^access\./.test(name)).sort()).toEqual(FILES);
    const [json, markdown, html] = ['json', 'md', 'html'].map(extension => readFileSync(join(directory, `access.${extension}`), 'utf8'));
    const { stack, servers } = JSON.parse(json) as AccessReport;
    expect([stack, servers.map(({ path, users }) => [path, users.map(({ name, path: user }) => `${name} ${user}`)])]).toEqual(['', ['Beta', 'Prod'].map(id =>
      [`${id}/Data/Cluster`, [`ada ${id}/Users/Ada`, `orders ${id}/Data/IamAuth/orders`]])]);
    expect(markdown).toContain('# Access: the whole app\n');
    expect(markdown).toContain('- **Other apps.** ');
    expect(markdown).toContain('`Beta/Apps/Service role`');
    expect(html).toContain('<h1>the whole app</h1>');
    expect([...html.matchAll(/<h2>Cluster <code>(.*?)</g)].map(([, path]) => path)).toEqual(['Beta/Data/Cluster', 'Prod/Data/Cluster']);
  });

  test('of the whole app say nothing else than that of its only stack', () => {
    const stack = new Stack(newApp(), 'Data');
    newAuth(stack).addUser('orders').grantConnect(newRole(stack, 'Service'));
    const { directory } = (stack.node.root as App).synth();
    const [ofApp, ofStack] = ['access.json', 'Data.access.json'].map(file => JSON.parse(readFileSync(join(directory, file), 'utf8')) as AccessReport);
    expect(ofApp).toEqual({ ...ofStack, stack: '' });
  });

  test('have the same bytes each time, however the app orders what it says', () => {
    const [once, again, other] = [everything(), everything(), everything(true)].map(({ node }) => contents((node.root as App).synth().directory));
    expect(again).toEqual(once);
    expect(other).toEqual(once);
  });
});

describe('the report', () => {
  test('has who signs in as whom, what each may do, and who is inside of what', () => {
    const data = everything();
    expect(reportOf(data)).toEqual({
      format: 1,
      stack: 'Data',
      servers: [{
        path: 'Data/Cluster',
        kind: 'cluster',
        admin: { credentials: 'password', username: 'postgres' },
        resourceId: '${ClusterEB0386A7.DBClusterResourceId}',
        account: '111111111111',
        region: 'eu-west-1',
        users: [
          {
            name: 'ada',
            path: 'Data/IamAuth/Team',
            exclusive: true,
            onRemoval: 'DROP_OR_DISABLE',
            signIns: [
              { principal: { kind: 'role', path: 'Apps/Ada', assumedBy: ROOT } },
              { principal: { kind: 'role', path: 'Data/Imported', name: 'people', arn: 'arn:aws:iam::111111111111:role/people' } },
            ],
            memberOf: [{ role: 'readers', through: [] }, { role: 'everybody', through: ['readers'] }, { role: 'pg_monitor', through: ['readers', 'everybody'] }],
            privileges: [{ database: 'shop', on: 'database', privileges: ['CONNECT'] }],
          },
          {
            name: 'migrator',
            path: 'Data/IamAuth/migrator',
            exclusive: false,
            onRemoval: 'RETAIN',
            signIns: [{ principal: { kind: 'role', path: 'Data/Pipeline', name: 'pipeline', assumedBy: ROOT }, at: { kind: 'proxy', path: 'Data/Cluster/Proxy' } }],
            memberOf: [],
            privileges: [{ database: 'shop', on: 'database', privileges: ['CONNECT'] }, { database: 'shop', schema: 'public', on: 'schema', privileges: ['USAGE', 'CREATE'] }],
          },
        ],
        groups: [
          {
            name: 'everybody',
            path: 'Data/IamAuth/everybody',
            exclusive: false,
            members: [{ name: 'ada', kind: 'user', through: ['readers'] }, { name: 'readers', kind: 'group', through: [] }, { name: 'there', kind: 'user', through: [] }],
            memberOf: [{ role: 'pg_monitor', through: [] }],
            privileges: [],
          },
          {
            name: 'pg_monitor',
            exclusive: false,
            members: [{ name: 'ada', kind: 'user', through: ['everybody', 'readers'] }, { name: 'everybody', kind: 'group', through: [] }, { name: 'readers', kind: 'group', through: ['everybody'] }, { name: 'there', kind: 'user', through: ['everybody'] }],
            memberOf: [],
            privileges: [],
          },
          {
            name: 'readers',
            path: 'Data/IamAuth/readers',
            exclusive: false,
            members: [{ name: 'ada', kind: 'user', through: [] }],
            memberOf: [{ role: 'everybody', through: [] }, { role: 'pg_monitor', through: ['everybody'] }],
            privileges: [
              { database: 'shop', on: 'database', privileges: ['CONNECT'] },
              { database: 'shop', schema: 'public', on: 'schema', privileges: ['USAGE'] },
              { database: 'shop', schema: 'public', on: 'tables', privileges: ['SELECT'], createdBy: ['migrator'] },
              { database: 'shop', schema: 'public', on: 'sequences', privileges: ['SELECT'], createdBy: ['migrator'] },
            ],
          },
        ],
        signInsByTag: [{ principal: { kind: 'role', path: 'Data/People', assumedBy: ROOT }, tagKey: 'DatabaseUser' }],
        otherSignIns: [{ username: 'legacy', principal: { kind: 'role', path: 'Data/Old', assumedBy: ROOT } }],
      }],
    });
  });

  test('has the groups that users of another stack are members of', () => {
    const data = everything();
    const { directory } = (data.node.root as App).synth();
    const [{ users, groups, signInsByTag }] = reportOf(data.node.root.node.findChild('Apps') as Stack, directory).servers;
    expect([users.map(({ name }) => name), groups.map(({ name, path }) => [name, path]), signInsByTag.length]).toEqual([['there'], [['everybody', 'Data/IamAuth/everybody'], ['pg_monitor', undefined]], 1]);
  });

  test('knows an admin that signs in with a token, and does not take it for a user', () => {
    const stack = new Stack(newApp(), 'Data');
    new AuroraIamAuth(stack, 'IamAuth', { cluster: newCluster(stack), admin: AdminCredentials.fromIam('provisioner') }).addUser('orders');
    const [{ admin, otherSignIns }] = reportOf(stack).servers;
    expect([admin, otherSignIns]).toEqual([{ username: 'provisioner', credentials: 'token' }, []]);
  });

  test('has where a policy goes that an identity has elsewhere, and who may assume a role under conditions', () => {
    const stack = new Stack(newApp(), 'Data');
    const user = newAuth(stack).addUser('orders');
    user.grantConnect(new iam.ManagedPolicy(stack, 'Policy'), { label: 'permission set Support' });
    const assumedBy = new iam.CompositePrincipal(
      new iam.ServicePrincipal('ec2.amazonaws.com'),
      new iam.PrincipalWithConditions(new iam.AccountPrincipal('222222222222'), { Bool: { 'aws:MultiFactorAuthPresent': 'true' } }),
      new iam.AnyPrincipal(),
    );
    user.grantConnect(new iam.Role(stack, 'Role', { assumedBy }));
    const { directory } = (stack.node.root as App).synth();
    const [{ users: [{ signIns }] }] = reportOf(stack, directory).servers;
    expect(signIns.map(({ principal }) => principal)).toEqual([
      { kind: 'policy', path: 'Data/Policy', label: 'permission set Support' },
      { kind: 'role', path: 'Data/Role', assumedBy: ['Service ec2.amazonaws.com', 'arn:${AWS::Partition}:iam::222222222222:root under conditions', 'every principal'] },
    ]);
    expect(contents(directory)['Data.access.md']).toContain('`identities with the policy Policy (permission set Support)`');
  });

  test.each<[string, unknown, string]>([
    ['a token', Aws.REGION, 'label is a token, and the access report is written at synthesis; give the text itself'],
    ['no text', 1, 'label is 1, and must be a text; pass a string'],
  ])('fails for a label that is %s', (_what, label, message) => {
    const stack = new Stack(newApp(), 'Data');
    const user = newAuth(stack).addUser('orders');
    expect(() => user.grantConnect(new iam.ManagedPolicy(stack, 'Policy'), { label: label as string })).toThrow(message);
  });

  test('has every other identity that signs in as the admin', () => {
    const stack = new Stack(newApp(), 'Data');
    const cluster = newCluster(stack);
    new AuroraIamAuth(stack, 'IamAuth', { cluster, admin: AdminCredentials.fromIam('provisioner') }).addUser('orders');
    ConnectGrants.fromCluster(cluster).connect(newRole(stack, 'Operator'), 'provisioner');
    expect(reportOf(stack).servers[0].otherSignIns).toEqual([{ username: 'provisioner', principal: { kind: 'role', path: 'Data/Operator', assumedBy: ['arn:${AWS::Partition}:iam::${AWS::AccountId}:root'] } }]);
  });
});

/** @param reversed says the same in another order */
function everything(reversed = false): Stack {
  const app = newApp();
  const [data, apps] = ['Data', 'Apps'].map(id => new Stack(app, id, { env: IRELAND }));
  const cluster = newCluster(data);
  const iamAuth = new AuroraIamAuth(data, 'IamAuth', { cluster });
  const proxy = cluster.addProxy('Proxy', { vpc: cluster.vpc, defaultAuthScheme: rds.DefaultAuthScheme.IAM_AUTH });
  const everybody = iamAuth.addRole('everybody', { privileges: [Privileges.memberOf(DatabaseRole.fromRoleName(data, 'Monitor', 'pg_monitor'))] });
  const migrator = iamAuth.addUser('migrator', { privileges: [Privileges.createObjects({ database: 'shop' })], onRemoval: OnRemoval.retain() });
  const readers = iamAuth.addRole('readers', { privileges: [Privileges.readOnly({ database: 'shop', objectsCreatedBy: [migrator] }), Privileges.memberOf(everybody)] });
  const team = iamAuth.addUsers('Team', { usernames: ['ada'], exclusive: true, privileges: [Privileges.memberOf(readers)] });
  new DatabaseUser(apps, 'User', { iamAuth, username: 'there', privileges: [Privileges.memberOf(everybody)] });
  const grants = ConnectGrants.fromCluster(cluster);
  const imported = iam.Role.fromRoleArn(data, 'Imported', 'arn:aws:iam::111111111111:role/people');
  const declarations = [
    () => team.user('ada').grantConnect(newRole(apps, 'Ada')),
    () => team.user('ada').grantConnect(imported),
    () => migrator.grantConnect(new iam.Role(data, 'Pipeline', { assumedBy: new iam.AccountRootPrincipal(), roleName: 'pipeline' }), { through: proxy }),
    () => grants.connectAsPrincipalTag(newRole(data, 'People'), 'DatabaseUser'),
    () => grants.connect(newRole(data, 'Old'), 'legacy'),
  ];
  (reversed ? declarations.reverse() : declarations).forEach(declare => declare());
  return data;
}
