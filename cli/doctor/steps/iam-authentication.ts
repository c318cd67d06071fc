import { because, Finding, ok, skipped, unknown } from '../finding';
import { isSeen, Observations } from '../observations';

/** Whether the database takes tokens. */
export function iamAuthentication({ database, proxy }: Observations): Finding {
  if (!isSeen(database)) {
    return unknown(database.unseen);
  }
  if (proxy && isSeen(proxy) && proxy.value.defaultAuthScheme !== 'IAM_AUTH') {
    return skipped('the proxy signs in to the database with passwords');
  }
  const { kind, identifier, iamAuthentication: isOn, pendingIamAuthentication: pending } = database.value;
  const it = `${kind} ${identifier}`;
  const enable = `aws rds modify-db-${kind} --db-${kind}-identifier ${identifier} --enable-iam-database-authentication --apply-immediately`;
  if (!isOn) {
    return pending === true
      ? because(
          'iam-pending',
          `IAM authentication of ${it} is enabled in the next maintenance window only`,
          `apply it now: ${enable}`,
        )
      : because(
          'iam-disabled',
          `IAM authentication of ${it} is disabled`,
          `set iamAuthentication: true in the app that owns it and deploy, or ${enable}`,
        );
  }
  return ok(
    pending === false ? `enabled for ${it}; it will be disabled in the next maintenance window` : `enabled for ${it}`,
  );
}
