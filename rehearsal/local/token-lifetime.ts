import { LONGEST_VALIDITY_SECONDS } from '../iam/token';
import { InputError } from '../rehearse/input-error';

/**
 * Seconds of a time such as `20s` or `2m`.
 *
 * @param text value of `--token-lifetime`
 */
export function tokenLifetime(text: string): number {
  const [, digits, unit] = /^(\d{1,4})([sm])$/.exec(text) ?? [];
  const seconds = Number(digits) * (unit === 'm' ? 60 : 1);
  if (!(seconds >= 1 && seconds <= LONGEST_VALIDITY_SECONDS)) {
    throw new InputError(`--token-lifetime ${text}: it is from 1s to 15m, the lifetime on AWS; `
      + 'write seconds or minutes, such as 20s');
  }
  return seconds;
}
