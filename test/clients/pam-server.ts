import { ChildProcess } from 'node:child_process';
import { chmodSync, chownSync, copyFileSync, mkdirSync, readdirSync, writeFileSync } from 'node:fs';
import { AddressInfo, createServer } from 'node:net';
import { join } from 'node:path';
import { Client } from 'pg';
import { CertificateAuthority } from '../../rehearsal/gateway/certificate-authority';
import { Credentials, IssuedCredentials } from '../../rehearsal/iam/credentials';
import { signToken, TokenRequest } from '../../rehearsal/iam/token';
import { verifyToken } from '../../rehearsal/iam/token-verifier';
import { RunFolder, SERVER_USER } from '../../rehearsal/run-folder';
import { LoginServer } from '../rehearsal/login-cases';
import { run } from './program';

/** Where Debian has the programs of PostgreSQL 15. */
export const DEBIAN_POSTGRESQL = '/usr/lib/postgresql/15/bin';

/**
 * The module that hands a whole token over to a script (pam_exec, which is there already, hands over 511 bytes), and a
 * library that reads the service's file elsewhere than in /etc/pam.d. To be unpacked, not installed: installing the
 * first one puts it into the machine's own logins.
 */
export const PAM_PACKAGES = ['libpam-script', 'libpam-wrapper'];

const SUPERUSER = 'rdsadmin';
const SERVICE = 'rds-iam';
const REGION = 'eu-central-1';
const ENVIRONMENT = { LC_ALL: 'C', TZ: 'UTC', PATH: process.env.PATH };
const READY = 'database system is ready to accept connections';

/** Rules as on RDS; the socket is in the data folder, which is closed to others. */
const PG_HBA = `
local   all all      trust
hostssl all +rds_iam all pam pamservice=${SERVICE}
host    all +rds_iam all reject
host    all all      all scram-sha-256
`;

/**
 * Debian's PostgreSQL 15 with genuine PAM, which asks the verifier of the rehearsal. Nothing of it is outside the run's
 * folder.
 */
export class PamServer implements LoginServer {
  /**
   * @param packages folder into which PAM_PACKAGES were unpacked
   * @param mayConnect who may `rds-db:connect` as whom
   */
  static async start(
    packages: string,
    mayConnect: (principal: string, username: string) => boolean,
  ): Promise<PamServer> {
    const server = new PamServer(await CertificateAuthority.create(), await freePort(), mayConnect);
    try {
      await server.initialize();
      await server.listen(packages);
      await server.launch(packages);
      await server.sql('CREATE ROLE rds_iam NOLOGIN');
    } catch (error) {
      await server.stop();
      throw error;
    }
    return server;
  }

  readonly host = 'localhost';

  /** PEM of the certificate authority. */
  readonly caCertificate: string;

  private readonly folder = RunFolder.open().newFolder('pam');
  private readonly data = join(this.folder, 'data');
  private readonly credentials = new IssuedCredentials();
  private postgresql?: ChildProcess;

  private readonly verifier = createServer({ allowHalfOpen: true }, (socket) => {
    let request = '';
    socket.setEncoding('utf8').on('data', (text: string) => request += text);
    socket.on('error', () => undefined).on('end', () => {
      const [username, token] = request.split('\0');
      socket.end(this.accepts(username, token) ? 'accepted' : 'refused');
    });
  });

  private constructor(
    private readonly authority: CertificateAuthority,
    readonly port: number,
    private readonly mayConnect: (principal: string, username: string) => boolean,
  ) {
    this.caCertificate = authority.certificate;
  }

  issueCredentials(principal: string): Credentials {
    return this.credentials.issue(principal);
  }

  token(principal: string, username: string, overrides: Partial<TokenRequest> = {}): string {
    const credentials = overrides.credentials ?? this.issueCredentials(principal);
    return signToken({
      host: this.host,
      port: this.port,
      region: REGION,
      username,
      at: new Date(),
      ...overrides,
      credentials,
    });
  }

  /** Runs SQL as the superuser. */
  async sql(text: string): Promise<void> {
    const client = new Client({ host: this.data, port: this.port, user: SUPERUSER, database: 'postgres', ssl: false });
    await client.connect();
    await client.query(text).finally(() => client.end());
  }

