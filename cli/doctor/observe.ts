/** Looks at everything once. What cannot be looked at is said, and does not stop the rest. */
import { Signer } from '@aws-sdk/rds-signer';
import { AwsAccount } from './aws/account';
import { describeDatabase, Named } from './collect/database';
import { lookUp, tryRoute } from './collect/network';
import { lookAtPolicy, permission } from './collect/policy';
import { readLog } from './collect/rds-log';
import { trySignIn } from './collect/sign-in';
import { authoritiesOf, Authorities, tryTls } from './collect/tls';
import { Client, isSeen, Observations, PolicyFacts, Seen, SignIn, TlsFacts } from './observations';
import { hostFacts } from './target';
import { decodeToken } from './token';
import { CatalogWitness, Network, NotSeen } from './world';

export interface Circumstances {
  readonly client: Client;
  /** PGPASSWORD of the client. */
  readonly password?: string;
  /** NODE_EXTRA_CA_CERTS of the client. */
  readonly extraCaFile?: string;
  readonly named: Named;
  /** Account of the stack that declares the user. */
  readonly account?: string;
  readonly aws: AwsAccount;
  readonly network: Network;
  readonly catalog?: CatalogWitness;
  readonly now: () => Date;
  /** How long a record of RDS is waited for after a refusal. @default 0 */
  readonly logPatienceMs?: number;
}

/** What must not appear in any output. */
export interface Secrets {
  readonly secrets: readonly string[];
}

const MINUTES_BACK = 15;
const THROTTLED = 'IamDbAuthConnectionFailureThrottling';

export async function observe({
  client,
  password,
  extraCaFile,
  named,
  account,
  aws,
  network,
  catalog,
  now,
  logPatienceMs = 0,
}: Circumstances): Promise<Observations & Secrets> {
  const { host, port, username } = client;
  const facts = hostFacts(host);
  const authorities = authoritiesOf(client, extraCaFile);
  const [addresses, route, caller, { database, proxy }] = await Promise.all([
    lookUp(network, host),
    tryRoute(network, host, port),
    aws.caller(),
    describeDatabase(aws, facts, named),
  ]);
  const clientPassword = password === undefined ? undefined : (decodeToken(password) ?? 'not a token');
  const held = await aws.credentials().catch(() => undefined);
  const isTokenOfCaller = typeof clientPassword === 'object' && held?.accessKeyId === clientPassword.accessKeyId;
  const region = facts.region ?? regionOf(database) ?? regionOf(proxy);
  const tls: Seen<TlsFacts>
    = client.sslMode === 'disable'
      ? { unseen: 'PGSSLMODE is disable' }
      : isSeen(route)
        ? await tryTls(network, client, authorities)
        : { unseen: 'needs a route to the database' };
  const token = password ?? (held && (await makeToken(client, region ?? aws.region, aws)));
  const signInBegan = now();
  const signIn = await maySignIn(client, tls, route, token, { network, authorities });
  const since = new Date(now().getTime() - MINUTES_BACK * 60_000);
  // The policies of who is here say nothing of a token of another identity.
  const isOfCaller = typeof clientPassword !== 'object' || isTokenOfCaller;
  const target = proxy ?? database;
  return {
    client,
    hostKind: facts.kind,
    databaseRegion: region,
    declaredAccount: account,
    database,
    proxy,
    addresses,
    route,
    tls,
    caller,
    clientPassword,
    isTokenOfCaller,
    now: now(),
    policy: !isOfCaller
      ? { unseen: 'the token in PGPASSWORD was signed with other credentials than those that are here' }
      : isSeen(caller) && isSeen(target)
        ? await lookAtPolicy(aws, caller.value, target.value, username)
        : {
            unseen: isSeen(caller)
              ? `needs the resource id: ${'unseen' in target ? target.unseen : ''}`
              : 'needs credentials that AWS accepts',
          },
    proxyGrant:
      proxy && isSeen(proxy) && isSeen(database)
        ? await lookAtPolicy(aws, { arn: proxy.value.roleArn, account: '' }, database.value, username)
        : { unseen: proxy && !isSeen(proxy) ? proxy.unseen : isSeen(database) ? '' : database.unseen },
    proxySecrets: proxy && isSeen(proxy) ? await secretsOfProxy(aws, proxy.value) : { unseen: '' },
    catalog: await askCatalog(catalog, client, database),
    log: isSeen(database)
      ? await readLog(aws, database.value, {
          username,
          since,
          now,
          refusedAt: signIn.outcome === 'refused' ? byAws(signInBegan, aws) : undefined,
          patienceMs: logPatienceMs,
        })
      : database,
    throttled: isSeen(database) ? await aws.sumOfMetric(THROTTLED, database.value.instances, since) : database,
    clockAheadSeconds: aws.clockAheadSeconds,
    signIn,
    secrets: [password, token, held?.secretAccessKey, held?.sessionToken, held?.accessKeyId].flatMap(
      secret => secret || [],
    ),
  };
}

