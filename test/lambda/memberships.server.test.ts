import { membershipProblem } from '../../lib/contract/predefined-roles';
import { AuroraLikeServer } from '../../rehearsal/aurora-like-server';
import { firstOf, full } from '../full';
import { throughDataApi } from './over-data-api';
import { failure, setupsOver, signIn, snapshot, Stack, trust } from './stack';

/** No role of the library gets the admin's rights through the roles that it is a member of. */
describe.each(setupsOver({ 'connections': ['17, RDS-like', '17, strict'], 'the Data API': [] }))(
  'memberships on PostgreSQL $name over $transport',
  ({ major, roleRules, transport, ...setup }) => {
    let server: AuroraLikeServer;
    let stack: Stack;
    let untouched: unknown;

    const isSuperuser = roleRules === 'rdsLike';
    const ROLES = ['ops', 'deep', 'deeper', 'maker', 'owner'];

    beforeAll(async () => {
      server = await AuroraLikeServer.start({ ...setup, major, roleRules, databases: ['shop'], authorize: () => true });
      trust(server.caCertificate);
      await server.sql(ROLES.map(role => `CREATE ROLE ${role}`).join('; '));
      if (major >= 16 && !isSuperuser) {
        await server.sql(
          `GRANT ${ROLES.join(', ')} TO postgres WITH ADMIN TRUE, INHERIT FALSE, SET FALSE; GRANT rds_superuser TO postgres WITH ADMIN OPTION`,
        );
      }
    });
    beforeEach(async () => {
      stack = new Stack(server, transport === 'the Data API' ? { transport: throughDataApi(server) } : {});
      untouched = await snapshot(server);
    });
    afterEach(() => expect(signIn(server, 'postgres', server.master.password)).resolves.toBe('postgres'));
    afterAll(() => server.stop());

    const dba = (memberOf: string[], reapply?: string) => ({ username: 'dba', memberOf, reapply });
    const REMEDY
      = 'make it a member of roles with the privileges it needs or, for a DBA who signs in with IAM, of rds_superuser';

    test.each(
      firstOf(2, [
        'postgres',
        'rdsadmin',
        'pg_execute_server_program',
        'pg_read_server_files',
        'pg_write_server_files',
        'pg_database_owner',
        'rds_ad',
      ]),
    )('in %s: refused by its name, of a user and a group role', async (group) => {
      const message = membershipProblem(group, ['postgres'])!;
      expect(message).toMatch(/^membership in "\w+" is not allowed: /);
      expect(await failure(stack.create('A', dba([group])))).toBe(message);
      expect(await failure(stack.create('B', { roleName: 'team', memberOf: [group] }))).toBe(message);
      await expect(snapshot(server)).resolves.toEqual(untouched);
    });

    test('are looked at once each, however many paths there are: four million', async () => {
      const layers = Array.from({ length: 11 }, (_, n) => ['a', 'b', 'c', 'd'].map(letter => `layer${n}${letter}`));
      const last = layers.length - 1;
      const withAdmin = major >= 16 && !isSuperuser ? ' WITH ADMIN TRUE' : '';
      await server.sql([
        `CREATE ROLE adopted; ${withAdmin && 'GRANT adopted TO postgres WITH ADMIN TRUE, INHERIT FALSE, SET FALSE'}`,
        ...layers.flat().map(name => `CREATE ROLE ${name}`),
        ...layers.slice(1).map((names, n) => `GRANT ${names.join(', ')} TO ${layers[n].join(', ')}`),
        `GRANT ${layers[0].join(', ')} TO postgres${withAdmin}; GRANT adopted TO ${layers[last].join(', ')}`,
      ].join('; '));
      await stack.create('A', { roleName: 'team', memberOf: ['layer0a'] });
      const path = ['postgres', ...layers.map(([first]) => first), 'adopted', 'rds_iam'].join(' -> ');
      expect(await failure(stack.create('B', { username: 'adopted', adoptExisting: true }))).toBe(
        `this would make the admin a member of rds_iam (${path}), and its password would stop working, so it was undone; `
        + 'revoke the membership of "postgres" in "layer0a" first',
      );
      await stack.delete('A', { roleName: 'team', memberOf: ['layer0a'] });
      await server.sql(`DROP ROLE adopted, ${layers.flat().join(', ')}`);
    });

    /** How a role can lead to the admin. */
    const TO_THE_ADMIN: [string, string, string, string][] = [
      ['a member of the admin', 'GRANT postgres TO ops', 'REVOKE postgres FROM ops',
        'it leads to the admin "postgres", and its members have all its rights'],
      ['a member of a member of the admin', 'GRANT postgres TO deeper; GRANT deeper TO deep; GRANT deep TO ops',
        'REVOKE postgres FROM deeper; REVOKE deeper FROM deep; REVOKE deep FROM ops',
        'it leads to the admin "postgres", and its members have all its rights'],
      ...(major >= 16
        ? ([['a role that may grant the admin, and nothing else',
            'GRANT postgres TO ops WITH ADMIN TRUE, INHERIT FALSE, SET FALSE', 'REVOKE postgres FROM ops',
            'it leads to the admin "postgres", and its members have all its rights'],
          ['one that passes nothing on, of a role that may grant the admin',
            'GRANT postgres TO deep WITH ADMIN TRUE, INHERIT FALSE, SET FALSE; GRANT deep TO ops WITH INHERIT FALSE, SET FALSE',
            'REVOKE postgres FROM deep; REVOKE deep FROM ops',
            'it leads to the admin "postgres", and its members have all its rights']] as [
            string,
            string,
            string,
            string,
          ][])
        : ([['a role with CREATEROLE', 'ALTER ROLE ops CREATEROLE', 'ALTER ROLE ops NOCREATEROLE',
            'it has CREATEROLE, with which up to PostgreSQL 15 a role can become a member of the admin'],
          ['a member of a role with CREATEROLE', 'ALTER ROLE maker CREATEROLE; GRANT maker TO ops',
            'ALTER ROLE maker NOCREATEROLE; REVOKE maker FROM ops',
            'it leads to "maker", which has CREATEROLE, with which up to PostgreSQL 15 a role can become a member of the admin']] as [
            string,
            string,
            string,
            string,
          ][])),
    ];
    // From 16 on a role that the admin may grant has the admin as its member, and PostgreSQL refuses a circle.
    const WAYS = [
      ...major < 16 || isSuperuser ? TO_THE_ADMIN : [],
      ['a member of a superuser', 'ALTER ROLE owner SUPERUSER; GRANT owner TO ops',
        'ALTER ROLE owner NOSUPERUSER; REVOKE owner FROM ops', 'it leads to "owner", which is a superuser'],
    ] as [string, string, string, string][];

    test.each(firstOf(1, WAYS))(
      'in %s: refused, and the update that rolls it back goes through',
      async (_, grant, revoke, reason) => {
        await server.sql(grant);
        const before = await snapshot(server);
        const message = `"dba" cannot be a member of "ops": ${reason}; ${REMEDY}`;
        expect(await failure(stack.create('A', dba(['ops'])))).toBe(message);
        await expect(snapshot(server)).resolves.toEqual(before);
        expect(
          await failure(
            stack.create('B', {
              roleName: 'team',
              memberOf: ['ops'],
              privileges: { shop: { Schemas: { public: { Schema: ['USAGE'] } } } },
            }),
          ),
        ).toBe(message.replace('dba', 'team'));
        await expect(snapshot(server)).resolves.toEqual(before);
        // It was a member before the role led anywhere.
        await server.sql(revoke);
        await stack.create('A', dba(['ops']));
        await server.sql(grant);
        await stack.update('A', { ...dba(['ops']), connect: [] });
        await stack.update('A', dba(['ops']));
        expect(stack.log.filter(({ notice }) => notice === 'strong role')).toContainEqual(
          expect.objectContaining({ role: 'dba', memberOf: 'ops', reason }),
        );
        // It was taken out by hand, and is declared as before.
        await server.sql('REVOKE ops FROM dba');
        await stack.update('A', dba(['ops'], 'again')).catch(() => undefined);
        await stack.delete('A', dba(['ops']));
        await server.sql(revoke);
        await expect(snapshot(server)).resolves.toEqual(untouched);
      },
    );

    if (major >= 16 && !isSuperuser) {
      test.each(TO_THE_ADMIN)('in %s that the admin may grant: PostgreSQL refuses the circle', async (_, grant) => {
        await expect(server.sql(`BEGIN; ${grant}; ROLLBACK`).finally(() => server.sql('ROLLBACK'))).rejects.toThrow(
          /role "postgres" is a member of role "(ops|deep|deeper)"/,
        );
      });
    }

    if (major >= 16) {
      full.test(
        'in a role with CREATEROLE, which from PostgreSQL 16 on is about roles of its own: granted',
        async () => {
          await server.sql('ALTER ROLE ops CREATEROLE');
          await stack.create('A', dba(['ops']));
          await stack.delete('A', dba(['ops']));
          await server.sql('ALTER ROLE ops NOCREATEROLE');
        },
      );
    }

    test.each(
      firstOf(1, [
        ['rds_superuser', 'have the highest rights that RDS gives in PostgreSQL'],
        ...(major >= 17 ? [['pg_maintain', 'can lock every table']] : []),
      ]),
    )('in %s: granted, and the log says what its members can do', async (group, members) => {
      await stack.create('A', dba([group]));
      expect(stack.log.find(({ change }) => String(change).startsWith(`grant role "${group}"`))?.strongRole).toContain(
        `its members ${members}`,
      );
      expect(stack.log.filter(({ notice }) => notice === 'strong role')).toMatchObject([
        { role: 'dba', memberOf: group, leadsTo: group },
      ]);
      await stack.delete('A', dba([group]));
      await server.sql(`GRANT ${group} TO ops`);
      await stack.create('A', dba(['ops']));
      expect(stack.log.filter(({ notice }) => notice === 'strong role').at(-1)).toMatchObject({
        role: 'dba',
        memberOf: 'ops',
        leadsTo: group,
      });
      await stack.delete('A', dba(['ops']));
      await server.sql(`REVOKE ${group} FROM ops`);
      await expect(snapshot(server)).resolves.toEqual(untouched);
    });

    full.test('a thousand paths are looked at once', async () => {
      const layers = Array.from({ length: 24 }, (_, layer) => [`l${layer}a`, `l${layer}b`]);
      await server.sql(layers.flat().map(name => `CREATE ROLE ${name}`).join('; '));
      await server.sql(
        layers
          .slice(1)
          .flatMap((layer, index) => layer.map(member => `GRANT ${layers[index].join(', ')} TO ${member}`))
          .join('; '),
      );
      await server.sql('GRANT l23a, l23b TO ops');
      await stack.create('A', dba(['ops']));
      await stack.delete('A', dba(['ops']));
      await server.sql(layers.flat().map(name => `DROP ROLE ${name}`).join('; '));
      await expect(snapshot(server)).resolves.toEqual(untouched);
    });
  },
);
