import { Rehearsal } from '../../rehearsal/rehearsal';
import { full } from '../full';
import { synthesized } from './synthesized';

const APP = 'test/rehearsal/fixtures/public-app.ts';

let rehearsal: Rehearsal;

const deploy = async (context: Record<string, string> = {}) =>
  (await rehearsal.deploy(await synthesized(APP, context), 'Shop')).status;
const server = () =>
  rehearsal.database(rehearsal.resources('Shop').find(({ type }) => type === 'AWS::RDS::DBCluster')!);

/** Databases that every role can connect to. */
const open = async () =>
  (
    await server().sql<{ name: string }>(`
  SELECT datname::text AS name FROM pg_database d, aclexplode(coalesce(datacl, acldefault('d', datdba))) a
  WHERE grantee = 0 AND privilege_type = 'CONNECT' AND datname IN ('postgres', 'shop') ORDER BY 1`)
  ).map(({ name }) => name);

full.describe('an app that revokes what PUBLIC has', () => {
  beforeAll(async () => {
    rehearsal = await Rehearsal.start();
  });
  afterAll(() => rehearsal.close());

  test('deployed, rolled back, changed and removed', async () => {
    expect(await deploy()).toBe('CREATE_COMPLETE');
    expect(await open()).toEqual(['postgres', 'shop']);
    expect(await deploy({ restricted: 'postgres,shop', fails: 'true' })).toBe('UPDATE_ROLLBACK_COMPLETE');
    expect(await open()).toEqual(['postgres', 'shop']);
    expect(await deploy({ restricted: 'postgres,shop' })).toBe('UPDATE_COMPLETE');
    expect(await open()).toEqual([]);
    expect(await deploy({ restricted: 'shop', fails: 'true' })).toBe('UPDATE_ROLLBACK_COMPLETE');
    expect(await open()).toEqual([]);
    expect(await deploy({ restricted: 'shop' })).toBe('UPDATE_COMPLETE');
    expect(await open()).toEqual(['postgres']);
    expect(await rehearsal.destroy('Shop')).toMatchObject({ status: 'DELETE_COMPLETE' });
  });
});
