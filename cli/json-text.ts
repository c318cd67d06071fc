/**
 * JSON for programs that does no harm in a terminal either: what is invisible, or changes the order of what follows, is
 * written as its code.
 */
export function jsonText(value: unknown): string {
  const code = (character: string) => [...Array(character.length).keys()].map(
    n => `\\u${character.charCodeAt(n).toString(16).padStart(4, '0')}`,
  ).join('');
  return JSON.stringify(value, undefined, 2).replace(
    /[^\n -~]/gu,
    character => /[\p{C}\p{Zl}\p{Zp}]/u.test(character) ? code(character) : character,
  );
}
