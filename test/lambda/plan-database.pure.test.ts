import { Change } from '../../lambda/provisioner/core/change';
import {
  DatabaseObject,
  DatabaseState,
  missingIn,
  planDatabase,
  planDatabaseRemoval,
  schemasOf,
} from '../../lambda/provisioner/core/plan-database';
import { FuturePrivilege, HeldPrivilege } from '../../lambda/provisioner/core/privilege-changes';
import { Wanted } from '../../lambda/provisioner/core/plan-shared';
import { render } from '../../lambda/provisioner/sql/render';
import { Declaration, FutureObjects, ObjectPrivileges, SchemaDeclaration } from '../../lambda/provisioner/core/state';

const NOTHING: SchemaDeclaration = { schema: 'app', owner: false, privileges: [], objects: [], futureObjects: [] };

function declare(schemas: Partial<SchemaDeclaration>[], more: Partial<Declaration> = {}): Declaration {
  return {
    kind: 'user',
    memberOf: [],
    exclusive: false,
    databases: [{ database: 'shop', privileges: [], schemas: schemas.map(schema => ({ ...NOTHING, ...schema })) }],
    ...more,
  };
}

function wanted(
  schemas: Partial<SchemaDeclaration>[],
  {
    previous = [],
    role = 'u',
    exclusive = false,
  }: { previous?: Declaration[]; role?: string; exclusive?: boolean } = {},
): Wanted {
  return { role, declaration: declare(schemas, { exclusive }), previous, deployed: [] };
}

function on(kind: DatabaseObject['kind'], name: string, ...privileges: string[]): ObjectPrivileges {
  return { kind, name, privileges };
}

function onColumn(table: string, name: string, ...privileges: string[]): ObjectPrivileges {
  return { kind: 'COLUMN', table, name, privileges };
}

function onFuture(kind: DatabaseObject['kind'], ...privileges: string[]): FutureObjects['objects'][number] {
  return { kind, privileges };
}

function object(kind: DatabaseObject['kind'], name: string, more: Partial<DatabaseObject> = {}): DatabaseObject {
  return {
    kind,
    schema: 'app',
    name,
    args: kind === 'ROUTINE' ? '' : null,
    owner: 'owner',
    as: 'owner',
    ofExtension: false,
    ...more,
  };
}

function held(kind: string, name: string | null, privilege: string, more: Partial<HeldPrivilege> = {}): HeldPrivilege {
  return {
    role: 'u',
    kind,
    schema: 'app',
    name,
    sub: kind === 'ROUTINE' ? '' : null,
    privilege,
    grantable: false,
    ours: true,
    as: 'owner',
    grantor: null,
    ...more,
  };
}

function future(privilege: string, more: Partial<FuturePrivilege> = {}): FuturePrivilege {
  return { role: 'u', creator: 'migrator', schema: 'app', objects: 'TABLES', privilege, grantable: false, ...more };
}

const OBJECTS = [
  object('TABLE', 'orders'),
  object('TABLE', 'items'),
  object('TABLE', 'theirs', { owner: 'other', as: 'other' }),
  object('TABLE', 'spatial', { ofExtension: true }),
  object('SEQUENCE', 'ids'),
  object('ROUTINE', 'f', { args: 'integer' }),
  object('ROUTINE', 'f', { args: 'text, integer' }),
  object('ROUTINE', 'g'),
];

function state(more: Partial<DatabaseState> = {}): DatabaseState {
  return {
    schemas: [{ schema: 'app', owner: 'owner', as: 'owner', empty: false }],
    objects: OBJECTS,
    held: [],
    future: [],
    ...more,
  };
}

/** What is planned, as PostgreSQL 17 would get it from an admin that may be everybody. */
function sql(changes: Change[]): string[] {
  const adminMemberships = new Map(['owner', 'other', 'migrator', 'u', 'v'].map(role => [role, 'held'] as const));
  return changes.flatMap(change => render(change, { admin: 'admin', version: 170000, adminMemberships }));
}

function plan(one: Wanted | Wanted[], more: Partial<DatabaseState> = {}): string[] {
  return sql(planDatabase('shop', [one].flat(), state(more)));
}

