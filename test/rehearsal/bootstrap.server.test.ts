import { Client, DatabaseError } from 'pg';
import { AuroraLikeServer } from '../../rehearsal/aurora-like-server';
import { login } from './login';
import { setups } from '../lambda/stack';

describe.each(setups('14', '18, plain'))('a new server on PostgreSQL $name', ({ major, roleRules }) => {
  const rdsLike = roleRules === 'rdsLike';
  let server: AuroraLikeServer;
  let master: Client;

  beforeAll(async () => {
    server = await AuroraLikeServer.start({ major, roleRules, databases: ['shop'] });
    master = new Client(asMaster());
    await master.connect();
    await master.query('CREATE ROLE alice LOGIN; GRANT rds_iam TO alice');
    await master.query('CREATE DATABASE stock');
  });

  afterAll(async () => {
    await master?.end();
    await server?.stop();
  });

  const asMaster = (database = 'postgres') => ({
    host: server.host,
    port: server.port,
    user: server.master.username,
    password: server.master.password,
    database,
    ssl: { ca: server.caCertificate },
  });

  /** SQLSTATE of the refusal to the master. */
  const outcome = (text: string) => master.query(text).then(() => 'done', (error: DatabaseError) => error.code);

  test('is of its major', async () => {
    const [{ server_version: version }] = await server.sql<{ server_version: string }>('SHOW server_version');
    expect(version).toMatch(new RegExp(`^${major}\\.`));
  });

  test('has a master with the attributes of that of RDS, who is a superuser only where it must', async () => {
    expect(
      await server.sql(`SELECT rolsuper, rolinherit, rolcreaterole, rolcreatedb, rolcanlogin, rolreplication, rolbypassrls, rolvaliduntil
      FROM pg_roles WHERE rolname = 'postgres'`),
    ).toEqual([
      {
        rolsuper: rdsLike,
        rolinherit: true,
        rolcreaterole: true,
        rolcreatedb: true,
        rolcanlogin: true,
        rolreplication: false,
        rolbypassrls: false,
        rolvaliduntil: Infinity,
      },
    ]);
  });

  test('has the roles of RDS, and the predefined ones of its major belong to rds_superuser', async () => {
    const roles = [
      'rds_ad',
      'rds_iam',
      'rds_password',
      'rds_replication',
      'rds_superuser',
      'rdsrepladmin',
      ...(major >= 16 ? ['rds_extension', 'rds_reserved'] : []),
    ];
    expect(
      await names(
        "SELECT rolname AS name FROM pg_roles WHERE rolname LIKE 'rds%' AND NOT rolsuper AND NOT rolcanlogin",
      ),
    ).toEqual(roles.sort());
    const predefined = [
      'pg_monitor', 'pg_signal_backend',
      ...major >= 15 ? ['pg_checkpoint', 'pg_read_all_data', 'pg_write_all_data'] : [],
      ...major >= 16 ? ['pg_create_subscription', 'pg_use_reserved_connections'] : [],
      ...major >= 17 ? ['pg_maintain'] : [],
      ...major >= 18 ? ['pg_signal_autovacuum_worker'] : [],
    ];
    expect(
      await names(`SELECT roleid::regrole::text AS name FROM pg_auth_members
      WHERE member = 'rds_superuser'::regrole AND admin_option AND roleid::regrole::text LIKE 'pg%'`),
    ).toEqual(predefined.sort());
  });

  async function names(query: string): Promise<string[]> {
    return (await server.sql<{ name: string }>(query)).map(({ name }) => name).sort();
  }

  test('records who granted rds_iam, and what the creator of a role is to it', async () => {
    const rows
      = await names(`SELECT format('%s in %s by %s%s', member::regrole, roleid::regrole, grantor::regrole, CASE WHEN admin_option THEN ' with ADMIN' END) AS name
      FROM pg_auth_members WHERE 'alice'::regrole IN (member, roleid)`);
    expect(rows).toEqual([
      `alice in rds_iam by ${rdsLike ? 'rdsadmin' : 'postgres'}`,
      ...major >= 16 && !rdsLike ? ['postgres in alice by rdsadmin with ADMIN'] : [],
    ]);
  });

  test('lets the master grant roles by the rules of its set-up', async () => {
    await server.sql('CREATE ROLE team');
    const needsAdminOption = major >= 16 && !rdsLike;
    expect(await outcome('GRANT team TO alice')).toBe(needsAdminOption ? '42501' : 'done');
    expect(await outcome('DROP ROLE team')).toBe(needsAdminOption ? '42501' : 'done');
  });

  test.each(['postgres', 'shop', 'stock'])('has a schema public in %s as its major makes it', async (database) => {
    expect(
      await server.sql(
        `SELECT d.datdba::regrole::text AS database, n.nspowner::regrole::text AS schema, n.nspacl::text[] AS acl
      FROM pg_namespace n, pg_database d WHERE n.nspname = 'public' AND d.datname = current_database()`,
        [],
        database,
      ),
    ).toEqual([
      major >= 15
        ? {
            database: 'postgres',
            schema: 'pg_database_owner',
            acl: ['pg_database_owner=UC/pg_database_owner', '=U/pg_database_owner'],
          }
        : { database: 'postgres', schema: 'postgres', acl: ['postgres=UC/postgres', '=UC/postgres'] },
    ]);
  });

  test('does not let the master into the database rdsadmin', async () => {
    expect(await login(asMaster('rdsadmin'))).toMatch(/^28000 pg_hba.conf rejects/);
  });

  test('lets the master in again with its password', async () => {
    expect(await login(asMaster())).toBe('in');
  });
});
