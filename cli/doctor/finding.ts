/** What one step of a diagnosis has found. */
export interface Finding {
  /**
   * - `ok`: nothing here keeps the client from signing in
   * - `cause`: this alone keeps the client out
   * - `unknown`: it could not be looked at, or what was seen decides nothing
   * - `elsewhere`: it cannot be done from here, which says nothing of the client
   * - `skipped`: there is nothing to look at
   */
  readonly state: 'ok' | 'cause' | 'unknown' | 'elsewhere' | 'skipped';
  readonly found: string;
  /** Stable name of a cause. */
  readonly cause?: string;
  /** What removes the cause. */
  readonly fix?: string;
  /** More of what was seen, for --verbose. */
  readonly details?: readonly string[];
}

export const ok = (found: string, details?: readonly string[]): Finding => ({ state: 'ok', found, details });
export const skipped = (found: string): Finding => ({ state: 'skipped', found });
export const unknown = (found: string, details?: readonly string[]): Finding => ({ state: 'unknown', found, details });
export const elsewhere = (found: string): Finding => ({ state: 'elsewhere', found });

export const because = (cause: string, found: string, fix: string, details?: readonly string[]): Finding => ({
  state: 'cause',
  cause,
  found,
  fix,
  details,
});
