import { cpSync, mkdirSync, readFileSync, symlinkSync, writeFileSync } from 'node:fs';
import { basename, dirname, join, resolve } from 'node:path';
import { setTimeout } from 'node:timers/promises';
import { AuroraLikeServer } from '../../rehearsal/aurora-like-server';
import { CertificateAuthority } from '../../rehearsal/gateway/certificate-authority';
import { credentialsFile } from '../../rehearsal/local/aws-files';
import { environmentOfCommand } from '../../rehearsal/local/client-environment';
import { LocalDatabase } from '../../rehearsal/local/local-database';
import { RunFolder } from '../../rehearsal/run-folder';
import { Loopback } from './loopback';
import { RecipeProgram } from './recipe-program';

const ROOT = resolve(__dirname, '../..');

/** Tokens are accepted for this long, and reused for that. In between there is room for a slow machine. */
const TOKEN_SECONDS = 5;
const REUSE_SECONDS = 2;

/** Connections are older than they may be at each question. */
const CONNECTION_SECONDS = 0.5;
const PAUSE_MILLISECONDS = 700;

const MAX_TRIES = 100;

/** As TLS libraries say that a certificate has other names. */
const WRONG_HOST
  = /^error: .*(does not match|not in the cert|(not )?valid for .*127|could not be verified by hostnameverifier)/i;

export const USERNAME = 'orders';
const WHO = 'SELECT current_user';

/** What was checked of a recipe. */
export interface Finding {
  readonly check: string;
  readonly expected: RegExp;
  readonly measured: string;
}

/** A copy of a recipe, which is run by itself. */
export interface Recipe {
  readonly name: string;
  /** With examples/, and node_modules/ for Node.js. */
  readonly folder: string;
  /** Runs its program. */
  readonly command: string[];
  /** Whether its pool keeps connections for longer than a test takes: the server ends them in its place. */
  readonly keepsConnections?: boolean;
}

/** A database whose tokens are short, for one recipe at a time. */
export function startDatabase(source: string): Promise<LocalDatabase> {
  return LocalDatabase.start({
    source, stacks: [], context: {}, given: { parameters: {}, exports: {}, ssm: {}, policies: {}, majors: [] }, sql: [],
    user: USERNAME, tokenLifetimeSeconds: TOKEN_SECONDS, verbose: false,
  }, () => undefined);
}

/** What recipes of a language have in common. */
export interface Language {
  readonly recipe: string;
  /** Files that are copied as well. */
  readonly shared: string[];
  /** Whether all files are in one folder, in which they are compiled. */
  readonly isCompiled?: boolean;
  /** The line that makes the token function, and one in its place whose function always gives the first token. */
  readonly token: RegExp;
  readonly constant: string;
}

const NODEJS: Language = {
  recipe: 'recipe.mjs',
  shared: ['examples/reused-token.ts', 'examples/clients/program.mjs'],
  token: /^const token = (reusedToken\(.*\));$/m,
  constant: 'const constant = $1();\nconst token = () => constant;',
};

const PYTHON: Language = {
  recipe: 'recipe.py',
  shared: ['examples/reused_token.py', 'examples/clients/program.py'],
  token: /^token = (reused_token\(.*\))$/m,
  constant: 'constant = $1()\ntoken = lambda: constant',
};

/**
 * A copy of a recipe for Node.js, which is run by itself.
 *
 * @param modules folder with the packages that it imports
 */
export function copyForNode(name: string, modules: string, signsOnce = false): Recipe {
  const folder = copyOf(name, NODEJS, signsOnce);
  symlinkSync(modules, join(folder, 'node_modules'));
  return {
    name,
    folder,
    command: [process.execPath, '--import', require.resolve('tsx'), 'examples/clients/program.mjs', name],
  };
}

/** @param python an interpreter with the packages that it imports */
export function copyForPython(name: string, python: string, signsOnce = false): Recipe {
  return { name, folder: copyOf(name, PYTHON, signsOnce), command: [python, 'examples/clients/program.py', name] };
}

/** @param signsOnce whether its token function always gives the first token */
export function copyOf(
  name: string,
  { recipe, shared, isCompiled, token, constant }: Language,
  signsOnce: boolean,
): string {
  const folder = RunFolder.open().newFolder(`recipe-${name}`);
  const place = (path: string) =>
    isCompiled ? join(folder, path === `examples/clients/${name}` ? '' : basename(path)) : join(folder, path);
  mkdirSync(dirname(place('examples/clients')), { recursive: true });
  for (const path of [...shared, `examples/clients/${name}`]) {
    cpSync(join(ROOT, path), place(path), { recursive: true });
  }
  if (signsOnce) {
    const file = join(place(`examples/clients/${name}`), recipe);
    const source = readFileSync(file, 'utf8');
    const changed = source.replace(token, constant);
    if (changed === source) {
      throw new Error(`${name}/${recipe} has no line that makes a token function as the others do`);
    }
    writeFileSync(file, changed);
  }
  return folder;
}

