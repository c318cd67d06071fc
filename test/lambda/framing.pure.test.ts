import { Framing } from '../../lambda/provisioner/transport/postgresql/framing';
import { message } from '../../rehearsal/gateway/protocol';
import { Random } from './random';

const MANY = [
  message('R', Buffer.alloc(4)),
  message('Z', Buffer.from('I')),
  message('E', Buffer.from('C28P01\0Mx\0\0')),
  message('D', Buffer.alloc(20_000)),
  message('N', Buffer.from('\0')),
];

describe('Framing', () => {
  test('gives whole messages, however they arrive', () => {
    const random = new Random(1);
    for (let n = 0; n < 200; n++) {
      const framing = new Framing();
      const all = Buffer.concat(random.shuffled(MANY));
      const taken: Buffer[] = [];
      for (let at = 0; at < all.length;) {
        const end = at + 1 + Math.floor(random.next() ** 4 * 9_000);
        taken.push(framing.take(all.subarray(at, end), true) ?? Buffer.alloc(0));
        at = end;
      }
      expect(Buffer.concat(taken).equals(all)).toBe(true);
    }
  });

  test('gives nothing of a message before its end', () => {
    const framing = new Framing();
    const whole = message('R', Buffer.alloc(8));
    expect(framing.take(whole.subarray(0, 5), false)).toBeUndefined();
    expect(framing.take(whole.subarray(5, -1), false)).toBeUndefined();
    expect(framing.take(whole.subarray(-1), false)).toEqual(whole);
  });

  test.each([[false, 30_000], [true, 64 * 1024 * 1024]])(
    'takes messages up to a length (signed in: %s, %i bytes with the type)',
    (isSignedIn, longest) => {
      const header = (bytes: number) => {
        const buffer = Buffer.from('D....');
        buffer.writeUInt32BE(bytes - 1, 1);
        return buffer;
      };
      expect(new Framing().take(header(longest), isSignedIn)).toBeUndefined();
      expect(() => new Framing().take(header(longest + 1), isSignedIn)).toThrow(
        new Error(`the server sent a message of ${longest + 1} bytes`),
      );
    },
  );

  test.each<[string, Buffer]>([
    ['no zero', Buffer.from('')],
    ['a field without an end', Buffer.from('Mx')],
    ['no zero after the fields', Buffer.from('Mx\0')],
    ['more after the end', Buffer.from('Mx\0\0x')],
    ['a type alone', Buffer.from('M')],
  ])('refuses an error or notice with %s', (_, body) => {
    for (const type of 'EN') {
      expect(() => new Framing().take(message(type, body), true)).toThrow(
        new Error('the server sent an error or notice without an end'),
      );
    }
  });
});
