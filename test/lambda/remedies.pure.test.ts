import { RDS_API } from '../../lambda/iam-authentication/remedies';
import { Change, Target } from '../../lambda/provisioner/core/change';
import { methodIn, ProtocolError, ServerError, ServerErrorFields, SignInError } from '../../lambda/provisioner/errors';
import { DATA_API } from '../../lambda/provisioner/remedies/data-api';
import { NETWORK } from '../../lambda/provisioner/remedies/network';
import { Remedy } from '../../lambda/shared/remedy';
import { SECRET } from '../../lambda/provisioner/remedies/secret';
import { Attempt, limitOf, SERVER } from '../../lambda/provisioner/remedies/server';
import { REFUSALS } from '../../lambda/provisioner/remedies/sign-in';

const coded = (code: string, message = code) => Object.assign(new Error(message), { code });
const named = (name: string, message = name, httpStatusCode: number | undefined = 400) =>
  Object.assign(new Error(message), { name, $metadata: { httpStatusCode } });

const on = (type: Target['type'], kind: 'grant' | 'revoke' = 'grant', more: object = {}) =>
  ({
    kind,
    privileges: ['SELECT'],
    on: { type, database: 'd', schema: 's', objects: [{ name: 'o' }], name: 'n', oid: '1' },
    roles: ['u'],
    ...more,
  }) as unknown as Change;
const change = (kind: Change['kind'], more: object = {}) =>
  ({
    kind,
    role: 'u',
    roles: ['u'],
    group: 'g',
    privileges: [],
    on: { creator: 'c', objects: 'TABLES' },
    ...more,
  }) as unknown as Change;

type Case = [sqlState: string, attempt: Partial<Attempt>, message?: string, fields?: ServerErrorFields];

