/**
 * What the handler costs where there is much of something, on a PostgreSQL set up like Aurora: next to the bare SQL,
 * and next to what it costs where there is little. What grows faster than its work makes it fail.
 *
 *     npm run bench:scale                      10,000 users, 100 databases of 200, 20,000 tables, 5,000 roles of others
 *     npm run bench:scale -- --part 10         a tenth of each
 *     npm run bench:scale -- --only tables     one of them: users, databases, tables, roles
 */
import { parseArgs } from 'node:util';
import { Client, escapeIdentifier } from 'pg';
import { AuroraLikeServer } from '../rehearsal/aurora-like-server';
import { SETUPS } from '../rehearsal/setups';
import { Stack, trust, User, Users } from '../test/lambda/stack';
import { Figure, report, Section } from './figures';
import { Traffic } from './traffic';

const {
  values: { part, only },
} = parseArgs({ options: { part: { type: 'string', default: '1' }, only: { type: 'string' } } });
const size = (whole: number) => Math.max(2, Math.round(whole / Number(part)));

const ON_LIST = 1_000;
const RUNS = 5;

/** Of one in much, to one in little. What is read once of all that there is may take a little longer. */
const GROWTH = 2;
/** To the bare SQL on as many tables. */
const RATIO = 3;

/** What is measured once, and how long it took. */
interface Taken {
  readonly ms: number;
  readonly roundTrips: number;
  readonly connections: number;
}

class Meter {
  private readonly traffic: Traffic;

  constructor(port: number) {
    this.traffic = new Traffic(port);
  }

  public async take(work: () => Promise<unknown>): Promise<Taken> {
    const start = performance.now();
    const connections = await this.traffic.during(work);
    return {
      ms: performance.now() - start,
      connections: connections.length,
      roundTrips: connections.reduce((sum, one) => sum + one.roundTrips, 0),
    };
  }

  /** The median of several. */
  public async median(work: (run: number) => Promise<unknown>): Promise<Taken> {
    const taken: Taken[] = [];
    for (let run = 0; run < RUNS; run++) {
      taken.push(await this.take(() => work(run)));
    }
    return taken.sort((a, b) => a.ms - b.ms)[Math.floor(RUNS / 2)];
  }
}

function figures(name: string, { ms, roundTrips, connections }: Taken): Figure[] {
  return [
    { name: `${name}: time`, value: ms, unit: 'ms' },
    { name: `${name}: connections`, value: connections },
    { name: `${name}: round trips`, value: roundTrips },
  ];
}

/** Times and messages of much, in those of little, for the same number of things. */
function growth(name: string, much: Taken, little: Taken, times = 1): Figure[] {
  return [
    { name: `${name}: time, in times of little`, value: much.ms / little.ms / times, digits: 2, limit: GROWTH },
    {
      name: `${name}: round trips, in times of little`,
      value: much.roundTrips / little.roundTrips / times,
      digits: 2,
      limit: GROWTH,
    },
  ];
}

const one = (username: string): User => ({
  username,
  privileges: { shop: { Database: ['CONNECT'], Schemas: { app: { Schema: ['USAGE'], Tables: { '*': ['SELECT'] } } } } },
});

async function come(stack: Stack, prefix: string, meter: Meter): Promise<Taken> {
  return meter.median(run => stack.create(`${prefix}${run}`, one(`${prefix}_${run}`)));
}

async function ofOthers(server: AuroraLikeServer, meter: Meter): Promise<Section> {
  const count = size(5_000);
  const stack = new Stack(server);
  await come(stack, 'warm', meter);
  const few = await come(stack, 'few', meter);
  const names = Array.from({ length: count }, (_, n) => `other_${n}`);
  await server.sql(
    `${names.map(name => `CREATE ROLE ${name} LOGIN`).join(';')}; GRANT ${names.slice(1).join()} TO other_0`,
  );
  const many = await come(stack, 'many', meter);
  return {
    title: `one user beside ${count} roles of others`,
    figures: [...figures('without them', few), ...figures('with them', many), ...growth('one user', many, few)],
  };
}