const READ = { privileges: ['USAGE'], objects: [on('TABLE', '*', 'SELECT')] };

describe('planDatabase', () => {
  describe('grants', () => {
    test('objects with the same privileges and owner share a statement; those of an extension are left out', () => {
      expect(plan(wanted([{ ...READ, objects: [on('TABLE', '*', 'SELECT', 'INSERT')] }]))).toEqual([
        'GRANT USAGE ON SCHEMA "app" TO "u"',
        'GRANT INSERT, SELECT ON TABLE "app"."orders", "app"."items" TO "u"',
        'GRANT INSERT, SELECT ON TABLE "app"."theirs" TO "u"',
      ]);
    });

    test('an object of an extension that is named is granted on', () => {
      expect(plan(wanted([{ objects: [on('TABLE', 'spatial', 'SELECT')] }]))).toEqual([
        'GRANT SELECT ON TABLE "app"."spatial" TO "u"',
      ]);
    });

    test('a named object may get more than all of them', () => {
      expect(
        plan(wanted([{ objects: [on('TABLE', '*', 'SELECT'), on('TABLE', 'items', 'INSERT', 'SELECT')] }])),
      ).toEqual([
        'GRANT SELECT ON TABLE "app"."orders" TO "u"',
        'GRANT INSERT, SELECT ON TABLE "app"."items" TO "u"',
        'GRANT SELECT ON TABLE "app"."theirs" TO "u"',
      ]);
    });

    test('a routine by its name, whatever its arguments', () => {
      expect(plan(wanted([{ objects: [on('ROUTINE', 'f', 'EXECUTE')] }]))).toEqual([
        'GRANT EXECUTE ON ROUTINE "app"."f"(integer), "app"."f"(text, integer) TO "u"',
      ]);
      expect(
        plan(wanted([{ objects: [on('ROUTINE', 'f', 'EXECUTE')] }]), {
          held: [held('ROUTINE', 'f', 'EXECUTE', { sub: 'integer' })],
        }),
      ).toEqual(['GRANT EXECUTE ON ROUTINE "app"."f"(text, integer) TO "u"']);
    });

    test('sequences and columns', () => {
      expect(plan(wanted([{
        objects: [
          onColumn('orders', 'id', 'SELECT'),
          onColumn('orders', 'total', 'SELECT', 'UPDATE'),
          onColumn('orders', 'n', 'SELECT'),
          on('SEQUENCE', '*', 'USAGE'),
        ],
      }]))).toEqual([
        'GRANT SELECT ("id", "n") ON TABLE "app"."orders" TO "u"',
        'GRANT SELECT ("total"), UPDATE ("total") ON TABLE "app"."orders" TO "u"',
        'GRANT USAGE ON SEQUENCE "app"."ids" TO "u"',
      ]);
    });

    test('types by name, and all but those of an extension', () => {
      const types = [object('TYPE', 'mood'), object('TYPE', 'cents'), object('TYPE', 'citext', { ofExtension: true })];
      expect(plan(wanted([{ objects: [on('TYPE', '*', 'USAGE')] }]), { objects: types })).toEqual([
        'GRANT USAGE ON TYPE "app"."mood", "app"."cents" TO "u"',
      ]);
      expect(
        plan(wanted([{ objects: [on('TYPE', 'mood', 'USAGE'), on('TYPE', 'citext', 'USAGE')] }]), {
          objects: types,
          held: [held('TYPE', 'mood', 'USAGE')],
        }),
      ).toEqual(['GRANT USAGE ON TYPE "app"."citext" TO "u"']);
      expect(
        plan(wanted([], { previous: [declare([{ objects: [on('TYPE', '*', 'USAGE')] }])] }), {
          objects: types,
          held: [held('TYPE', 'mood', 'USAGE')],
        }),
      ).toEqual(['REVOKE USAGE ON TYPE "app"."mood" FROM "u" CASCADE']);
    });

    test('nothing on what the role owns', () => {
      const objects = [
        object('TABLE', 'own', { owner: 'u', as: 'u' }),
        object('ROUTINE', 'f', { owner: 'u', as: 'u' }),
        object('TABLE', 'orders'),
      ];
      expect(
        plan(wanted([{ ...READ, objects: [...READ.objects, on('ROUTINE', '*', 'EXECUTE')] }]), {
          objects,
          schemas: [{ schema: 'app', owner: 'u', as: 'u', empty: false }],
        }),
      ).toEqual(['GRANT SELECT ON TABLE "app"."orders" TO "u"']);
    });

    test('nothing that is held already, whichever role has granted it', () => {
      const all = ['orders', 'items', 'theirs'].map((name, n) =>
        held('TABLE', name, 'SELECT', n ? {} : { ours: false, as: null, grantor: 'somebody' }),
      );
      expect(plan(wanted([READ]), { held: [held('SCHEMA', null, 'USAGE'), ...all] })).toEqual([]);
    });

    test('as a member of the owner of each object, or as the admin itself', () => {
      const objects = [
        object('TABLE', 'a', { as: null }),
        object('TABLE', 'b'),
        object('TABLE', 'c', { owner: 'other', as: 'other' }),
      ];
      const changes = planDatabase('shop', [wanted([{ objects: READ.objects }])], state({ objects }));
      expect(changes).toEqual([
        { kind: 'grant', privileges: ['SELECT'], on: { type: 'TABLE', schema: 'app', objects: [{ name: 'a' }] },
          roles: ['u'] },
        { kind: 'grant', privileges: ['SELECT'], on: { type: 'TABLE', schema: 'app', objects: [{ name: 'b' }] },
          roles: ['u'], as: 'owner' },
        { kind: 'grant', privileges: ['SELECT'], on: { type: 'TABLE', schema: 'app', objects: [{ name: 'c' }] },
          roles: ['u'], as: 'other' },
      ]);
    });

    test('names of other databases and schemas play no part', () => {
      const elsewhere = {
        role: 'u',
        declaration: {
          ...declare([READ]),
          databases: [{ database: 'stock', privileges: [], schemas: [{ ...NOTHING, ...READ }] }],
        },
        previous: [],
        deployed: [],
      };
      expect(plan(elsewhere)).toEqual([]);
      expect(
        plan(wanted([{ objects: READ.objects }]), { objects: [object('TABLE', 'orders', { schema: 'other' })] }),
      ).toEqual([]);
    });
  });

  describe('revokes', () => {
    const previous = [
      declare([{ ...READ, objects: [on('TABLE', '*', 'INSERT', 'SELECT'), on('ROUTINE', 'f', 'EXECUTE')] }]),
    ];
    const has = [
      held('SCHEMA', null, 'USAGE'),
      held('TABLE', 'orders', 'INSERT'),
      held('TABLE', 'orders', 'SELECT'),
      held('TABLE', 'items', 'INSERT'),
      held('TABLE', 'items', 'SELECT'),
      held('ROUTINE', 'f', 'EXECUTE', { sub: 'integer' }),
    ];

    test('what was declared before and is not any more, before anything is granted', () => {
      expect(
        plan(wanted([{ privileges: ['USAGE', 'CREATE'], objects: [on('TABLE', 'items', 'SELECT')] }], { previous }), {
          held: has,
        }),
      ).toEqual([
        'REVOKE EXECUTE ON ROUTINE "app"."f"(integer) FROM "u" CASCADE',
        'REVOKE INSERT ON TABLE "app"."items" FROM "u" CASCADE',
        'REVOKE INSERT, SELECT ON TABLE "app"."orders" FROM "u" CASCADE',
        'GRANT CREATE ON SCHEMA "app" TO "u"',
      ]);
    });

    test('in the same order, whatever the order of the catalog is', () => {
      const declaredBefore = [
        declare([
          {
            objects: [on('TABLE', 'items', 'INSERT'), on('TABLE', 'orders', 'INSERT')],
            futureObjects: ['a', 'b'].map(creator => ({ creator, objects: [onFuture('TABLE', 'SELECT')] })),
          },
        ]),
      ];
      const [rows, later] = [
        [held('TABLE', 'orders', 'INSERT'), held('TABLE', 'items', 'INSERT', { as: null })],
        ['b', 'a'].map(creator => future('SELECT', { creator })),
      ];
      const one = plan(wanted([], { previous: declaredBefore }), { held: rows, future: later });
      expect(one).toHaveLength(8);
      expect(
        plan(wanted([], { previous: declaredBefore }), { held: [...rows].reverse(), future: [...later].reverse() }),
      ).toEqual(one);
    });

    test('nothing that no declaration has granted, and nothing that another grantor has', () => {
      const others = [
        held('TABLE', 'orders', 'DELETE'),
        held('TABLE', 'orders', 'SELECT', { ours: false, as: null, grantor: 'somebody' }),
        held('SEQUENCE', 'ids', 'USAGE'),
      ];
      expect(plan(wanted([], { previous }), { held: others })).toEqual([]);
    });

    test('what is declared of a table that is not there any more, or renamed, is not asked for', () => {
      expect(plan(wanted([], { previous: [declare([{ objects: [on('TABLE', 'gone', 'SELECT')] }])] }))).toEqual([]);
    });

    test('what is taken from a table goes from its columns as well: they get it again', () => {
      const columns = [onColumn('orders', 'id', 'SELECT')];
      const both = [
        ...has,
        held('COLUMN', 'orders', 'SELECT', { sub: 'id' }),
        held('COLUMN', 'items', 'SELECT', { sub: 'id' }),
      ];
      const changes = planDatabase(
        'shop',
        [wanted([{ objects: columns }], { previous: [...previous, declare([{ objects: columns }])] })],
        state({ held: both.filter(({ privilege }) => privilege === 'SELECT') }),
      );
      expect(sql(changes)).toEqual([
        'REVOKE SELECT ON TABLE "app"."items", "app"."orders" FROM "u" CASCADE',
        'GRANT SELECT ("id") ON TABLE "app"."items" TO "u"',
        'GRANT SELECT ("id") ON TABLE "app"."orders" TO "u"',
      ]);
      expect(changes.slice(1)).toEqual([
        expect.objectContaining({ again: true }),
        expect.objectContaining({ again: true }),
      ]);
    });

    test('columns of another privilege, or granted by another role, stay as they are', () => {
      const others = [
        held('TABLE', 'orders', 'SELECT'),
        held('COLUMN', 'orders', 'UPDATE', { sub: 'id' }),
        held('COLUMN', 'orders', 'SELECT', { sub: 'id', ours: false, as: null, grantor: 'somebody' }),
      ];
      expect(plan(wanted([], { previous }), { held: others })).toEqual([
        'REVOKE SELECT ON TABLE "app"."orders" FROM "u" CASCADE',
      ]);
    });

    test('what a column has of its own and is not declared any more goes as well', () => {
      const columns = [onColumn('orders', 'id', 'SELECT')];
      const both = [held('TABLE', 'orders', 'SELECT'), held('COLUMN', 'orders', 'SELECT', { sub: 'id' })];
      expect(plan(wanted([], { previous: [...previous, declare([{ objects: columns }])] }), { held: both })).toEqual([
        'REVOKE SELECT ("id") ON TABLE "app"."orders" FROM "u" CASCADE',
        'REVOKE SELECT ON TABLE "app"."orders" FROM "u" CASCADE',
      ]);
    });

    test('what was held with the grant option is undone with it', () => {
      const changes = planDatabase(
        'shop',
        [wanted([], { previous })],
        state({ held: [held('TABLE', 'orders', 'SELECT', { grantable: true }), held('TABLE', 'items', 'SELECT')] }),
      );
      expect(changes).toEqual([
        { kind: 'revoke', privileges: ['SELECT'], on: { type: 'TABLE', schema: 'app', objects: [{ name: 'items' }] },
          roles: ['u'], as: 'owner' },
        { kind: 'revoke', privileges: ['SELECT'], on: { type: 'TABLE', schema: 'app', objects: [{ name: 'orders' }] },
          roles: ['u'], wasGrantable: true, as: 'owner' },
      ]);
    });
  });

  describe('an exclusive role', () => {
    test('loses all it holds beside, of every kind and as its grantor', () => {
      const more = [
        held('TABLE', 'orders', 'SELECT'),
        held('TABLE', 'orders', 'DELETE', { ours: false, as: null, grantor: 'other' }),
        held('TYPE', 'color', 'USAGE'),
        held('SCHEMA', null, 'CREATE', { schema: 'elsewhere' }),
        held('LANGUAGE', 'sql', 'USAGE', { schema: null, as: null }),
        held('FOREIGN DATA WRAPPER', 'w', 'USAGE', { schema: null, as: null }),
        held('FOREIGN SERVER', 's', 'USAGE', { schema: null, as: null }),
        held('LARGE OBJECT', '4711', 'SELECT', { schema: null, as: null }),
      ];
      expect(
        plan(wanted([{ objects: [on('TABLE', 'orders', 'SELECT')] }], { exclusive: true }), { held: more }),
      ).toEqual([
        'REVOKE USAGE ON FOREIGN DATA WRAPPER "w" FROM "u" CASCADE',
        'REVOKE USAGE ON FOREIGN SERVER "s" FROM "u" CASCADE',
        'REVOKE USAGE ON LANGUAGE "sql" FROM "u" CASCADE',
        'REVOKE SELECT ON LARGE OBJECT 4711 FROM "u" CASCADE',
        'REVOKE CREATE ON SCHEMA "elsewhere" FROM "u" CASCADE',
        'SET LOCAL ROLE "other"',
        'REVOKE DELETE ON TABLE "app"."orders" FROM "u" CASCADE',
        'SET LOCAL ROLE NONE',
        'REVOKE USAGE ON TYPE "app"."color" FROM "u" CASCADE',
      ]);
    });

    test('loses the option to pass on what it may keep', () => {
      const objects = [on('TABLE', 'orders', 'SELECT')];
      const more = {
        held: [held('TABLE', 'orders', 'SELECT', { grantable: true })],
        future: [future('SELECT', { grantable: true })],
      };
      const one = { objects, futureObjects: [{ creator: 'migrator', objects: [onFuture('TABLE', 'SELECT')] }] };
      expect(plan(wanted([one], { exclusive: true }), more)).toEqual([
        'REVOKE GRANT OPTION FOR SELECT ON TABLE "app"."orders" FROM "u" CASCADE',
        'ALTER DEFAULT PRIVILEGES FOR ROLE "migrator" IN SCHEMA "app" REVOKE GRANT OPTION FOR SELECT ON TABLES FROM "u"',
      ]);
      expect(plan(wanted([one]), more)).toEqual([]);
    });

    test('what others hold is theirs', () => {
      expect(
        plan(wanted([], { exclusive: true }), {
          held: [held('TABLE', 'orders', 'SELECT', { role: 'v' })],
          future: [future('SELECT', { role: 'v' })],
        }),
      ).toEqual([]);
    });
  });

  describe('future objects', () => {
    const declared = (onTables: string[]) => ({ futureObjects: [{
      creator: 'migrator',
      objects: [
        onFuture('TABLE', ...onTables),
        onFuture('SEQUENCE', 'USAGE'),
        onFuture('ROUTINE', 'EXECUTE'),
        onFuture('TYPE', 'USAGE'),
      ],
    }] });

    test('of each kind, as their creator', () => {
      expect(plan(wanted([declared(['SELECT', 'INSERT'])]))).toEqual([
        'ALTER DEFAULT PRIVILEGES FOR ROLE "migrator" IN SCHEMA "app" GRANT INSERT, SELECT ON TABLES TO "u"',
        'ALTER DEFAULT PRIVILEGES FOR ROLE "migrator" IN SCHEMA "app" GRANT USAGE ON SEQUENCES TO "u"',
        'ALTER DEFAULT PRIVILEGES FOR ROLE "migrator" IN SCHEMA "app" GRANT EXECUTE ON FUNCTIONS TO "u"',
        'ALTER DEFAULT PRIVILEGES FOR ROLE "migrator" IN SCHEMA "app" GRANT USAGE ON TYPES TO "u"',
      ]);
    });

    test('what is missing, and what was declared before', () => {
      const has = [
        future('SELECT'),
        future('DELETE'),
        future('TRUNCATE'),
        future('USAGE', { objects: 'SEQUENCES' }),
        future('EXECUTE', { objects: 'FUNCTIONS' }),
        future('USAGE', { objects: 'TYPES' }),
      ];
      expect(
        plan(wanted([declared(['SELECT', 'INSERT'])], { previous: [declare([declared(['SELECT', 'DELETE'])])] }), {
          future: has,
        }),
      ).toEqual([
        'ALTER DEFAULT PRIVILEGES FOR ROLE "migrator" IN SCHEMA "app" REVOKE DELETE ON TABLES FROM "u"',
        'ALTER DEFAULT PRIVILEGES FOR ROLE "migrator" IN SCHEMA "app" GRANT INSERT ON TABLES TO "u"',
      ]);
    });

    test('of another creator, and in all schemas, only if the role is exclusive', () => {
      const others = [
        future('SELECT', { creator: 'other' }),
        future('SELECT', { schema: null }),
        future('USAGE', { schema: null, objects: 'SCHEMAS' }),
      ];
      expect(plan(wanted([], { previous: [declare([declared(['SELECT'])])] }), { future: others })).toEqual([]);
      expect(plan(wanted([], { exclusive: true }), { future: others })).toEqual([
        'ALTER DEFAULT PRIVILEGES FOR ROLE "migrator" REVOKE USAGE ON SCHEMAS FROM "u"',
        'ALTER DEFAULT PRIVILEGES FOR ROLE "migrator" REVOKE SELECT ON TABLES FROM "u"',
        'ALTER DEFAULT PRIVILEGES FOR ROLE "other" IN SCHEMA "app" REVOKE SELECT ON TABLES FROM "u"',
      ]);
    });
  });

  describe('a schema of its own', () => {
    const own = { owner: true, privileges: ['USAGE', 'CREATE'] };
    const ours = { schema: 'app', owner: 'u', as: 'u', empty: true };

    test('is created if it is missing, and no privileges are granted on it', () => {
      expect(plan(wanted([own]), { schemas: [], objects: [] })).toEqual(['CREATE SCHEMA "app" AUTHORIZATION "u"']);
      expect(plan(wanted([own]), { schemas: [ours] })).toEqual([]);
    });

    test('goes if there is nothing in it and it was declared', () => {
      expect(plan(wanted([], { previous: [declare([own])] }), { schemas: [ours] })).toEqual([
        'DROP SCHEMA "app" RESTRICT',
      ]);
    });

    test.each([
      ['there is something in it', { ...ours, empty: false }, [own]],
      ['it belongs to another role', { ...ours, owner: 'other' }, [own]],
      ['it was not declared to be its own', ours, [READ]],
    ])('stays when %s', (_, schema, before) => {
      expect(plan(wanted([], { previous: [declare(before)] }), { schemas: [schema], objects: [] })).toEqual([]);
    });

    test('stays as long as anything is declared of it', () => {
      expect(plan(wanted([{ privileges: ['USAGE'] }], { previous: [declare([own])] }), { schemas: [ours] })).toEqual(
        [],
      );
    });
  });

  test('the same for many roles is one statement, the rest each for itself', () => {
    const declared = [{ ...READ, futureObjects: [{ creator: 'migrator', objects: [onFuture('TABLE', 'SELECT')] }] }];
    const before = [declare([{ objects: [on('SEQUENCE', 'ids', 'USAGE')] }])];
    const has = [
      held('SEQUENCE', 'ids', 'USAGE'),
      held('SEQUENCE', 'ids', 'USAGE', { role: 'v' }),
      held('SCHEMA', null, 'USAGE'),
    ];
    expect(
      plan([wanted(declared, { previous: before }), wanted(declared, { role: 'v', previous: before })], { held: has }),
    ).toEqual([
      'REVOKE USAGE ON SEQUENCE "app"."ids" FROM "u", "v" CASCADE',
      'GRANT SELECT ON TABLE "app"."orders", "app"."items" TO "u", "v"',
      'GRANT SELECT ON TABLE "app"."theirs" TO "u", "v"',
      'ALTER DEFAULT PRIVILEGES FOR ROLE "migrator" IN SCHEMA "app" GRANT SELECT ON TABLES TO "u", "v"',
      'GRANT USAGE ON SCHEMA "app" TO "v"',
    ]);
  });
});

