/**
 * Which sessions of IAM roles a sign-in may have come from: `node who-was-it.mjs <log> <events> <access>`.
 *
 * - log: PostgreSQL's, with log_connections, as RDS writes it
 * - events: what `aws cloudtrail lookup-events` prints, of AssumeRole and its siblings
 * - access: `access.json` of the app, from cdk.out
 */
import { readFileSync } from 'node:fs';
import { fileURLToPath } from 'node:url';

/** With log_line_prefix of RDS, `%t:%r:%u@%d:[%p]:`. User and database are there twice: a name may have any character, and must not be taken for another one. */
const SIGN_IN = new RegExp(
  '^(\\d{4}-\\d\\d-\\d\\d \\d\\d:\\d\\d:\\d\\d) UTC:(\\[local\\]|[^(]*\\(\\d+\\)):(?<user>.*)@(?<database>.*):\\[\\d+\\]:'
  + 'LOG: {2}connection authorized: user=\\k<user> database=\\k<database>(?: application_name=(.*?))?(?: SSL enabled \\(.*\\))?$',
);

/** AssumeRole has it where it was asked for: https://docs.aws.amazon.com/STS/latest/APIReference/API_AssumeRole.html */
const DEFAULT_SECONDS = 3600;

export function signInsOf(log) {
  return log.split('\n').flatMap((line) => {
    const [, time, from, user, database, application] = SIGN_IN.exec(line) ?? [];
    return time === undefined ? [] : [{ time: Date.parse(`${time.replace(' ', 'T')}Z`), from, user, database, application: application ?? '' }];
  });
}

/** Sessions of roles, whoever has begun them. */
export function sessionsOf({ Events: events }) {
  return events.map(({ CloudTrailEvent: text }) => JSON.parse(text)).flatMap(({ eventName, eventTime, errorCode, userIdentity = {}, requestParameters }) => {
    const { roleArn, roleSessionName, sourceIdentity, durationSeconds = DEFAULT_SECONDS } = requestParameters ?? {};
    const begin = Date.parse(eventTime);
    return roleArn === undefined || errorCode !== undefined || !eventName.startsWith('AssumeRole')
      ? []
      : [{ role: roleArn.split('/').at(-1), session: roleSessionName, source: sourceIdentity, by: userIdentity.arn ?? userIdentity.userName ?? userIdentity.invokedBy, begin, end: begin + durationSeconds * 1000 }];
  });
}

/** Names of the roles that may sign in as a user, as far as the app knows them. */
export function rolesOf({ servers }, username) {
  const users = servers.flatMap(({ users, otherSignIns }) => [...users.filter(({ name }) => name === username), { signIns: otherSignIns.filter(each => each.username === username) }]);
  return users.flatMap(({ signIns }) => signIns).map(({ principal }) => principal.name ?? principal.arn?.split('/').at(-1) ?? principal.path ?? 'unknown');
}

export function whoWasIt(log, events, access) {
  const sessions = sessionsOf(events);
  return signInsOf(log).map((signIn) => {
    const roles = rolesOf(access, signIn.user);
    return { ...signIn, roles, candidates: sessions.filter(({ role, begin, end }) => roles.includes(role) && begin <= signIn.time && signIn.time <= end) };
  });
}

if (process.argv[1] === fileURLToPath(import.meta.url)) {
  const [log, events, access] = process.argv.slice(2).map(file => readFileSync(file, 'utf8'));
  for (const { time, from, user, database, roles, candidates } of whoWasIt(log, JSON.parse(events), JSON.parse(access))) {
    console.log(`${new Date(time).toISOString()} ${user} to ${database} from ${from}`);
    candidates.forEach(({ role, session, source, by }) => console.log(`  perhaps ${session} of role ${role}${source === undefined ? '' : `, source identity ${source}`}, begun by ${by}`));
    console.log(candidates.length > 0 ? '' : `  no session of ${roles.join(', ') || 'a role of the app'} in the events\n`);
  }
}
