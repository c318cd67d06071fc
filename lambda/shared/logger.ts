/**
 * One JSON object per line, with a fixed `notice` to query by. Nothing that is logged may come from the event or a
 * secret as a whole.
 */
export interface Logger {
  info(notice: string, fields?: LogFields): void;
}

export interface LogFields {
  readonly [name: string]: string | number | boolean | undefined;
}

export function createLogger(write: (line: string) => void, sticky: LogFields): Logger {
  return {
    info: (notice, fields) => write(JSON.stringify({ notice, ...sticky, ...fields })),
  };
}
