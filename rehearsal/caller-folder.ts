import { resolve } from 'node:path';

/** What paths on the command line are relative to. npm runs the scripts of this repository in its root. */
export function callerFolder(): string {
  return resolve(process.env.CALLER_FOLDER ?? '');
}
