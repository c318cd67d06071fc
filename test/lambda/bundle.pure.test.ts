import { readdirSync, readFileSync } from 'node:fs';
import { join, resolve } from 'node:path';
import { deflateRawSync } from 'node:zlib';
import { Sha256 as OfTheSdk } from '@smithy/core/checksum';
import { Sha256 } from '../../lambda/shared/sha256';

const LIMIT = 180_000;

/** What a zip file of the folder takes: each file deflated, a header before it and an entry in the directory. */
const zipOf = (folder: string) => readdirSync(folder)
  .map(name => deflateRawSync(readFileSync(join(folder, name))).length + 30 + 46 + 2 * name.length)
  .reduce((sum, size) => sum + size, 22);

test('the zip of the handler is below its limit', () => {
  const size = zipOf(resolve(__dirname, '../../assets/provisioner'));
  expect(size).toBeGreaterThan(LIMIT / 2); // it is the whole handler
  expect(size).toBeLessThan(LIMIT);
});

describe('the SHA-256 that stands in for that of the SDK', () => {
  const bytes = (length: number) => Uint8Array.from({ length }, (_, n) => (n * 37 + length) % 256);
  const part = bytes(300).subarray(17, 200); // of a larger buffer

  test.each([
    ['no key', undefined],
    ['a text', 'AWS4wJalrXUtnFEMI/K7MDENG+bPxRfiCYEXAMPLEKEYé'],
    ['bytes', bytes(32)],
    ['more bytes than a block has', bytes(65)],
    ['a part of a buffer', part],
    ['an ArrayBuffer', bytes(64).buffer],
  ])('gives the same with %s', async (_, key) => {
    for (const data of [new Uint8Array(), bytes(1), bytes(55), bytes(64), bytes(1_000), part]) {
      const [ours, theirs] = [new Sha256(key), new OfTheSdk(key)];
      for (const hash of [ours, theirs]) {
        hash.update(data);
        hash.update(bytes(3));
      }
      expect([...await ours.digest()]).toEqual([...await theirs.digest()]);
    }
  });
});
