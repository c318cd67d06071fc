import {
  decidePublic,
  PublicState,
  PublicStates,
  WantedOfPublic,
} from '../../lambda/provisioner/core/public-privileges';
import { LocatedRecord, PublicPrivilege } from '../../lambda/provisioner/core/public-records';

const STACK = 'arn:aws:cloudformation:eu-central-1:123456789012:stack/shop';
const OTHER_STACK = 'arn:aws:cloudformation:eu-central-1:123456789012:stack/other';
const RESOURCE = {
  stack: STACK,
  stackId: `${STACK}/1`,
  logicalId: 'P',
  resourceId: 'cluster-A',
  physicalId: 'cluster-A/shop/P',
};
const IDENTITY = { oid: '16384', major: 17 };
const NOON = Date.UTC(2026, 0, 31, 12);
const HOUR = 3_600_000;

/** What is wanted of a database that is there. */
const wanted = (revoked: PublicPrivilege[], more: Partial<WantedOfPublic> = {}): WantedOfPublic =>
  ({ ...RESOURCE, database: 'shop', revoked, lockOut: [], identity: IDENTITY, ...more });

/** The row of this resource, which was deployed with CONNECT. */
const own = (more: Partial<LocatedRecord> = {}): LocatedRecord => ({
  ...RESOURCE,
  database: 'shop',
  now: 'shop',
  revoked: ['CONNECT'],
  before: { CONNECT: [null] },
  deployed: [['CONNECT']],
  ...more,
});

const sibling = (more: Partial<LocatedRecord> = {}) => own({ logicalId: 'Q', physicalId: 'cluster-A/shop/Q', ...more });
const foreign = (more: Partial<LocatedRecord> = {}) =>
  own({ stack: OTHER_STACK, stackId: `${OTHER_STACK}/1`, logicalId: 'Q', ...more });
const ofDeletedStack = (more: Partial<LocatedRecord> = {}) => sibling({ stackId: `${STACK}/0`, ...more });
const ofPredecessor = (more: Partial<LocatedRecord> = {}) => own({ stackId: `${STACK}/0`, ...more });
const ofSource = (more: Partial<LocatedRecord> = {}) => foreign({ resourceId: 'cluster-B', ...more });

const held = (by: string | null, more: object = {}) => ({ by, as: null, grantor: by, through: null, ...more });
const state = (relying: string[] = [], more: Partial<PublicState> = {}): PublicState => ({
  held: [held(null)],
  owner: { as: null },
  relying: relying.map(role => ({ role, isAdmin: role === 'admin' })),
  ...more,
});
const NOT_HELD = { held: [] };

const onDatabase = { type: 'DATABASE', database: 'shop' };
const onSchema = { type: 'SCHEMA', schema: 'public' };

/** In short: who gives what back. */
const givenBack = (records: LocatedRecord[], states: PublicStates, more: Partial<WantedOfPublic> = {}) =>
  decidePublic(wanted([], more), records, states).grants.map(
    ({ privilege, by }) => `${privilege} of ${by ?? 'the owner'}`,
  );

describe('the first resource about a database', () => {
  test('revokes what each role has granted to PUBLIC, as the role that can, and records who they were', () => {
    const connect = state([], { held: [held(null, { as: 'owner' }), held('passer')] });
    const create = state([], { held: [held(null, { through: 'lead' })] });
    expect(
      decidePublic(wanted(['CONNECT', 'CREATE'], { sentAt: NOON }), [], { CONNECT: connect, CREATE: create }),
    ).toStrictEqual({
      lockedOut: [],
      kept: [],
      grants: [],
      forget: [],
      revokes: [
        {
          privilege: 'CONNECT',
          by: null,
          isDeployed: false,
          change: { kind: 'revoke', privileges: ['CONNECT'], on: onDatabase, roles: ['public'], as: 'owner' },
        },
        {
          privilege: 'CONNECT',
          by: 'passer',
          isDeployed: false,
          change: { kind: 'revoke', privileges: ['CONNECT'], on: onDatabase, roles: ['public'], grantor: 'passer' },
        },
        {
          privilege: 'CREATE',
          by: null,
          isDeployed: false,
          change: { kind: 'revoke', privileges: ['CREATE'], on: onSchema, roles: ['public'], through: 'lead' },
        },
      ],
      record: {
        ...RESOURCE,
        database: 'shop',
        revoked: ['CONNECT', 'CREATE'],
        before: { CONNECT: [null, 'passer'], CREATE: [null] },
        deployed: [],
        identity: IDENTITY,
        sent: NOON,
      },
    });
  });

  test('revokes only what it declares', () => {
    const { revokes, record } = decidePublic(wanted(['CREATE']), [], { CONNECT: state(), CREATE: state() });
    expect(revokes.map(({ privilege }) => privilege)).toEqual(['CREATE']);
    expect(record.before).toEqual({ CREATE: [null] });
  });

  test('records no more than its declaration of a database that is not there', () => {
    expect(decidePublic(wanted(['CONNECT', 'CREATE'], { identity: undefined }), [], {})).toStrictEqual({
      lockedOut: [], kept: [], revokes: [], grants: [], forget: [],
      record: { ...RESOURCE, database: 'shop', revoked: ['CONNECT', 'CREATE'], before: {}, deployed: [] },
    });
  });
});

