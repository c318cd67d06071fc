/** Characters that are invisible, or that change the order of others, as their code: names come from databases. */
export function visible(text: string): string {
  return /^[ -~]*$/.test(text)
    ? text
    : text.replace(/[\p{C}\p{Zl}\p{Zp}]/gu, character => `\\u{${character.codePointAt(0)?.toString(16)}}`);
}

/** A name in a sentence, in double quotes unless it is plain, as PostgreSQL has it. */
export function identifier(name: string): string {
  return /^[a-z_][a-z0-9_$]*$/.test(name) ? name : visible(`"${name.replaceAll('"', '""')}"`);
}

/** The name of a role at the beginning of a line, where fewer characters need quotes. */
export function roleName(name: string): string {
  return /^(?:[\w.@+-]|\$\{[\w.:]+\})+$/.test(name) ? name : visible(`"${name.replaceAll('"', '""')}"`);
}

/** By code unit, whatever the language of the machine. */
export function sortedBy<Item>(items: readonly Item[], key: (item: Item) => string): Item[] {
  return items
    .map(item => ({ item, key: key(item) }))
    .sort((a, b) => (a.key < b.key ? -1 : a.key > b.key ? 1 : 0))
    .map(({ item }) => item);
}
