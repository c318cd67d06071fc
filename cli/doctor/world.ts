/** What a diagnosis looks at, so that a test can be somewhere else. */
import { lookup } from 'node:dns/promises';
import { Socket } from 'node:net';
import { CatalogFacts, DatabaseFacts } from './observations';

export interface Network {
  /** Addresses of a host. Rejects with a `code`, such as ENOTFOUND. */
  lookup(host: string): Promise<string[]>;
  /** A socket that is not connected yet. */
  socket(): Socket;
}

/** A cluster or an instance, by the names that it has. */
export type Server = Pick<DatabaseFacts, 'identifier' | 'resourceId'>;

/** Reads what the database holds; the caller of doctor needs no access to it. */
export interface CatalogWitness {
  /** Rejects with a `NotSeen` if the caller may not ask. */
  ask(username: string, database: string, server: Server): Promise<CatalogFacts>;
}

/** Why something could not be looked at, such as `needs rds:DescribeDBClusters`. */
export class NotSeen extends Error {}

export const NETWORK: Network = {
  lookup: async host => (await lookup(host, { all: true })).map(({ address }) => address),
  socket: () => new Socket(),
};
