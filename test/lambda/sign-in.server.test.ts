import { chownSync, writeFileSync } from 'node:fs';
import { AuroraLikeServer } from '../../rehearsal/aurora-like-server';
import { CertificateAuthority } from '../../rehearsal/gateway/certificate-authority';
import { RunFolder, SERVER_USER } from '../../rehearsal/run-folder';
import { failure, setups, signInWithToken, Stack, trust } from './stack';

const USER = { username: 'orders' };

/** How the admin signs in with its password, at the database itself. */
describe.each(setups('18, RDS-like'))('the password of the admin on PostgreSQL $name', (setup) => {
  let server: AuroraLikeServer;
  let files: string[];
  beforeAll(async () => {
    const certificateAuthority = await CertificateAuthority.create();
    const { cert, key } = await certificateAuthority.issue(['localhost']);
    files = [cert, key].map((content) => {
      const path = RunFolder.open().newPath('tls');
      writeFileSync(path, content, { mode: 0o600 });
      if (SERVER_USER.uid !== undefined) {
        chownSync(path, SERVER_USER.uid, SERVER_USER.gid);
      }
      return path;
    });
    server = await AuroraLikeServer.start({
      ...setup,
      databases: ['shop'],
      authorize: () => true,
      certificateAuthority,
      settings: { ssl: 'on', ssl_cert_file: files[0], ssl_key_file: files[1] },
    });
    trust(server.caCertificate);
  });
  afterAll(async () => {
    await server.stop();
    files.forEach(file => RunFolder.open().remove(file));
  });

  /** PostgreSQL itself, which has TLS of its own here, and so can bind SCRAM to its certificate. */
  async function directly(): Promise<Stack> {
    const [{ port }] = await server.sql<{ port: string }>('SHOW port');
    return new Stack(server, { port: Number(port) });
  }

  async function setHba(method: string): Promise<void> {
    await server.sql(
      `DO $$ BEGIN EXECUTE format('COPY (SELECT unnest(ARRAY[''local all all trust'', ''host all all 127.0.0.1/32 ${method}''])) TO %L', current_setting('hba_file')); END $$; SELECT pg_reload_conf()`,
    );
  }

  test('signs in with SCRAM, bound to the certificate of the server', async () => {
    const stack = await directly();
    await stack.create('A', USER);
    await stack.delete('A', USER);
  });

  test('is not sent in clear text, which is how RDS asks members of rds_iam: only the reason comes of it, and nothing reaches the log of the database', async () => {
    await server.setMasterWithToken(true);
    server.log.splice(0);
    expect(await failure(new Stack(server).create('A', USER))).toBe(
      `cannot sign in to localhost:${server.port} as the admin: the server asks for its password in clear text, which is not sent; `
      + 'RDS asks a member of rds_iam for a token instead, and the admin is one, itself or through a role it was granted; up to PostgreSQL 14 every user can do that with GRANT <user> TO <admin>. Use AdminCredentials.fromIam(); or sign in as the admin with a token, or as another member of rds_superuser, find that role with SELECT roleid::regrole, member::regrole FROM pg_auth_members, and REVOKE it',
    );
    expect(server.log.filter(line => line.includes('refused') || line.includes('PAM'))).toEqual([]);
    await server.setMasterWithToken(false);
    if (setup.major >= 16) {
      await new Stack(server).create('A', USER);
      await new Stack(server).delete('A', USER);
    }
  });

  test('is not sent as an MD5 hash, and the reason says to set it again: then it signs in', async () => {
    await setHba('md5');
    await server.sql(
      `SET password_encryption = 'md5'; ALTER ROLE postgres PASSWORD '${server.master.password}'; RESET password_encryption`,
    );
    expect(await failure(new Stack(server).create('A', USER))).toBe(
      `cannot sign in to localhost:${server.port} as the admin: the server asks for an MD5 hash of its password, which is not sent; `
      + 'the password is stored as such a hash: check that the parameter password_encryption is scram-sha-256, and set the password of the admin again',
    );
    await server.setMasterPassword(server.master.password);
    await new Stack(server).create('A', USER);
    await expect(signInWithToken(server, 'orders')).resolves.toBe('orders');
    await new Stack(server).delete('A', USER);
    await setHba('scram-sha-256');
  });

  test('is not used at a server that lets every client in: it does not prove to be the database', async () => {
    await setHba('trust');
    expect(await failure(new Stack(server).create('A', USER))).toBe(
      `cannot sign in to localhost:${server.port} as the admin: the server asks for no credentials, so that it does not prove to be the database; check that the endpoint is the one of the database`,
    );
    await setHba('scram-sha-256');
  });
});
