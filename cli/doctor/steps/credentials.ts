import { because, Finding, ok, unknown } from '../finding';
import { isSeen, Observations } from '../observations';

const REFUSALS: Record<string, { readonly cause: string; readonly found: string; readonly fix: string }> = {
  none: {
    cause: 'credentials-none',
    found: 'there are no credentials of AWS here',
    fix: 'run it with those of the client: as its role, or with AWS_PROFILE',
  },
  ExpiredToken: {
    cause: 'credentials-expired',
    found: 'the credentials have expired, and tokens that are signed with them with them',
    fix: 'renew them, such as with aws sso login; in a program, use the default credential provider, which renews them',
  },
  InvalidClientTokenId: {
    cause: 'credentials-invalid',
    found: 'AWS does not know the access key, or its session token is missing',
    fix: 'take AWS_ACCESS_KEY_ID, AWS_SECRET_ACCESS_KEY and AWS_SESSION_TOKEN together from one source',
  },
  SignatureDoesNotMatch: {
    cause: 'credentials-invalid',
    found: 'the secret access key is not that of the access key',
    fix: 'take AWS_ACCESS_KEY_ID, AWS_SECRET_ACCESS_KEY and AWS_SESSION_TOKEN together from one source',
  },
};

/** Whose credentials they are, whether AWS takes them, and whether they are of the account of the database. */
export function credentials({
  caller,
  database,
  proxy,
  declaredAccount,
  clientPassword,
  isTokenOfCaller,
}: Observations): Finding {
  if (typeof clientPassword === 'object' && !isTokenOfCaller) {
    return unknown('the token in PGPASSWORD was signed with other credentials than those that are here');
  }
  if ('refused' in caller) {
    const refusal = REFUSALS[caller.refused];
    return refusal
      ? because(refusal.cause, refusal.found, refusal.fix)
      : unknown(`AWS refuses the credentials (${caller.refused})`);
  }
  if (!isSeen(caller)) {
    return unknown(caller.unseen);
  }
  const { arn, account } = caller.value;
  const target = isSeen(database) ? database.value.arn : proxy && isSeen(proxy) ? proxy.value.arn : undefined;
  const owner = target?.split(':')[4] ?? declaredAccount;
  if (owner !== undefined && owner !== account) {
    return because(
      'credentials-account',
      `the credentials are of account ${account} (${arn}), and the database is in account ${owner}`,
      `assume a role of account ${owner} that may rds-db:connect: no policy lets identities of other accounts in`,
    );
  }
  return ok(arn);
}
