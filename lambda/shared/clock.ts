/** Passed in, so that tests can turn it. */
export interface Clock {
  /** Milliseconds, monotonic. */
  now(): number;
  sleep(milliseconds: number): Promise<void>;
  /** Milliseconds since 1970. @default - the time of this machine */
  date?(): number;
}
