import { because, elsewhere, Finding, ok, unknown } from '../finding';
import { isSeen, Observations } from '../observations';

/** Whether the port answers. From outside of the network of the database that it does not is to be expected. */
export function route({ client: { host, port, inside }, route: seen }: Observations): Finding {
  if (isSeen(seen)) {
    return ok(`port ${port} answers`);
  }
  if ('unseen' in seen) {
    return unknown(seen.unseen);
  }
  if (!inside) {
    return elsewhere(
      `not reachable from here (${seen.failed}), which is no fault if the database is in a private network`,
    );
  }
  return because(
    'route',
    `${host}:${port} does not answer this host (${seen.failed})`,
    seen.failed === 'ECONNREFUSED'
      ? 'compare host and port with those in the RDS console, and look whether the database is started'
      : `compare host and port with those in the RDS console; allow port ${port} in the security group of the database from that of this host, and check the subnets' routes and network ACLs`,
  );
}
