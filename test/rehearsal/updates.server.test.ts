import { synthesize } from '../../rehearsal/cloudformation/synthesize';
import { AccessChange, accessDiff, AccessDiff } from '../../rehearsal/diff/access-diff';
import { declaredAccess } from '../../rehearsal/diff/declared-access';
import { measuredDiff } from '../../rehearsal/rehearse/measured-access';
import { rehearse, RehearseOptions } from '../../rehearsal/rehearse/rehearse-app';
import { full } from '../full';
import { synthesized } from './synthesized';

const run = async (options: Partial<RehearseOptions>) => {
  const lines: string[] = [];
  const nothing = { parameters: {}, exports: {}, ssm: {}, policies: {}, majors: [] };
  const report = await rehearse(
    { stacks: [], context: {}, sql: [], given: nothing, json: false, verbose: false, ...options },
    line => lines.push(line),
  );
  return { ...report, output: lines.join('\n') };
};

const MIGRATION = {
  file: 'migration.sql',
  text: 'CREATE EXTENSION IF NOT EXISTS vector;\nCREATE TABLE orders (id int);\nINSERT INTO orders VALUES (1);',
};

/**
 * What both a declaration and PostgreSQL tell: of privileges those that need no table, and that PUBLIC does not hold as
 * well.
 */
function comparable({ gains, losses }: AccessDiff) {
  const isOfPublic = (database: string, { privilege, on }: { privilege: string; on: string }) =>
    (privilege === 'CONNECT' && on === `database ${database}`) || (privilege === 'USAGE' && on === 'schema public');
  const texts = (changes: AccessChange[]) =>
    changes.flatMap(({ at, who: { kind, name }, access }) => {
      switch (access.kind) {
        case 'signIn':
          return access.user === 'declared' ? [`${at}: ${name} as ${access.as}`] : [];
        case 'role':
          return [`${at}: ${kind} ${name}`];
        case 'membership':
          return access.through.length === 0 ? [`${at}: ${name} in ${access.group}`] : [];
        case 'privilege':
          return access.on.startsWith('all ') || isOfPublic(access.database, access)
            ? []
            : [`${at}: ${name} in ${access.database}: ${access.privilege} on ${access.on}`];
        default:
          return [];
      }
    });
  return { gains: [...new Set(texts(gains))].sort(), losses: [...new Set(texts(losses))].sort() };
}

const nothing = { format: 1, gains: [], losses: [] };
const operator = {
  at: 'QuickStart/Cluster',
  who: { kind: 'IAM role', name: 'QuickStart/Operator' },
  access: { kind: 'signIn', as: 'mario.rossi@example.com', user: 'declared' },
};

describe('an update', () => {
  test('shows the logins that are possible now, as a comparison of the templates does', async () => {
    const [old, next] = await Promise.all(
      ['false', 'true'].map(grant => synthesized('examples/quick-start/app.ts', { grant })),
    );
    const { result, changes, output } = await run({ source: next.folder, from: old.folder });
    expect({ result, changes }).toEqual({ result: 'ok', changes: { ...nothing, gains: [operator] } });
    expect(comparable(changes!)).toEqual(
      comparable(accessDiff(declaredAccess(old.stacks), declaredAccess(next.stacks))),
    );
    expect(output).toContain('+ QuickStart/Cluster: IAM role QuickStart/Operator: signs in as mario.rossi@example.com');
  });

  full.test('shows the logins that are possible no more', async () => {
    const { folder } = await synthesized('examples/quick-start/app.ts');
    const { result, changes, output } = await run({ source: 'examples/quick-start/app.ts', context: {}, from: folder });
    expect({ result, changes }).toEqual({ result: 'ok', changes: nothing });
    expect(output).toContain('No principal gains or loses access.');
    const withoutGrant = await synthesize('examples/quick-start/app.ts', { grant: 'false' });
    expect((await run({ source: withoutGrant.folder, from: folder })).changes).toEqual({
      ...nothing,
      losses: [operator],
    });
  });

  full.test.each([
    ['old', 'new'],
    ['new', 'old'],
  ])('from the %s to the %s state of an app changes what a comparison of the templates says', async (from, to) => {
    const [old, next] = await Promise.all(
      [from, to].map(state => synthesized('test/rehearsal/fixtures/changing-app.ts', { state })),
    );
    const { result, changes } = await run({ source: next.folder, from: old.folder });
    expect(result).toBe('ok');
    const declared = comparable(accessDiff(declaredAccess(old.stacks), declaredAccess(next.stacks)));
    expect(comparable(changes!)).toEqual(declared);
    expect(Math.min(declared.gains.length, declared.losses.length)).toBeGreaterThan(3);
  });

  full.test.each([
    'examples/proxy/app.ts',
    'examples/service-stack/app.ts',
    'examples/shop/app.ts',
    'examples/rds-instance/app.ts',
  ])('of nothing to %s gives what its templates say', async (app) => {
    const { stacks, folder } = await synthesized(app);
    const { result, access } = await run({ source: folder });
    expect(result).toBe('ok');
    // Where there is one stack only, the tables of a rehearsal do not name it.
    const { gains } = comparable(accessDiff([], declaredAccess(stacks)));
    const names = stacks.length === 1 ? gains.map(text => text.replaceAll(`${stacks[0].id}/`, '')).sort() : gains;
    expect(comparable(measuredDiff([], access))).toEqual({ gains: names, losses: [] });
  });
});

describe('statements', () => {
  full.test('run as a role, and without the extensions that this PostgreSQL does not have', async () => {
    const { folder } = await synthesized('examples/shop/app.ts');
    const { result, access, remains, output } = await run({
      source: folder,
      sql: [MIGRATION],
      sqlRole: 'migrator',
      sqlDatabase: 'shop',
    });
    expect(result).toBe('ok');
    const tables = access[0].access!.accounts.map(
      ({ name, holdings }) =>
        [
          name,
          holdings.flatMap(({ held }) => (typeof held === 'string' ? [] : held.filter(({ kind }) => kind === 'table'))),
        ] as const,
    );
    expect(Object.fromEntries(tables)).toMatchObject({
      orders: [
        { kind: 'table', name: 'public.orders', privileges: expect.arrayContaining(['SELECT', 'INSERT']) as unknown },
      ],
    });
    expect(output).toContain('extension vector is not in this build of PostgreSQL: its CREATE EXTENSION is left out');
    // A role that owns something stays, without access.
    expect(remains[0].kept).toEqual(['role migrator, without login: it owns something']);
  });

  full.test.each<[string, Partial<RehearseOptions>, string | RegExp]>([
    [
      'fail',
      { sqlRole: 'orders', sql: [{ file: 'wrong.sql', text: 'SELECT 1;\nSELECT nonsense;' }] },
      'wrong.sql line 2: 42703 column "nonsense" does not exist; nothing of it has been done',
    ],
    [
      'are of a role that there is not',
      { sqlRole: 'nobody', sql: [MIGRATION] },
      'migration.sql was not run: no database of the app has role nobody',
    ],
  ])('that %s are told', async (_name, options, expected) => {
    const { folder } = await synthesized('examples/shop/app.ts');
    const { result, failure } = await run({ source: folder, ...options });
    expect({ result, failure }).toEqual({ result: 'failed', failure: expected });
  });
});
