import { AuroraLikeServer } from '../../rehearsal/aurora-like-server';
import { LOGIN_CASES, mayConnect, tryLogin, USERS } from '../rehearsal/login-cases';
import { Client } from './client';
import { unpack } from './debian';
import { DEBIAN_POSTGRESQL, PAM_PACKAGES, PamServer } from './pam-server';
import { versionOf } from './program';

let packages: string;

/**
 * No client: whether genuine PAM gives the gateway's answers, where Debian's PostgreSQL 15 is. That is not installed
 * for it, because a server would come with it and start.
 */
export const pam: Client = {
  name: 'pam',
  packages: [],

  async find() {
    if (process.getuid?.() !== 0) {
      throw new Error('libpam-script runs only a script that belongs to root');
    }
    const version = await versionOf(`${DEBIAN_POSTGRESQL}/postgres`, ['--version']);
    packages = await unpack(PAM_PACKAGES);
    return `${version}, ${PAM_PACKAGES.join(', ')}`;
  },

  async check({ report }) {
    const genuine = await PamServer.start(packages, mayConnect);
    const gateway = await AuroraLikeServer.start({ major: 15, authorize: mayConnect });
    try {
      await genuine.sql(USERS);
      await gateway.sql(USERS);
      let equal = 0;
      for (const each of LOGIN_CASES) {
        const [byPam, byGateway] = [await tryLogin(genuine, each), await tryLogin(gateway, each)];
        if (byPam === byGateway && byPam === each.outcome) {
          equal++;
        } else {
          report(
            `PAM, ${each.name}`,
            `${each.outcome}, by the gateway: ${each.outcome}`,
            `${byPam}, by the gateway: ${byGateway}`,
          );
        }
      }
      const all = LOGIN_CASES.length;
      report(
        'genuine PAM, the login cases',
        `${all} of ${all} answers as by the gateway`,
        `${equal} of ${all} answers as by the gateway`,
      );
    } finally {
      await gateway.stop();
      await genuine.stop();
    }
  },
};
