import { Condition, PolicyDocument, PolicyStatement } from '../../rehearsal/iam/policy-document';
import { Random } from '../lambda/random';
import { World } from './identity-policies-oracle';

export interface Case {
  /** Who asks for what. */
  readonly worlds: World[];
  readonly identity: PolicyDocument[];
  readonly boundary?: PolicyDocument;
}

const ORDERS = ['Equals', 'NotEquals', 'LessThan', 'LessThanEquals', 'GreaterThan', 'GreaterThanEquals'];

export const OPERATORS: Record<string, string[]> = {
  String: ['Equals', 'NotEquals', 'EqualsIgnoreCase', 'NotEqualsIgnoreCase', 'Like', 'NotLike'].map(
    name => `String${name}`,
  ),
  Numeric: ORDERS.map(name => `Numeric${name}`),
  Date: ORDERS.map(name => `Date${name}`),
  Bool: ['Bool'],
  Arn: ['ArnEquals', 'ArnNotEquals', 'ArnLike', 'ArnNotLike'],
  IpAddress: ['IpAddress', 'NotIpAddress'],
};

const KEYS: Record<string, string[]> = {
  String: [
    'aws:PrincipalTag/Team',
    'aws:principaltag/team',
    'aws:PrincipalTag/b c',
    'aws:PrincipalTag/none',
    'aws:username',
    'aws:PrincipalAccount',
    'aws:PrincipalArn',
    'aws:PrincipalType',
    'aws:RequestedRegion',
    'svc:several',
    'svc:nobody',
  ],
  Numeric: ['svc:number', 'aws:EpochTime', 'svc:noNumber'],
  Date: ['aws:CurrentTime', 'AWS:currenttime', 'aws:EpochTime', 'svc:noDate'],
  Bool: ['aws:SecureTransport', 'svc:flag', 'svc:noFlag'],
  Arn: ['aws:PrincipalArn', 'svc:arn', 'svc:noArn'],
  IpAddress: ['svc:ip', 'svc:noIp'],
};

/** Ordinary ones more often. */
const CHARACTERS = [...'abBabBabBabBabBabB', 'é', '\u{1F600}', '*', '?', '$', '{', '}', ' ', '.', '\\', '-', '/', ':'];
const ACTIONS = ['rds-db:connect', 'RDS-DB:Connect', 'lambda:InvokeFunction'];
const ACTION_PATTERNS = ['rds-db:connect', 'rds-db:*', 'rds-db:Conn?ct', '*', '*:connect', 'lambda:*', 'rds:connect'];
const VARIABLES = [
  '${aws:PrincipalTag/Team}',
  '${aws:PrincipalTag/none}',
  "${aws:PrincipalTag/none, 'a'}",
  "${aws:PrincipalTag/TEAM, 'b'}",
  '${aws:username}',
  "${aws:username, '*'}",
  '${aws:PrincipalTag/b c}',
  '${aws:PrincipalAccount}',
];
const ODD_VARIABLES = [
  '${aws:userid}',
  '${svc:several}',
  '${aws:SourceIp}',
  "${aws:PrincipalTag/Team,'a'}",
  '${}',
  '${aws:username',
];

/** Policies that are near to what is asked, so that both decisions are frequent. */
export function someCase(random: Random): Case {
  const world = someWorld(random);
  const another = someWorld(random);
  return {
    worlds: [world, random.chance(0.7) ? { ...another, action: world.action, resource: world.resource } : another],
    identity: times(1 + Math.floor(random.next() * 2), () => someDocument(random, world)),
    boundary: random.chance(0.2) ? someDocument(random, world) : undefined,
  };
}

