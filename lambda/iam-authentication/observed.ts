import type { DatabaseKind } from '../../lib/contract/wire';

/** What tells a database from others, and where it is. */
export interface Facts {
  readonly resourceId: string;
  readonly host: string;
  readonly port: string;
}

/** A database as RDS describes it. */
export interface Observed {
  readonly kind: DatabaseKind;
  readonly identifier: string;
  readonly resourceId: string;
  /** A database that is being created has none yet. */
  readonly endpoint?: Omit<Facts, 'resourceId'>;
  readonly engine: string;
  readonly status: string;
  /** Of an instance that is a member of one. */
  readonly cluster?: string;
  readonly iamAuthentication: boolean;
  /** What happens to it in the next maintenance window. */
  readonly pendingIamAuthentication?: boolean;
  /** Names of other modifications that are pending. */
  readonly pending: string[];
}

/** As messages name it. */
export function nameOf({ kind, identifier }: Pick<Observed, 'kind' | 'identifier'>): string {
  return `${kind} "${identifier}"`;
}
