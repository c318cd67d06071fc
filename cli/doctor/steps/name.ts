import { because, elsewhere, Finding, ok, unknown } from '../finding';
import { isSeen, Observations } from '../observations';

/** Whether the host has an address. */
export function name({ client: { host, inside }, addresses, database, proxy }: Observations): Finding {
  if (isSeen(addresses)) {
    return ok(`${host} is ${addresses.value.join(', ')}`);
  }
  if ('unseen' in addresses) {
    return unknown(addresses.unseen);
  }
  if (addresses.failed !== 'ENOTFOUND') {
    return unknown(`${host} could not be looked up (${addresses.failed})`);
  }
  const isOfRds = isSeen(proxy ?? database);
  // The endpoints of RDS are in public DNS; some resolvers hold back private addresses.
  return isOfRds && !inside
    ? elsewhere(`${host} is an endpoint of RDS and does not resolve here; where the client runs it may`)
    : inside
      ? because(
          'name',
          `${host} does not resolve`,
          isOfRds
            ? 'let this host use the resolver of the VPC; some resolvers hold back answers with private addresses'
            : 'correct PGHOST: take the endpoint from aws rds describe-db-clusters or describe-db-instances',
        )
      : unknown(`${host} does not resolve here; compare it with the endpoint in the RDS console`);
}
