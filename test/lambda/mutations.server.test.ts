import { setTimeout } from 'node:timers/promises';
import { adminWithToken } from '../../lambda/provisioner/transport/credentials';
import { Clock } from '../../lambda/shared/clock';
import { ProvisionError } from '../../lambda/shared/errors';
import { AuroraLikeServer } from '../../rehearsal/aurora-like-server';
import { Certificate, CertificateAuthority } from '../../rehearsal/gateway/certificate-authority';
import { firstOf } from '../full';
import { mutatingServer } from './mutating-server';
import { Random } from './random';
import { Stack, throughConnections, trust, users } from './stack';

/** MUTATIONS=1000 for a long look. */
const RUNS = process.env.MUTATIONS ? Number(process.env.MUTATIONS) : 6;

/** A minute passes in a second. */
const IMPATIENT: Clock = { now: () => performance.now() * 60, sleep: ms => setTimeout(ms / 60) };

describe.each(firstOf(1, ['a password', 'a token']))(
  'an admin with %s, at a server whose messages are changed on the way',
  (way) => {
    const environment = process.env;
    let server: AuroraLikeServer;
    let certificate: Certificate;
    beforeAll(async () => {
      const certificateAuthority = await CertificateAuthority.create();
      certificate = await certificateAuthority.issue(['localhost']);
      server = await AuroraLikeServer.start({
        major: 17,
        databases: ['shop'],
        authorize: () => true,
        certificateAuthority,
      });
      trust(server.caCertificate);
      await server.setMasterWithToken(way === 'a token');
      const { accessKeyId, secretAccessKey, sessionToken } = server.issueCredentials('provisioner');
      process.env = {
        ...environment,
        AWS_REGION: server.region,
        AWS_ACCESS_KEY_ID: accessKeyId,
        AWS_SECRET_ACCESS_KEY: secretAccessKey,
        AWS_SESSION_TOKEN: sessionToken,
      };
    });
    afterAll(async () => {
      process.env = environment;
      await server.stop();
    });

    const admin = () => way === 'a token' ? adminWithToken('postgres', server.host, server.port) : server.master;

    test(`gets an answer or a reason to each event: ${RUNS} changes`, async () => {
      const random = new Random(20_261_130);
      const outcomes: string[] = [];
      for (let n = 0; n < RUNS; n++) {
        // At each try of the event, or at the first one alone.
        const [at, always] = [Math.floor(random.next() * 40), random.chance(0.3)];
        const rogue = await mutatingServer(server, certificate, random, connection =>
          always || connection === 0 ? at : undefined,
        );
        const stack = new Stack(server, {
          transport: throughConnections(server, { port: rogue.port, admin }),
          clock: IMPATIENT,
        });
        const event = random.chance(0.5)
          ? stack.create('A', { username: 'orders' })
          : stack.delete('A', { username: 'orders' }, `${server.resourceId}/orders/A`);
        outcomes.push(await event.then(() => 'success', (error: Error) => {
          expect(error).toBeInstanceOf(ProvisionError);
          expect(JSON.stringify(stack.log) + error.message).not.toContain(server.master.password);
          return error.message;
        }));
        await rogue.close();
      }
      expect(outcomes.filter(outcome => outcome.startsWith('internal error'))).toEqual([]);
      expect(outcomes).toContain('success');
      expect(outcomes.some(outcome => outcome.includes('the protocol of PostgreSQL'))).toBe(true);
      // And it is as well as before.
      const stack = new Stack(server, { admin });
      await stack.create('A', { username: 'orders' });
      await stack.delete('A', { username: 'orders' });
      expect(await users(server)).toEqual([]);
    });
  },
);
