import { AwsAccount } from '../aws/account';
import { DatabaseFacts, isSeen, RdsRecord, Seen } from '../observations';

/** The log of RDS, as `EnableCloudwatchLogsExports` names it. */
const LOG = 'iam-db-auth-error';

/** https://docs.aws.amazon.com/AmazonRDS/latest/AuroraUserGuide/UsingWithRDS.IAMDBAuth.Troubleshooting.html */
const ERROR = /\b(NotAuthorized|ExpiredToken|InvalidToken|ThrottlingException|InternalError)\b/;
const IDENTITY = /arn:[\w-]+:(?:iam|sts)::\d{12}:[\w+=,.@/-]+/;

export interface LogQuestion {
  readonly username: string;
  readonly since: Date;
  readonly now: () => Date;
  /** When a sign-in began that was refused, if one was: its record comes after some seconds. */
  readonly refusedAt?: Date;
  /** How long that is waited for. */
  readonly patienceMs: number;
}

const PAUSE_MS = 3_000;

/** What the log says of a user, latest first. No text of it goes any further. */
export async function readLog(
  aws: AwsAccount,
  { kind, identifier, logExports }: DatabaseFacts,
  question: LogQuestion,
): Promise<Seen<RdsRecord[]>> {
  if (!logExports.includes(LOG)) {
    return {
      unseen: `needs the log ${LOG}, which is not exported: aws rds modify-db-${kind} --db-${kind}-identifier ${identifier} --cloudwatch-logs-export-configuration '{"EnableLogTypes":["${LOG}"]}'`,
    };
  }
  const { username, since, now, refusedAt, patienceMs } = question;
  for (let waitedMs = 0; ; waitedMs += PAUSE_MS) {
    const events = await aws.logEvents(`/aws/rds/${kind}/${identifier}/${LOG}`, since);
    const records = isSeen(events) ? recordsIn(events.value, username, now(), refusedAt) : [];
    if (
      !isSeen(events)
      || refusedAt === undefined
      || waitedMs >= patienceMs
      || records.some(({ isOfThisSignIn }) => isOfThisSignIn)
    ) {
      return isSeen(events) ? { value: records } : events;
    }
    await new Promise(resolve => setTimeout(resolve, PAUSE_MS));
  }
}

export function recordsIn(
  events: readonly { readonly at: Date; readonly text: string }[],
  username: string,
  now: Date,
  signInBegan?: Date,
): RdsRecord[] {
  return [...events]
    .sort((a, b) => b.at.getTime() - a.at.getTime())
    .flatMap(({ at, text }) => {
      const [, error] = ERROR.exec(text) ?? [];
      const minutesAgo = Math.max(0, Math.round((now.getTime() - at.getTime()) / 60_000));
      const isOfThisSignIn = signInBegan !== undefined && at >= signInBegan;
      return error !== undefined && isAbout(text, username)
        ? [{ error, identity: IDENTITY.exec(text)?.[0], minutesAgo, isOfThisSignIn }]
        : [];
    });
}

/** As a word of its own, and not as a part of an ARN's role or of another name. */
function isAbout(text: string, username: string): boolean {
  const escaped = username.replace(/[.*+?^${}()|[\]\\]/g, '\\$&');
  return new RegExp(`(^|[\\s"'/=:])${escaped}($|[\\s"',:;.)])`).test(text.replace(IDENTITY, ''));
}
