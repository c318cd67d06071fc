import { setTimeout } from 'node:timers/promises';
import { readAuthorities } from '../../lambda/provisioner/transport/postgresql/authorities';
import { overConnections } from '../../lambda/provisioner/transport/postgresql/connections';
import { Admin } from '../../lambda/provisioner/transport/credentials';
import { Clock } from '../../lambda/shared/clock';
import { AuroraLikeServer } from '../../rehearsal/aurora-like-server';
import { Certificate } from '../../rehearsal/gateway/certificate-authority';
import { fatalError, message } from '../../rehearsal/gateway/protocol';
import { RunFolder } from '../../rehearsal/run-folder';
import { writeFileSync } from 'node:fs';
import { LaxAuthority } from './certificates';
import { authentication, READY, RogueServer, Script } from './rogue-server';
import { Stack, trust } from './stack';

const PASSWORD = 'hunter2-the-password';
const TOKEN = 'hunter2-the-token';
const WITH: { readonly [way: string]: Admin } = {
  password: { username: 'chief', password: PASSWORD },
  token: { username: 'chief', password: () => Promise.resolve(TOKEN) },
};

/** A minute passes in a tenth of a second. */
const IMPATIENT: Clock = { now: () => performance.now() * 600, sleep: ms => setTimeout(ms / 600) };

