/** What `restrictPublic` revokes from PUBLIC, which is every role, in one database. */
export interface RestrictPublicOptions {
  /**
   * Name of the database, exactly as spelled there (names are case-sensitive). No token. It must exist when this is
   * deployed.
   */
  readonly database: string;

  /**
   * Whether CONNECT on the database is revoked, so that only roles connect that have it of their own or through a group
   * role, as users of this library have where they declare privileges of `Privileges.readOnly` and its siblings.
   *
   * @default false
   */
  readonly connect?: boolean;

  /**
   * Whether CREATE on the schema `public` of the database is revoked. From PostgreSQL 15 on, PUBLIC has it only in
   * databases of an earlier version, or where it was granted.
   *
   * @see https://www.postgresql.org/docs/current/ddl-schemas.html#DDL-SCHEMAS-PUBLIC
   * @default false
   */
  readonly createInPublicSchema?: boolean;

  /**
   * Names of roles that may lose what they have through PUBLIC only. The deployment fails where others would, and names
   * them. It never revokes CONNECT that the admin has through PUBLIC only.
   *
   * @default - none
   */
  readonly lockOut?: string[];
}
