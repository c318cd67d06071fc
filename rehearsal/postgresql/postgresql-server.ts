import { ChildProcess, execFile } from 'node:child_process';
import { chownSync, readdirSync, writeFileSync } from 'node:fs';
import { AddressInfo, createServer, Socket } from 'node:net';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { Client, ClientConfig } from 'pg';
import { RunFolder, SERVER_USER } from '../run-folder';
import { binariesFolder, PostgresqlMajor } from './binaries';
import { dataFolderTemplate, ENVIRONMENT, SUPERUSER } from './data-folder-template';

const SETTINGS = {
  fsync: 'off',
  synchronous_commit: 'off',
  full_page_writes: 'off',
  wal_level: 'minimal',
  max_wal_senders: '0',
  shared_buffers: '16MB',
  dynamic_shared_memory_type: 'mmap', // lives in the data folder, so that it goes with it
  max_connections: '250',
  jit: 'off',
  huge_pages: 'off',
  password_encryption: 'scram-sha-256',
  listen_addresses: '127.0.0.1',
};

/** Passwords last as long as the server: 4,096 iterations would be half of what it takes to sign in. */
const SETTINGS_SINCE_16 = { scram_iterations: '1' };

/** What a server needs to have standbys. They replay what is flushed, so each commit is. */
export const SETTINGS_FOR_STANDBYS = { wal_level: 'replica', max_wal_senders: '10', synchronous_commit: 'local' };

/**
 * Two ways in: the unix socket for sessions the gateway has verified, TCP for passwords.
 * Only this process' user reaches the socket, for the data folder is closed to others.
 */
const PG_HBA = `
local all,replication ${SUPERUSER} trust
local rdsadmin all      reject
host  rdsadmin all all  reject
local all      all      trust
host  all      all 127.0.0.1/32 scram-sha-256
`;

const READY = /database system is ready to accept (read-only )?connections/;

/** One PostgreSQL server with a data folder of its own. */
export class PostgresqlServer {
  static async start(major: PostgresqlMajor, settings: Record<string, string> = {}): Promise<PostgresqlServer> {
    const folder = RunFolder.open().newPath(`postgresql-${major}`);
    await promisify(execFile)('cp', ['-a', await dataFolderTemplate(major), folder]);
    writeFileSync(join(folder, 'pg_hba.conf'), PG_HBA);
    const server = new PostgresqlServer(major, folder, settings);
    await server.start();
    return server;
  }

  /** A server with the data of a folder that `copyStopped` has made. */
  static async startFrom(
    major: PostgresqlMajor,
    data: string,
    settings: Record<string, string> = {},
  ): Promise<PostgresqlServer> {
    const folder = RunFolder.open().newPath(`postgresql-${major}`);
    await promisify(execFile)('cp', ['-a', data, folder]);
    const server = new PostgresqlServer(major, folder, settings);
    await server.start();
    return server;
  }

  /** A server that replays what another one writes, and is read only. */
  static async startStandby(primary: PostgresqlServer): Promise<PostgresqlServer> {
    const { major } = primary;
    const folder = RunFolder.open().newPath(`postgresql-${major}`);
    await primary.copyTo(folder);
    const standby = new PostgresqlServer(major, folder, {
      ...primary.settings,
      primary_conninfo: `host=${primary.folder} port=${primary.port} user=${SUPERUSER}`,
    });
    await standby.start();
    return standby;
  }

  /** Port for passwords, and suffix of the unix socket. */
  port = 0;

  private process?: ChildProcess;

  private readonly sessions = new Map<string, Promise<Client>>();

  private readonly turns = new Map<string, Promise<unknown>>();

  /** Names of statements that are prepared. */
  private readonly questions = new Map<string, string>();

  private constructor(
    private readonly major: PostgresqlMajor,
    /** Data folder; the unix socket is in it. */
    readonly folder: string,
    private readonly settings: Record<string, string>,
  ) {}

