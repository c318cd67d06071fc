/**
 * Stands in for @smithy/core/checksum in the bundle (see scripts/bundle.ts): the signatures of requests and tokens need
 * SHA-256 alone, which Node.js has. The module of the SDK carries a SHA-256 in JavaScript beside it, for platforms
 * without node:crypto.
 */
import { Hash } from '@smithy/core/serde';

export class Sha256 extends Hash {
  constructor(secret?: ConstructorParameters<typeof Hash>[1]) {
    super('sha256', secret);
  }
}
