import { because, Finding, skipped, unknown } from '../finding';
import { isSeen, Observations } from '../observations';
import { explainPolicy } from '../policy-explanation';

/** Whether the proxy itself may sign in to the database as this user. */
export function proxyGrant({ proxy, proxyGrant: seen, client }: Observations): Finding {
  if (proxy === undefined || (isSeen(proxy) && proxy.value.defaultAuthScheme !== 'IAM_AUTH')) {
    return skipped(
      proxy === undefined ? 'the client connects to the database itself' : 'the proxy signs in with passwords',
    );
  }
  if (!isSeen(seen)) {
    return unknown(seen.unseen);
  }
  const finding = explainPolicy(seen.value);
  return finding.state === 'cause'
    ? because(
        'proxy-grant',
        `the role of the proxy may not sign in to the database as ${client.username}: ${finding.found}`,
        `grant with user.grantConnect(grantee, { through: proxy }), which gives both; or: ${finding.fix}`,
        finding.details,
      )
    : finding;
}
