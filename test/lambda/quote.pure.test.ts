import { identifier, json, literal, qualified, textArray, withIdentifiers } from '../../lambda/provisioner/sql/quote';

describe('identifier', () => {
  test.each([
    ['simple', '"simple"'],
    ['Mixed Case', '"Mixed Case"'],
    ['"; DROP ROLE postgres; --', '"""; DROP ROLE postgres; --"'],
    ["o'brien", '"o\'brien"'],
    ['\\', '"\\"'],
    ['$$', '"$$"'],
    ['""', '""""""'],
    ['*', '"*"'],
    ['naïve', '"naïve"'],
    ['a\nb', '"a\nb"'],
    ['U&"\\0061"', '"U&""\\0061"""'],
    ['a:b', 'U&"a\\003Ab"'],
    [':name', 'U&"\\003Aname"'],
    ['a::int', 'U&"a\\003A\\003Aint"'],
    ['\\:\u00e4"', 'U&"\\\\\\003A\u00e4"""'],
    ['a: b', '"a: b"'],
    ['a:', '"a:"'],
    [':"', '":"""'],
    [':)', '":)"'],
  ])('%j is quoted', (name, sql) => expect(identifier(name)).toBe(sql));

  test('an empty one is refused', () =>
    expect(() => identifier('')).toThrow(new Error('"" is not an identifier: it is empty')));

  test('U+0000 is refused', () =>
    expect(() => identifier('a\0b')).toThrow(
      new Error('"a\\u0000b" cannot be quoted: it contains the character U+0000'),
    ));

  test('of a schema and in it', () => {
    expect(qualified('a.b', 'c"d')).toBe('"a.b"."c""d"');
    expect(() => qualified('', 'a')).toThrow('"" is not an identifier');
  });
});

test('identifiers in SQL of the server', () => {
  expect(withIdentifiers('IN integer, IN "a:b"."My ""type"""[]')).toBe('IN integer, IN U&"a\\003Ab"."My ""type"""[]');
});

describe('literal', () => {
  test.each([
    ['', "''"],
    ['plain', "'plain'"],
    ["'; DROP ROLE postgres; --", "'''; DROP ROLE postgres; --'"],
    ['"', "'\"'"],
    ['$$', "'$$'"],
    ['\\', " E'\\\\'"],
    ["\\'", " E'\\\\'''"],
    ["a\\\\'b", " E'a\\\\\\\\''b'"],
    ['a\nb', "'a\nb'"],
    ['arn:aws::b', " E'arn\\x3aaws\\x3a\\x3ab'"],
    [':\u00e4:::$1', " E'\\x3a\u00e4\\x3a\\x3a\\x3a$1'"],
    ['a: b', "'a: b'"],
    ['\\:x', " E'\\\\\\x3ax'"],
  ])('%j is quoted', (text, sql) => expect(literal(text)).toBe(sql));

  test('U+0000 is refused', () =>
    expect(() => literal('a\0b')).toThrow(new Error('"a\\u0000b" cannot be quoted: it contains the character U+0000')));
});

describe('lists and JSON', () => {
  test('each text for itself', () => {
    expect(textArray(["o'b", 'a,b', '{}', '\\'])).toBe("ARRAY['o''b', 'a,b', '{}',  E'\\\\']::text[]");
    expect(textArray([])).toBe('ARRAY[]::text[]');
    expect(() => textArray(['a\0'])).toThrow('U+0000');
  });

  test('as one text', () => {
    expect(json({ name: "o'b" })).toBe("'{\"name\":\"o''b\"}'::jsonb");
    expect(json(['"'])).toBe(" E'[\"\\\\\"\"]'::jsonb");
    // JSON writes it as six characters, and jsonb refuses it.
    expect(json('\0')).toBe(" E'\"\\\\u0000\"'::jsonb");
  });
});