  async stop(): Promise<void> {
    const { postgresql } = this;
    if (postgresql && postgresql.exitCode === null && postgresql.signalCode === null) {
      await new Promise((resolve) => {
        postgresql.once('exit', resolve);
        postgresql.kill('SIGINT');
      });
    }
    await new Promise(resolve => this.verifier.close(resolve));
    RunFolder.open().remove(this.folder);
  }

  private accepts(username: string, token: string): boolean {
    const { host, port } = this;
    try {
      return this.mayConnect(
        verifyToken(token, { hosts: [host], port, region: REGION, username, now: new Date() }, this.credentials),
        username,
      );
    } catch {
      return false;
    }
  }

  private async initialize(): Promise<void> {
    mkdirSync(this.data, { mode: 0o700 });
    this.handToServer(this.data);
    const args = ['-D', this.data, '-U', SUPERUSER, '--auth=trust', '--encoding=UTF8', '--locale=C', '--no-sync'];
    const { code, stderr } = await run(join(DEBIAN_POSTGRESQL, 'initdb'), args, { ...SERVER_USER, env: ENVIRONMENT });
    if (code !== 0) {
      throw new Error(`initdb failed: ${stderr.trim()}`);
    }
    const { cert, key } = await this.authority.issue([this.host]);
    for (const [name, text] of Object.entries({ 'pg_hba.conf': PG_HBA, 'server.crt': cert, 'server.key': key })) {
      const path = join(this.data, name);
      writeFileSync(path, text, { mode: 0o600 });
      this.handToServer(path);
    }
  }

  /** The service's file, the script that PAM runs, and the verifier that the script asks. */
  private async listen(packages: string): Promise<void> {
    const script = join(this.folder, 'pam_script_auth');
    copyFileSync(join(__dirname, 'pam_script_auth'), script);
    chmodSync(script, 0o755);
    chownSync(script, 0, 0); // the module runs no other
    mkdirSync(join(this.folder, 'pam.d'));
    const module = findFile(packages, 'pam_script.so');
    writeFileSync(
      join(this.folder, 'pam.d', SERVICE),
      `auth required ${module} dir=${this.folder} onerr=fail\naccount required pam_permit.so\n`,
    );
    const socket = join(this.folder, 'verifier');
    await new Promise<void>((resolve, reject) => this.verifier.once('error', reject).listen(socket, resolve));
    this.handToServer(socket);
  }

  private async launch(packages: string): Promise<void> {
    const settings = {
      fsync: 'off',
      dynamic_shared_memory_type: 'mmap',
      listen_addresses: '127.0.0.1',
      port: this.port,
      unix_socket_directories: this.data,
      ssl: 'on',
    };
    const args = ['-D', this.data, ...Object.entries(settings).flatMap(([name, value]) => ['-c', `${name}=${value}`])];
    const env = {
      ...ENVIRONMENT,
      LD_PRELOAD: findFile(packages, 'libpam_wrapper.so'),
      PAM_WRAPPER: '1',
      PAM_WRAPPER_SERVICE_DIR: join(this.folder, 'pam.d'),
    };
    const child = RunFolder.open().spawn(join(DEBIAN_POSTGRESQL, 'postgres'), args, 'QUIT', {
      ...SERVER_USER,
      env,
      stdio: ['ignore', 'ignore', 'pipe'],
    });
    this.postgresql = child;
    await new Promise<void>((resolve, reject) => {
      let output = '';
      child.stderr?.setEncoding('utf8').on('data', (text: string) => {
        output = (output + text).slice(-5000);
        if (output.includes(READY)) {
          resolve();
        }
      });
      child.once('error', reject).once('exit', () => reject(new Error(`PostgreSQL did not start:\n${output}`)));
    });
  }

  private handToServer(path: string): void {
    if (SERVER_USER.uid !== undefined) {
      chownSync(path, SERVER_USER.uid, SERVER_USER.gid);
    }
  }
}

function findFile(folder: string, name: string): string {
  const found = readdirSync(folder, { recursive: true, encoding: 'utf8' }).find(path => path.endsWith(`/${name}`));
  if (found === undefined) {
    throw new Error(`${name} is not in ${PAM_PACKAGES.join(' or ')}`);
  }
  return join(folder, found);
}

async function freePort(): Promise<number> {
  const server = createServer();
  await new Promise<void>((resolve, reject) => server.once('error', reject).listen(0, '127.0.0.1', resolve));
  const { port } = server.address() as AddressInfo;
  await new Promise(resolve => server.close(resolve));
  return port;
}
