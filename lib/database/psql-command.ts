export interface PsqlConnection {
  readonly host: string;
  readonly port: string;
  readonly region: string;
  readonly username: string;
  readonly database: string;

  /** Where the file with the CAs of the endpoint is downloaded from. */
  readonly cas: string;
}

/**
 * One line for sh that makes a token and opens psql. The file of CAs is the caller's, and is asked for
 * before anything else happens. A token is not quoted: sh does not split the value of an assignment, and
 * within double quotes bash would take a ! of the username for its history.
 *
 * @see
 * https://docs.aws.amazon.com/AmazonRDS/latest/AuroraUserGuide/UsingWithRDS.IAMDBAuth.Connecting.AWSCLI.PostgreSQL.html
 */
export function psqlCommand({ host, port, region, username, database, cas }: PsqlConnection): string {
  return [
    `PGSSLROOTCERT="\${PGSSLROOTCERT:?is not set: give it the path of a file downloaded from ${cas}}"`,
    'PGSSLMODE=verify-full',
    `PGHOST=${host}`,
    `PGPORT=${port}`,
    `PGUSER=${quote(username)}`,
    `PGDATABASE=${quote(database)}`,
    `PGPASSWORD=$(aws rds generate-db-auth-token --hostname ${host} --port ${port} --region ${region} --username=${quote(username)})`,
    'psql --no-password',
  ].join(' ');
}

/** Between single quotes sh takes everything as it is, except the single quote. */
function quote(text: string): string {
  return `'${text.replaceAll('\'', '\'\\\'\'')}'`;
}