/** In the order of the rows. The texts are those of PostgreSQL 15 in German, where the language matters. */
const FROM_SERVER: Case[] = [
  ['40001', {}],
  ['XX000', {}, 'tuple concurrently updated'],
  ['23505', {}, 'doppelter Schl\u00fcsselwert', { constraint: 'pg_authid_rolname_index' }],
  ['42710', { change: change('createRole') }],
  ['42P06', { change: change('createSchema') }],
  ['42704', {}, 'Rolle 4711 wurde gleichzeitig gel\u00f6scht'],
  ['42P01', { change: on('TABLE') }, 'Relation \u00bba\u00ab existiert nicht'],
  ['42883', { change: on('ROUTINE') }],
  ['3F000', { change: on('SCHEMA') }],
  ['42703', { change: on('COLUMN', 'revoke') }],
  ['42704', { change: on('TYPE') }, 'Typ \u00bba\u00ab existiert nicht'],
  ['55P03', {}],
  ['57P01', {}],
  ['53300', {}, 'zu viele Verbindungen von Rolle \u00bbpostgres\u00ab', { routine: 'InitializeSessionUserId' }],
  ['53300', {}, 'zu viele Verbindungen f\u00fcr Datenbank \u00bbstock\u00ab', { routine: 'CheckMyDatabase' }],
  ['53300', {}, 'tut mir leid, schon zu viele Verbindungen', { routine: 'InitPostgres' }],
  ['53300', {}, 'tut mir leid, schon zu viele Verbindungen'],
  ['08006', {}],
  [
    '28000',
    { withToken: true },
    'PAM-Authentifizierung f\u00fcr Benutzer \u00bbpostgres\u00ab fehlgeschlagen',
    { method: methodIn('PAM-Authentifizierung') },
  ],
  ['28P01', { withToken: true }],
  ['28P01', {}],
  [
    '28000',
    {},
    'PAM-Authentifizierung f\u00fcr Benutzer \u00bbpostgres\u00ab fehlgeschlagen',
    { method: methodIn('PAM-Authentifizierung') },
  ],
  [
    '28000',
    {},
    'Rolle \u00bbpostgres\u00ab hat keine Berechtigung zum Einloggen',
    { routine: 'InitializeSessionUserId' },
  ],
  ['28000', {}],
  ['55000', { database: 'shop' }, 'Datenbank \u00bbshop\u00ab akzeptiert gegenw\u00e4rtig keine Verbindungen'],
  [
    '0A000',
    {},
    'kann den Read/Write-Modus einer Transaktion nicht w\u00e4hrend der Wiederherstellung setzen',
    { routine: 'call_bool_check_hook' },
  ],
  ['42704', { change: change('grantRole') }, 'Rolle \u00bb4711\u00ab existiert nicht'],
  ['42704', { change: change('grantFuture') }, 'Rolle \u00bbc\u00ab existiert nicht'],
  ['3D000', { database: 'postgres' }],
  ['3D000', { database: 'shop' }],
  ['0LP01', { change: change('grantRole') }],
  ['42501', { change: change('grantRole', { group: 'rds_iam' }) }],
  ['42501', { change: change('grantRole') }],
  ['42501', { change: change('createRole') }],
  ['42501', { change: change('setParameter', { parameter: 'a.b' }) }],
  [
    '42704',
    { change: change('setParameter', { parameter: 'x' }) },
    'unbekannter Konfigurationsparameter \u00bbx\u00ab',
  ],
  ['22023', { change: change('setParameter', { parameter: 'work_mem' }) }],
  ['55P02', { change: change('setParameter', { parameter: 'max_connections' }) }],
  ['42501', { change: change('reassignOwned', { as: ['u'] }) }],
  [
    '42501',
    { change: on('TABLE') },
    'Admin-Option f\u00fcr Rolle \u00bbowner\u00ab wird ben\u00f6tigt',
    { routine: 'AddRoleMems' },
  ],
  [
    '42501',
    { change: change('grantFuture') },
    'Admin-Option f\u00fcr Rolle \u00bbowner\u00ab wird ben\u00f6tigt',
    { routine: 'AddRoleMems' },
  ],
  ['42501', { change: on('DATABASE') }],
  ['42501', { change: change('createSchema', { as: 'u' }) }, 'keine Berechtigung f\u00fcr Datenbank shop'],
  [
    '42501',
    { change: on('TABLE', 'grant', { as: 'owner' }) },
    'Admin-Option f\u00fcr Rolle \u00bbowner\u00ab wird ben\u00f6tigt',
  ],
  ['01007', { change: on('TABLE') }],
  ['42703', { change: on('COLUMN') }],
  [
    '42601',
    { change: on('TABLE', 'grant', { privileges: ['MAINTAIN'] }) },
    'unbekannter Privilegtyp \u00bbmaintain\u00ab',
  ],
  ['54000', {}],
  ['54000', { change: on('TABLE') }],
  ['42P06', {}],
  ['57014', {}],
];

/** @param cases in the order of the rows: which of them each is explained by */
function rowsOf<Problem extends unknown[]>(table: readonly Remedy<Problem>[], cases: Problem[]): number[] {
  return cases.map(problem => table.findIndex(({ matches }) => matches(...problem)));
}

const everyRow = (table: readonly unknown[]) => [...table.keys()];

