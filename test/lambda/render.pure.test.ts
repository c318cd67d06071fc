import { Change, Target } from '../../lambda/provisioner/core/change';
import { Dialect, render, AdminMembership } from '../../lambda/provisioner/sql/render';

function dialect(version: number, adminMemberships: { readonly [role: string]: AdminMembership } = {}): Dialect {
  return { admin: 'admin', version, adminMemberships: new Map(Object.entries(adminMemberships)) };
}

const OLD = dialect(150000);
const NEW = dialect(160000);
const OPTIONS = ' WITH INHERIT TRUE, SET TRUE';

describe.each([['15', OLD], ['16', NEW]])('on PostgreSQL %s', (_, on) => {
  test.each<[Change, string]>([
    [{ kind: 'createRole', role: 'a"b', roleKind: 'user' }, 'CREATE USER "a""b" NOLOGIN'],
    [{ kind: 'createRole', role: 'g', roleKind: 'role' }, 'CREATE ROLE "g" NOLOGIN'],
    [{ kind: 'renameRole', role: 'a', to: 'B' }, 'ALTER ROLE "a" RENAME TO "B"'],
    [{ kind: 'dropRole', role: 'a' }, 'DROP ROLE "a"'],
    [{ kind: 'allowLogin', role: 'a' }, 'ALTER USER "a" LOGIN'],
    [{ kind: 'forbidLogin', role: 'a' }, 'ALTER USER "a" NOLOGIN'],
    [{ kind: 'grantRole', group: 'rds_iam', roles: ['a'] }, 'GRANT rds_iam TO "a"'],
    [{ kind: 'grantRole', group: 'RDS_iam', roles: ['a', 'b'] }, 'GRANT "RDS_iam" TO "a", "b"'],
    [{ kind: 'revokeRole', group: 'rds_iam', roles: ['a'] }, 'REVOKE rds_iam FROM "a" CASCADE'],
    [{ kind: 'grant', privileges: ['CONNECT', 'TEMPORARY'], on: { type: 'DATABASE', database: 's"h' }, roles: ['a', 'b'] },
      'GRANT CONNECT, TEMPORARY ON DATABASE "s""h" TO "a", "b"'],
    [{ kind: 'grant', privileges: ['USAGE'], on: { type: 'SCHEMA', schema: 'App' }, roles: ['a'], grantable: true },
      'GRANT USAGE ON SCHEMA "App" TO "a" WITH GRANT OPTION'],
    [{ kind: 'revoke', privileges: ['USAGE'], on: { type: 'SCHEMA', schema: 'app' }, roles: ['a', 'b'] },
      'REVOKE USAGE ON SCHEMA "app" FROM "a", "b" CASCADE'],
    [{ kind: 'revoke', privileges: ['USAGE'], on: { type: 'SCHEMA', schema: 'app' }, roles: ['a'], grantable: true },
      'REVOKE GRANT OPTION FOR USAGE ON SCHEMA "app" FROM "a" CASCADE'],
    [{ kind: 'revoke', privileges: ['USAGE'], on: { type: 'SCHEMA', schema: 'app' }, roles: ['a'], wasGrantable: true },
      'REVOKE USAGE ON SCHEMA "app" FROM "a" CASCADE'],
    [
      { kind: 'grantFuture', privileges: ['INSERT', 'SELECT'], on: { creator: 'c', schema: 'app', objects: 'TABLES' },
        roles: ['a', 'b'], grantable: true },
      'ALTER DEFAULT PRIVILEGES FOR ROLE "c" IN SCHEMA "app" GRANT INSERT, SELECT ON TABLES TO "a", "b" WITH GRANT OPTION',
    ],
    [
      { kind: 'revokeFuture', privileges: ['USAGE'], on: { creator: 'c', objects: 'SCHEMAS' }, roles: ['a'] },
      'ALTER DEFAULT PRIVILEGES FOR ROLE "c" REVOKE USAGE ON SCHEMAS FROM "a"',
    ],
    [
      { kind: 'revokeFuture', privileges: ['USAGE'], on: { creator: 'c', schema: 'app', objects: 'TYPES' },
        roles: ['a'], grantable: true },
      'ALTER DEFAULT PRIVILEGES FOR ROLE "c" IN SCHEMA "app" REVOKE GRANT OPTION FOR USAGE ON TYPES FROM "a"',
    ],
  ])('%j', (change, sql) => {
    expect(render(change, on)).toEqual([sql]);
  });

  test.each<[Target, string]>([
    [{ type: 'TABLE', schema: 'app', objects: [{ name: 'orders' }, { name: 'it"ems' }] },
      'TABLE "app"."orders", "app"."it""ems"'],
    [{ type: 'SEQUENCE', schema: 'app', objects: [{ name: 'ids' }] }, 'SEQUENCE "app"."ids"'],
    [{ type: 'TYPE', schema: 'app', objects: [{ name: 't' }] }, 'TYPE "app"."t"'],
    [{ type: 'ROUTINE', schema: 'app', objects: [{ name: 'f', args: '' }, { name: 'F', args: 'integer, "Odd Type"' }] },
      'ROUTINE "app"."f"(), "app"."F"(integer, "Odd Type")'],
    [{ type: 'LANGUAGE', name: 'plpgsql' }, 'LANGUAGE "plpgsql"'],
    [{ type: 'FOREIGN DATA WRAPPER', name: 'w' }, 'FOREIGN DATA WRAPPER "w"'],
    [{ type: 'FOREIGN SERVER', name: 's' }, 'FOREIGN SERVER "s"'],
    [{ type: 'LARGE OBJECT', oid: '4711' }, 'LARGE OBJECT 4711'],
  ])('on %j', (target, sql) => {
    expect(render({ kind: 'grant', privileges: ['ALL'], on: target, roles: ['a'] }, on)).toEqual([
      `GRANT ALL ON ${sql} TO "a"`,
    ]);
  });

  test('each privilege names its columns', () => {
    expect(
      render(
        {
          kind: 'grant',
          privileges: ['SELECT', 'UPDATE'],
          on: { type: 'COLUMN', schema: 'app', table: 't', columns: ['a', 'b"'] },
          roles: ['u'],
        },
        on,
      ),
    ).toEqual(['GRANT SELECT ("a", "b"""), UPDATE ("a", "b""") ON TABLE "app"."t" TO "u"']);
  });

  test('a large object that is no number is no SQL', () => {
    expect(() =>
      render(
        { kind: 'grant', privileges: ['SELECT'], on: { type: 'LARGE OBJECT', oid: '1; DROP ROLE x' }, roles: ['u'] },
        on,
      ),
    ).toThrow('Cannot convert 1; DROP ROLE x to a BigInt');
  });
});

