import { QueryArrayResult } from 'pg';
import { ApiError } from './api-error';
import { Limits } from './limits';

/** A value of a row: the key says its type. */
export type Field
  = | { readonly isNull: true }
    | { readonly booleanValue: boolean }
    | { readonly longValue: number }
    | { readonly doubleValue: number }
    | { readonly stringValue: string };

const BOOLEANS = [16];
const INTEGERS = [20, 21, 23];
const FLOATS = [700, 701];
/**
 * json, text, inet, cidr, varchar, date, time, timestamp, timestamptz, numeric, uuid, jsonb; and a literal, which has
 * no type.
 */
const TEXTS = [114, 25, 869, 650, 1043, 1082, 1083, 1114, 1184, 1700, 2950, 3802, 705];

/**
 * Rows as the Data API gives them. Types that are not in its documentation are refused, and arrays too: name, oid, void
 * and "char" of the catalogs are among them.
 *
 * @see https://docs.aws.amazon.com/AmazonRDS/latest/AuroraUserGuide/data-api-operations.html
 */
export function recordsOf(
  { fields, rows }: QueryArrayResult<(string | null)[]>,
  { responseBytes, rowBytes }: Limits,
): Field[][] {
  const sizes = rows.map(row => row.reduce((sum, value) => sum + Buffer.byteLength(value ?? ''), 0));
  if (sizes.some(size => size > rowBytes)) {
    throw new ApiError('UnsupportedResultException', 'Packet for query is too large');
  }
  if (sizes.reduce((sum, size) => sum + size, 0) > responseBytes) {
    throw new ApiError('UnsupportedResultException', 'Database response exceeded size limit');
  }
  return rows.map(row => row.map((value, column) => fieldOf(value, fields[column].dataTypeID)));
}

function fieldOf(value: string | null, type: number): Field {
  if (![...BOOLEANS, ...INTEGERS, ...FLOATS, ...TEXTS].includes(type)) {
    throw new ApiError('UnsupportedResultException', `The result contains the unsupported data type with oid ${type}`);
  }
  return value === null
    ? { isNull: true }
    : BOOLEANS.includes(type)
      ? { booleanValue: value === 't' }
      : INTEGERS.includes(type)
        ? { longValue: Number(value) }
        : FLOATS.includes(type)
          ? { doubleValue: Number(value) }
          : { stringValue: value };
}