/** Lists of a thousand, as many as there are users: each of them is one resource. */
async function users(server: AuroraLikeServer, meter: Meter): Promise<Section> {
  const count = size(10_000);
  const onList = Math.min(ON_LIST, count / 2);
  await server.sql(`CREATE ROLE crowd; GRANT crowd TO ${server.master.username} WITH ADMIN OPTION`);
  const stack = new Stack(server);
  const list = (n: number, more: string[] = []): Users => ({
    usernames: [...Array.from({ length: onList }, (_, at) => `user_${n}_${at}`), ...more],
    connect: [],
    memberOf: ['crowd'],
  });
  const ids: string[] = [];
  const create = (n: number) =>
    meter.take(async () => ids.push((await stack.create(`Users${n}`, list(n))).PhysicalResourceId));
  const single = async (prefix: string) => come(stack, prefix, meter);
  const changed = (n: number) => meter.take(() => stack.update(`Users${n}`, list(n, [`added_${n}`]), ids[n]));
  const bare = await meter.take(() => bareUsers(server, list(99).usernames));
  await single('warm');
  const alone = await single('alone');
  const first = await create(0);
  const changedFirst = await changed(0);
  let last = first;
  for (let n = 1; n < count / onList; n++) {
    last = await create(n);
  }
  const changedLast = await changed(ids.length - 1);
  const among = await single('among');
  return {
    title: `${count} users in lists of ${onList}`,
    figures: [
      { name: 'bare SQL of a list: time', value: bare.ms, unit: 'ms' },
      ...figures('the first list', first),
      ...figures('the last list', last),
      ...growth('a list', last, first),
      { name: 'the last list: time, in times of the bare SQL', value: last.ms / bare.ms, digits: 2, limit: RATIO },
      ...figures('one more on a list, of one list', changedFirst),
      ...figures('one more on a list, of all', changedLast),
      ...growth('one more on a list', changedLast, changedFirst),
      ...figures('a user of its own, alone', alone),
      ...figures('a user of its own, among all', among),
      ...growth('a user of its own', among, alone),
    ],
  };
}

async function databases(server: AuroraLikeServer, meter: Meter): Promise<Section> {
  const [all, few] = [size(200), size(10)];
  const many = all / 2;
  const names = Array.from({ length: all }, (_, n) => `database_${n}`);
  for (const name of names) {
    await server.sql(`CREATE DATABASE ${name} OWNER ${server.master.username}`);
  }
  for (const name of names.slice(0, many)) {
    await server.sql(
      `CREATE SCHEMA app AUTHORIZATION ${server.master.username}; SET ROLE ${server.master.username}; CREATE TABLE app.t (n int)`,
      undefined,
      name,
    );
  }
  const stack = new Stack(server);
  const user = (username: string, count: number): User => ({
    username,
    privileges: Object.fromEntries(
      names
        .slice(0, count)
        .map(name => [
          name,
          { Database: ['CONNECT'], Schemas: { app: { Schema: ['USAGE'], Tables: { '*': ['SELECT'] } } } },
        ]),
    ),
  });
  await stack.create('Warm', user('warm_databases', few));
  const inFew = await meter.take(() => stack.create('Few', user('in_few', few)));
  const inMany = await meter.take(() => stack.create('Many', user('in_many', many)));
  const unchanged = await meter.take(() => stack.update('Many', user('in_many', many)));
  const removed = await meter.take(() => stack.delete('Many', user('in_many', many)));
  return {
    title: `a user with privileges in ${many} of ${all} databases, next to ${few} of them`,
    figures: [
      ...figures('in few', inFew),
      ...figures('in many', inMany),
      ...growth('for each database', inMany, inFew, many / few),
      ...figures('in many, unchanged', unchanged),
      ...figures('in many, removed', removed),
    ],
  };
}

