/**
 * What the handler costs, on a PostgreSQL set up like Aurora: its first events in a new process, its connections and
 * round trips for one user, and the time for many of them next to that of the bare SQL, for a user that resists its
 * removal, for many events side by side, and for plans and drift of many users. A figure above its limit makes it fail.
 *
 *     npm run bench:engine              on PostgreSQL 17
 *     npm run bench:engine -- --all     on every major, from 16 on under both rules
 */
import { AuroraLikeServer } from '../rehearsal/aurora-like-server';
import { SETUPS } from '../rehearsal/setups';
import { trust } from '../test/lambda/stack';
import { measureEndOfAccess } from './end-of-access';
import { report } from './figures';
import { measureHandlerProcess } from './handler-process';
import { measureLook } from './look';
import { measureManyUsers } from './many-users';
import { measureRoundTrips } from './round-trips';
import { measureSideBySide } from './side-by-side';

const DEFAULT_MAJOR = 17;

async function main(): Promise<void> {
  const all = process.argv.includes('--all');
  for (const setup of SETUPS.filter(({ major }) => all || major === DEFAULT_MAJOR)) {
    const server = await AuroraLikeServer.start({ ...setup, databases: ['shop', 'stock'] });
    trust(server.caCertificate);
    try {
      console.log(`PostgreSQL ${setup.name}`);
      const sections = [
        await measureHandlerProcess(setup),
        ...await measureRoundTrips(server),
        await measureManyUsers(server),
        await measureEndOfAccess(setup),
        ...await measureSideBySide(setup),
        await measureLook(setup),
      ];
      for (const { title, figures } of sections) {
        report({ title: `  ${title}`, figures });
      }
    } finally {
      await server.stop();
    }
  }
}

void main();
