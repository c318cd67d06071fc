import { because, Finding, ok, unknown } from '../finding';
import { isSeen, Observations } from '../observations';

/** Whether the role is there, exactly as spelled, and is one that signs in with tokens. */
export function role({ client: { username }, catalog, hostKind, database, proxy }: Observations): Finding {
  if (!isSeen(catalog)) {
    return unknown(catalog.unseen);
  }
  const { roles } = catalog.value;
  const own = roles.find(({ name }) => name === username);
  const others = roles.filter(({ name }) => name !== username).map(({ name }) => name);
  if (own === undefined) {
    return others.length > 0
      ? because(
          'role-case',
          `there is no role ${username}, and there is ${others.join(', ')}: names are case-sensitive`,
          `set PGUSER to ${others[0]}, and make tokens and policies for that name`,
        )
      : because(
          'role-missing',
          `there is no role ${username} in the database`,
          'deploy the stack that declares it; if it is deployed, compare the resource id in its access report with that of this database',
        );
  }
  if (!own.canLogIn) {
    return because(
      'role-nologin',
      `role ${username} has no LOGIN`,
      `deploy its user again with another reapply, or as the master: ALTER ROLE ${quoted(username)} LOGIN`,
    );
  }
  // https://docs.aws.amazon.com/AmazonRDS/latest/AuroraUserGuide/rds-proxy-iam-setup.html
  if (proxy ? !isSeen(proxy) : hostKind === 'other' && !isSeen(database)) {
    return unknown(
      `${username} is there, with LOGIN; whether it must be in rds_iam depends on what is behind the host, which is not known`,
    );
  }
  if (own.isInRdsIam === null) {
    return unknown(
      `${username} is there, with LOGIN. It has the ADMIN option alone on rds_iam or on a member of it: whether RDS asks it for a token is not known`,
    );
  }
  if (proxy && isSeen(proxy) && proxy.value.defaultAuthScheme !== 'IAM_AUTH') {
    return own.isInRdsIam
      ? because(
          'role-in-rds-iam',
          `role ${username} is in rds_iam, and the proxy signs in with its password, which RDS refuses then`,
          'make the proxy with DefaultAuthScheme.IAM_AUTH, or take the role out of rds_iam',
        )
      : ok(`${username} is there, with a password for the proxy`);
  }
  if (!own.isInRdsIam) {
    return because(
      'role-not-in-rds-iam',
      `role ${username} is not in rds_iam, so that the database asks it for a password`,
      `deploy its user again with another reapply, or as the master: GRANT rds_iam TO ${quoted(username)}`,
    );
  }
  if (own.isInRdsAd) {
    return because(
      'role-in-rds-ad',
      `role ${username} is in rds_iam and in rds_ad, and RDS takes one of them alone`,
      `REVOKE rds_ad FROM ${quoted(username)}, or from the role through which it has it`,
    );
  }
  return ok(`${username} is there, with LOGIN and in rds_iam`);
}

export function quoted(name: string): string {
  return `"${name.replaceAll('"', '""')}"`;
}
