import { readFileSync } from 'node:fs';
import { Socket } from 'node:net';
import { checkServerIdentity, connect, DetailedPeerCertificate, rootCertificates, TLSSocket } from 'node:tls';
import { CONNECT_TIMEOUT_MS } from './network';
import { Client, Seen, TlsFacts } from '../observations';
import { Network } from '../world';

/** https://www.postgresql.org/docs/current/protocol-message-formats.html: SSLRequest */
const SSL_REQUEST = Buffer.from([0, 0, 0, 8, 0x04, 0xd2, 0x16, 0x2f]);

export interface Authorities {
  readonly ca: readonly string[];
  /** What they are called; undefined if the client has named none. */
  readonly name?: string;
  /** Why the file that it has named cannot be used. */
  readonly problem?: string;
}

/** Those that the client trusts: a file of its own takes the place of those of Node.js. */
export function authoritiesOf({ caFile }: Pick<Client, 'caFile'>, extraFile?: string): Authorities {
  if (caFile === 'system') {
    return { ca: rootCertificates, name: 'the list of Node.js' };
  }
  const extra = extraFile === undefined ? { ca: [] } : certificatesOf(extraFile);
  if (caFile === undefined) {
    return {
      ca: [...rootCertificates, ...extra.ca],
      name: extra.ca.length > 0 ? `NODE_EXTRA_CA_CERTS (${extraFile})` : undefined,
    };
  }
  return { ...certificatesOf(caFile), name: `PGSSLROOTCERT (${caFile})` };
}

function certificatesOf(file: string): Pick<Authorities, 'ca' | 'problem'> {
  try {
    const ca = readFileSync(file, 'utf8').match(/-----BEGIN CERTIFICATE-----.+?-----END CERTIFICATE-----/gs) ?? [];
    return ca.length === 0 ? { ca, problem: 'there is no certificate in the file' } : { ca };
  } catch (error) {
    return {
      ca: [],
      problem: (error as NodeJS.ErrnoException).code === 'ENOENT' ? 'there is no such file' : 'the file cannot be read',
    };
  }
}

/** Goes as far as a client does before it says who it is, and whatever the certificate is. */
export async function tryTls(
  network: Network,
  { host, port }: Client,
  authorities: Authorities,
): Promise<Seen<TlsFacts>> {
  const its = { authorities: authorities.name, caFileProblem: authorities.problem };
  const socket = network.socket();
  try {
    if (!(await offersTls(socket, host, port))) {
      return { value: { ...its, offered: false } };
    }
    const secure = connect({
      socket,
      servername: host,
      ca: [...authorities.ca],
      rejectUnauthorized: false,
      ALPNProtocols: ['postgresql'],
    });
    await settled(secure, 'secureConnect');
    const certificate = secure.getPeerCertificate(true);
    return {
      value: {
        ...its,
        offered: true,
        distrusted: secure.authorized || isAboutName(secure) ? undefined : String(secure.authorizationError),
        namesHost: checkServerIdentity(host, certificate) === undefined,
        certificateNames: namesIn(certificate),
        issuer: issuerOf(certificate),
      },
    };
  } catch (error) {
    return {
      unseen: `the connection ended before TLS was there (${(error as NodeJS.ErrnoException).code ?? 'an error'})`,
    };
  } finally {
    socket.destroy();
  }
}

async function offersTls(socket: Socket, host: string, port: number): Promise<boolean> {
  socket.connect(port, host);
  await settled(socket, 'connect');
  socket.write(SSL_REQUEST);
  const [answer] = (await settled(socket, 'data')) as Buffer[];
  socket.pause(); // what comes next is TLS
  return answer?.toString('latin1', 0, 1) === 'S';
}

/** What an event comes with; rejects when the connection ends before. */
async function settled(socket: Socket, event: string): Promise<unknown[]> {
  return new Promise((resolve, reject) => {
    socket.setTimeout(CONNECT_TIMEOUT_MS, () => reject(Object.assign(new Error('no answer'), { code: 'ETIMEDOUT' })));
    socket.once('error', reject);
    socket.once('close', () => reject(Object.assign(new Error('closed'), { code: 'ECONNRESET' })));
    socket.once(event, (...args: unknown[]) => resolve(args));
  });
}

/** The chain is good then: Node.js looks at the name after it. */
function isAboutName({ authorizationError }: TLSSocket): boolean {
  return (
    (authorizationError as unknown as { code?: string } | undefined)?.code === 'ERR_TLS_CERT_ALTNAME_INVALID'
    || String(authorizationError).includes('ERR_TLS_CERT_ALTNAME_INVALID')
  );
}

function namesIn({ subjectaltname = '', subject }: DetailedPeerCertificate): string[] {
  const names = subjectaltname
    .split(', ')
    .filter(name => name.startsWith('DNS:'))
    .map(name => name.slice(4));
  return names.length > 0 ? names : [String(subject?.CN ?? 'no name')];
}

/** Of the last certificate that the server has sent, whose issuer the client must know. */
function issuerOf(certificate: DetailedPeerCertificate): string | undefined {
  let last = certificate;
  while (last.issuerCertificate && last.issuerCertificate.fingerprint256 !== last.fingerprint256) {
    last = last.issuerCertificate;
  }
  const { CN, O } = last.issuer ?? {};
  return [CN ?? O].flat()[0];
}
