import { refuse, text } from '../../shared/decode';

/** As it is stored and declared, for people as well; texts of this form are in the order of time. */
export function encodeTime(time: number): string {
  return new Date(time).toISOString();
}

/** The inverse. Nothing else is a time: not a day that does not exist, which JavaScript takes for another one. */
export function decodeTime(where: string, value: unknown, remedy: string): number {
  const time = /^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{3}Z$/.test(text(where, value)) ? Date.parse(value as string) : NaN;
  return !Number.isNaN(time) && encodeTime(time) === value
    ? time
    : refuse(where, value, 'it is not a time such as 2026-01-31T12:00:00.000Z', remedy);
}
