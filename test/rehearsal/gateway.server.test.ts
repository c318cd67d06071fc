import { once } from 'node:events';
import { connect, Socket } from 'node:net';
import { connect as connectTls } from 'node:tls';
import { Client, DatabaseError } from 'pg';
import { AuroraLikeServer } from '../../rehearsal/aurora-like-server';
import { GSSENC_REQUEST, SSL_REQUEST } from '../../rehearsal/gateway/protocol';
import { untilSleeping } from '../lambda/clocks';

function packet(...numbers: number[]): Buffer {
  const bytes = Buffer.alloc(4 * numbers.length);
  numbers.forEach((number, i) => bytes.writeUInt32BE(number, 4 * i));
  return bytes;
}

const SSL = packet(8, SSL_REQUEST);

describe('the gateway', () => {
  let server: AuroraLikeServer;

  beforeAll(async () => {
    server = await AuroraLikeServer.start({ major: 17 });
    await server.sql('CREATE ROLE alice LOGIN; GRANT rds_iam TO alice');
  });

  afterAll(() => server.stop());

  function startupMessage(user: string): Buffer {
    const body = Buffer.from(`user\0${user}\0\0`);
    return Buffer.concat([packet(8 + body.length, 196608), body]);
  }

  /** All that the gateway answers until it closes the connection. */
  async function answerTo(bytes: Buffer): Promise<string> {
    const socket = connect(server.port, '127.0.0.1');
    socket.on('error', () => undefined);
    let answer = '';
    socket.setEncoding('latin1').on('data', (text: string) => answer += text);
    socket.write(bytes);
    await once(socket, 'close');
    return answer;
  }

  async function inTls(): Promise<Socket> {
    const plain = connect(server.port, '127.0.0.1');
    plain.write(SSL);
    const [answer] = await once(plain, 'data') as [Buffer];
    expect(answer.toString()).toBe('S');
    const secure = connectTls({
      socket: plain,
      ca: server.caCertificate,
      servername: server.host,
      ALPNProtocols: ['postgresql'],
    });
    secure.on('error', () => undefined);
    await once(secure, 'secureConnect');
    expect(secure.alpnProtocol).toBe('postgresql');
    return secure;
  }

  test.each<[string, Buffer]>([
    ['sends more than the request for TLS', Buffer.concat([SSL, packet(1)])],
    ['sends a packet that is too short', packet(7, 196608)],
    ['announces a packet that is too long', packet(10_001, 196608)],
    ['speaks HTTP', Buffer.from('GET / HTTP/1.1\r\n\r\n')],
  ])('closes the connection to one who %s', async (_name, bytes) => {
    expect(await answerTo(bytes)).toBe('');
  });

  test('has no GSSAPI encryption, and goes on', async () => {
    const answer = await answerTo(Buffer.concat([packet(8, GSSENC_REQUEST), startupMessage('alice')]));
    expect(answer).toMatch(/^NE.*SFATAL.*C28000.*pg_hba\.conf rejects connection/s);
  });

  test('does not start TLS twice', async () => {
    const socket = await inTls();
    socket.write(SSL);
    await once(socket, 'close');
  });

  test('asks a member of rds_iam for its token in clear, in TLS', async () => {
    const socket = await inTls();
    socket.write(startupMessage('alice'));
    const [answer] = await once(socket, 'data') as [Buffer];
    expect(answer).toEqual(Buffer.from([0x52, 0, 0, 0, 8, 0, 0, 0, 3]));
    socket.write(Buffer.concat([Buffer.from('X'), packet(6), Buffer.from('x\0')]));
    await once(socket, 'close');
  });

  test('passes on a request to cancel a query', async () => {
    const { host, port, master, caCertificate } = server;
    const client = new Client({
      host,
      port,
      user: master.username,
      password: master.password,
      database: 'postgres',
      ssl: { ca: caCertificate },
    });
    await client.connect();
    const query = client.query('SELECT pg_sleep(50)').catch((error: DatabaseError) => error.code);
    await untilSleeping(server, master.username);
    const { processID, secretKey } = client as unknown as { processID: number; secretKey: number };
    const request = packet(16, 80877102, processID, 0);
    request.writeInt32BE(secretKey, 12);
    expect(await answerTo(request)).toBe('');
    expect(await query).toBe('57014');
    await client.end();
  });
});
