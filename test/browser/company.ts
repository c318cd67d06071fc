import { App, Stack } from 'aws-cdk-lib';
import * as ec2 from 'aws-cdk-lib/aws-ec2';
import * as iam from 'aws-cdk-lib/aws-iam';
import * as rds from 'aws-cdk-lib/aws-rds';
import { AuroraIamAuth, ColumnPrivilege, ConnectGrants, DatabaseRole, Privileges, TablePrivilege } from '../../lib';

const SERVICES = [
  'billing',
  'catalog',
  'checkout',
  'fulfilment',
  'invoices',
  'notifications',
  'orders',
  'payments',
  'returns',
  'search',
];
const PEOPLE = ['ada', 'alan', 'barbara', 'donald', 'edsger', 'grace', 'john', 'ken', 'leslie', 'margaret'];

/** An app as a company has it: services, a migrator, people in groups, an auditor for a month. */
export function synthesizeCompany(outdir: string, users: number): void {
  const app = new App({
    outdir,
    context: { 'aws:cdk:disable-asset-staging': true, '@aws-cdk/core:stackResourceLimit': 0 },
  }); // what 500 users are on a page, whichever stacks they are in
  const stack = new Stack(app, 'Shop', { env: { account: '111111111111', region: 'eu-west-1' } });
  const cluster = new rds.DatabaseCluster(stack, 'Cluster', {
    engine: rds.DatabaseClusterEngine.auroraPostgres({ version: rds.AuroraPostgresEngineVersion.VER_17_7 }),
    writer: rds.ClusterInstance.serverlessV2('writer'),
    vpc: new ec2.Vpc(stack, 'Vpc', { maxAzs: 2 }),
    defaultDatabaseName: 'shop',
  });
  const proxy = cluster.addProxy('Proxy', { vpc: cluster.vpc, defaultAuthScheme: rds.DefaultAuthScheme.IAM_AUTH });
  const iamAuth = new AuroraIamAuth(stack, 'IamAuth', { cluster });
  const role = (id: string) =>
    new iam.Role(stack, id, { assumedBy: new iam.ServicePrincipal('ecs-tasks.amazonaws.com') });

  const migrator = iamAuth.addUser('migrator', {
    privileges: [Privileges.createObjects({ database: 'shop', schemas: ['public', 'stock'] })],
  });
  migrator.grantConnect(role('PipelineRole'));
  const created = { objectsCreatedBy: [migrator] };
  const readers = iamAuth.addRole('readers', {
    privileges: [Privileges.readOnly({ database: 'shop', schemas: ['public', 'stock'], ...created })],
  });
  const analysts = iamAuth.addRole('analysts', {
    privileges: [
      Privileges.memberOf(readers),
      Privileges.onDatabase({ database: 'crm' }),
      Privileges.onSchema({ database: 'crm', schema: 'public' }),
      Privileges.onColumns({ database: 'crm', schema: 'public', table: 'customers', columns: ['id', 'country', 'since'],
        privileges: [ColumnPrivilege.SELECT] }),
    ],
  });
  const operators = iamAuth.addRole('operators', {
    privileges: [Privileges.memberOf(DatabaseRole.fromRoleName(stack, 'Monitor', 'pg_monitor'))],
  });

  const services = Math.floor(users / 2) - 2;
  for (let index = 0; index < services; index++) {
    const name = `${SERVICES[index % SERVICES.length]}${index < SERVICES.length ? '' : `_${Math.floor(index / SERVICES.length)}`}`;
    const user = iamAuth.addUser(name, {
      privileges:
        index % 3 === 0
          ? [Privileges.readOnly({ database: 'shop', ...created })]
          : [
              Privileges.readWrite({
                database: 'shop',
                schemas: index % 3 === 1 ? ['public'] : ['public', 'stock'],
                ...created,
              }),
            ],
    });
    user.grantConnect(role(`${name}-service`), index % 4 === 0 ? { through: proxy } : {});
  }
  const people = Array.from(
    { length: users - services - 3 },
    (_, index) => `${PEOPLE[index % PEOPLE.length]}${index < PEOPLE.length ? '' : index}@example.com`,
  );
  const team = iamAuth.addUsers('Team', {
    usernames: people,
    privileges: [Privileges.memberOf(analysts)],
    exclusive: true,
  });
  const workforce = iam.Role.fromRoleArn(stack, 'Workforce', 'arn:aws:iam::111111111111:role/Workforce');
  people.forEach((name, index) =>
    index % 5 === 4
      ? undefined
      : team.user(name).grantConnect(index % 2 === 0 ? workforce : role(`${name.split('@')[0]}-laptop`)),
  );

  iamAuth
    .addUser('oncall', {
      privileges: [
        Privileges.memberOf(operators),
        Privileges.onTables({
          database: 'shop',
          schema: 'public',
          tables: ['orders', 'payments'],
          privileges: [TablePrivilege.SELECT, TablePrivilege.UPDATE],
        }),
      ],
    })
    .grantConnect(role('OnCallRole'));
  iamAuth.addUser('auditor', { privileges: [Privileges.memberOf(readers)] }).grantConnect(role('AuditorsRole'));
  ConnectGrants.fromCluster(cluster).connectAsPrincipalTag(
    iam.Role.fromRoleName(stack, 'Federated', 'federated'),
    'DatabaseUser',
  );
  app.synth();
}
