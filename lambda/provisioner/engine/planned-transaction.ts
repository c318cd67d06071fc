import type { PlannedChange } from '../../../lib/contract/look';
import { actors, type Change, describe, rolesOf } from '../core/change';
import { FIXED_DATABASE, type Server } from '../core/state';
import type { Attempt } from '../remedies/server';
import { adminMemberships } from '../sql/memberships';
import { render, type AdminMembership } from '../sql/render';
import type { Row } from '../sql/row';
import type { Statement } from '../transport/session';
import type { Catalogs } from './catalogs';
import { namedIn, refuseOtherBytes } from './encoding';
import type { PlanView } from './plan-view';
import { refuseAdmin, adminMembershipOf, type AdminMembershipRow, type Transaction } from './transaction';

export interface PlannedTransactionContext {
  readonly server: Server;
  readonly catalogs: Catalogs;
  readonly view: PlanView;
  /** How the admin stands to a role that it has just created. */
  readonly adminMembershipInNew: AdminMembership;
  /** Where what would be changed is added. */
  readonly planned: PlannedChange[];
}

/**
 * Nothing is executed: changes become statements in a list, and what is read is what the catalogs say with these
 * changes laid over it. What is written beside them, of the registry and of the session, is no part of a plan.
 */
export class PlannedTransaction implements Transaction {
  public readonly changes: Change[] = [];

  constructor(public readonly database: string, private readonly context: PlannedTransactionContext) {}

  public get server(): Server {
    return this.context.server;
  }

  public get view(): PlanView {
    return this.context.view;
  }

  public read(attempt: Attempt, ...queries: string[]): Promise<Row[][]> {
    return this.context.catalogs.read(this.database, attempt, queries);
  }

  /** Queries alone. */
  public async execute(attempt: Attempt, ...statements: Statement[]): Promise<Row[][]> {
    const rows = await this.read(
      attempt,
      ...statements.flatMap(statement => (typeof statement === 'string' ? [] : [statement.query])),
    );
    return statements.map(statement => typeof statement === 'string' ? [] : rows.shift()!);
  }

  public executeEndingBlockers(_: Attempt, ...statements: Statement[]): Promise<Row[][]> {
    return Promise.resolve(statements.map(() => []));
  }

  public hurry(): Promise<void> {
    return Promise.resolve();
  }

  public async apply(changes: Change[]): Promise<void> {
    const { server, view, planned } = this.context;
    refuseAdmin(changes, this.database, server);
    await refuseOtherBytes(this, changes.flatMap(namedIn));
    const dialect = { ...server, adminMemberships: await this.adminMemberships([...new Set(changes.flatMap(actors))]) };
    planned.push(
      ...changes.map(change => ({
        database: this.database,
        change: describe(change, this.database),
        roles: rolesOf(change),
        sql: render(change, dialect),
      })),
    );
    view.imagined.change(this.database, changes);
    this.changes.push(...changes);
  }

  /** A plan does not know what the server would refuse. */
  public async attempt(work: () => Promise<unknown>): Promise<undefined> {
    await work();
  }

  private async adminMemberships(roles: string[]): Promise<ReadonlyMap<string, AdminMembership>> {
    const { imagined } = this.view;
    const today = new Map(roles.map(role => [role, imagined.nameToday(role)]));
    const existing = [...today.values()].filter(name => name !== undefined);
    const [rows]
      = existing.length === 0
        ? [[]]
        : await this.context.catalogs.read(FIXED_DATABASE, { attempted: 'ask which roles the admin is a member of' }, [
            adminMemberships(existing),
          ]);
    const found = new Map((rows as unknown as AdminMembershipRow[]).map(row => [row.role, adminMembershipOf(row)]));
    return new Map(roles.flatMap((role): [string, AdminMembership][] => {
      const name = today.get(role);
      const one = name === undefined ? this.context.adminMembershipInNew : found.get(name);
      return one === undefined ? [] : [[role, one]];
    }));
  }
}