function someWorld(random: Random): World {
  const isUser = random.chance(0.3);
  const name = someName(random);
  return {
    action: random.one([ACTIONS[0], ...ACTIONS]),
    resource: `arn:aws:rds-db:eu-west-1:111122223333:dbuser:cluster-ABC/${name}`,
    principal: {
      arn: `arn:aws:iam::111122223333:${isUser ? `user/${random.one(['a', 'jane'])}` : 'role/app/Reader'}`,
      tags: {
        ...(random.chance(0.8) ? { Team: random.chance(0.5) ? name : someName(random) } : {}),
        ...(random.chance(0.5) ? { 'b c': random.one(['', '*', '?', 'a']) } : {}),
      },
      userId: random.chance(0.5) ? 'AIDA' : undefined,
    },
    at: new Date(
      Date.UTC(
        2026,
        Math.floor(random.next() * 12),
        1 + Math.floor(random.next() * 28),
        12,
        30,
        15,
        random.one([0, 999]),
      ),
    ),
    extra: {
      'svc:several': { value: random.one([[], ['a'], ['a', 'b'], ['b', name]]), types: ['String'] },
      'svc:nobody': { value: undefined, types: ['String'] },
      'svc:number': { value: random.one(['0', '-1', '2.5', '10']), types: ['Numeric'] },
      'svc:nonumber': { value: undefined, types: ['Numeric'] },
      'svc:nodate': { value: undefined, types: ['Date'] },
      'svc:flag': { value: random.one(['true', 'false']), types: ['Bool'] },
      'svc:noflag': { value: undefined, types: ['Bool'] },
      'svc:arn': { value: `arn:aws:sns:eu-west-1:111122223333:${random.one(['topic', 'a:b', 'x/y'])}`, types: ['Arn'] },
      'svc:noarn': { value: undefined, types: ['Arn'] },
      'svc:ip': { value: random.one(['10.0.0.1', '10.255.0.1', '203.0.113.7']), types: ['IpAddress'] },
      'svc:noip': { value: undefined, types: ['IpAddress'] },
    },
  };
}

function someDocument(random: Random, world: World): PolicyDocument {
  const Version = random.one(['2012-10-17', '2012-10-17', '2012-10-17', '2008-10-17', undefined]);
  const statements = times(1 + Math.floor(random.next() * 4), () =>
    someStatement(random, world, Version === '2012-10-17'),
  );
  return {
    ...(Version === undefined ? {} : { Version }),
    Statement: statements.length === 1 ? statements[0] : statements,
  };
}

function someStatement(random: Random, world: World, variables: boolean): PolicyStatement {
  const Effect = random.chance(0.8) ? 'Allow' : 'Deny';
  const actions = few(random, () => random.chance(0.7) ? ACTION_PATTERNS[0] : random.one(ACTION_PATTERNS));
  const resources = few(random, () => someResource(random, world, variables));
  return {
    Effect,
    ...random.chance(0.9) ? { Action: actions } : { NotAction: random.one(ACTION_PATTERNS) },
    ...random.chance(0.9) ? { Resource: resources } : { NotResource: resources },
    ...random.chance(0.5) ? { Condition: someCondition(random, world) } : {},
  };
}

function someResource(random: Random, { resource }: World, variables: boolean): string {
  const name = resource.slice(resource.indexOf('/') + 1);
  const region = random.one(['eu-west-1', 'eu-west-1', 'eu-west-1', '*', 'eu-*', 'eu-west-?', 'EU-WEST-1']);
  const cluster = random.one([
    'cluster-ABC',
    'cluster-ABC',
    'cluster-ABC',
    'cluster-*',
    '*',
    'cluster-abc',
    'cluster-?BC',
  ]);
  return random.chance(0.05)
    ? random.one(['*', 'arn:aws:rds-db:*'])
    : `arn:aws:rds-db:${region}:*:dbuser:${cluster}/${near(random, random.chance(0.8) ? name : someName(random), variables)}`;
}

/** A pattern that often matches the text. */
function near(random: Random, text: string, variables = true): string {
  if (random.chance(0.12)) {
    return random.one(random.chance(0.05) ? ODD_VARIABLES : VARIABLES);
  }
  const characters = [...text];
  const pattern = characters.map(character =>
    '*?$'.includes(character) && variables ? `\${${character}}` : character > '\xFF' ? '?' : character);
  for (let changes = random.one([0, 0, 1, 1, 1, 2]); changes > 0; changes--) {
    const at = random.one([...characters.keys()]);
    pattern[at] = random.one([
      '?',
      '*',
      '*',
      writable(characters[at]),
      writable(characters[at]).toUpperCase(),
      '',
      '${*}',
      '${?}',
      '${$}',
      '*?',
      random.one(VARIABLES),
    ]);
  }
  return pattern.join('');
}

/** Without what policies cannot have. */
function writable(text: string): string {
  return text.replace(/[^\0-\xFF]/gu, '');
}

