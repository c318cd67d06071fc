import { Finding, unknown } from '../finding';
import { isSeen, Observations } from '../observations';
import { explainPolicy } from '../policy-explanation';

/** Whether the policies let the caller sign in as this user. */
export function policy({ policy: seen }: Observations): Finding {
  return isSeen(seen) ? explainPolicy(seen.value, 'policy') : unknown(seen.unseen);
}
