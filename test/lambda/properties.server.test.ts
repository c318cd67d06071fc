import { DatabasePrivileges, PrivilegesByName, SchemaPrivileges } from '../../lib/contract/wire';
import { AuroraLikeServer } from '../../rehearsal/aurora-like-server';
import { SETUPS } from '../../rehearsal/setups';
import { Drift } from './drift';
import { Expected } from './expected';
import { Random } from './random';
import { Declared, signIn, snapshot, Stack, trust } from './stack';
import { DATABASES, heldBy, MIGRATOR, PRIVILEGES, READERS, SCHEMAS, startWorld, World } from './world';

/** Deployments for each set-up. Raise it for a long run: PROPERTIES=50 npx jest test/lambda/properties */
const DEPLOYMENTS = Number(process.env.PROPERTIES ?? 4);
const SEED = Number(process.env.SEED ?? 1);

/** Logical ids with the names that their roles may have, in the order in which they are deployed: who is named by others comes first. */
const RESOURCES: { id: string; kind: 'roleName' | 'username' | 'usernames'; names: string[] }[] = [
  { id: 'G1', kind: 'roleName', names: ['g1'] },
  { id: 'G2', kind: 'roleName', names: ['g2'] },
  { id: 'U1', kind: 'username', names: ['ann', 'Ann B.'] },
  { id: 'U2', kind: 'username', names: ['bob', 'rob'] },
  { id: 'L', kind: 'usernames', names: ['lea', 'leo', 'liz'] },
];

type State = ReadonlyMap<string, Declared>;

jest.setTimeout(DEPLOYMENTS * 20_000 + 60_000);

/**
 * Random declarations of users and group roles, deployed one after the other on the same server, with changes by hand in between. After each the catalogs hold
 * what `Expected` says, and to deploy the same once more writes nothing. What fails leaves everything as it was. In the end nothing is left.
 */
describe.each(SETUPS)('random privileges on PostgreSQL $name', (setup) => {
  let server: AuroraLikeServer;
  let world: World;
  beforeAll(async () => {
    ({ server, world } = await startWorld(setup));
    trust(server.caCertificate);
  });
  afterAll(() => server.stop());

  test(`${DEPLOYMENTS} deployments with seed ${SEED}`, async () => {
    const random = new Random(SEED * 100 + SETUPS.indexOf(setup));
    const expected = new Expected(world);
    const drift = new Drift(server, world, expected, random);
    const stack = new Stack(server);
    const before = await snapshot(server);
    const kept = new Map<string, string>();
    let deployed: State = new Map();

    for (let n = 0; n <= DEPLOYMENTS; n++) {
      if (n === DEPLOYMENTS) {
        await drift.dropTables();
      }
      const wanted = n === DEPLOYMENTS ? new Map<string, Declared>() : randomState(random, world, deployed, kept);
      await refuse(server, stack, deployed, wanted, random);
      await deploy(stack, expected, deployed, wanted, kept);
      deployed = wanted;
      await expect(heldBy(server, expected.names)).resolves.toEqual(expected.lines());
      await unchanged(server, stack, deployed);
      await expect(signIn(server, 'postgres', server.master.password)).resolves.toBe('postgres');
      for (const role of random.some([...deployed.values()].flatMap(namesOf), 0.8)) {
        await drift.inject(role);
      }
      await expect(heldBy(server, expected.names)).resolves.toEqual(expected.lines());
    }

    for (const name of kept.keys()) {
      for (const database of DATABASES) {
        await server.sql(`DROP OWNED BY "${name}"`, [], database);
      }
      await server.sql(`DROP ROLE "${name}"`);
    }
    await server.sql('DROP SCHEMA IF EXISTS cdk_aurora_iam_auth CASCADE');
    await expect(snapshot(server)).resolves.toEqual(before);
  });
});

/** By CloudFormation's rules: created and updated, then what is gone is deleted, the old name of a renamed user too. */
async function deploy(stack: Stack, expected: Expected, from: State, to: State, kept: Map<string, string>): Promise<void> {
  for (const { id } of RESOURCES.filter(({ id }) => to.has(id))) {
    const [earlier, declared] = [from.get(id), to.get(id)!];
    await (earlier ? stack.update(id, declared) : stack.create(id, declared));
    const names = namesOf(declared);
    if (earlier && !('usernames' in declared) && names[0] !== namesOf(earlier)[0]) {
      expected.rename(namesOf(earlier)[0], names[0]);
    }
    names.forEach(name => expected.apply(name, declared));
    names.forEach(name => kept.delete(name));
    if (earlier && 'usernames' in declared) {
      namesOf(earlier).filter(name => !names.includes(name)).forEach(name => expected.remove(name) && kept.set(name, id));
    }
  }
  for (const [id, earlier] of from) {
    const declared = to.get(id);
    if (!declared || ('username' in declared && namesOf(declared)[0] !== namesOf(earlier)[0])) {
      await stack.delete(id, earlier);
    }
    if (!declared) {
      namesOf(earlier).forEach(name => expected.remove(name) && kept.set(name, id));
    }
  }
}

