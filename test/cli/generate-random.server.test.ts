import { AuroraLikeServer } from '../../rehearsal/aurora-like-server';
import { Setup, SETUPS } from '../../rehearsal/setups';
import { full } from '../full';
import { snapshot, trust } from '../lambda/stack';
import { Random } from '../lambda/random';
import { compilerErrors, deploy, generate, synthesized, withoutRegistry } from './generated-app';
import { RandomCatalog, Size } from './random-catalog';

interface Run extends Size {
  readonly setup: Setup;
  readonly seed: number;
}

const SMALL: Run[] = [SETUPS.length - 1, 0].map((n, index) => ({
  setup: SETUPS[n],
  seed: 1_000 + index,
  roles: 10,
  objects: 30,
}));

/** One in ten has 300 roles and 5,000 objects. */
const sizeOf = (seed: number): Size => {
  const random = new Random(seed);
  return seed % 10 === 9
    ? { roles: 300, objects: 5_000 }
    : { roles: Math.floor(random.next() * 101), objects: Math.floor(random.next() * 501) };
};
const LARGE: Run[] = [...Array(100).keys()].map(seed => ({
  setup: SETUPS[seed % SETUPS.length],
  seed,
  ...sizeOf(seed),
}));

/** Raise it for a long run, or take some of them: GENERATE=0-20 npm run test:full -- test/cli/generate-random */
const [first, last] = (process.env.GENERATE ?? '0-99').split('-').map(Number);
const RUNS = [...SMALL, ...LARGE.slice(first, last + 1)];

const files = new Map<string, string>();

full.test.each(RUNS)(
  'seed $seed on PostgreSQL $setup.name: $roles roles and $objects objects are taken over without a statement',
  async ({ setup, ...options }) => {
    const server = await AuroraLikeServer.start({
      ...setup,
      databases: ['shop', 'Stock "x"', 'crm'],
      authorize: () => true,
      settings: { autovacuum: 'off' },
    });
    try {
      trust(server.caCertificate);
      await new RandomCatalog(setup.major, options).create(server);
      const before = withoutRegistry(await snapshot(server));
      const { file, model } = await generate(server);
      files.set(`${setup.major}-${options.seed}`, file);
      await expect(deploy(server, synthesized(file))).resolves.toEqual([]);
      expect(withoutRegistry(await snapshot(server))).toEqual(before);
      expect(options.roles < 10 || model.roles.length > 0).toBe(true);
    } finally {
      await server.stop();
    }
  },
);

full.test('the generated files compile, and one with an option of another type does not', () => {
  const [one] = [...files.values()].filter(file => file.includes('adoptExisting: true'));
  const errors = compilerErrors(
    new Map([...files, ['broken', one.replace('adoptExisting: true', 'adoptExisting: 5')]]),
  );
  expect(errors).toEqual([
    expect.stringMatching(/\.generated-broken\.ts:\d+: Type 'number' is not assignable to type 'boolean/),
  ]);
});