describe('a membership that is to be inherited', () => {
  const first: Change = { kind: 'grantRole', group: 'g', roles: ['a', 'b'], inherit: true };

  test('by a role with NOINHERIT, up to 15 is one of a role without it', () => {
    expect(render(first, OLD)).toEqual(['ALTER ROLE "a" INHERIT', 'ALTER ROLE "b" INHERIT', 'GRANT "g" TO "a", "b"']);
  });

  test('by a role with NOINHERIT, from 16 on has options of its own', () => {
    expect(render(first, NEW)).toEqual([`GRANT "g" TO "a", "b"${OPTIONS}`]);
  });

  const repair: Change = { kind: 'grantRole', group: 'g', roles: ['a', 'b'], options: true };

  test('up to 15 is a matter of the member', () => {
    expect(render(repair, OLD)).toEqual(['ALTER ROLE "a" INHERIT', 'ALTER ROLE "b" INHERIT']);
  });

  test('from 16 on is a matter of the membership', () => {
    expect(render(repair, NEW)).toEqual([`GRANT "g" TO "a", "b"${OPTIONS}`]);
  });
});

describe('acting as another role', () => {
  const grant: Change = {
    kind: 'grant',
    privileges: ['SELECT'],
    on: { type: 'TABLE', schema: 'app', objects: [{ name: 't' }] },
    roles: ['u'],
    as: 'owner',
  };
  const sql = 'GRANT SELECT ON TABLE "app"."t" TO "u"';

  test('up to 15 the admin is a member for the moment', () => {
    expect(render(grant, OLD)).toEqual(['GRANT "owner" TO "admin"', sql, 'REVOKE "owner" FROM "admin"']);
  });

  test('from 16 on with all that the membership can pass on', () => {
    expect(render(grant, NEW)).toEqual([`GRANT "owner" TO "admin"${OPTIONS}`, sql, 'REVOKE "owner" FROM "admin"']);
  });

  test('a membership that passes on less is as it was afterwards', () => {
    expect(render(grant, dialect(160000, { owner: { inherit: false, set: true } })))
      .toEqual([`GRANT "owner" TO "admin"${OPTIONS}`, sql, 'GRANT "owner" TO "admin" WITH INHERIT false, SET true']);
    expect(render(grant, dialect(180000, { owner: { inherit: true, set: false } }))[2]).toBe(
      'GRANT "owner" TO "admin" WITH INHERIT true, SET false',
    );
  });

  test('a member needs nothing', () => {
    expect(render(grant, dialect(160000, { owner: 'held' }))).toEqual([sql]);
  });

  test('what a grantor has granted is taken back as that role', () => {
    const revoke: Change = {
      kind: 'revoke',
      privileges: ['SELECT'],
      on: { type: 'TABLE', schema: 'app', objects: [{ name: 't' }] },
      roles: ['u'],
      grantor: 'other',
    };
    const asItself = [
      'SET LOCAL ROLE "other"',
      'REVOKE SELECT ON TABLE "app"."t" FROM "u" CASCADE',
      'SET LOCAL ROLE NONE',
    ];
    expect(render(revoke, dialect(160000, { other: 'held' }))).toEqual(asItself);
    expect(render(revoke, NEW)).toEqual([
      `GRANT "other" TO "admin"${OPTIONS}`,
      ...asItself,
      'REVOKE "other" FROM "admin"',
    ]);
    expect(render({ kind: 'revokeRole', group: 'g', roles: ['u'], grantor: 'other' }, OLD)).toEqual([
      'GRANT "other" TO "admin"',
      'SET LOCAL ROLE "other"',
      'REVOKE "g" FROM "u" CASCADE',
      'SET LOCAL ROLE NONE',
      'REVOKE "other" FROM "admin"',
    ]);
  });

  test('default privileges are those of their creator', () => {
    const change: Change = {
      kind: 'grantFuture',
      privileges: ['SELECT'],
      on: { creator: 'c', schema: 'app', objects: 'TABLES' },
      roles: ['u'],
      as: 'c',
    };
    expect(render(change, NEW)).toEqual([
      `GRANT "c" TO "admin"${OPTIONS}`,
      'ALTER DEFAULT PRIVILEGES FOR ROLE "c" IN SCHEMA "app" GRANT SELECT ON TABLES TO "u"',
      'REVOKE "c" FROM "admin"',
    ]);
  });

  test('a schema is created for its owner, and dropped only if there is nothing in it', () => {
    const held = dialect(160000, { u: 'held' });
    expect(render({ kind: 'createSchema', schema: 'own', role: 'u', as: 'u' }, NEW)).toEqual([
      `GRANT "u" TO "admin"${OPTIONS}`,
      'CREATE SCHEMA "own" AUTHORIZATION "u"',
      'REVOKE "u" FROM "admin"',
    ]);
    expect(render({ kind: 'dropSchema', schema: 'own', role: 'u', as: 'u' }, held)).toEqual([
      'DROP SCHEMA "own" RESTRICT',
    ]);
  });

  test('to hand over the admin is a member of both', () => {
    expect(render({ kind: 'reassignOwned', role: 'u', to: 'heir', as: ['u', 'heir'] }, OLD)).toEqual([
      'GRANT "heir" TO "admin"',
      'GRANT "u" TO "admin"',
      'REASSIGN OWNED BY "u" TO "heir"',
      'REVOKE "u" FROM "admin"',
      'REVOKE "heir" FROM "admin"',
    ]);
  });

  test('to hand over to a role that the admin may only SET ROLE to, that is a member of the other', () => {
    expect(
      render({ kind: 'reassignOwned', role: 'u', to: 'heir', as: ['u', 'heir'] }, dialect(160000, { heir: 'set' })),
    ).toEqual([
      `GRANT "u" TO "heir"${OPTIONS}`,
      'SET LOCAL ROLE "heir"',
      'REASSIGN OWNED BY "u" TO "heir"',
      'SET LOCAL ROLE NONE',
      'REVOKE "u" FROM "heir"',
    ]);
  });

  test('what else depends on a role is dropped only if it owns nothing, which is looked up in the same breath', () => {
    const [statement] = render({ kind: 'dropOwned', role: "o'b", as: "o'b" }, dialect(170000, { "o'b": 'held' }));
    expect(statement).toMatch(
      /^DO {2}E'\s+BEGIN\s+IF EXISTS \(\s+SELECT FROM pg_catalog\.pg_shdepend .*rolname = ''o''''b''.*\) THEN\s+RAISE EXCEPTION ''it owns objects by now'' USING ERRCODE = ''dependent_objects_still_exist'';\s+END IF;\s+DROP OWNED BY "o''b";\s+END'$/s,
    );
  });
});