async function tables(server: AuroraLikeServer, meter: Meter): Promise<Section> {
  const [few, many] = [size(2_000), size(20_000)];
  const schemas = [['few', few], ['many', many]] as const;
  for (const [schema, count] of schemas) {
    await server.sql(
      `CREATE SCHEMA ${schema} AUTHORIZATION ${server.master.username}; SET ROLE ${server.master.username};
      DO $$ BEGIN FOR n IN 1..${count} LOOP EXECUTE format('CREATE TABLE ${schema}.t%s (n int)', n); END LOOP; END $$`,
      undefined,
      'shop',
    );
  }
  const stack = new Stack(server);
  const taken: Record<string, Taken> = {};
  for (const [schema] of schemas) {
    const user: User = {
      username: `in_${schema}_tables`,
      privileges: {
        shop: {
          Database: ['CONNECT'],
          Schemas: { [schema]: { Schema: ['USAGE'], Tables: { '*': ['SELECT', 'INSERT'] } } },
        },
      },
    };
    await server.sql(`CREATE ROLE bare_${schema}`);
    taken[`bare ${schema}`] = await meter.take(() =>
      bare(server, `GRANT SELECT, INSERT ON ALL TABLES IN SCHEMA ${schema} TO bare_${schema}`, 'shop'),
    );
    taken[schema] = await meter.take(() => stack.create(schema, user));
    taken[`${schema} unchanged`] = await meter.take(() => stack.update(schema, user));
    taken[`${schema} removed`] = await meter.take(() => stack.delete(schema, user));
  }
  const step = (name: string) =>
    growth(`for each table,${name || ' first'}`, taken[`many${name}`], taken[`few${name}`], many / few);
  return {
    title: `a user with privileges on ${many} tables, next to ${few}`,
    figures: [
      { name: 'bare SQL: time', value: taken['bare many'].ms, unit: 'ms' },
      ...figures('first', taken.many),
      {
        name: 'first: time, in times of the bare SQL',
        value: taken.many.ms / taken['bare many'].ms,
        digits: 2,
        limit: RATIO,
      },
      ...figures('unchanged', taken['many unchanged']),
      ...figures('removed', taken['many removed']),
      ...step(''),
      ...step(' unchanged'),
      ...step(' removed'),
    ],
  };
}

async function bare(server: AuroraLikeServer, sql: string, database = 'postgres'): Promise<void> {
  const { host, port, master } = server;
  const client = new Client({
    host,
    port,
    user: master.username,
    password: master.password,
    database,
    ssl: { rejectUnauthorized: true },
  });
  await client.connect();
  await client.query(sql);
  await client.end();
}

function bareUsers(server: AuroraLikeServer, usernames: string[]): Promise<void> {
  const statements = usernames
    .map(escapeIdentifier)
    .flatMap(user => [
      `CREATE USER ${user} NOLOGIN`,
      `GRANT crowd TO ${user}`,
      `GRANT rds_iam TO ${user}`,
      `ALTER USER ${user} LOGIN`,
    ]);
  return bare(server, ['BEGIN', ...statements, 'COMMIT'].join(';\n'));
}

const PARTS = { roles: ofOthers, users, databases, tables };

async function main(): Promise<void> {
  const setup = SETUPS.find(({ major }) => major === 17)!;
  for (const [name, measure] of Object.entries(PARTS).filter(([each]) => only === undefined || each === only)) {
    const server = await AuroraLikeServer.start({
      ...setup,
      databases: ['shop'],
      settings: { max_locks_per_transaction: '1000' },
    });
    trust(server.caCertificate);
    try {
      await server.sql(`CREATE SCHEMA app AUTHORIZATION ${server.master.username}`, undefined, 'shop');
      const { title, figures: found } = await measure(server, new Meter(server.port));
      report({ title: `${name}: ${title}`, figures: found });
    } finally {
      await server.stop();
    }
  }
}

void main();
