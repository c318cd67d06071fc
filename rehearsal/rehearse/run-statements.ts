import { escapeIdentifier } from 'pg';
import { AuroraLikeServer } from '../aurora-like-server';
import { Rehearsal } from '../rehearsal';

export interface StatementsFile {
  /** Path. */
  readonly file: string;
  readonly text: string;
}

export interface StatementsOptions {
  /** @default - the master */
  readonly role?: string;
  /** @default - the database that was made with the cluster, or else postgres */
  readonly database?: string;
}

const EXTENSION = /\bCREATE\s+EXTENSION\s+(?:IF\s+NOT\s+EXISTS\s+)?"?([\w-]+)"?[^;]*;?/gi;

/** Runs a file as a role. Extensions that this PostgreSQL does not have are left out, and said so. */
export async function runStatements(
  rehearsal: Rehearsal,
  { file, text }: StatementsFile,
  { role, database }: StatementsOptions,
): Promise<{ notes: string[]; failure?: string }> {
  const servers = rehearsal.databaseResources().filter(({ state }) => rehearsal.database(state).source === undefined);
  const candidates = await Promise.all(servers.map(async ({ state }) => {
    const server = rehearsal.database(state);
    const { DatabaseName, DBName } = state.properties as { DatabaseName?: string; DBName?: string };
    const name = database ?? DatabaseName ?? DBName ?? 'postgres';
    return { server, database: name, isSuitable: await suits(server, name, role) };
  }));
  const suitable = candidates.filter(({ isSuitable }) => isSuitable);
  const what = `${role === undefined ? '' : ` role ${role}`}${role !== undefined && database !== undefined ? ' and' : ''}${database === undefined ? '' : ` database ${database}`}`;
  if (suitable.length !== 1) {
    return {
      notes: [],
      failure: `${file} was not run: ${suitable.length === 0 ? `no database of the app has${what || ' a server'}` : `${suitable.length} databases of the app have${what || ' a server'}; name the role with --as and the database with --database`}`,
    };
  }
  const [target] = suitable;
  const available = (await target.server.sql<{ name: string }>('SELECT name FROM pg_available_extensions')).map(
    ({ name }) => name,
  );
  const notes: string[] = [];
  const statements = text.replace(EXTENSION, (statement, name: string) => {
    if (available.includes(name.toLowerCase())) {
      return statement;
    }
    notes.push(`extension ${name} is not in this build of PostgreSQL: its CREATE EXTENSION is left out`);
    return '';
  });
  const authorization = escapeIdentifier(role ?? target.server.master.username);
  try {
    await target.server.sql(
      `SET SESSION AUTHORIZATION ${authorization};\n${statements}\n;RESET SESSION AUTHORIZATION`,
      undefined,
      target.database,
    );
    return { notes };
  } catch (error) {
    const { code, message, position } = error as Error & { code?: string; position?: string };
    const line
      = position === undefined
        ? undefined
        : statements.slice(0, Number(position) - authorization.length - 29).split('\n').length;
    return {
      notes,
      failure: `${file}${line === undefined ? '' : ` line ${line}`}: ${code ?? ''} ${message}; nothing of it has been done`,
    };
  } finally {
    await target.server.sql('RESET SESSION AUTHORIZATION', undefined, target.database).catch(() => undefined);
  }
}

async function suits(server: AuroraLikeServer, database: string, role?: string): Promise<boolean> {
  const [{ has }] = await server.sql<{ has: boolean }>(
    'SELECT EXISTS (SELECT FROM pg_database WHERE datname = $1) AND ($2::text IS NULL OR EXISTS (SELECT FROM pg_roles WHERE rolname = $2)) AS has',
    [database, role ?? null],
  );
  return has;
}
