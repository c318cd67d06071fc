import { AuroraLikeServer } from '../../rehearsal/aurora-like-server';
import { Setup } from '../../rehearsal/setups';
import { snapshot } from './catalog';
import { Admin } from '../../lambda/provisioner/transport/credentials';

/** A login that counts each membership: an admin with a password that has made a user is kept out. */
export const STRICT: Setup = { name: '17, strict', major: 17, roleRules: 'strict' };

const PRINCIPAL = 'provisioner';

/** As `AdminCredentials.fromIam` has it deployed. */
export const asFromIam = (server: AuroraLikeServer) => (): Admin => ({
  username: server.master.username,
  password: () => Promise.resolve(server.token(PRINCIPAL, server.master.username)),
});

const turns = new WeakMap<AuroraLikeServer, Promise<unknown>>();

/**
 * What comes of an event under that login. An admin with a password succeeds or is told of `AdminCredentials.fromIam`,
 * with everything as it was. Then the event is carried out by an admin that signs in with a token.
 */
export async function underStrictLogin<Result>(
  server: AuroraLikeServer,
  passwordWorks: () => Promise<boolean>,
  carryOut: (admin: 'a password' | 'a token') => Promise<Result>,
): Promise<Result> {
  const turn = (turns.get(server) ?? Promise.resolve()).then(() => bothWays(server, passwordWorks, carryOut));
  turns.set(server, turn.catch(() => undefined));
  return turn;
}

async function bothWays<Result>(
  server: AuroraLikeServer,
  passwordWorks: () => Promise<boolean>,
  carryOut: (admin: 'a password' | 'a token') => Promise<Result>,
): Promise<Result> {
  const [before, worked] = [await snapshot(server), await passwordWorks()];
  try {
    const result = await carryOut('a password');
    expect({ result, works: await passwordWorks() }).toEqual({ result, works: true });
    return result;
  } catch (error) {
    if (!(error as Error).message.includes('AdminCredentials.fromIam()')) {
      throw error;
    }
    expect({ error: (error as Error).message, found: await snapshot(server) }).toEqual({
      error: (error as Error).message,
      found: before,
    });
    await expect(passwordWorks()).resolves.toBe(worked);
  }
  const { authorize } = server;
  server.authorize = (principal, ...others) => principal === PRINCIPAL || authorize(principal, ...others);
  await server.setMasterWithToken(true);
  try {
    return await carryOut('a token');
  } finally {
    await server.setMasterWithToken(false);
    server.authorize = authorize;
  }
}
