import { execFile } from 'node:child_process';
import { resolve } from 'node:path';
import { promisify } from 'node:util';
import { AuroraLikeServer } from '../rehearsal/aurora-like-server';
import { Setup } from '../rehearsal/setups';
import { Section } from './figures';

const HANDLER = resolve(__dirname, '../assets/provisioner/index.js');
const RUNS = 5;
const STACK_ID = 'arn:aws:cloudformation:eu-central-1:123456789012:stack/bench/1';

/** The figures of the first edition, in milliseconds. */
const BEFORE = { load: 89, first: 143, warm: 83 };

/**
 * What a process does that knows nothing yet: loads the bundle, and creates one user after the other. It prints the
 * time that each step took.
 */
const SCRIPT = `
  const { handler: load, events } = JSON.parse(process.argv[1]);
  const times = [];
  const timed = async (step) => {
    const start = performance.now();
    const result = await step();
    times.push(performance.now() - start);
    return result;
  };
  (async () => {
    const { handler } = await timed(() => require(load));
    for (const event of events) {
      await timed(() => handler(event, { awsRequestId: 'bench', invokedFunctionArn: 'arn:aws:lambda:eu-central-1:123456789012:function:bench', getRemainingTimeInMillis: () => 300000 }));
    }
    console.log('times ' + JSON.stringify(times));
  })();
`;

/**
 * The bundle in a process of its own, with an admin that signs in with a token: until it is loaded, its first event,
 * and the one after it.
 */
export async function measureHandlerProcess(setup: Setup): Promise<Section> {
  const server = await AuroraLikeServer.start({ ...setup, databases: ['shop'], authorize: () => true });
  try {
    await server.setMasterWithToken(true);
    const runs: number[][] = [];
    for (let run = 0; run < RUNS; run++) {
      runs.push(await timesOf(server, run));
    }
    const [load, first, warm] = [0, 1, 2].map(
      step => runs.map(times => times[step]).sort((a, b) => a - b)[Math.floor(RUNS / 2)],
    );
    return {
      title: `the handler in a new process, medians of ${RUNS}`,
      figures: [
        { name: 'its code is loaded', value: load, unit: 'ms', before: BEFORE.load },
        { name: 'first event: one user is created', value: first, unit: 'ms', before: BEFORE.first },
        { name: 'the next one', value: warm, unit: 'ms', before: BEFORE.warm },
      ],
    };
  } finally {
    await server.stop();
  }
}

async function timesOf(server: AuroraLikeServer, run: number): Promise<number[]> {
  const { accessKeyId, secretAccessKey, sessionToken } = server.issueCredentials('provisioner');
  const events = ['First', 'Second'].map(logicalId => ({
    RequestType: 'Create',
    RequestId: 'request',
    StackId: STACK_ID,
    LogicalResourceId: `${logicalId}${run}`,
    ResourceType: 'Custom::RdsIamUser',
    ResponseURL: 'https://cloudformation-custom-resource-response-eucentral1.s3.eu-central-1.amazonaws.com/answer',
    ResourceProperties: {
      ServiceToken: 'arn:aws:lambda:eu-central-1:123456789012:function:framework',
      ServiceTimeout: '420',
      Database: { ResourceId: server.resourceId },
      Username: `${logicalId}_${run}`,
      Privileges: { shop: { Database: ['CONNECT'] } },
      OnRemoval: { Action: 'DROP_OR_DISABLE' },
    },
  }));
  const { stdout } = await promisify(execFile)(
    process.execPath,
    ['-e', SCRIPT, JSON.stringify({ handler: HANDLER, events })],
    {
      env: {
        STACK_ID,
        DATABASE_RESOURCE_ID: server.resourceId,
        DATABASE_HOST: server.host,
        DATABASE_PORT: `${server.port}`,
        DATABASE_CA_FILE: server.caFile,
        ADMIN_USERNAME: server.master.username,
        AWS_REGION: server.region,
        AWS_ACCESS_KEY_ID: accessKeyId,
        AWS_SECRET_ACCESS_KEY: secretAccessKey,
        AWS_SESSION_TOKEN: sessionToken,
      },
    },
  );
  return JSON.parse(stdout.slice(stdout.lastIndexOf('times ') + 'times '.length)) as number[];
}
