import { because, Finding, ok, unknown } from '../finding';
import { isSeen, Observations } from '../observations';
import { ConnectionLimit } from '../../../lib/contract/look';
import { quoted } from './role';

const isReached = ({ max, used }: ConnectionLimit) => max >= 0 && used >= max;

/** Whether role, database and server take one connection more. */
export function limits({ client: { username, database: name }, catalog }: Observations): Finding {
  if (!isSeen(catalog)) {
    return unknown(catalog.unseen);
  }
  const { roles, database, server } = catalog.value;
  const own = roles.find(role => role.name === username);
  const text = ({ max, used }: ConnectionLimit) => (max < 0 ? `${used}, no limit` : `${used} of ${max}`);
  if (own && isReached(own.limit)) {
    return because(
      'limit-role',
      `role ${username} has ${own.limit.used} connections, and its limit is ${own.limit.max}`,
      `close some, or: ALTER ROLE ${quoted(username)} CONNECTION LIMIT -1`,
    );
  }
  if (database && isReached(database.limit)) {
    return because(
      'limit-database',
      `database ${name} has ${database.limit.used} connections, and its limit is ${database.limit.max}`,
      `close some, or: ALTER DATABASE ${quoted(name)} CONNECTION LIMIT -1`,
    );
  }
  if (isReached(server)) {
    return because(
      'limit-server',
      `the server has ${server.used} connections of the ${server.max} that are not reserved`,
      'close some, pool connections, put a proxy in front, or take a larger instance class',
    );
  }
  return ok(
    `connections of the role: ${own ? text(own.limit) : 'not known'}; of the database: ${database ? text(database.limit) : 'not known'}; of the server: ${text(server)}`,
  );
}