describe('roles that have a privilege through PUBLIC only', () => {
  const connect = 'cannot revoke CONNECT on database "shop" from PUBLIC: ';
  const create = 'cannot revoke CREATE on schema "public" in database "shop" from PUBLIC: ';

  test.each<[string, PublicPrivilege, string[], string[]]>([
    [`${connect}"legacy" has it through PUBLIC only; grant it to that role, or name it in lockOut`, 'CONNECT',
      ['legacy'], []],
    [`${connect}"a", "b" have it through PUBLIC only; grant it to those roles, or name them in lockOut`, 'CONNECT',
      ['a', 'b'], ['c']],
    [`${connect}"b" has it through PUBLIC only; grant it to that role, or name it in lockOut`, 'CONNECT', ['a', 'b'],
      ['a']],
    [`${create}"legacy" has it through PUBLIC only; grant it to that role, or name it in lockOut`, 'CREATE', ['legacy'],
      []],
    [`${create}"admin" has it through PUBLIC only; grant it to that role, or name it in lockOut`, 'CREATE', ['admin'],
      []],
    [
      `${connect}the admin "admin" has it through PUBLIC only, and could not sign in any more; grant it to the admin first`,
      'CONNECT', ['legacy', 'admin'], ['legacy', 'admin'],
    ],
  ])('stop it, unless they are named: %s', (message, privilege, relying, lockOut) => {
    let reason: unknown;
    try {
      decidePublic(wanted([privilege], { lockOut }), [], { [privilege]: state(relying) });
    } catch (error) {
      reason = error;
    }
    expect(reason).toHaveProperty('message', message);
  });

  test.each<[string, PublicPrivilege[], string[], LocatedRecord[]]>([
    ['are named', ['CONNECT'], ['a', 'b'], []],
    ['are named, and one of them is the admin, which needs no CREATE', ['CREATE'], ['a', 'admin'], []],
    ['are not named, where it was deployed', ['CONNECT'], ['a'], [own()]],
    ['are not named, where another resource of the stack has deployed it', ['CONNECT'], ['a'], [sibling()]],
    ['are not named, where the other resource of the stack has deployed nothing', ['CONNECT'], ['a'],
      [own(), sibling({ deployed: [] })]],
  ])('lose it where they %s', (_, revoked, relying, records) => {
    const lockOut = records.length > 0 ? [] : relying;
    const { lockedOut, revokes } = decidePublic(wanted(revoked, { lockOut }), records, {
      [revoked[0]]: state(relying),
    });
    expect(lockedOut).toEqual([{ privilege: revoked[0], roles: relying }]);
    expect(revokes).toMatchObject([{ privilege: revoked[0], isDeployed: records.length > 0 }]);
  });

  test.each<[string, LocatedRecord[]]>([
    ['a stack that is gone', [ofDeletedStack()]],
    ['the server that this one was restored from', [ofSource()]],
    ['a stack that is gone, whose resource had the same id', [ofPredecessor()]],
    ['another database', [sibling({ database: 'store', now: 'store' })]],
  ])('are asked for, whatever was deployed by %s', (_, records) => {
    expect(() => decidePublic(wanted(['CONNECT']), records, { CONNECT: state(['legacy']) })).toThrow(
      '"legacy" has it through PUBLIC only',
    );
  });

  test.each<[string, number | undefined, number | undefined]>([
    ['the record has no time', undefined, NOON],
    ['the event has no time', NOON, undefined],
    ['it follows soon', NOON, NOON + HOUR],
  ])('do not stop a rollback, where %s', (_, sent, sentAt) => {
    const records = [own({ revoked: ['CREATE'], deployed: [['CREATE'], ['CONNECT']], sent })];
    expect(decidePublic(wanted(['CONNECT'], { sentAt }), records, { CONNECT: state(['legacy']) })).toMatchObject({
      lockedOut: [{ privilege: 'CONNECT', roles: ['legacy'] }], revokes: [{ isDeployed: true }],
    });
  });
});