describe('each row of a table explains a case of its own:', () => {
  test('the server, in German', () => {
    const cases = FROM_SERVER.map(([sqlState, attempt, message = 'Meldung', fields]): [ServerError, Attempt] => [
      new ServerError(message, sqlState, fields),
      { attempted: 'do it', ...attempt },
    ]);
    expect(rowsOf(SERVER, [...cases, [new SignInError('refused', '99999'), { attempted: 'sign in' }]])).toEqual(
      everyRow(SERVER),
    );
  });

  test('credentials that are not sent', () => {
    expect(rowsOf(REFUSALS, [['clear text', false], ['MD5', false], ['SCRAM', true], ['nothing', true]])).toEqual(
      everyRow(REFUSALS),
    );
    expect(rowsOf(REFUSALS, [['MD5', true], ['nothing', false]])).toEqual([2, 3]);
  });

  test('the network', () => {
    const cases: [NodeJS.ErrnoException, boolean][] = [
      [coded('ENOTFOUND'), false],
      [coded('EAI_AGAIN'), false],
      [coded('ECONNREFUSED'), false],
      [new Error('timeout expired'), false],
      [new Error('timeout expired'), true],
      [new Error('The server does not support SSL connections'), true],
      [coded('ERR_TLS_CERT_ALTNAME_INVALID'), true],
      [coded('CERT_HAS_EXPIRED'), true],
      [new Error('SASL: no'), true],
      [new ProtocolError('x'), true],
      [coded('ECONNRESET'), true],
    ];
    expect(rowsOf(NETWORK, cases)).toEqual(everyRow(NETWORK));
  });

  test('the Data API', () => {
    const names = [
      'DatabaseResumingException',
      'HttpEndpointNotEnabledException',
      'AccessDeniedException',
      'SecretsErrorException',
      'ThrottlingException',
      'DatabaseUnavailableException',
      'UnsupportedResultException',
    ];
    expect(rowsOf(DATA_API, names.map(name => [named(name)]))).toEqual(everyRow(DATA_API));
  });

  test('the RDS API', () => {
    const names = [
      'AccessDeniedException',
      'DBClusterNotFoundFault',
      'DBInstanceNotFoundFault',
      'InvalidParameterCombinationException',
      'ThrottlingException',
    ];
    expect(rowsOf(RDS_API, names.map(name => [named(name)]))).toEqual(everyRow(RDS_API));
  });

  test('the secret', () => {
    const names = [
      'AccessDeniedException',
      'ResourceNotFoundException',
      'InvalidRequestException',
      'DecryptionFailure',
      'InternalServiceError',
    ];
    expect(rowsOf(SECRET, [...names.map(name => [named(name)] as [Error]), [coded('ETIMEDOUT')]])).toEqual(
      everyRow(SECRET),
    );
  });
});

/** Of PostgreSQL 15: a role that is known by its number, and one by its name. */
test.each([
  ['English', 'role 4711 was concurrently dropped', 'role "4711" does not exist'],
  ['German', 'Rolle mit OID 4711 existiert nicht', 'Rolle \u00bb4711\u00ab existiert nicht'],
  ['French', "le r\u00f4le d'OID 4711 n'existe pas", "le r\u00f4le \u00ab 4711 \u00bb n'existe pas"],
  [
    'Japanese',
    'OID \u304c 4711 \u3067\u3042\u308b\u30ed\u30fc\u30eb\u306f\u5b58\u5728\u3057\u307e\u305b\u3093',
    '\u30ed\u30fc\u30eb"4711"\u306f\u5b58\u5728\u3057\u307e\u305b\u3093',
  ],
])('in %s a role that was dropped meanwhile is told from one that is not there', (_, dropped, missing) => {
  const row = (message: string) =>
    SERVER.find(({ matches }) =>
      matches(new ServerError(message, '42704'), { attempted: 'do it', change: change('grantRole') }),
    )?.remedy;
  expect(row(dropped)).toMatch(/^other sessions change roles/);
  expect(row(missing)).toMatch(/^create the role/);
});

test('whose limit of connections is reached follows from what has reported it, and before the sign-in it is that of the server', () => {
  const limit = (fields?: ServerErrorFields) => limitOf(new ServerError('zu viele Verbindungen', '53300', fields));
  expect([
    limit({ routine: 'InitializeSessionUserId' }),
    limit({ routine: 'CheckMyDatabase' }),
    limit({ routine: 'InitPostgres' }),
    limit(),
  ]).toEqual(['role', 'database', 'server', undefined]);
  expect(limitOf(new SignInError('too many connections', '53300'))).toBe('server');
  expect(limitOf(new ServerError('starting', '57P03', { routine: 'CheckMyDatabase' }))).toBeUndefined();
});
