import { AuroraLikeServer } from '../../rehearsal/aurora-like-server';
import { watchAdmin } from './admin-watch';
import { snapshot } from './catalog';
import { signIn } from './stack';

/**
 * After each test of a suite the catalogs are as they were before the first, and all the time the admin signs in with its password. To be
 * called after the server is started, and before it is stopped.
 */
export function everythingIsAsBefore(serverOf: () => AuroraLikeServer): void {
  let before: unknown;
  beforeAll(async () => {
    before = await snapshot(serverOf());
  });
  afterEach(async () => {
    await expect(snapshot(serverOf())).resolves.toEqual(before);
    await expect(signIn(serverOf(), 'postgres', serverOf().master.password)).resolves.toBe('postgres');
  });
  watchAdmin(serverOf);
}
