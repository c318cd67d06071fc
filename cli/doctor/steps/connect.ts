import { because, Finding, ok, unknown } from '../finding';
import { isSeen, Observations } from '../observations';
import { quoted } from './role';

/** Whether the database is there, and the role has CONNECT on it. */
export function connect({ client: { username, database: name }, catalog }: Observations): Finding {
  if (!isSeen(catalog)) {
    return unknown(catalog.unseen);
  }
  const { database, roles } = catalog.value;
  if (database === null) {
    return because(
      'database-missing',
      `there is no database ${name}: names are case-sensitive`,
      'set PGDATABASE to one that psql --list shows',
    );
  }
  if (!database.allowsConnections) {
    return because(
      'database-closed',
      `database ${name} allows no connections`,
      `as its owner: ALTER DATABASE ${quoted(name)} ALLOW_CONNECTIONS true`,
    );
  }
  if (roles.some(role => role.name === username) && database.mayConnect === false) {
    return because(
      'connect-missing',
      `role ${username} has no CONNECT on database ${name}`,
      `declare a privilege in ${name} for the user and deploy, or: GRANT CONNECT ON DATABASE ${quoted(name)} TO ${quoted(username)}`,
    );
  }
  return ok(`on database ${name}`);
}
