import { because, Finding, ok, unknown } from '../finding';
import { isSeen, Observations } from '../observations';
import { DecodedToken } from '../token';

const MAX_EXPIRES_S = 900;
const MAKE_ANEW = 'make the token when the connection is opened, and keep it for ten minutes at most';

/** Whether the token is one, and for this host, port, Region and user. */
export function token(seen: Observations): Finding {
  const { client, clientPassword, databaseRegion } = seen;
  if (clientPassword === 'not a token') {
    return because(
      'token-password',
      'PGPASSWORD is no authentication token, and a member of rds_iam cannot sign in with a password',
      `set PGPASSWORD to what aws rds generate-db-auth-token --hostname ${client.host} --port ${client.port} --username ${client.username} prints`,
    );
  }
  if (clientPassword !== undefined) {
    return tokenOfClient(clientPassword, seen);
  }
  if (client.region !== undefined && databaseRegion !== undefined && client.region !== databaseRegion) {
    return because(
      'token-region',
      `tokens are made for Region ${client.region}, and the database is in ${databaseRegion}`,
      `set AWS_REGION to ${databaseRegion}, or give the Region to the signer`,
    );
  }
  const hosts = acceptedHosts(seen);
  if (hosts.length > 0 && !hosts.includes(client.host.toLowerCase())) {
    return because(
      'token-host',
      `tokens are made for ${client.host}, a name of your own, and RDS takes those for its endpoint alone`,
      `make them for ${hosts[0]}, whatever the name is that the client connects to`,
    );
  }
  return ok(
    `made here for ${client.host}:${client.port} and ${client.username}, Region ${client.region ?? databaseRegion ?? 'not known'}`,
  );
}

/** With a name of one's own, or a tunnel, a token is for the endpoint behind it. */
function acceptedHosts({ client, hostKind, database, proxy }: Observations): readonly string[] {
  if (hostKind !== 'other') {
    return [client.host.toLowerCase()];
  }
  if (proxy !== undefined) {
    return isSeen(proxy) && proxy.value.host !== undefined ? [proxy.value.host] : [];
  }
  return isSeen(database) ? database.value.hosts : [];
}

function acceptedPort({ client, hostKind, database, proxy }: Observations): number | undefined {
  return hostKind !== 'other'
    ? client.port
    : proxy !== undefined
      ? 5432
      : isSeen(database)
        ? database.value.port
        : undefined;
}

function tokenOfClient(token: DecodedToken, seen: Observations): Finding {
  const { client, databaseRegion, now, clockAheadSeconds, caller } = seen;
  const { host, port, username, region, at, expiresInSeconds = 0, lacks, hasScheme, isEscapedTwice } = token;
  if (hasScheme) {
    return because(
      'token-form',
      'the token begins with http:// or https://',
      'remove the scheme: a token begins with the host',
    );
  }
  if (isEscapedTwice) {
    return because(
      'token-form',
      'the token was escaped once more after it was signed',
      'pass it on as it was made; in a connection URI escape it once, or use PGPASSWORD',
    );
  }
  if (lacks.length > 0) {
    return because(
      'token-form',
      `the token lacks ${lacks.join(', ')}`,
      lacks.includes('X-Amz-Security-Token')
        ? 'sign with the session token, too: AWS_SESSION_TOKEN belongs to temporary credentials'
        : 'do not cut it off: it has about 2,500 characters with temporary credentials',
    );
  }
  const hosts = acceptedHosts(seen);
  if (hosts.length > 0 && !hosts.includes(host.toLowerCase())) {
    return because(
      'token-host',
      `the token is for host ${host}, and the endpoint is ${hosts[0]}`,
      'make it for the endpoint that the client connects to',
    );
  }
  const accepted = acceptedPort(seen);
  if (accepted !== undefined && port !== `${accepted}`) {
    return because(
      'token-port',
      `the token is for port ${port}, and the endpoint has port ${accepted}`,
      'make it for the port of the endpoint',
    );
  }
  if (databaseRegion !== undefined && region !== databaseRegion) {
    return because(
      'token-region',
      `the token is for Region ${region}, and the database is in ${databaseRegion}`,
      `make it with --region ${databaseRegion}`,
    );
  }
  if (username !== client.username) {
    const isCase = username?.toLowerCase() === client.username.toLowerCase();
    return because(
      isCase ? 'token-case' : 'token-user',
      `the token is for user ${username}, and the client signs in as ${client.username}`,
      'make it for the user that the client signs in as, exactly as spelled in the database',
    );
  }
  if (expiresInSeconds > MAX_EXPIRES_S) {
    return because(
      'token-expires',
      `the token is made for ${expiresInSeconds} s, and RDS takes ${MAX_EXPIRES_S} s at most`,
      `make it with X-Amz-Expires of ${MAX_EXPIRES_S} at most`,
    );
  }
  const clockOfAws = now.getTime() - (isSeen(clockAheadSeconds) ? clockAheadSeconds.value * 1000 : 0);
  const age = at === undefined ? 0 : Math.round((clockOfAws - at.getTime()) / 1000);
  if (age > expiresInSeconds) {
    // Without the clock of AWS it is not known which of both is wrong.
    return isSeen(clockAheadSeconds)
      ? because('token-expired', `the token is ${age} s old, and was good for ${expiresInSeconds} s`, MAKE_ANEW)
      : unknown(
          `by the clock of this host, which was not compared with that of AWS, the token is ${age} s old and was good for ${expiresInSeconds} s`,
        );
  }
  const found = `PGPASSWORD has one for ${host}:${port} and ${username}, Region ${region}, good for ${expiresInSeconds - age} s more`;
  return ok(isSeen(caller) ? found : `${found}; whose it is was not seen`);
}