/** A deployment that fails late, and leaves everything in all databases as it was. */
async function refuse(server: AuroraLikeServer, stack: Stack, from: State, to: State, random: Random): Promise<void> {
  if (to.size === 0 || random.chance(0.5)) {
    return;
  }
  const [id, declared] = random.one([...to]);
  // An empty schema that is dropped and then made again has lost what others had in it.
  if (JSON.stringify(from.get(id) ?? {}).includes('Owner')) {
    return;
  }
  const broken = random.one<Partial<Declared>>([
    { privileges: { ...declared.privileges, theirs: { Schemas: { app: { Tables: { missing: ['SELECT'] } } } } } },
    { privileges: { ...declared.privileges, unknown: { Schemas: { app: { Tables: { '*': ['SELECT'] } } } } } },
    { memberOf: [...declared.memberOf ?? [], 'nobody'] },
  ]);
  const before = await snapshot(server);
  await expect(from.has(id) ? stack.update(id, { ...declared, ...broken }) : stack.create(id, { ...declared, ...broken })).rejects.toThrow();
  await expect(snapshot(server)).resolves.toEqual(before);
}

/** The same once more: the log has no change, and the server has seen no transaction that writes. */
async function unchanged(server: AuroraLikeServer, stack: Stack, deployed: State): Promise<void> {
  const transactions = () => server.sql('SELECT pg_snapshot_xmax(pg_current_snapshot())::text AS next');
  const [before, logged] = [await transactions(), stack.log.length];
  for (const [id, declared] of deployed) {
    await stack.update(id, declared);
  }
  expect(stack.log.slice(logged).filter(({ notice }) => notice === 'changing')).toEqual([]);
  await expect(transactions()).resolves.toEqual(before);
}

function randomState(random: Random, world: World, deployed: State, kept: Map<string, string>): State {
  const state = new Map<string, Declared>();
  for (const { id, kind, names } of RESOURCES.filter(() => random.chance(0.75))) {
    // A role that stayed keeps its name from others.
    const stayed = names.filter(name => kept.has(name));
    const previous = deployed.get(id);
    const name = stayed[0] ?? (previous && random.chance(0.7) ? namesOf(previous)[0] : random.one(names));
    const declared = kind === 'usernames' ? { usernames: random.few(names) } : kind === 'username' ? { username: name } : { roleName: name };
    state.set(id, { ...declared, ...randomDeclaration(random, world, id, kind, state) });
  }
  return state;
}

function randomDeclaration(random: Random, world: World, id: string, kind: string, others: State): Omit<Declared, 'username'> {
  const earlier = [...others.values()];
  const groups = [READERS, ...earlier.flatMap(other => 'roleName' in other ? [other.roleName] : [])];
  const creators = [MIGRATOR, 'postgres', ...earlier.flatMap(other => 'username' in other ? [other.username] : [])];
  const schema = (): SchemaPrivileges => ({
    Schema: random.some(PRIVILEGES.SCHEMA),
    FutureObjects: Object.fromEntries(random.some(creators, 0.3).map(creator => [creator, {
      Tables: random.some(world.tablePrivileges, 0.3), Sequences: random.some(PRIVILEGES.SEQUENCE), Functions: random.some(PRIVILEGES.ROUTINE),
    }])),
    Tables: byName(random, ['*'], world.tablePrivileges),
  });
  const privileges = Object.fromEntries(random.some(DATABASES, 0.7).map((database): [string, DatabasePrivileges] => {
    const owned = earlier.flatMap(({ privileges = {} }) => Object.entries(privileges[database]?.Schemas ?? {})).filter(([, { Owner }]) => Owner).map(([name]) => name);
    const schemas: [string, SchemaPrivileges][] = [
      ...random.some(SCHEMAS).map((name): [string, SchemaPrivileges] => [name, { ...schema(), ...onThings(random, world, database, name) }]),
      ...random.some(owned).map((name): [string, SchemaPrivileges] => [name, schema()]),
      // Its owner must be able to create it there.
      ...kind === 'username' && database !== 'theirs' && random.chance(0.4) ? [[`own_${id}`, { Owner: 'true' }] as [string, SchemaPrivileges]] : [],
    ];
    return [database, { Database: random.some(PRIVILEGES.DATABASE), ...schemas.length > 0 ? { Schemas: Object.fromEntries(schemas) } : {} }];
  }));
  return { privileges, memberOf: kind === 'roleName' && id === 'G1' ? [] : random.some(groups, 0.3), exclusive: random.chance(0.25) };
}

function onThings(random: Random, world: World, database: string, schema: string): SchemaPrivileges {
  const things = world.things.filter(thing => thing.database === database && thing.schema === schema);
  const names = (kind: string) => ['*', ...new Set(things.filter(thing => thing.kind === kind).map(({ name }) => name))];
  const tables = things.filter(({ kind }) => kind === 'TABLE');
  return {
    Tables: byName(random, names('TABLE'), world.tablePrivileges),
    Columns: Object.fromEntries(random.some(tables, 0.2).map(({ name, columns = [] }) => [name, byName(random, columns, PRIVILEGES.COLUMN)])),
    Sequences: byName(random, names('SEQUENCE'), PRIVILEGES.SEQUENCE),
    Functions: byName(random, names('ROUTINE'), PRIVILEGES.ROUTINE),
  };
}

function byName(random: Random, names: string[], privileges: readonly string[]): PrivilegesByName {
  return Object.fromEntries(random.some(names, 0.3).map(name => [name, random.some(privileges)]));
}

function namesOf(declared: Declared): string[] {
  return 'usernames' in declared ? declared.usernames : 'roleName' in declared ? [declared.roleName] : [declared.username];
}
