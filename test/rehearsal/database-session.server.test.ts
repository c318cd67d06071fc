import { AuroraLikeServer } from '../../rehearsal/aurora-like-server';
import { openSession } from '../../rehearsal/gateway/database-session';

describe('a session that a proxy opens', () => {
  const startup = () => {
    const packet = Buffer.from('\0\0\0\0\0\x03\0\0user\0postgres\0database\0postgres\0\0');
    packet.writeUInt32BE(packet.length);
    return { packet, code: packet.readUInt32BE(4) };
  };

  test.each([
    ['trusted', /^opened$/],
    ['untrusted', /^(unable to verify the first certificate|self-signed certificate)/],
    ['otherHost', /Hostname\/IP does not match certificate's altnames/],
    ['off', /^the database has no TLS$/],
  ] as const)('at a database with a certificate that is %s', async (tls, outcome) => {
    const server = await AuroraLikeServer.start({ major: 17, tls });
    try {
      const open = async () => {
        (await openSession(server, startup(), server.master.password)).destroy();
        return 'opened';
      };
      expect(await open().catch((error: Error) => error.message)).toMatch(outcome);
    } finally {
      await server.stop();
    }
  });
});
