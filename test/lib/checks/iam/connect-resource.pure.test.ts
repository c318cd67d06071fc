import { SynthesizedApp } from '../../../../lib/checks/app/synthesized-app';
import { connectResourceOf, isEvery, isSeveral } from '../../../../lib/checks/iam/connect-resource';

const APP = new SynthesizedApp([]);
const reachOf = (pattern: string) => connectResourceOf([{ kind: 'text', text: pattern }], true, APP).reach;

/** A generator of numbers that is the same in each run. */
function random(seed: number) {
  let state = seed;
  return (below: number) => {
    state = (Math.imul(state, 1664525) + 1013904223) >>> 0;
    return Math.floor((state / 2 ** 32) * below);
  };
}

/** All texts of one to three of the letters. */
const textsOf = (letters: string) => {
  const one = [...letters];
  const two = one.flatMap(first => one.map(second => first + second));
  return [...one, ...two, ...two.flatMap(first => one.map(second => first + second))];
};

const BASE = 'arn:p:rds-db:r:1:dbuser:ab/cd';
const USERS = textsOf('cdx');
const ARNS = textsOf('abx').flatMap(id =>
  USERS.map(user => ({ id, user, arn: `arn:p:rds-db:r:1:dbuser:${id}/${user}` })),
);

/** What IAM does with a pattern: `*` is any text, and `?` any character. */
function matching(pattern: string) {
  const expression = new RegExp(
    `^${pattern
      .replace(/[.+^${}()|[\]\\]/g, '\\$&')
      .replace(/\*/g, '.*')
      .replace(/\?/g, '.')}$`,
    's',
  );
  return ARNS.filter(({ arn }) => expression.test(arn));
}

/** An ARN in which parts are wildcards. */
function patternFrom(next: (below: number) => number): string {
  let pattern = BASE;
  for (let times = 1 + next(3); times > 0; times--) {
    const start = next(pattern.length);
    const length = next(2) === 0 ? 1 + next(3) : next(pattern.length - start + 1);
    const replaced = pattern.slice(start, start + length);
    const wildcard = ['*', '?', '*?', '?'.repeat(replaced.length)][next(4)];
    pattern = pattern.slice(0, start) + wildcard + pattern.slice(start + length);
  }
  return pattern;
}

