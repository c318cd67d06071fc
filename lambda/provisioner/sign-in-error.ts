import { SignInError } from './errors';

interface Meaning {
  readonly sqlState: string;
  /** Compared with the text of the server, which is never shown. */
  readonly text?: RegExp;
  readonly words: string;
}

/** What PostgreSQL and RDS refuse before a session begins. First match counts. https://www.postgresql.org/docs/current/errcodes-appendix.html */
const MEANINGS: Meaning[] = [
  { sqlState: '28P01', words: 'password authentication failed' },
  { sqlState: '28000', text: /PAM/, words: 'PAM authentication failed' },
  { sqlState: '28000', text: /not permitted to log in/, words: 'the role is not permitted to log in' },
  { sqlState: '28000', words: 'pg_hba.conf rejects the connection' },
  { sqlState: '3D000', words: 'the database does not exist' },
  { sqlState: '53300', words: 'too many connections' },
  { sqlState: '55000', text: /not currently accepting connections/, words: 'the database is not currently accepting connections' },
  { sqlState: '57P01', words: 'the database system is shutting down' },
  { sqlState: '57P02', words: 'the database system has crashed' },
  { sqlState: '57P03', words: 'the database system is starting up or shutting down' },
];

/** An error that came before the server accepted the admin: who sent it is not proved, so that the words are ours. */
export function signInError(code: string | undefined, text: string): SignInError {
  const sqlState = code !== undefined && /^[0-9A-Z]{5}$/.test(code) ? code : 'unknown';
  const meaning = MEANINGS.find(each => each.sqlState === sqlState && (each.text === undefined || each.text.test(text)));
  return new SignInError(meaning?.words ?? 'the server refused the connection', sqlState);
}