describe('planDatabaseRemoval', () => {
  test('everything the role holds, whichever role has granted it, and its own schema with nothing in it', () => {
    const everything = state({
      schemas: [
        { schema: 'own', owner: 'u', as: 'u', empty: true },
        { schema: 'full', owner: 'u', as: 'u', empty: false },
      ],
      held: [
        held('TABLE', 'orders', 'SELECT'),
        held('TABLE', 'orders', 'INSERT', { ours: false, as: null, grantor: 'other' }),
        held('TABLE', 'orders', 'SELECT', { role: 'v' }),
      ],
      future: [future('SELECT'), future('SELECT', { role: 'v' })],
    });
    const previous = [declare([{ schema: 'own', owner: true }, { schema: 'full', owner: true }])];
    expect(sql(planDatabaseRemoval('shop', 'u', previous, everything))).toEqual([
      'SET LOCAL ROLE "other"', 'REVOKE INSERT ON TABLE "app"."orders" FROM "u" CASCADE', 'SET LOCAL ROLE NONE',
      'REVOKE SELECT ON TABLE "app"."orders" FROM "u" CASCADE',
      'ALTER DEFAULT PRIVILEGES FOR ROLE "migrator" IN SCHEMA "app" REVOKE SELECT ON TABLES FROM "u"',
      'DROP SCHEMA "own" RESTRICT',
    ]);
  });
});

