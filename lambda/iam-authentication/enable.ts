import type { Clock } from '../shared/clock';
import { ProvisionError } from '../shared/errors';
import type { Logger } from '../shared/logger';
import { check, nextStep } from './decide';
import { type Facts, nameOf, type Observed } from './observed';
import type { Request } from './request';

/** The calls of RDS that are needed. */
export interface Rds {
  describe(request: Request): Promise<Observed>;
  /** @returns false if RDS takes no modification at this moment */
  enableIamAuthentication(request: Request): Promise<boolean>;
}

export interface Surroundings {
  readonly rds: Rds;
  readonly clock: Clock;
  readonly log: Logger;
  /** Milliseconds until it has to be on. */
  readonly within: number;
}

const FIRST_DELAY_MS = 500;
const MAX_DELAY_MS = 10_000;

/** @returns which database it is and where, once IAM authentication is on */
export async function enable(request: Request, { rds, clock, log, within }: Surroundings): Promise<Facts> {
  const start = clock.now();
  let asked = false;
  for (let round = 0; ; round++) {
    const database = await rds.describe(request);
    check(request, database);
    const step = nextStep(database, asked);
    if (step !== 'modify' && 'isOn' in step) {
      return step.isOn;
    }
    let waitFor: string;
    if (step === 'modify') {
      log.info('enabling', { database: database.resourceId });
      asked = await rds.enableIamAuthentication(request);
      waitFor = asked ? 'IAM authentication to be on' : 'RDS to take a modification';
    } else {
      ({ waitFor } = step);
    }
    const delayMs = Math.min(MAX_DELAY_MS, FIRST_DELAY_MS * 2 ** round);
    const elapsedMs = clock.now() - start;
    if (elapsedMs + delayMs > within) {
      throw new ProvisionError(
        `cannot enable IAM authentication: after ${Math.round(elapsedMs / 1000)} s still waiting for ${waitFor} (${nameOf(database)}); `
        + `look at the events of the database in the RDS console, and deploy again${asked ? ': what RDS was asked for goes on' : ''}`,
      );
    }
    log.info('waiting', { waitFor, status: database.status, elapsedMs: Math.round(elapsedMs), delayMs });
    await clock.sleep(delayMs);
  }
}
