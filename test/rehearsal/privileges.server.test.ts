import { AuroraLikeServer } from '../../rehearsal/aurora-like-server';
import { rightsTable } from '../../rehearsal/rehearse/access-table';
import { DeclaredRole } from '../../rehearsal/rehearse/declared-roles';
import { measureAccess } from '../../rehearsal/rehearse/measure-access';
import { SETUPS } from '../../rehearsal/setups';

const role = (name: string, kind: DeclaredRole['kind'] = 'user'): DeclaredRole => ({
  name,
  kind,
  databases: ['shop'],
  onRemoval: 'DROP_OR_DISABLE',
});

/** What the table says of privileges that a rehearsal has no tables to show. */
describe.each([...new Set(SETUPS.map(({ major }) => major))].filter((_, i, all) => i === 0 || i === all.length - 1))(
  'rights on PostgreSQL %i',
  (major) => {
    let server: AuroraLikeServer;

    beforeAll(async () => {
      server = await AuroraLikeServer.start({ major, databases: ['shop', 'crm'] });
      await server.sql(
        'CREATE ROLE own LOGIN; CREATE ROLE ada LOGIN; CREATE ROLE bea LOGIN; CREATE ROLE readers; GRANT rds_iam TO own, ada, bea; GRANT readers TO bea',
      );
      await server.sql(
        'GRANT CREATE ON DATABASE shop TO own; REVOKE CONNECT ON DATABASE crm FROM PUBLIC; GRANT CONNECT ON DATABASE crm TO ada',
      );
      await server.sql(
        `
      REVOKE ALL ON SCHEMA public FROM PUBLIC;
      SET ROLE own; CREATE SCHEMA "Stock"; RESET ROLE;
      CREATE TABLE "Stock".item (id serial, name text); CREATE TABLE "Stock"."Price" (id int, amount int, secret text);
      CREATE VIEW "Stock".offer AS SELECT 1; CREATE FUNCTION "Stock".total(a int, b int) RETURNS int LANGUAGE sql AS 'SELECT a';
      REVOKE EXECUTE ON FUNCTION "Stock".total FROM PUBLIC;
      ALTER TABLE "Stock".item OWNER TO own;
      GRANT USAGE ON SCHEMA "Stock" TO ada, readers;
      GRANT SELECT, INSERT, UPDATE, DELETE, TRUNCATE ON "Stock".item TO ada; GRANT SELECT, UPDATE ON "Stock".item_id_seq TO ada;
      GRANT SELECT ON "Stock"."Price" TO ada; GRANT INSERT (amount) ON "Stock"."Price" TO ada; GRANT EXECUTE ON FUNCTION "Stock".total TO ada;
      GRANT SELECT ON ALL TABLES IN SCHEMA "Stock" TO readers; REVOKE SELECT ON "Stock"."Price" FROM readers; GRANT SELECT (id, amount) ON "Stock"."Price" TO readers;
      ALTER DEFAULT PRIVILEGES FOR ROLE own IN SCHEMA "Stock" GRANT DELETE, SELECT ON TABLES TO readers;
      ALTER DEFAULT PRIVILEGES FOR ROLE own GRANT EXECUTE ON FUNCTIONS TO readers;
      CREATE SCHEMA hidden; CREATE TABLE hidden.one (); GRANT SELECT ON hidden.one TO ada`,
        [],
        'shop',
      );
    });

    afterAll(() => server.stop());

    const table = async (...roles: DeclaredRole[]) => {
      const principal = { name: 'Chief', credentials: server.issueCredentials('chief'), mayConnectAs: () => true };
      server.authorize = () => true;
      return rightsTable(await measureAccess(server, roles, [principal])).map(line =>
        line.trim().replace(/ {2,}/g, ' | '),
      );
    };

    const ofPublic = expect.stringMatching(/^PUBLIC/) as string;

    test('of a session that writes', async () => {
      const lines = await table(role('ada'));
      expect(lines.slice(2, lines.findIndex(line => line.startsWith('PUBLIC')))).toEqual([
        'ada | crm | connect | database crm',
        ...major < 15 ? ['use, create in | schema public'] : ['use | schema public'],
        'read, write, own | nothing: there are no tables yet',
        'shop | connect | database shop',
        'use | schema "Stock"',
        'read | table "Stock"."Price"',
        'read, write, truncate | table "Stock".item',
        'insert | columns of "Stock"."Price" (amount)',
        'read, set | sequence "Stock".item_id_seq',
        'execute | function "Stock".total(integer,integer)',
        'later execute | functions that own creates', // PUBLIC, unless that default is revoked
        'own | nothing',
      ]);
    });

    test('of a member of a group, with columns and what comes later', async () => {
      const lines = await table(role('bea'), role('readers', 'group'));
      const rights = [
        'use | schema "Stock"',
        'read | table "Stock".item',
        'read | view "Stock".offer',
        'read | columns of "Stock"."Price" (id, amount)',
        'later read, delete | tables that own creates in "Stock"',
        'later execute | functions that own creates',
        'write, own | nothing',
      ];
      expect(lines.slice(2)).toEqual([
        'bea | shop | connect | database shop', 'act as | role readers', ...rights,
        'readers (group) | shop | connect | database shop', ...rights,
        ofPublic, ...lines.slice(lines.findIndex(line => line.startsWith('PUBLIC')) + 1),
      ]);
    });

    test('of an owner', async () => {
      const lines = await table(role('own'));
      expect(lines).toEqual(expect.arrayContaining([
        'own | shop | connect, create schemas | database shop',
        'use, create in | schema "Stock"',
        'read, write, truncate | table "Stock".item',
        'own | schema "Stock"',
        'own | table "Stock".item',
        'own | sequence "Stock".item_id_seq',
      ]));
      expect(lines.filter(line => line.includes('nothing'))).toEqual([]);
    });

    test('of a user whom a database refuses', async () => {
      expect(await table({ ...role('bea'), databases: ['shop', 'crm'] })).toContain(
        'bea | crm | not sign in | refused: 42501 permission denied for database "crm"');
    });
  },
);
