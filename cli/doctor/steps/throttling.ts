import { because, Finding, ok, unknown } from '../finding';
import { isSeen, Observations } from '../observations';

/** Whether RDS throttles sign-ins with tokens. */
export function throttling({ throttled, signIn }: Observations): Finding {
  if (!isSeen(throttled)) {
    return unknown(throttled.unseen);
  }
  const found = `${throttled.value} sign-ins were throttled in the last 15 minutes`;
  return throttled.value > 0 && signIn.outcome === 'refused'
    ? because(
        'throttled',
        found,
        'reuse connections and tokens, and try again with the same token after a pause that grows',
      )
    : ok(throttled.value === 0 ? 'no sign-in was throttled in the last 15 minutes' : found);
}
