import { AuroraLikeServer } from '../../rehearsal/aurora-like-server';
import { watchAdmin } from './admin-watch';
import { snapshot } from './catalog';
import { signIn } from './stack';

/**
 * After each test of a suite the catalogs are as they were before the first, and all the time the admin signs in with
 * its password, if it could. To be called after the server is started, and before it is stopped.
 */
export function everythingIsAsBefore(serverOf: () => AuroraLikeServer): void {
  const now = async () => ({
    catalogs: await snapshot(serverOf()),
    admin: await signIn(serverOf(), 'postgres', serverOf().master.password).catch(({ message }: Error) => message),
  });
  let before: unknown;
  beforeAll(async () => {
    before = await now();
    expect(before).toMatchObject(process.env.STRICT ? {} : { admin: 'postgres' });
  });
  afterEach(() => expect(now()).resolves.toEqual(before));
  watchAdmin(serverOf);
}
