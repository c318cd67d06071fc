import { setTimeout } from 'node:timers/promises';
import { AuroraLikeServer } from '../../rehearsal/aurora-like-server';
import { FULL, full } from '../full';
import { AdminWatch } from './admin-watch';
import { snapshot } from './catalog';
import { Expected } from './expected';
import { nextTime, setups, Stack, trust, User, users } from './stack';
import { DATABASES, heldBy, HELPER, MIGRATOR, READERS, startWorld, World } from './world';

/** Handlers that run at the same time. */
const RUNS = FULL ? 200 : 6;

const ALONE: [string, typeof grantingInALoop] = ['alone', () => ({ stop: () => Promise.resolve(0) })];
const WITH_OTHERS: [string, typeof grantingInALoop] = [
  'while another session grants and revokes in a loop',
  grantingInALoop,
];

describe.each(setups('18, RDS-like'))('many events at once on PostgreSQL $name', (setup) => {
  let server: AuroraLikeServer;
  let world: World;
  let stack: Stack;
  let before: unknown;

  beforeAll(async () => {
    ({ server, world } = await startWorld(setup));
    trust(server.caCertificate);
    before = await snapshot(server);
  });
  beforeEach(() => stack = new Stack(server));
  afterEach(async () => {
    await expect(snapshot(server)).resolves.toEqual(before);
  });
  afterAll(() => server.stop());

  test.each(FULL ? [ALONE, WITH_OTHERS] : [WITH_OTHERS])(
    'users are created, updated and deleted, %s: all succeed, and the catalog is as declared',
    async (name, others) => {
      const expected = new Expected(world);
      const [created, updated, deleted] = [0, 1, 2].map(third => usernames().filter((_, n) => n % 3 === third));
      await deploySilently([...updated, ...deleted], OLD);

      const other = others(server);
      const begin = performance.now();
      const watch = new AdminWatch(server);
      const results = await Promise.allSettled([
        ...created.map(username => stack.create(username, { username, ...NEW })),
        ...updated.map(username => stack.update(username, { username, ...NEW })),
        ...deleted.map(username => stack.delete(username, { username, ...OLD })),
      ]);
      const seconds = (performance.now() - begin) / 1000;
      const granted = await other.stop();
      await watch.stop();

      if (FULL) {
        const again = stack.log.filter(({ notice }) => notice === 'trying again').length;
        process.stdout.write(
          `${setup.name}, ${name}: ${RUNS} runs in ${seconds.toFixed(0)} s, ${granted} statements of others, ${again} tries again, ${watch.signIns} sign-ins\n`,
        );
      }
      expect(
        results.flatMap(result => (result.status === 'rejected' ? [(result.reason as Error).message] : [])),
      ).toEqual([]);
      [...created, ...updated].forEach(username => expected.apply(username, { username, ...NEW }));
      expect(await heldBy(server, usernames())).toEqual(expected.lines());
      expect(watch.refused).toEqual([]);
      expect(watch.signIns).toBeGreaterThan(0);
      await removeSilently([...created, ...updated]);
    },
  );

  full.test('the first users that come and the last ones that go, with every event delivered twice', async () => {
    const few = usernames().slice(0, 6);
    const twice = (send: (username: string, sentAt: number) => Promise<unknown>) =>
      Promise.all(
        few.flatMap((username) => {
          const sentAt = nextTime();
          return [1, 2].map(() => send(username, sentAt));
        }),
      );
    await twice((username, sentAt) => stack.send({ LogicalResourceId: username, sentAt }, { username }));
    expect(await users(server)).toEqual([HELPER, MIGRATOR, READERS, ...few].sort());
    await twice(username => stack.delete(username, { username }));
  });

  /** In one event, as if each of them had come with a resource of its own. */
  async function deploySilently(names: string[], declared: Omit<User, 'username'>): Promise<void> {
    await new Stack(server).create('All', { usernames: names, ...declared });
    await server.sql(
      "UPDATE cdk_aurora_iam_auth.managed_role SET logical_id = username, physical_id = resource_id || '/x/' || username",
    );
  }

  async function removeSilently(names: string[]): Promise<void> {
    await server.sql(
      "UPDATE cdk_aurora_iam_auth.managed_role SET logical_id = 'All', physical_id = resource_id || '/x/All'",
    );
    await new Stack(server).delete('All', { usernames: names, ...NEW }, `${server.resourceId}/x/All`);
  }
});

const OLD: Omit<User, 'username'> = {
  privileges: Object.fromEntries(
    DATABASES.slice(0, 2).map(database => [
      database,
      {
        Database: ['CONNECT', 'CREATE'],
        Schemas: { app: { Schema: ['USAGE'], Tables: { '*': ['SELECT', 'UPDATE'] }, Functions: { f: ['EXECUTE'] } } },
      },
    ]),
  ),
};

const NEW: Omit<User, 'username'> = {
  memberOf: [READERS],
  privileges: Object.fromEntries(DATABASES.slice(1).map(database => [database, {
    Database: ['CONNECT'],
    Schemas: {
      app: {
        Schema: ['USAGE'],
        Tables: { '*': ['INSERT', 'SELECT'] },
        Sequences: { '*': ['USAGE'] },
        FutureObjects: { [MIGRATOR]: { Tables: ['SELECT'] } },
      },
    },
  }])),
};

function usernames(): string[] {
  return Array.from({ length: RUNS }, (_, n) => `user${n}`);
}

/** A session that changes the same rows of the catalogs, and has no idea of the provisioners' lock. */
function grantingInALoop(server: AuroraLikeServer): { stop: () => Promise<number> } {
  const done: string[] = [];
  let stopped = false;
  const loop = async () => {
    while (!stopped) {
      for (const database of DATABASES) {
        for (const statement of [
          `GRANT CONNECT ON DATABASE ${DATABASES.join(', ')} TO helper`,
          'GRANT ALL ON SCHEMA app TO readers',
          'GRANT TRIGGER ON ALL TABLES IN SCHEMA app TO readers',
          'GRANT readers, rds_iam TO helper',
          'REVOKE readers, rds_iam FROM helper',
          'REVOKE TRIGGER ON ALL TABLES IN SCHEMA app FROM readers',
          'REVOKE ALL ON SCHEMA app FROM readers',
          `REVOKE CONNECT ON DATABASE ${DATABASES.join(', ')} FROM helper`,
        ]) {
          // It may be in each other's way with the handlers; then it tries again.
          for (let tries = 1; await server.sql(statement, [], database).then(() => false, () => tries < 100); tries++);
          done.push(statement);
          await setTimeout(2);
        }
      }
    }
  };
  const looping = loop();
  return {
    stop: async () => {
      stopped = true;
      await looping;
      return done.length;
    },
  };
}
