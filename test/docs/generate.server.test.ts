import { execFile } from 'node:child_process';
import { promisify } from 'node:util';
import { AuroraLikeServer } from '../../rehearsal/aurora-like-server';
import { deploy, synthesized } from '../cli/generated-app';
import { packedCli } from '../cli/packed-cli';
import { trust } from '../lambda/stack';
import { ROOT, samplesOf } from './pages';

const PAGE = 'docs/existing-databases.md';

const sample = (info: string, contains: string) =>
  samplesOf(PAGE).find(one => one.info === info && one.code.includes(contains))!.code;

test('docs/existing-databases.md: generate writes what the page shows, and a deployment takes it over', async () => {
  const server = await AuroraLikeServer.start({
    major: 17,
    roleRules: 'plain',
    databases: ['shop'],
    authorize: () => true,
  });
  try {
    trust(server.caCertificate);
    await server.asMaster('CREATE TABLE orders (id int); CREATE TABLE customers (id int)', 'shop');
    await server.sql(sample('sql', 'CREATE ROLE billing'), [], 'shop');
    const [command, ...rest] = sample('console', ' generate ').trim().split('\n');
    expect(command).toBe('$ npx cdk-aurora-iam-auth-cli generate > lib/database-access.ts');
    const { stdout, stderr } = await promisify(execFile)(process.execPath, [await packedCli(), 'generate'], {
      cwd: ROOT,
      env: {
        ...process.env,
        PGHOST: server.host,
        PGPORT: `${server.port}`,
        PGUSER: server.master.username,
        PGPASSWORD: server.master.password,
        PGSSLROOTCERT: server.caFile,
        PGDATABASE: 'shop',
      },
    });
    expect(stderr.trim().split('\n')).toEqual(rest);
    expect(stdout).toBe(sample('ts nofixture', 'class DatabaseAccess'));
    await expect(deploy(server, synthesized(stdout))).resolves.toEqual([]);
  } finally {
    await server.stop();
  }
});
