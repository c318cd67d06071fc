/**
 * A row of a table: what an error means, and what to do about it. Of the rows that match, the first counts.
 *
 * What a server says is in the language of its parameter lc_messages, so that rows compare SQLSTATEs and fields. A row
 * that compares a text says why that is right in every language, or stands before one that is right without it.
 */
export interface Remedy<Problem extends unknown[]> {
  readonly matches: (...problem: Problem) => boolean;
  /** What it means, where the error itself does not say so or must not be shown. */
  readonly cause?: string;
  readonly remedy: string;
  /** Milliseconds from the start of the invocation until which the whole is tried again. @default 0 */
  readonly retryUntil?: number;
}

export function remedyFor<Problem extends unknown[]>(
  table: readonly Remedy<Problem>[],
  ...problem: Problem
): Remedy<Problem> | undefined {
  return table.find(({ matches }) => matches(...problem));
}
