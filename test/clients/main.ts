/**
 * `npm run test:clients`: the template of app.ts is rehearsed, and real clients sign in as the user it declares.
 * `npm run test:clients -- psql jdbc` runs those alone; `--no-install` leaves the machine's packages as they are. The
 * recipes of examples/clients are executed as well; a recipe takes half a minute, and what it needs from the registry
 * is installed into a folder that goes with the run.
 */
import { tmpdir } from 'node:os';
import { styleText } from 'node:util';
import { CheckList } from '../../rehearsal/check-list';
import { synthesize } from '../../rehearsal/cloudformation/synthesize';
import { ResourceState } from '../../rehearsal/cloudformation/template';
import { Rehearsal } from '../../rehearsal/rehearsal';
import { execute } from '../../rehearsal/sign-in';
import { Timeline } from '../../rehearsal/timeline';
import { Client, DATABASE } from './client';
import { install } from './debian';
import { jdbc } from './jdbc';
import { Loopback } from './loopback';
import { pam } from './pam';
import { pool } from './pool';
import { psql } from './psql';
import { psycopg2 } from './psycopg2';
import { RECIPES, runRecipe } from './recipes';

const APP = 'test/clients/app.ts';
const STACK = 'Clients';
const CLIENTS = [psql, psycopg2, pool, jdbc, pam];

// Programs are run from the run's folder, which memory (/dev/shm) need not allow.
process.env.TMPDIR ??= tmpdir();

const list = new CheckList(console.log);
const timeline = new Timeline(console.log);
const notes: string[] = [];

async function main(): Promise<void> {
  timeline.step('look for the clients');
  const clients: Client[] = [];
  const names = selected();
  for (const client of CLIENTS.filter(({ name }) => names.includes(name))) {
    const found = await prepare(client);
    notes.push(`${found.skipped ? 'skipped  ' : 'ran      '} ${client.name}: ${found.text}`);
    if (!found.skipped) {
      clients.push(client);
    }
  }
  if (clients.length > 0) {
    await signInWith(clients);
  }
  for (const recipe of RECIPES.filter(({ name }) => names.includes(name))) {
    timeline.step(`examples/clients/${recipe.name}`);
    const { skipped, text, findings } = await runRecipe(recipe, !process.argv.includes('--no-install'));
    notes.push(`${skipped ? 'skipped  ' : 'ran      '} ${recipe.name}: ${text}`);
    findings.forEach(({ check, expected, measured }) => list.match(`${recipe.name}: ${check}`, expected, measured));
  }
  if (notes.every(note => note.startsWith('skipped'))) {
    throw new Error(`nothing was run: ${notes.map(note => note.replace(/^skipped +/, '')).join('; ')}`);
  }
}

async function signInWith(clients: Client[]): Promise<void> {
  const rehearsal = await Rehearsal.start();
  try {
    await signIn(rehearsal, clients);
  } finally {
    await rehearsal.close();
  }
}

/** Names of clients and recipes. */
function selected(): string[] {
  const names = process.argv.slice(2).filter(argument => !argument.startsWith('--'));
  const known = [...CLIENTS, ...RECIPES].map(({ name }) => name);
  const unknown = names.find(name => !known.includes(name));
  if (unknown !== undefined) {
    throw new Error(`there is no client ${unknown}, only ${known.join(', ')}`);
  }
  return names.length === 0 ? known : names;
}

/** Versions of a client, or why it is skipped. What is missing is installed if that is wanted. */
async function prepare(client: Client): Promise<{ skipped: boolean; text: string }> {
  const { packages } = client;
  const missing = await look(client);
  if (!missing.skipped || packages.length === 0) {
    return missing;
  }
  const names = packages.join(' ');
  timeline.step(`${client.name}: ${missing.text}; install ${names}`);
  const hindrance = process.argv.includes('--no-install') ? '--no-install was given' : await install(packages);
  return hindrance === undefined
    ? look(client)
    : { skipped: true, text: `${missing.text}; ${names} not installed: ${hindrance}` };
}

async function look(client: Client): Promise<{ skipped: boolean; text: string }> {
  try {
    return { skipped: false, text: await client.find() };
  } catch (error) {
    return { skipped: true, text: (error as Error).message };
  }
}

async function signIn(rehearsal: Rehearsal, clients: Client[]): Promise<void> {
  timeline.step(`deploy ${APP}: a PostgreSQL server set up like Aurora, then the handler for its custom resources`);
  const { reason, outputs } = await rehearsal.deploy(await synthesize(APP), STACK);
  if (reason !== undefined) {
    throw new Error(`stack ${STACK} failed: ${reason}`);
  }
  const find = (type: string, logicalId = '') =>
    rehearsal
      .resources(STACK)
      .find(resource => resource.type === type && resource.logicalId.startsWith(logicalId)) as ResourceState;
  const credentialsOf = (role: string) => rehearsal.credentialsOf(find('AWS::IAM::Role', role));
  const server = rehearsal.database(find('AWS::RDS::DBCluster'));
  const password = server.token('', 'migrator', { credentials: credentialsOf('Migrator') });
  await execute(
    server,
    { username: 'migrator', password, database: DATABASE },
    "CREATE TABLE orders AS SELECT 'tea' AS item",
  );

  const loopback = await Loopback.open(server.port, server.gatewayPort);
  try {
    timeline.step(`sign in at ${server.host}:${server.port}, which is ${loopback.address} here`);
    for (const client of clients) {
      timeline.step(client.name);
      await client.check({
        server,
        address: loopback.address,
        connectCommand: outputs.Connect,
        operator: () => credentialsOf('Operator'),
        visitor: () => credentialsOf('Visitor'),
        report: (check, expected, measured) => list.check(check, expected, measured),
      });
    }
  } finally {
    await loopback.close();
  }
}

main().then(() => {
  list.table();
  console.log(`\n${notes.join('\n')}`);
  console.log(list.failed === 0 ? '\nAll as expected.' : `\n${list.failed} not as expected.`);
  process.exitCode = list.failed === 0 ? 0 : 1;
}, (error: Error) => {
  console.error(styleText('red', `test:clients: ${error.message}`));
  process.exitCode = 1;
});
