import { ProtocolError, RowTooLarge } from '../../errors';

/** Type and length, which counts itself and not the type. */
const HEADER_BYTES = 5;

/** Before a server has proved itself it has little to say: PostgreSQL's own client takes no more either. */
const MAX_BYTES_BEFORE_SIGN_IN = 30_000;

/** A row of the catalog is far below. */
const MAX_BYTES = 64 * 1024 * 1024;

const ROW = 'D'.charCodeAt(0);

/** Of an error and of a notice: both are lists of fields, of which pg searches for the end. */
const TYPES_OF_FIELDS = ['E'.charCodeAt(0), 'N'.charCodeAt(0)];

/**
 * Cuts what a server sends into whole messages. What is no message is not passed on: pg would read behind its end, for
 * ever in the case of an error without an end, or wait for gigabytes.
 *
 * @see https://www.postgresql.org/docs/current/protocol-message-formats.html
 */
export class Framing {
  private chunks: Buffer[] = [];
  private bytes = 0;
  private needed = HEADER_BYTES;

  /** @returns the whole messages that there are now, one after the other; undefined if there is none */
  public take(chunk: Buffer, isSignedIn: boolean): Buffer | undefined {
    this.chunks.push(chunk);
    this.bytes += chunk.length;
    if (this.bytes < this.needed) {
      return undefined;
    }
    const all = this.chunks.length === 1 ? chunk : Buffer.concat(this.chunks);
    let end = 0;
    this.needed = HEADER_BYTES;
    while (all.length - end >= HEADER_BYTES) {
      const length = 1 + all.readUInt32BE(end + 1);
      if (length < HEADER_BYTES || length > (isSignedIn ? MAX_BYTES : MAX_BYTES_BEFORE_SIGN_IN)) {
        throw isSignedIn && all[end] === ROW && length > MAX_BYTES
          ? new RowTooLarge(length, MAX_BYTES)
          : new ProtocolError(`a message of ${length} bytes`);
      }
      if (all.length - end < length) {
        this.needed = length;
        break;
      }
      if (TYPES_OF_FIELDS.includes(all[end]) && !endsItself(all.subarray(end + HEADER_BYTES, end + length))) {
        throw new ProtocolError('an error or notice without an end');
      }
      end += length;
    }
    this.chunks = [all.subarray(end)];
    this.bytes = all.length - end;
    return end === 0 ? undefined : all.subarray(0, end);
  }
}

/** Fields of one byte and a text that ends with zero, and a zero after them. */
function endsItself(body: Buffer): boolean {
  let at = 0;
  while (at < body.length && body[at] !== 0) {
    const end = body.indexOf(0, at + 1);
    if (end === -1) {
      return false;
    }
    at = end + 1;
  }
  return at === body.length - 1;
}