/** Ways to sign in that a recipe must fail in. */
export async function checkRefusals(recipe: Recipe, database: LocalDatabase): Promise<Finding[]> {
  const { credentials, gatewayPort } = serverOf(database);
  const { AWS_PROFILE: profile } = database.environment;
  const ask = async (changes: Record<string, string>) => {
    const program = start(recipe, database, changes);
    const answer = await program.ask(WHO);
    await program.end();
    return answer;
  };
  const ca = database.write('other-ca.pem', (await CertificateAuthority.create('Another one')).certificate);
  const expired = credentials.issue(
    credentials.find(accessKeyId(database, profile))!.principal,
    new Date(Date.now() - 1000),
  );
  const file = database.write('expired', credentialsFile([{ name: profile, credentials: expired }]));
  const loopback = await Loopback.open(gatewayPort, gatewayPort);
  try {
    return [
      {
        check: 'an authority that is not trusted',
        expected: /^error: .*certificat/i,
        measured: await ask({ PGSSLROOTCERT: ca, NODE_EXTRA_CA_CERTS: ca }),
      },
      {
        check: 'a host that is not in the certificate',
        expected: WRONG_HOST,
        measured: await ask({ PGHOST: loopback.address }),
      },
      {
        check: 'a user that the role may not sign in as',
        expected: /^error: .*PAM authentication failed for user .{0,2}ada/,
        measured: await ask({ PGUSER: 'ada' }),
      },
      {
        check: 'credentials that have expired',
        expected: /^error: .*PAM authentication failed for user .{0,2}orders/,
        measured: await ask({ AWS_SHARED_CREDENTIALS_FILE: file }),
      },
    ];
  } finally {
    await loopback.close();
  }
}

/** What a pool must stand while tokens get old. */
export async function checkRenewal(recipe: Recipe, database: LocalDatabase): Promise<Finding[]> {
  const server = serverOf(database);
  const signIns: { readonly token: string; readonly at: number }[] = [];
  server.onToken = (_username, token) => signIns.push({ token, at: Date.now() });
  const program = start(recipe, database);
  try {
    const first = await program.ask(WHO);
    const lives = await livesFor(
      3 * TOKEN_SECONDS,
      program,
      recipe.keepsConnections ? () => endSessions(server) : undefined,
    );
    const times = new Map<string, number[]>();
    signIns.forEach(({ token, at }) => times.set(token, [...times.get(token) ?? [], at]));
    const isReused = [...times.values()].some(each => each.at(-1)! - each[0] > 1000);
    const connections = signIns.length;
    await server.restart({ downMilliseconds: 300 });
    return [
      { check: 'the first connection', expected: /^orders$/, measured: first },
      { check: 'a pool for three lifetimes of a token', expected: /^no error$/, measured: lives },
      { check: 'tokens are renewed', expected: /^at least 3$/,
        measured: times.size >= 3 ? 'at least 3' : `${times.size}` },
      { check: 'tokens are reused', expected: /^yes$/,
        measured: isReused ? 'yes' : `${times.size} tokens for ${connections} connections` },
      { check: 'connections are recycled', expected: /^at least 5$/,
        measured: connections >= 5 ? 'at least 5' : `${connections}` },
      { check: 'a restart of the server', expected: /^orders$/, measured: await untilAnswered(program) },
    ];
  } finally {
    await program.end();
    server.onToken = () => undefined;
  }
}

/** The checks that a recipe must fail which signs once. */
export const OF_RENEWAL = ['a pool for three lifetimes of a token', 'tokens are renewed', 'a restart of the server'];

function start(
  { folder, command }: Recipe,
  { environment }: LocalDatabase,
  changes: Record<string, string> = {},
): RecipeProgram {
  const settings = { TOKEN_REUSE_SECONDS: `${REUSE_SECONDS}`, CONNECTION_SECONDS: `${CONNECTION_SECONDS}` };
  return new RecipeProgram(
    folder,
    command,
    environmentOfCommand(process.env, { ...environment, ...settings, ...changes }),
  );
}

function serverOf({ endpoint: { target } }: LocalDatabase): AuroraLikeServer {
  return target as AuroraLikeServer;
}

/** @param between called before each question */
async function livesFor(seconds: number, program: RecipeProgram, between?: () => Promise<void>): Promise<string> {
  for (const end = Date.now() + seconds * 1000; Date.now() < end;) {
    await between?.();
    await setTimeout(PAUSE_MILLISECONDS);
    const answer = await program.ask(WHO);
    if (answer !== USERNAME) {
      return answer;
    }
  }
  return 'no error';
}

async function endSessions(server: AuroraLikeServer): Promise<void> {
  await server.sql('SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE usename = $1', [USERNAME]);
}

/** The first answers after a restart may be errors. */
async function untilAnswered(program: RecipeProgram): Promise<string> {
  let answer = '';
  for (let tries = 0; tries < MAX_TRIES && answer !== USERNAME && !answer.includes('PAM'); tries++) {
    answer = await program.ask(WHO);
    await setTimeout(100);
  }
  return answer;
}

function accessKeyId({ environment }: LocalDatabase, profile: string): string {
  const text = readFileSync(environment.AWS_SHARED_CREDENTIALS_FILE, 'utf8');
  return /aws_access_key_id = (\S+)/.exec(text.slice(text.indexOf(`[${profile}]`)))![1];
}

/** Of this repository. */
export const OWN_MODULES = join(dirname(require.resolve('pg/package.json')), '..');
