import { setTimeout } from 'node:timers/promises';
import { Client } from 'pg';
import { AuroraLikeServer } from '../../rehearsal/aurora-like-server';

const PAUSE_MS = 500;

/** No server there: it is down, or was shut down in the middle of the sign-in. */
const DOWN = ['57P01', '57P03', 'ECONNREFUSED', 'ECONNRESET'];

/**
 * Signs in as the admin with its password, again and again: it stays out as soon as something is committed that makes
 * it a member of rds_iam.
 */
export class AdminWatch {
  public signIns = 0;
  /** Each refusal. */
  public readonly refused: string[] = [];
  /** Sign-ins that found no server. */
  public readonly down: string[] = [];
  private stopped = false;
  private readonly done: Promise<void>;

  constructor(private readonly server: AuroraLikeServer) {
    this.done = this.watch();
  }

  public async stop(): Promise<void> {
    this.stopped = true;
    await this.done;
  }

  private async watch(): Promise<void> {
    while (!this.stopped) {
      await this.signIn();
      await setTimeout(PAUSE_MS);
    }
  }

  private async signIn(): Promise<void> {
    const { host, port, master: { username, password } } = this.server;
    const client = new Client({ host, port, user: username, password, database: 'postgres', ssl: true });
    client.on('error', () => undefined);
    try {
      await client.connect();
      this.signIns++;
    } catch (error) {
      const { code = '', message } = error as Error & { code?: string };
      (DOWN.includes(code) || message === 'Connection terminated unexpectedly' ? this.down : this.refused).push(
        `${code} ${message}`,
      );
    } finally {
      await client.end().catch(() => undefined);
    }
  }
}

/**
 * For all tests of a suite; to be called after the server is started, and before it is stopped. Under a strict login
 * the admin uses tokens.
 */
export function watchAdmin(serverOf: () => AuroraLikeServer): void {
  if (process.env.STRICT) {
    return;
  }
  let watch: AdminWatch;
  beforeAll(() => {
    watch = new AdminWatch(serverOf());
  });
  afterAll(async () => {
    await watch.stop();
    expect(watch.refused).toEqual([]);
    expect(watch.signIns).toBeGreaterThan(0);
  });
}
