import { visible } from './plain-text';

export function table(header: readonly string[], rows: readonly (readonly string[])[]): string {
  return [header, header.map(() => '---'), ...rows].map(cells => `| ${cells.join(' | ')} |`).join('\n');
}

/** A name as a code span, which takes everything as it is but what a cell or the span itself ends with. */
export function code(name: string): string {
  const text = visible(name);
  return /^[^`|\\]+$/.test(text) && text.trim() === text ? `\`${text}\`` : escaped(text) || '(empty)';
}

/** Entities are never taken for marks of Markdown. */
export function escaped(text: string): string {
  return visible(text).replace(/[!-'*+<-@[-`{-~]/g, character => `&#${character.charCodeAt(0)};`);
}
