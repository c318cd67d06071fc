import { because, Finding, ok, unknown } from '../finding';
import { isSeen, Observations } from '../observations';

/** https://docs.aws.amazon.com/IAM/latest/UserGuide/reference_sigv-troubleshooting.html */
const MAX_AHEAD_S = 300;

/** A token is taken for 15 minutes after the time that it was signed at. */
const MAX_BEHIND_S = 900;

/** Whether tokens that are signed by the clock of this host are accepted. */
export function clock({ clockAheadSeconds }: Observations): Finding {
  if (!isSeen(clockAheadSeconds)) {
    return unknown(clockAheadSeconds.unseen);
  }
  const ahead = Math.round(clockAheadSeconds.value);
  const found = `the clock of this host is ${Math.abs(ahead)} s ${ahead < 0 ? 'behind' : 'ahead of'} that of AWS`;
  if (ahead > MAX_AHEAD_S || ahead < -MAX_BEHIND_S) {
    return because(
      'clock',
      `${found}, so that its tokens are ${ahead < 0 ? 'expired when they are made' : 'not valid yet'}`,
      'synchronize the clock, such as with chrony and the Amazon Time Sync Service at 169.254.169.123',
    );
  }
  return ok(Math.abs(ahead) < 2 ? 'the clock of this host is that of AWS' : found);
}
