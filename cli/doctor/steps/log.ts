import { because, Finding, ok, unknown } from '../finding';
import { isSeen, Observations, RdsRecord } from '../observations';

/** https://docs.aws.amazon.com/AmazonRDS/latest/AuroraUserGuide/UsingWithRDS.IAMDBAuth.Troubleshooting.html */
const MEANINGS: Record<string, { readonly cause: string; readonly meaning: string; readonly fix: string }> = {
  NotAuthorized: {
    cause: 'policy-not-allowed',
    meaning: 'no policy allows rds-db:connect as this user',
    fix: 'grant with user.grantConnect(role), and compare the resource id in the policy with that of the database',
  },
  ExpiredToken: {
    cause: 'token-expired',
    meaning: 'the token was expired',
    fix: 'make the token when the connection is opened',
  },
  InvalidToken: {
    cause: 'token-form',
    meaning: 'the token is not for this host, port, Region or user, or its signature is wrong',
    fix: 'make it for the endpoint and the user of the client, and pass it on as it is',
  },
  ThrottlingException: {
    cause: 'throttled',
    meaning: 'too many new connections with tokens',
    fix: 'reuse connections and tokens, and try again with the same token after a pause that grows',
  },
  InternalError: {
    cause: 'rds-internal',
    meaning: 'an error within RDS',
    fix: 'try again; if it stays, give the time to AWS support',
  },
};

/** What RDS itself says of sign-ins as this user. */
export function log(observations: Observations): Finding {
  const {
    client: { username },
    log: seen,
  } = observations;
  if (!isSeen(seen)) {
    return unknown(seen.unseen);
  }
  const [latest] = seen.value;
  if (latest === undefined) {
    return ok(`nothing about ${username} in the last 15 minutes`);
  }
  const { error, identity, minutesAgo } = latest;
  const { cause, meaning, fix } = MEANINGS[error];
  const found = `${minutesAgo === 0 ? 'just now' : `${minutesAgo} min ago`} RDS refused ${identity ?? 'a sign-in'} as ${username}: ${error}, ${meaning}`;
  return isOfThisSignIn(latest, observations) ? because(cause, found, fix) : ok(found);
}

/** What others have tried, or was put right since, is no fault of the client. */
function isOfThisSignIn(
  { error, identity, isOfThisSignIn: isAfter }: RdsRecord,
  { signIn, caller, clientPassword }: Observations,
): boolean {
  if (signIn.outcome !== 'refused' || !isAfter) {
    return false;
  }
  // A token that was made here is as it should be: another client has come as this user at the same time.
  if (error === 'ExpiredToken' || error === 'InvalidToken') {
    return clientPassword !== undefined;
  }
  return (
    error !== 'NotAuthorized'
    || identity === undefined
    || !isSeen(caller)
    || roleIn(identity) === roleIn(caller.value.arn)
  );
}

/**
 * `arn:aws:sts::111122223333:assumed-role/Operator/session` and `arn:aws:iam::111122223333:role/path/Operator` are the
 * same.
 */
function roleIn(arn: string): string {
  const [kind, ...names] = arn.split(':')[5].split('/');
  return kind === 'assumed-role' ? names[0] : (names.at(-1) ?? '');
}