describe('a server that is not the database', () => {
  let authority: LaxAuthority;
  let good: Certificate;
  let caFile: string;
  const rogues: RogueServer[] = [];
  beforeAll(async () => {
    authority = await LaxAuthority.create();
    good = await authority.issue({ altNames: ['localhost'] });
    caFile = `${RunFolder.open().newPath('ca')}.pem`;
    writeFileSync(caFile, authority.certificate);
  });
  afterAll(async () => {
    RunFolder.open().remove(caFile);
    await Promise.all(rogues.map(rogue => rogue.close()));
  });

  async function rogue(script: Script, certificate = good): Promise<RogueServer> {
    const server = await RogueServer.start(certificate, script);
    rogues.push(server);
    return server;
  }

  /**
   * What a Create that signs in there ends in; neither reason nor log nor cause says a word of the server or of the
   * admin's.
   */
  async function reasonAt({ port }: RogueServer, admin: Admin, host = 'localhost'): Promise<string> {
    const transport = overConnections({
      host,
      port,
      authorities: readAuthorities(caFile),
      readAdmin: () => Promise.resolve(admin),
    });
    const stack = new Stack({ host, port, resourceId: 'cluster-X' } as AuroraLikeServer, {
      transport,
      clock: IMPATIENT,
    });
    const error = await stack.create('A', { username: 'orders' }).then(() => undefined, (problem: Error) => problem);
    expect(error?.cause).toBeUndefined();
    expect(`${JSON.stringify(stack.log)} ${error?.stack}`).not.toContain('hunter2');
    return error?.message.replace(`${host}:${port}`, '<database>') ?? 'no error';
  }

  const MEMBER
    = 'RDS asks a member of rds_iam for a token instead, and the admin is one, itself or through a role it was granted; up to PostgreSQL 14 every user can do that with GRANT <user> TO <admin>. Use AdminCredentials.fromIam(); or sign in as the admin with a token, or as another member of rds_superuser, find that role with SELECT roleid::regrole, member::regrole FROM pg_auth_members, and REVOKE it';
  const NOT_PASSWORD
    = 'cannot sign in to <database> as the admin: the server asks for its password, and it has a token; check that the admin exists exactly as spelled, that it is a member of rds_iam, and that IAM authentication is enabled';
  const NOTHING
    = 'cannot sign in to <database> as the admin: the server asks for no credentials, so that it does not prove to be the database; check that the endpoint is the one of the database';
  const protocol = (detail: string) =>
    `cannot connect to <database>: the server does not speak the protocol of PostgreSQL (the server sent ${detail}); check that host and port are those of the database`;
  const OUT_OF_ORDER = protocol('a message that is out of order');
  const UNREADABLE = protocol('a message that cannot be read');
  const NO_PROOF
    = 'cannot connect to <database>: the server does not prove that it knows the password of the admin (SASL); '
      + 'check that nothing stands between the provisioner and the database, and that the database signs its admin in with SCRAM-SHA-256';

  const CLEAR_TEXT = authentication(3);
  const MD5 = authentication(5, 'salt');
  const SASL = authentication(10, 'SCRAM-SHA-256\0\0');
  const OK = authentication(0);
  /** Continues SCRAM with the nonce of the client. */
  const challenge = (heard: Buffer) =>
    authentication(11, `r=${/r=([^,]+)/.exec(heard.toString('latin1'))![1]}more,s=c2FsdA==,i=4096`);
  const SIGNED_IN = Buffer.concat([OK, READY]);

  describe('gets neither password nor token', () => {
    test.each<[string, Script, { password: string; token: string }]>([
      ['a password in clear text, which is how a token is asked for',
        [CLEAR_TEXT, message('E', Buffer.from('C28P01\0Mhunter2\0\0'))],
        {
          password: `cannot sign in to <database> as the admin: the server asks for its password in clear text, which is not sent; ${MEMBER}`,
          token: 'sent',
        }],
      ['an MD5 hash', [MD5], {
        password:
          'cannot sign in to <database> as the admin: the server asks for an MD5 hash of its password, which is not sent; '
          + 'the password is stored as such a hash: check that the parameter password_encryption is scram-sha-256, and set the password of the admin again',
        token: NOT_PASSWORD,
      }],
      ['SCRAM, and proves nothing', [SASL, challenge, authentication(12, 'v=AAAA')],
        { password: NO_PROOF, token: NOT_PASSWORD }],
      ['SCRAM, and signs in without a proof', [SASL, challenge, SIGNED_IN],
        { password: OUT_OF_ORDER, token: NOT_PASSWORD }],
      ['SCRAM, and signs in at once', [SASL, SIGNED_IN], { password: OUT_OF_ORDER, token: NOT_PASSWORD }],
      ['SCRAM, and then for clear text', [SASL, CLEAR_TEXT], { password: OUT_OF_ORDER, token: NOT_PASSWORD }],
      ['SCRAM, and then for an MD5 hash', [SASL, challenge, MD5], { password: OUT_OF_ORDER, token: NOT_PASSWORD }],
      ['SCRAM and clear text at the same time', [Buffer.concat([SASL, CLEAR_TEXT])],
        { password: OUT_OF_ORDER, token: NOT_PASSWORD }],
      ['SCRAM with an error of its own', [SASL, challenge, authentication(12, 'e=hunter2')],
        { password: NO_PROOF, token: NOT_PASSWORD }],
      ['SCRAM with a nonce of its own', [SASL, authentication(11, 'r=hunter2,s=c2FsdA==,i=4096')],
        { password: NO_PROOF, token: NOT_PASSWORD }],
      ['SCRAM with a million rounds',
        [SASL, heard => authentication(11, challenge(heard).subarray(9).toString().replace('4096', '999999999'))],
        { password: NO_PROOF, token: NOT_PASSWORD }],
      ['another mechanism', [authentication(10, 'HUNTER2-hunter2\0\0')], { password: NO_PROOF, token: NOT_PASSWORD }],
      ['nothing', [SIGNED_IN], { password: NOTHING, token: NOTHING }],
      ['a password in clear text, in a message of another length', [authentication(3, 'more')],
        { password: NOTHING, token: NOTHING }],
      ['nothing, and is ready', [READY], { password: OUT_OF_ORDER, token: OUT_OF_ORDER }],
      ['a password of an unknown kind', [authentication(99)], { password: UNREADABLE, token: UNREADABLE }],
      ['Kerberos', [authentication(7)], { password: UNREADABLE, token: UNREADABLE }],
    ])('when it asks for %s', async (_, script, reasons) => {
      for (const way of ['password', 'token'] as const) {
        const server = await rogue(script);
        const reason = await reasonAt(server, WITH[way]);
        expect(server.heard).not.toContain(PASSWORD);
        if (reasons[way] === 'sent') {
          expect(server.heard).toContain(TOKEN);
        } else {
          expect(reason).toBe(reasons[way]);
          expect(server.heard).not.toContain(TOKEN);
        }
      }
    });

    test('when it asks twice for the token: it has been answered once', async () => {
      const server = await rogue([CLEAR_TEXT, CLEAR_TEXT]);
      expect(await reasonAt(server, WITH.token)).toBe(OUT_OF_ORDER);
      expect(server.heard.split(TOKEN)).toHaveLength(2);
    });

    test('when it could bind SCRAM to the certificate: that is what is asked for', async () => {
      const server = await rogue([
        authentication(10, 'SCRAM-SHA-256-PLUS\0SCRAM-SHA-256\0\0'),
        fatalError('28P01', 'x'),
      ]);
      await reasonAt(server, WITH.password);
      expect(server.heard).toContain('SCRAM-SHA-256-PLUS\0');
    });
  });

  describe('before the sign-in, has no word in the reason', () => {
    const error = (state: string | undefined, text: string) =>
      message('E', Buffer.from(`SFATAL\0${state === undefined ? '' : `C${state}\0`}M${text}\0Dhunter2\0Hhunter2\0\0`));
    const said = (words: string, state: string, remedy: string) =>
      `cannot sign in to <database> as the admin: ${words} (SQLSTATE ${state}); ${remedy}`;
    const LOG = 'the log of the database says why';

    test.each<[string, string | undefined, string, string]>([
      ['a password that is wrong', '28P01', 'hunter2',
        said(
          'password authentication failed', '28P01',
          "the password in the admin's secret is not the one of the database: rotate the secret, or set the admin's password to the secret's",
        )],
      ['PAM', '28000', 'PAM hunter2', said('PAM authentication failed', '28000', MEMBER)],
      ['pg_hba.conf', '28000', 'hunter2',
        said(
          'pg_hba.conf rejects the connection', '28000',
          'check that the admin may log in (ALTER ROLE ... LOGIN), and that the server lets it in over TLS',
        )],
      ['a start', '57P03', 'hunter2',
        said('the database system is starting up or shutting down', '57P03', 'check that the database is available')],
      ['connections', '53300', 'hunter2',
        said('too many connections', '53300', 'free a connection, or raise max_connections')],
      ['something of its own', 'ZZZZZ', 'hunter2', said('the server refused the connection', 'ZZZZZ', LOG)],
      ['a SQLSTATE that is too long', 'hunter2', 'hunter2', said('the server refused the connection', 'unknown', LOG)],
      ['a SQLSTATE in lower case', 'hunte', 'hunter2', said('the server refused the connection', 'unknown', LOG)],
    ])('when it speaks of %s', async (_, state, text, reason) => {
      expect(await reasonAt(await rogue([error(state, text)]), WITH.password)).toBe(reason);
    });

    test('when it gives no SQLSTATE', async () => {
      expect(await reasonAt(await rogue([error(undefined, 'hunter2')]), WITH.password)).toMatch(
        /^cannot connect to <database>: the server does not speak the protocol of PostgreSQL \(/,
      );
    });

    test('when it sends notices first', async () => {
      expect(
        await reasonAt(
          await rogue([Buffer.concat([message('N', Buffer.from('C01000\0Mhunter2\0\0')), error('ZZZZZ', 'hunter2')])]),
          WITH.password,
        ),
      ).toBe(said('the server refused the connection', 'ZZZZZ', LOG));
    });

    test.each<[string, Buffer, string]>([
      ['has no end', message('E', Buffer.from('C28P01\0Mhunter2')), 'an error or notice without an end'],
      ['is empty', message('E', Buffer.alloc(0)), 'an error or notice without an end'],
      ['is a notice without an end', message('N', Buffer.from('Mhunter2\0')), 'an error or notice without an end'],
      ['is longer than any', Buffer.concat([Buffer.from('E'), Buffer.from([0, 0, 0x75, 0x30])]),
        'a message of 30001 bytes'],
      ['says that it has no length', Buffer.from([0x45, 0, 0, 0, 3]), 'a message of 4 bytes'],
      ['says that it is of gigabytes', Buffer.from([0x52, 0xff, 0xff, 0xff, 0xff]), 'a message of 4294967296 bytes'],
      ['is of no kind', message('?', Buffer.from('hunter2')), 'a message that cannot be read'],
    ])('when a message %s', async (_, sent, detail) => {
      expect(await reasonAt(await rogue([sent]), WITH.password)).toBe(protocol(detail));
    });

    test('when it is no server at all', async () => {
      expect(await reasonAt(await rogue([Buffer.from('HTTP/1.1 400 hunter2\r\n\r\n')]), WITH.password)).toBe(
        protocol('a message of 1414811696 bytes'),
      );
    });
  });

  describe('is not spoken to', () => {
    const cannotConnect = (problem: string) => `cannot connect to <database>: ${problem}`;
    const NOT_TRUSTED
      = "the server's certificate is not trusted (<code>); check that it has not expired, and that its certificate authority is in the file that the environment variable DATABASE_CA_FILE of the provisioner names; otherwise pass caCertificates with one that has it";
    const OTHER_HOST
      = "the server's certificate is for another host (ERR_TLS_CERT_ALTNAME_INVALID); connect to the database's own endpoint, not to an alias";
    const DAY = 24 * 60 * 60 * 1000;
    const days = (from: number, to: number) => ({
      from: new Date(Date.now() + from * DAY),
      to: new Date(Date.now() + to * DAY),
    });

    test.each<[string, () => Promise<Certificate>, string, string]>([
      ['for another host', () => authority.issue({ altNames: ['other.example.com'] }), OTHER_HOST, 'localhost'],
      ['for another host, with the name of this one as the common name',
        () => authority.issue({ commonName: 'localhost', altNames: ['other.example.com'] }), OTHER_HOST, 'localhost'],
      ['with its name as the common name alone', () => authority.issue({ commonName: 'localhost' }), OTHER_HOST,
        'localhost'],
      ['with its name as the common name beside an address',
        () => authority.issue({ commonName: 'localhost', altNames: ['127.0.0.1'] }), OTHER_HOST, 'localhost'],
      ['with an address as the common name alone', () => authority.issue({ commonName: '127.0.0.1' }), OTHER_HOST,
        '127.0.0.1'],
      ['of a client', () => authority.issue({ altNames: ['localhost'], purpose: 'client' }),
        NOT_TRUSTED.replace('<code>', 'INVALID_PURPOSE'), 'localhost'],
      ['that has expired', () => authority.issue({ altNames: ['localhost'], validity: days(-3, -1) }),
        NOT_TRUSTED.replace('<code>', 'CERT_HAS_EXPIRED'), 'localhost'],
      ['that is not valid yet', () => authority.issue({ altNames: ['localhost'], validity: days(1, 3) }),
        NOT_TRUSTED.replace('<code>', 'CERT_NOT_YET_VALID'), 'localhost'],
    ])('with a certificate %s', async (_, certificate, problem, host) => {
      const server = await rogue([SIGNED_IN], await certificate());
      expect(await reasonAt(server, WITH.password, host)).toBe(cannotConnect(problem));
      expect(server.heard).toBe('');
    });

    test('with a certificate of an authority that Node.js trusts and the file does not have', async () => {
      const publicAuthority = await LaxAuthority.create('Public');
      trust(publicAuthority.certificate);
      const server = await rogue([SIGNED_IN], await publicAuthority.issue({ altNames: ['localhost'] }));
      expect(await reasonAt(server, WITH.password)).toMatch(
        /^cannot connect to <database>: the server's certificate is not trusted \(UNABLE_TO_\w+\); /,
      );
      expect(server.heard).toBe('');
    });

    test('but is, by its address, if that is among the names of the certificate', async () => {
      const server = await rogue([SIGNED_IN], await authority.issue({ altNames: ['127.0.0.1'] }));
      expect(await reasonAt(server, WITH.password, '127.0.0.1')).toBe(NOTHING);
    });
  });
});