describe('schemasOf', () => {
  test('those of this database, of now and before', () => {
    const before = {
      ...declare([{ schema: 'old' }]),
      databases: [
        ...declare([{ schema: 'old' }, READ]).databases,
        { database: 'stock', privileges: [], schemas: [{ ...NOTHING, schema: 'elsewhere' }] },
      ],
    };
    expect(
      schemasOf('shop', [wanted([READ], { previous: [before] }), wanted([{ schema: 'more' }], { role: 'v' })]),
    ).toEqual(['app', 'old', 'more']);
  });
});

describe('missingIn', () => {
  test.each<[string, Partial<SchemaDeclaration>, string]>([
    ['a missing schema', { schema: 'nope' },
      'there is no schema "nope" in database "shop"; create it before this deployment, let a user or role of the app own it (Privileges.schemaOwner), or correct its name'],
    ["another one's schema", { owner: true },
      'schema "app" in database "shop" belongs to "owner" and not to "u"; choose another schema, or hand it over with ALTER SCHEMA ... OWNER TO'],
    ['a missing table', { objects: [on('TABLE', 'orders'), on('TABLE', 'no"pe')] },
      'there is no table or view "no\\"pe" in schema "app" in database "shop"; create it before this deployment, or correct its name'],
    ['a missing table of a column', { objects: [onColumn('nope', 'id')] },
      'there is no table or view "nope" in schema "app" in database "shop"; create it before this deployment, or correct its name'],
    ['a missing sequence', { objects: [on('SEQUENCE', 'orders')] },
      'there is no sequence "orders" in schema "app" in database "shop"; create it before this deployment, or correct its name'],
    ['a missing type', { objects: [on('TYPE', 'orders')] },
      'there is no type or domain "orders" in schema "app" in database "shop"; create it before this deployment, or correct its name'],
    ['a missing function', { objects: [on('ROUTINE', 'h')] },
      'there is no function or procedure "h" in schema "app" in database "shop"; create it before this deployment, or correct its name'],
  ])('%s', (_, declared, message) => {
    expect(missingIn('shop', [wanted([READ]), wanted([declared])], state()).map(({ problem }) => problem)).toEqual([
      message,
    ]);
  });

  test('nothing when everything is there, or all that there may be is meant', () => {
    expect(missingIn('shop', [wanted([READ])], state({ objects: [] }))).toEqual([]);
    expect(missingIn('shop', [wanted([{ owner: true }])], state({ schemas: [] }))).toEqual([]);
    expect(
      missingIn('shop', [wanted([{ ...READ, objects: [...READ.objects, on('ROUTINE', 'f', 'EXECUTE')] }])], state()),
    ).toEqual([]);
    expect(missingIn('stock', [wanted([{ schema: 'nope' }])], state())).toEqual([]);
  });
});