  async start(): Promise<void> {
    for (let attempt = 1; ; attempt++) {
      this.port = await freePort();
      const output = await this.launch();
      if (output === undefined) {
        return;
      }
      // Another process may take the port between the question and the start.
      if (!output.includes('Address already in use') || attempt === 5) {
        throw new Error(`PostgreSQL ${this.major} did not start:\n${output}`);
      }
    }
  }

  /**
   * Runs SQL as the superuser; several statements without values are possible. Each database has a session that is kept
   * open, but template1, for CREATE DATABASE copies it only while no session is in it.
   */
  async sql<Row = Record<string, unknown>>(text: string, values?: unknown[], database = 'postgres'): Promise<Row[]> {
    const purpose = `sql ${database}`;
    return this.inTurn(purpose, { database }, async (session) => {
      try {
        return (await session.query(text, values)).rows as Row[];
      } finally {
        if (database === 'template1') {
          this.sessions.delete(purpose);
          await session.end();
        }
      }
    });
  }

  /**
   * A question to the catalog that is asked again and again, as the superuser and in a session of its own. Functions of
   * users are not taken for those of PostgreSQL, and it is planned once.
   */
  async ask<Row = Record<string, unknown>>(text: string, values?: unknown[], database = 'postgres'): Promise<Row[]> {
    const name = this.questions.get(text) ?? `question ${this.questions.size + 1}`;
    this.questions.set(text, name);
    return this.inTurn(
      `ask ${database}`,
      { database, options: '-c search_path=pg_catalog' },
      async session => (await session.query({ name, text, values })).rows as Row[],
    );
  }

  /** Waits until this standby has replayed what that server has committed. */
  async catchUpWith(primary: PostgresqlServer): Promise<void> {
    const [{ position }] = await primary.ask<{ position: string }>(
      'SELECT pg_current_wal_flush_lsn()::text AS position',
    );
    const isThere = async () =>
      (await this.ask('SELECT WHERE pg_last_wal_replay_lsn() >= $1::pg_lsn', [position])).length > 0;
    for (const end = Date.now() + 10_000; !await isThere();) {
      if (Date.now() > end) {
        throw new Error(`the standby has not replayed what was written up to ${position}`);
      }
      await new Promise(resolve => setTimeout(resolve, 5));
    }
  }

  /** Its data folder as it is after a shutdown in good order. Sessions end, and the port is another one then. */
  async copyStopped(folder: string): Promise<void> {
    await this.stop('SIGINT');
    await promisify(execFile)('cp', ['-a', this.folder, folder]);
    await this.start();
  }

  /**
   * Its data folder while it runs, as the beginning of a standby.
   *
   * @see https://www.postgresql.org/docs/current/continuous-archiving.html#BACKUP-LOWLEVEL-BASE-BACKUP
   */
  private async copyTo(folder: string): Promise<void> {
    const [start, stop]
      = this.major >= 15
        ? ["pg_backup_start('standby', true)", 'pg_backup_stop(false)']
        : ["pg_start_backup('standby', true, false)", 'pg_stop_backup(false, false)'];
    await this.inTurn('backup', { database: 'postgres' }, async (session) => {
      await session.query(`SELECT ${start}`);
      await copyInUse(this.folder, folder);
      const { rows: [{ labelfile }] } = await session.query<{ labelfile: string }>(`SELECT labelfile FROM ${stop}`);
      readdirSync(folder)
        .filter(name => /^(postmaster\.|\.s\.PGSQL)/.test(name))
        .forEach(name => RunFolder.open().remove(join(folder, name)));
      for (const [name, content] of [['backup_label', labelfile], ['standby.signal', '']]) {
        writeFileSync(join(folder, name), content);
        if (SERVER_USER.uid !== undefined) {
          chownSync(join(folder, name), SERVER_USER.uid, SERVER_USER.gid);
        }
      }
    });
  }