function regionOf(seen?: Seen<{ readonly arn: string }>): string | undefined {
  return seen && isSeen(seen) ? seen.value.arn.split(':')[3] : undefined;
}

/** A time of this host by the clock of AWS, which is known to a second. */
function byAws(time: Date, { clockAheadSeconds }: AwsAccount): Date {
  const aheadMs = isSeen(clockAheadSeconds) ? clockAheadSeconds.value * 1000 : 0;
  return new Date(time.getTime() - aheadMs - 1000);
}

/** As the client makes it: for the Region that it believes the database to be in. */
async function makeToken(
  { host, port, username, region }: Client,
  regionOfDatabase: string,
  { credentials }: AwsAccount,
): Promise<string | undefined> {
  const signer = new Signer({ hostname: host, port, username, region: region ?? regionOfDatabase, credentials });
  return signer.getAuthToken().catch(() => undefined);
}

async function maySignIn(
  client: Client,
  tls: Seen<TlsFacts>,
  route: Observations['route'],
  token: string | undefined,
  { network, authorities }: { network: Network; authorities: Authorities },
): Promise<SignIn> {
  const reason = whyNot(client, tls, route, token);
  return reason === undefined ? trySignIn(network, client, token!, authorities) : { outcome: 'not tried', reason };
}

function whyNot(
  { sslMode }: Client,
  tls: Seen<TlsFacts>,
  route: Observations['route'],
  token: string | undefined,
): string | undefined {
  if (!isSeen(route)) {
    return 'the database is not reachable from here';
  }
  if (sslMode === 'disable') {
    return 'without TLS no token is sent';
  }
  const { offered, distrusted, namesHost, caFileProblem } = isSeen(tls) ? tls.value : { offered: false };
  const isVerified = offered && !distrusted && !caFileProblem && (namesHost === true || sslMode !== 'verify-full');
  if (!isVerified) {
    return 'a token is sent only to a server whose certificate is verified';
  }
  if (token === undefined) {
    return 'there are no credentials to make a token with';
  }
  // A password is not for a server that does not ask for it in a way that keeps it.
  return decodeToken(token) === undefined ? 'PGPASSWORD is no token' : undefined;
}

async function secretsOfProxy(
  aws: AwsAccount,
  { roleArn, auth }: { roleArn: string; auth: readonly { secretArn?: string }[] },
): Promise<Seen<PolicyFacts[]>> {
  const answers = await Promise.all(
    auth.flatMap(({ secretArn }) =>
      secretArn === undefined ? [] : [permission(aws, roleArn, 'secretsmanager:GetSecretValue', secretArn)],
    ),
  );
  return (
    answers.find((answer): answer is { unseen: string } => !isSeen(answer)) ?? {
      value: answers.flatMap(answer => (isSeen(answer) ? [answer.value] : [])),
    }
  );
}

async function askCatalog(
  catalog: CatalogWitness | undefined,
  { username, database: name }: Client,
  database: Observations['database'],
): Promise<Observations['catalog']> {
  if (catalog === undefined) {
    return { unseen: 'needs the provisioner of the database' };
  }
  if (!isSeen(database)) {
    return { unseen: `needs the resource id: ${database.unseen}` };
  }
  try {
    return { value: await catalog.ask(username, name, database.value) };
  } catch (error) {
    return { unseen: error instanceof NotSeen ? error.message : 'the catalog of the database did not answer' };
  }
}