describe('what a resource of rds-db:connect reaches', () => {
  test('is several databases or users wherever ARNs of several match, in 1,500 random patterns, and nowhere else but in 1 of 20', () => {
    const next = random(20261129);
    const seen = { none: 0, one: 0, several: 0, beyond: 0 };
    for (let round = 0; round < 1500; round++) {
      const pattern = patternFrom(next);
      const found = matching(pattern);
      const several = (of: 'id' | 'user') => new Set(found.map(each => each[of])).size > 1;
      const reach = reachOf(pattern);
      const expected = found.length === 0 ? undefined : { databases: several('id'), users: several('user') };
      const said = reach && { databases: isSeveral(reach.databases), users: isSeveral(reach.users) };
      const isTold = (name: 'databases' | 'users') => !expected?.[name] || said?.[name];
      expect({
        pattern,
        isFound: found.length === 0 || said !== undefined,
        databases: isTold('databases'),
        users: isTold('users'),
      }).toEqual({ pattern, isFound: true, databases: true, users: true });
      // Names that are longer than those that are tried are found by the checker alone, in a few patterns.
      const isBeyond = JSON.stringify(said) !== JSON.stringify(expected);
      seen[
        isBeyond ? 'beyond' : expected === undefined ? 'none' : expected.databases || expected.users ? 'several' : 'one'
      ]++;
    }
    expect(seen.beyond).toBeLessThan(75);
    expect(Math.min(seen.none, seen.one, seen.several)).toBeGreaterThan(100);
  });

  test.each(ARNS.slice(0, 5).map(({ arn }) => arn))('is one user of one database: %s', (arn) => {
    const reach = reachOf(arn)!;
    expect([isSeveral(reach.databases), isSeveral(reach.users), reach.isSeparated]).toEqual([false, false, true]);
  });

  test.each([
    ['*', true, true],
    ['arn:*', true, true],
    ['arn:aws:rds-db:*', true, true],
    ['arn:aws:rds-db:*:*:*orders', true, true],
    ['arn:aws:rds-db:eu-west-1:1:dbuser:*', true, true],
    ['arn:aws:rds-db:eu-west-1:1:*/orders', true, false],
    ['arn:aws:rds-db:eu-west-1:1:dbuser*/orders', true, false],
    ['arn:aws:rds-db:eu-west-1:1:dbuser:*/orders', true, false],
    ['arn:aws:rds-db:eu-west-1:1:dbuser:cluster-A*/orders', true, false],
    ['arn:aws:rds-db:eu-west-1:1:dbuser:cluster-?/orders', true, false],
    ['arn:aws:rds-db:eu-west-1:1:dbuser:*orders', true, true],
    ['*orders', true, true],
    ['*:cluster-A/*', false, true],
    ['*cluster-A/*', true, true],
    ['arn:aws:rds-db:eu-west-1:1:dbuse?:cluster-A/*', false, true],
    ['arn:aws:rds-db:eu-west-1:1:dbuser:cluster-A/*', false, true],
    ['arn:aws:rds-db:eu-west-1:1:dbuser:cluster-A/a?', false, true],
    ['arn:*:rds-db:*:*:dbuser:cluster-A/orders', false, false],
    ['arn:aws:rds-db:*:cluster-A/orders', false, false],
    ['arn:aws:rds-db:eu-west-1:1:dbuser:cluster-A?orders', false, false],
    ['arn:aws:rds-db:eu-west-1:1:dbuser:cluster-A/${*}${?}${$}', false, false],
    ['arn:aws:rds-db:eu-west-1:1:dbuser:cluster-A/${aws:PrincipalTag/Name}', false, true],
    ['arn:aws:rds-db:eu-west-1:1:dbuser:${aws:PrincipalTag/Name}/orders', true, false],
  ])('is several databases, or several users: %s', (pattern, databases, users) => {
    const reach = reachOf(pattern)!;
    expect([isSeveral(reach.databases), isSeveral(reach.users)]).toEqual([databases, users]);
  });

  test.each(['arn:aws:rds-db:eu-west-1:1:dbuser:*/*', 'arn:aws:rds-db:*', '*', 'arn:aws:rds-db:eu-west-1:1:dbuser:?*'])(
    'is every user: %s',
    (pattern) => {
      expect(isEvery(reachOf(pattern)!.users)).toBe(true);
    },
  );

  test.each([
    'arn:aws:s3:::*',
    'arn:aws:rds:*:*:db:*',
    'ARN:AWS:RDS-DB:eu-west-1:1:DBUSER:cluster-A/*',
    'arn:aws:RDS-DB:*',
    'arn:aws:rds-db:eu-west-1:1:dbusers:cluster-A/*',
    'arn:aws:rds-db:eu-west-1:1:dbuser',
    'arn:aws:rds-db:eu-west-1:1:dbuser:cluster-A',
    'arn:aws:rds-db:eu-west-1:1:dbuser:/orders',
    'arn:aws:rds-db:eu-west-1:1:dbuser:cluster-A/',
    '?',
    '',
  ])('is nothing, because ARNs have this form and are case-sensitive: %j', (pattern) => {
    expect(reachOf(pattern)).toBeUndefined();
  });

  test('has colons and slashes in usernames that are spelled with them', () => {
    const reach = reachOf('arn:aws:rds-db:eu-west-1:1:dbuser:cluster-A/a:b/c*')!;
    expect([isSeveral(reach.databases), isSeveral(reach.users)]).toEqual([false, true]);
  });
});
