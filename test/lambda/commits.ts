import { Client, QueryConfig } from 'pg';

/** Roles whose rights the admin has, or can take: up to 15 those of every membership. */
const EFFECTIVE = `
  SELECT coalesce(array_agg(roleid::regrole::text ORDER BY 1), '{}') AS roles FROM pg_catalog.pg_auth_members m
  WHERE member = (SELECT oid FROM pg_catalog.pg_roles WHERE rolname = session_user)
    AND (coalesce((to_jsonb(m) ->> 'inherit_option')::boolean, true) OR coalesce((to_jsonb(m) ->> 'set_option')::boolean, true))`;

/**
 * Notes of whom the admin is a member right before each commit, in the session that commits: what is true then is what
 * all others see.
 */
export class Commits {
  public readonly memberships: string[][] = [];
  // eslint-disable-next-line @typescript-eslint/unbound-method -- to be called with its this
  private readonly query = Client.prototype.query as (
    this: Client,
    ...args: unknown[]
  ) => Promise<{ rows: { roles: string[] }[] }>;

  constructor() {
    const { query, memberships } = this;
    Client.prototype.query = async function (this: Client, ...args: unknown[]) {
      if ((args[0] as Partial<QueryConfig>).text?.endsWith('COMMIT')) {
        memberships.push((await query.call(this, EFFECTIVE)).rows[0].roles);
      }
      return query.apply(this, args);
    } as typeof Client.prototype.query;
  }

  public restore(): void {
    Client.prototype.query = this.query as typeof Client.prototype.query;
  }
}