describe('an admin that has CONNECT through PUBLIC only', () => {
  const kept = 'the admin has CONNECT on database "shop" through PUBLIC only';

  test.each<[string, string[], PublicPrivilege[], PublicStates, string[], PublicPrivilege[]]>([
    ['keeps it where it was deployed', [kept], ['CONNECT'], { CONNECT: state(['admin']) }, [], []],
    ['keeps it, and so do others', [kept], ['CONNECT'], { CONNECT: state(['legacy', 'admin']) }, [], []],
    ['does not keep CREATE', [kept], ['CONNECT', 'CREATE'], { CONNECT: state(['admin']), CREATE: state(['admin']) },
      ['CREATE'], ['CREATE']],
    ['keeps nothing that is not revoked', [], ['CREATE'], { CONNECT: state(['admin']), CREATE: state() }, ['CREATE'], []],
    ['keeps nothing that PUBLIC does not have', [], ['CONNECT'], { CONNECT: state(['admin'], NOT_HELD) }, [], []],
    ['is not the only role: others lose it', [], ['CONNECT'], { CONNECT: state(['legacy']) }, ['CONNECT'], ['CONNECT']],
    ['is not known where the database is not there', [], ['CONNECT'], {}, [], []],
    ['is of no matter for CREATE', [], ['CREATE'], { CREATE: state(['admin']) }, ['CREATE'], ['CREATE']],
  ])('%s', (_, reasons, revoked, states, revokes, lockedOut) => {
    const decision = decidePublic(wanted(revoked), [own({ deployed: [['CONNECT', 'CREATE']] })], states);
    expect(decision.kept).toEqual(reasons);
    expect(decision.revokes.map(({ privilege }) => privilege)).toEqual(revokes);
    expect(decision.lockedOut.map(({ privilege }) => privilege)).toEqual(lockedOut);
  });
});

describe('a database that another stack is about', () => {
  const message = `PUBLIC in database "shop" is managed by another stack already (${OTHER_STACK}/1, resource Q); `
    + 'declare it in one stack only; if that stack is gone, delete its row in cdk_aurora_iam_auth.managed_role';

  test.each<[string, PublicPrivilege[], LocatedRecord[]]>([
    ['of its name', ['CONNECT'], [foreign()]],
    ['that had its name', ['CONNECT'], [foreign({ now: 'store' })]],
    ['that has its name now', ['CONNECT'], [foreign({ database: 'store' })]],
    ['where a part of the declaration was deployed', ['CONNECT', 'CREATE'], [own(), foreign()]],
  ])('is refused: one %s', (_, revoked, records) => {
    let reason: unknown;
    try {
      decidePublic(wanted(revoked), records, {});
    } catch (error) {
      reason = error;
    }
    expect(reason).toHaveProperty('message', message);
  });

  test.each<[string, PublicPrivilege[], LocatedRecord[]]>([
    ['all that is declared was deployed before', ['CONNECT'], [own({ deployed: [['CREATE'], ['CONNECT']] }), foreign()]],
    ['all is given back', [], [foreign()]],
    ['the stack is about another database', ['CONNECT'], [foreign({ database: 'store', now: 'store' })]],
    ['the row came from the server that this one was restored from', ['CONNECT'], [ofSource()]],
    ['the row is of a deleted stack of the same name', ['CONNECT'], [ofDeletedStack()]],
    ['it is the same stack', ['CONNECT'], [sibling()]],
    ['it is the same resource', ['CONNECT'], [own({ deployed: [] })]],
  ])('is not refused where %s', (_, revoked, records) => {
    expect(decidePublic(wanted(revoked), records, { CONNECT: state() }).revokes).toHaveLength(revoked.length);
  });
});

describe('a resource of another database', () => {
  test.each<[string, PublicPrivilege[], LocatedRecord]>([
    ['of the same name and another server', ['CONNECT'],
      own({ resourceId: 'cluster-B', database: 'store', now: 'store' })],
    ['that gives all back', [], own({ database: 'store', now: 'store' })],
  ])('is not refused: one %s', (_, revoked, record) => {
    expect(decidePublic(wanted(revoked), [record], { CONNECT: state() }).record).toMatchObject({
      database: 'shop',
      revoked,
    });
  });
});

