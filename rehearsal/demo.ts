/**
 * `npm run demo`: rehearses examples/quick-start. What CloudFormation would do with its template is done here, on a
 * real PostgreSQL, and then the app's roles try to sign in.
 */
import { styleText } from 'node:util';
import { Signer } from '@aws-sdk/rds-signer';
import { AuroraLikeServer } from './aurora-like-server';
import { CheckList } from './check-list';
import { StackEvent, StackResult } from './cloudformation/stack';
import { synthesize } from './cloudformation/synthesize';
import { ResourceState } from './cloudformation/template';
import { Credentials } from './iam/credentials';
import { signToken } from './iam/token';
import { Rehearsal } from './rehearsal';
import { signIn, SignIn } from './sign-in';
import { Timeline } from './timeline';

const APP = 'examples/quick-start/app.ts';
const STACK = 'QuickStart';
const DATABASE = 'shop';
const USERNAME = 'mario.rossi@example.com';
const PAM = 'refused: 28000 PAM authentication failed';
const verbose = process.argv.includes('--verbose');

const list = new CheckList(console.log);
const timeline = new Timeline(console.log);

async function main(): Promise<void> {
  let afterEvent: (event: StackEvent) => Promise<void> = () => Promise.resolve();
  const rehearsal = await Rehearsal.start({
    onEvent: async (event) => {
      if (verbose) {
        timeline.event(event);
      }
      await afterEvent(event);
    },
  });
  try {
    timeline.step(`synthesize ${APP}`);
    const granted = synthesize(APP);
    const withoutGrant = synthesize(APP, { grant: 'false' });
    withoutGrant.catch(() => undefined); // reported where it is awaited
    const assembly = await granted;

    timeline.step(`deploy ${STACK}: a PostgreSQL server set up like Aurora, then the handler for its custom resource`);
    complete(rehearsal, await rehearsal.deploy(assembly, STACK));
    const server = rehearsal.database(resource(rehearsal, 'AWS::RDS::DBCluster'));
    const operator = rehearsal.credentialsOf(resource(rehearsal, 'AWS::IAM::Role', 'Operator'));
    const visitor = rehearsal.credentialsOf(resource(rehearsal, 'AWS::IAM::Role', 'Visitor'));
    const otherCase = 'Mario.Rossi@example.com';

    timeline.step(`sign in at ${server.host}:${server.port}`);
    await check(server, 'role with the grant', `signed in as ${USERNAME}`, await tokenOf(server, operator));
    await check(server, 'same name in other case', 'refused: 28P01', {
      ...(await tokenOf(server, operator, otherCase)),
      username: otherCase,
    });
    await check(server, 'role without the grant', PAM, await tokenOf(server, visitor));
    await check(
      server,
      'token of 16 minutes ago',
      PAM,
      tokenAt(server, operator, { at: new Date(Date.now() - 16 * 60_000) }),
    );
    await check(
      server,
      'token for another host',
      PAM,
      tokenAt(server, operator, { host: server.host.replace('.cluster-', '.cluster-other-') }),
    );
    await check(server, 'without TLS', 'refused: 28000 pg_hba.conf rejects', {
      ...(await tokenOf(server, operator)),
      tls: false,
    });
    await checkAdmin(server, 'admin, by its password');

    timeline.step('take the grant out of the app and deploy again');
    complete(rehearsal, await rehearsal.deploy(await withoutGrant, STACK));
    await check(server, 'role whose grant was removed', PAM, await tokenOf(server, operator));
    await checkAdmin(server, 'admin, after the update');

    timeline.step(`destroy ${STACK}`);
    afterEvent = async ({ type, status }) => {
      // The last moment to ask: the server goes with the cluster.
      if (type === 'Custom::RdsIamUser' && status === 'DELETE_COMPLETE') {
        const roles = await server.sql('SELECT FROM pg_catalog.pg_roles WHERE rolname = $1', [USERNAME]);
        list.check('PostgreSQL role, after destroy', 'gone', roles.length === 0 ? 'gone' : 'still there');
        await checkAdmin(server, 'admin, after destroy');
      }
    };
    complete(rehearsal, await rehearsal.destroy(STACK));
  } finally {
    await rehearsal.close();
  }
}

/** The token of `@aws-sdk/rds-signer`, as an application makes it. */
async function tokenOf(server: AuroraLikeServer, credentials: Credentials, username = USERNAME): Promise<SignIn> {
  const { host: hostname, port, region } = server;
  const password = await new Signer({ hostname, port, region, credentials, username }).getAuthToken();
  return { username, password, database: DATABASE };
}

/** A token of another time or for another host, which the signer of the SDK does not make. */
function tokenAt(server: AuroraLikeServer, credentials: Credentials, changes: { at?: Date; host?: string }): SignIn {
  const { host, port, region } = server;
  return {
    username: USERNAME,
    password: signToken({ host, port, region, username: USERNAME, credentials, at: new Date(), ...changes }),
    database: DATABASE,
  };
}

async function check(server: AuroraLikeServer, name: string, expected: string, login: SignIn): Promise<void> {
  const seen = server.log.length;
  const measured = await signIn(server, login);
  list.check(name, expected, measured, expected.startsWith('signed in') ? undefined : server.log[seen]);
}

async function checkAdmin(server: AuroraLikeServer, name: string): Promise<void> {
  const { username, password } = server.master;
  await check(server, name, `signed in as ${username}`, { username, password, database: DATABASE });
}

function resource(rehearsal: Rehearsal, type: string, logicalId = ''): ResourceState {
  const found = rehearsal.resources(STACK).find(state => state.type === type && state.logicalId.startsWith(logicalId));
  if (!found) {
    throw new Error(`stack ${STACK} of ${APP} has no ${type} ${logicalId}`);
  }
  return found;
}

function complete(rehearsal: Rehearsal, { status, reason }: StackResult): void {
  if (verbose || reason !== undefined) {
    timeline.logs(rehearsal.logs);
  }
  if (reason !== undefined) {
    throw new Error(`stack ${STACK} is ${status}: ${reason}`);
  }
}

main().then(() => {
  list.table();
  console.log(list.failed === 0 ? '\nAll as expected.' : `\n${list.failed} not as expected.`);
  process.exitCode = list.failed === 0 ? 0 : 1;
}, (error: Error) => {
  console.error(styleText('red', `demo: ${error.message}`));
  if (verbose) {
    console.error(error.cause ?? error);
  }
  process.exitCode = 1;
});