  /** One after the other on a session. */
  private inTurn<Result>(
    purpose: string,
    config: ClientConfig,
    work: (session: Client) => Promise<Result>,
  ): Promise<Result> {
    const result = (this.turns.get(purpose) ?? Promise.resolve()).then(async () =>
      work(await this.session(purpose, config)),
    );
    this.turns.set(purpose, result.catch(() => undefined));
    return result;
  }

  private session(purpose: string, config: ClientConfig): Promise<Client> {
    const open: Promise<Client> = this.sessions.get(purpose) ?? this.openSession(config, () => {
      if (this.sessions.get(purpose) === open) {
        this.sessions.delete(purpose);
      }
    });
    this.sessions.set(purpose, open);
    return open;
  }

  private async openSession(config: ClientConfig, forget: () => void): Promise<Client> {
    const client = new Client({ host: this.folder, port: this.port, user: SUPERUSER, ssl: false, ...config });
    client.on('error', forget).on('end', forget);
    try {
      await client.connect();
    } catch (error) {
      forget();
      throw error;
    }
    return client;
  }

  /** @param signal SIGINT shuts down in good order, SIGQUIT at once */
  async stop(signal: 'SIGINT' | 'SIGQUIT'): Promise<void> {
    const { process } = this;
    const sessions = await Promise.allSettled(this.sessions.values());
    await Promise.all(
      sessions
        .filter(({ status }) => status === 'fulfilled')
        .map(session => (session as PromiseFulfilledResult<Client>).value.end()),
    );
    if (process && process.exitCode === null && process.signalCode === null) {
      process.ref();
      await new Promise<void>((resolve) => {
        process.once('exit', () => resolve());
        process.kill(signal);
      });
    }
  }

  remove(): void {
    RunFolder.open().remove(this.folder);
  }

  /** Resolves with undefined when the server is ready, with what it wrote when it ended instead. */
  private async launch(): Promise<string | undefined> {
    const settings = {
      ...SETTINGS,
      ...(this.major >= 16 ? SETTINGS_SINCE_16 : {}),
      ...this.settings,
      port: `${this.port}`,
      unix_socket_directories: this.folder,
    };
    const args = [
      '-D',
      this.folder,
      ...Object.entries(settings).flatMap(([name, value]) => ['-c', `${name}=${value}`]),
    ];
    const child = RunFolder.open().spawn(join(await binariesFolder(this.major), 'postgres'), args, 'QUIT', {
      ...SERVER_USER, env: ENVIRONMENT, stdio: ['ignore', 'ignore', 'pipe'],
    });
    this.process = child;
    return new Promise((resolve, reject) => {
      let output = '';
      child.stderr?.setEncoding('utf8').on('data', (text: string) => {
        output = (output + text).slice(-5000);
        if (READY.test(output)) {
          child.stderr?.removeAllListeners('data').resume();
          // A server that was not stopped does not keep this process running.
          child.unref();
          (child.stderr as Socket).unref();
          resolve(undefined);
        }
      });
      child.once('error', reject);
      child.once('exit', () => resolve(output));
    });
  }
}

/** Files that go or are replaced meanwhile are those that PostgreSQL makes anew; the manual says not to mind. */
async function copyInUse(from: string, to: string): Promise<void> {
  await promisify(execFile)('cp', ['-a', from, to], { env: ENVIRONMENT }).catch(
    (error: Error & { stderr?: string }) => {
      const isHarmless = (line: string) =>
        /: No such file or directory$|, as it was replaced while being copied$/.test(line);
      if (!error.stderr?.trim().split('\n').every(isHarmless)) {
        throw error;
      }
    },
  );
}

async function freePort(): Promise<number> {
  const server = createServer();
  await new Promise<void>((resolve, reject) => server.once('error', reject).listen(0, '127.0.0.1', resolve));
  const { port } = server.address() as AddressInfo;
  await new Promise(resolve => server.close(resolve));
  return port;
}