describe('rows that are forgotten', () => {
  test('are those of deleted stacks, and of the server that this one was restored from', () => {
    const [gone, source] = [ofDeletedStack(), ofSource()];
    const records = [
      own(),
      gone,
      sibling({ logicalId: 'R' }),
      foreign({ logicalId: 'S' }),
      source,
      ofSource({ database: 'store', now: 'store' }),
    ];
    expect(decidePublic(wanted(['CONNECT']), records, {}).forget).toEqual([gone, source]);
  });

  test('are none that the resource itself writes', () => {
    expect(decidePublic(wanted(['CONNECT']), [ofPredecessor()], {})).toMatchObject({
      forget: [],
      record: { stackId: RESOURCE.stackId, deployed: [] },
    });
  });

  test('are those of the same stack too, where the server is another one', () => {
    const source = sibling({ resourceId: 'cluster-B' });
    expect(decidePublic(wanted(['CONNECT']), [source], {}).forget).toEqual([source]);
  });
});

describe('what PUBLIC had', () => {
  const both = own({ before: { CONNECT: [null, 'passer'], CREATE: [null] } });

  test('is given back by each role that had granted it, and by who can grant it for the owner', () => {
    const option = (privilege: string, through: string) => ({ privilege, column: null, through });
    const states = {
      CONNECT: state([], { ...NOT_HELD, owner: { as: 'owner' } }),
      CREATE: state([], {
        ...NOT_HELD,
        owner: { as: 'owner', options: [option('USAGE', 'x'), option('CREATE', 'lead')] },
      }),
    };
    expect(decidePublic(wanted([]), [both], states).grants).toEqual([
      { privilege: 'CONNECT', by: null,
        change: { kind: 'grant', privileges: ['CONNECT'], on: onDatabase, roles: ['public'], as: 'owner' } },
      { privilege: 'CONNECT', by: 'passer',
        change: { kind: 'grant', privileges: ['CONNECT'], on: onDatabase, roles: ['public'], grantor: 'passer' } },
      { privilege: 'CREATE', by: null,
        change: { kind: 'grant', privileges: ['CREATE'], on: onSchema, roles: ['public'], through: 'lead' } },
    ]);
  });

  test.each<[string, string[], LocatedRecord[], PublicStates, Partial<WantedOfPublic>?]>([
    ['except for what it has', ['CONNECT of passer'], [both], { CONNECT: state() }],
    ['except for what it has from all of them', [], [both],
      { CONNECT: state([], { held: [held('passer'), held(null)] }) }],
    ['except for what could not be looked at', ['CREATE of the owner'], [both], { CREATE: state([], NOT_HELD) }],
    ['except for what was never revoked', ['CONNECT of the owner'], [own()],
      { CONNECT: state([], NOT_HELD), CREATE: state([], NOT_HELD) }],
    ['except for what is declared still', ['CREATE of the owner'], [both],
      { CONNECT: state([], NOT_HELD), CREATE: state([], NOT_HELD) }, { revoked: ['CONNECT'] }],
    ['where nothing was revoked', [], [], { CONNECT: state([], NOT_HELD) }],
    ['not to a database that was dropped and made again', [], [own({ now: undefined })],
      { CONNECT: state([], NOT_HELD) }],
    ['not to another database that has the name now', [], [own({ now: 'store' })], { CONNECT: state([], NOT_HELD) }],
    ['unless another resource of the stack declares it', [], [own(), sibling()], { CONNECT: state([], NOT_HELD) }],
    ['where another resource of the stack declares something else', ['CONNECT of the owner'],
      [own(), sibling({ revoked: ['CREATE'] })], { CONNECT: state([], NOT_HELD) }],
    ['unless another stack declares it', [], [own(), foreign()], { CONNECT: state([], NOT_HELD) }],
    ['where another stack declares something else', ['CONNECT of the owner'], [own(), foreign({ revoked: ['CREATE'] })],
      { CONNECT: state([], NOT_HELD) }],
    ['where the database of another stack had the name', ['CONNECT of the owner'], [own(), foreign({ now: 'store' })],
      { CONNECT: state([], NOT_HELD) }],
    ['whatever a deleted stack has declared', ['CONNECT of the owner'], [own(), ofDeletedStack()],
      { CONNECT: state([], NOT_HELD) }],
    ['where a deleted stack has revoked it, whose resource had the same id', ['CONNECT of the owner'],
      [ofPredecessor()], { CONNECT: state([], NOT_HELD) }],
    ['whatever the server declares that this one was restored from', ['CONNECT of the owner'], [own(), ofSource()],
      { CONNECT: state([], NOT_HELD) }],
  ])('is given back %s', (_, expected, records, states, more = {}) => {
    expect(givenBack(records, states, more)).toEqual(expected);
  });

  test.each<[string, PublicStates, LocatedRecord[], object]>([
    ['as it was first found, whatever it has now', { CONNECT: state([], { held: [held('other')] }) }, [own()],
      { CONNECT: [null] }],
    ['as another resource of the stack has found it', { CONNECT: state([], NOT_HELD) },
      [sibling({ before: { CONNECT: ['passer'] } })], { CONNECT: ['passer'] }],
    [
      'as this resource has found it, and the other one what this has not', { CONNECT: state(), CREATE: state() },
      [own(), sibling({ before: { CONNECT: ['passer'], CREATE: ['passer'] } })],
      { CONNECT: [null], CREATE: ['passer'] },
    ],
    ['as a database has it that was dropped and made again', { CONNECT: state([], { held: [held('new')] }) },
      [own({ now: undefined })], { CONNECT: ['new'] }],
    ['as another database has it that has the name now', { CONNECT: state([], { held: [held('new')] }) },
      [own({ now: 'store' })], { CONNECT: ['new'] }],
  ])('is recorded %s', (_, states, records, before) => {
    const revoked = Object.keys(before) as PublicPrivilege[];
    expect(decidePublic(wanted(revoked), records, states).record.before).toStrictEqual(before);
  });

  test.each<[string | undefined, string, Partial<LocatedRecord>, Partial<PublicState> | undefined, PublicPrivilege[]]>([
    ['16400', 'it was looked at', { identity: { ...IDENTITY, schema: '2200' } }, { oid: '16400' }, ['CREATE']],
    ['2200', 'it could not be looked at', { identity: { ...IDENTITY, schema: '2200' } }, undefined, ['CREATE']],
    ['2200', 'it is not there', { identity: { ...IDENTITY, schema: '2200' } }, {}, ['CREATE']],
    [undefined, 'the record is of another database', { identity: { ...IDENTITY, oid: '7', schema: '2200' } }, undefined,
      ['CREATE']],
    [undefined, 'the record is of another major version', { identity: { ...IDENTITY, major: 16, schema: '2200' } },
      undefined, ['CREATE']],
    [undefined, 'the record is of another server',
      { resourceId: 'cluster-B', identity: { ...IDENTITY, schema: '2200' } }, undefined, ['CREATE']],
    [undefined, 'nothing is declared about it', { identity: { ...IDENTITY, schema: '2200' } }, { oid: '2200' },
      ['CONNECT']],
  ])('is recorded of schema %s where %s', (schema, _, record, create, revoked) => {
    const {
      record: { identity },
    } = decidePublic(wanted(revoked), [own(record)], {
      CONNECT: state(),
      ...(create ? { CREATE: state([], create) } : {}),
    });
    expect(identity).toStrictEqual({ ...IDENTITY, ...schema === undefined ? {} : { schema } });
  });

  test('stays recorded of a database that is not there, with what was deployed and which database it was', () => {
    const record = own({
      before: { CONNECT: [null], CREATE: ['passer'] },
      deployed: [['CREATE']],
      identity: { oid: '7', major: 16 },
      sent: NOON,
    });
    expect(decidePublic(wanted(['CONNECT'], { identity: undefined }), [record], {}).record).toStrictEqual({
      ...RESOURCE,
      database: 'shop',
      revoked: ['CONNECT'],
      before: { CONNECT: [null], CREATE: ['passer'] },
      deployed: [['CREATE']],
      identity: { oid: '7', major: 16 },
    });
  });
});

describe('a database that has another name now', () => {
  const renamed = own({ now: 'store' });

  test('is left behind where another one has its name', () => {
    expect(decidePublic(wanted(['CONNECT']), [renamed], { CONNECT: state() }).leftBehind).toBe(renamed);
  });

  test.each<[string, PublicPrivilege[], LocatedRecord, Partial<WantedOfPublic>]>([
    ['has its name still', ['CONNECT'], own(), {}],
    ['is gone', ['CONNECT'], own({ now: undefined }), {}],
    ['is followed by none of its name', ['CONNECT'], renamed, { identity: undefined }],
    ['is given back what it had', [], renamed, {}],
  ])('is not left behind: one that %s', (_, revoked, record, more) => {
    expect(decidePublic(wanted(revoked, more), [record], { CONNECT: state() })).not.toHaveProperty('leftBehind');
  });
});
