import { AuroraLikeServer } from '../../rehearsal/aurora-like-server';
import { snapshot, trust } from '../lambda/stack';
import { compilerErrors, deploy, generate, synthesized, withoutRegistry } from './generated-app';

/** One group role and one user, as they are made by hand. */
const SQL = `
  CREATE ROLE readers;
  CREATE ROLE migrator LOGIN;
  CREATE ROLE orders LOGIN CONNECTION LIMIT 5;
  GRANT rds_iam TO migrator, orders;
  GRANT readers TO orders;
  GRANT CONNECT ON DATABASE shop TO readers, migrator, orders;
  GRANT USAGE ON SCHEMA public TO readers, orders;
  GRANT USAGE, CREATE ON SCHEMA public TO migrator;
  CREATE TABLE public.orders (id serial, total int);
  CREATE TABLE public.customers (id int);
  GRANT SELECT ON ALL TABLES IN SCHEMA public TO readers;
  GRANT SELECT ON ALL SEQUENCES IN SCHEMA public TO readers;
  ALTER DEFAULT PRIVILEGES FOR ROLE migrator IN SCHEMA public GRANT SELECT ON TABLES TO readers;
  ALTER DEFAULT PRIVILEGES FOR ROLE migrator IN SCHEMA public GRANT SELECT ON SEQUENCES TO readers;
  GRANT INSERT ON public.orders TO orders;
  GRANT USAGE ON SEQUENCE public.orders_id_seq TO orders;
  ALTER ROLE orders SET statement_timeout = '30s'`;

describe('generate', () => {
  let server: AuroraLikeServer;
  beforeAll(async () => {
    server = await AuroraLikeServer.start({ major: 17, roleRules: 'plain', databases: ['shop'], authorize: () => true });
    trust(server.caCertificate);
    await server.sql(SQL, [], 'shop');
    if (server.major >= 16) {
      await server.sql('GRANT readers, migrator, orders TO postgres WITH ADMIN TRUE, INHERIT FALSE, SET FALSE');
    }
  });
  afterAll(() => server.stop());

  test('writes what a deployment takes over without a statement', async () => {
    const before = withoutRegistry(await snapshot(server));
    const { file } = await generate(server);
    expect(compilerErrors(new Map([['first', file]]))).toEqual([]);
    await expect(deploy(server, synthesized(file))).resolves.toEqual([]);
    expect(withoutRegistry(await snapshot(server))).toEqual(before);
  });
});