function someCondition(random: Random, world: World): Condition {
  const condition: Condition = {};
  times(random.chance(0.7) ? 1 : 2, () => {
    const { operator, key, values } = someTest(random, world);
    condition[operator] = { ...condition[operator], [key]: values };
  });
  return condition;
}

function someTest(random: Random, world: World): { operator: string; key: string; values: string | string[] } {
  // As often as the others, although it is one of thirty.
  if (random.chance(0.06)) {
    return { operator: 'Null', key: random.one(Object.values(KEYS).flat()), values: random.one(['true', 'false']) };
  }
  const type = random.one(Object.keys(OPERATORS));
  const set = random.chance(0.3) ? random.one(['ForAllValues:', 'ForAnyValue:']) : '';
  // Now and then one that the key does not work with, or that rds-db:connect does not support.
  const key = random.chance(0.02)
    ? random.one(['aws:SourceIp', 'aws:SourceVpc', 'aws:ResourceTag/x', ...KEYS.Date])
    : random.one(KEYS[type].filter(each => set !== '' || each !== 'svc:several'));
  return {
    operator: `${set}${random.one(OPERATORS[type])}${random.chance(0.3) ? 'IfExists' : ''}`,
    key,
    values: few(random, () => someValue(random, type, key, world)),
  };
}

function someValue(random: Random, type: string, key: string, world: World): string {
  const { principal, at, extra } = world;
  const second = Math.floor(at.getTime() / 1000);
  const moved = second + random.one([0, 0, -1, 1, -86_400, 31 * 86_400]);
  switch (type) {
    case 'Numeric':
      return key === 'aws:EpochTime'
        ? `${moved}${random.one(['', '.0', '.5'])}`
        : random.one(['0', '-1', '2.5', '2.50', '3', '10']);
    case 'Date':
      return random.one([
        `${moved}`,
        `${new Date(moved * 1000).toISOString().slice(0, 19)}Z`,
        inZone(moved, random.one([-90, 60, 330])),
      ]);
    case 'Bool':
      return random.one(['true', 'false']);
    case 'Arn':
      return random.one([
        near(random, key === 'svc:arn' ? (extra['svc:arn'].value as string) : principal.arn),
        'arn:aws:*:*:*:*',
        'arn:aws:*:1*:a:b',
        'arn:*:iam::111122223333:role/*',
        'arn:aws:sns:*:topic',
        "arn:aws:iam::${aws:PrincipalAccount}:user/${aws:username, 'x'}",
        '*',
      ]);
    case 'IpAddress':
      return random.one(['10.0.0.0/8', '10.0.0.1', '10.128.0.0/9', '203.0.113.0/24', '203.0.113.6/31', '0.0.0.0/0']);
    default:
      return random.chance(0.7) ? near(random, textOf(key, world, random)) : writable(someName(random));
  }
}

function textOf(key: string, { principal, resource, extra }: World, random: Random): string {
  const own: Record<string, string> = {
    'aws:username': 'jane',
    'aws:PrincipalArn': principal.arn,
    'aws:PrincipalAccount': '111122223333',
    'aws:PrincipalType': 'AssumedRole',
  };
  return (
    own[key]
    ?? (key.toLowerCase() === 'aws:principaltag/team'
      ? (principal.tags.Team ?? 'a')
      : key === 'svc:several'
        ? random.one([...(extra[key].value as string[]), 'a'])
        : resource.split(':')[3])
  );
}

function inZone(second: number, minutes: number): string {
  const local = new Date((second + minutes * 60) * 1000).toISOString().slice(0, 19);
  const two = (value: number) => `${value}`.padStart(2, '0');
  return `${local}${minutes < 0 ? '-' : '+'}${two(Math.floor(Math.abs(minutes) / 60))}:${two(Math.abs(minutes) % 60)}`;
}

function someName(random: Random): string {
  return times(1 + Math.floor(random.next() * 4), () => random.one(CHARACTERS)).join('');
}

function few<Item>(random: Random, make: () => Item): Item | Item[] {
  return random.chance(0.7) ? make() : times(1 + Math.floor(random.next() * 3), make);
}

function times<Item>(count: number, make: () => Item): Item[] {
  return Array.from({ length: count }, make);
}
