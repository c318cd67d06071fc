import { keyOf, type Part, shown } from '../app/value';

/** An item of a pattern, which is a resource as a statement of a policy has it. */
export type Token
  = | { readonly kind: 'character'; readonly text: string }
  /** A value that is one and the same in the whole app, without wildcards or separators in it. */
    | { readonly kind: 'reference'; readonly text: string; readonly key: string }
  /** `?` */
    | { readonly kind: 'one'; readonly text: string }
  /** `*` */
    | { readonly kind: 'any'; readonly text: string }
  /** A policy variable: any text that the request says. */
    | { readonly kind: 'variable'; readonly text: string }
  /** Known at the deployment only: any pattern. */
    | { readonly kind: 'unknown'; readonly text: string };

/** An item of an ARN that is compared with a pattern. */
export type Element
  /** @property strict whether it has to be written out, instead of being matched by a wildcard */
  = | { readonly kind: 'text'; readonly text: string; readonly strict?: boolean }
    | { readonly kind: 'reference'; readonly key: string; readonly strict?: boolean }
  /** A text without separators that is not known: one value, if `every`; or any of them will do. */
    | {
      readonly kind: 'open';
      readonly every?: boolean;
      /** Whether it may be a reference. */ readonly references?: boolean;
    }
  /** The same, of one character. */
    | { readonly kind: 'character'; readonly every?: boolean };

/** Of an ARN; a wildcard matches them as it matches any other character. */
const SEPARATORS = ':/';

/** Where the comparison of a pattern can be: the indexes of the tokens that come next. */
export type Positions = readonly number[];

const ESCAPE_OR_VARIABLE = /\$\{([^}]*)\}/uy;

/**
 * Reads a resource.
 *
 * @param parts as the statement has it
 * @param hasVariables whether the version of the policy language has variables and escapes
 * @param isReference whether a part that is not text is a value without wildcards and separators
 * @see https://docs.aws.amazon.com/IAM/latest/UserGuide/reference_policies_variables.html
 */
export function tokensOf(parts: Part[], hasVariables: boolean, isReference: (part: Part) => boolean): Token[] {
  const all = withoutDynamicReferences(parts);
  // A variable may have a part in it that is not text, so that the whole is read at once.
  const text = all
    .map((part, index) => (part.kind === 'text' ? part.text : String.fromCharCode(FIRST_MARK + index)))
    .join('');
  const partAt = (character: string): Part | undefined => {
    const code = character.charCodeAt(0) - FIRST_MARK;
    return code >= 0 && code < all.length ? all[code] : undefined;
  };
  const tokens: Token[] = [];
  for (let at = 0; at < text.length;) {
    ESCAPE_OR_VARIABLE.lastIndex = at;
    const [whole, name] = (hasVariables && text[at] === '$' ? ESCAPE_OR_VARIABLE.exec(text) : null) ?? [];
    if (whole !== undefined && name !== undefined) {
      tokens.push(
        /^[*?$]$/.test(name)
          ? literal(name)
          : { kind: 'variable', text: [...whole].map(each => shownAs(each, partAt)).join('') },
      );
      at += whole.length;
      continue;
    }
    const character = text[at++];
    const part = partAt(character);
    tokens.push(
      part
        ? isReference(part)
          ? { kind: 'reference', text: shown([part]), key: keyOf([part]) }
          : { kind: 'unknown', text: shown([part]) }
        : (WILDCARDS[character] ?? literal(character)),
    );
  }
  return tokens;
}

const ANY: Token = { kind: 'any', text: '*' };
const WILDCARDS: Record<string, Token> = { '*': ANY, '?': { kind: 'one', text: '?' } };

const literals = new Map<string, Token>();

function literal(character: string): Token {
  const token = literals.get(character) ?? { kind: 'character', text: character };
  literals.set(character, token);
  return token;
}

/** Of a private plane of Unicode. */
const FIRST_MARK = 0xe000;

function shownAs(character: string, partAt: (character: string) => Part | undefined): string {
  const part = partAt(character);
  return part ? shown([part]) : character;
}

/** The same pattern if what is known at the deployment only turns out to be ordinary text. */
export function settled(tokens: Token[]): Token[] {
  return tokens.map(token => (token.kind === 'unknown' ? { kind: 'reference', text: token.text, key: '' } : token));
}

export function hasUnknown(tokens: Token[]): boolean {
  return tokens.some(({ kind }) => kind === 'unknown');
}

/** Whether a pattern matches an ARN. */
export function matches(tokens: Token[], elements: Element[]): boolean {
  return elements
    .reduce<Positions>((positions, element) => after(tokens, positions, element), startOf(tokens))
    .includes(tokens.length);
}

export function startOf(tokens: Token[]): Positions {
  return closed(tokens, [0]);
}

/** Where the comparison can be behind an element; nowhere if it does not match. */
export function after(tokens: Token[], positions: Positions, element: Element): Positions {
  switch (element.kind) {
    case 'text': {
      const { text, strict = false } = element;
      let current = positions;
      for (let at = 0; at < text.length && current.length > 0; at++) {
        const [only] = current;
        // Most of most patterns is text.
        if (current.length === 1 && tokens[only]?.kind === 'character') {
          current = tokens[only].text === text[at] ? closed(tokens, [only + 1]) : [];
          continue;
        }
        current = step(tokens, current, token =>
          token.kind === 'character' ? token.text === text[at] : !strict && token.kind !== 'reference',
        );
      }
      return current;
    }
    case 'reference':
      return step(tokens, positions, token =>
        token.kind === 'reference' ? token.key === element.key : !element.strict && isMany(token),
      );
    case 'character':
      return step(tokens, positions, token =>
        token.kind === 'character' ? !element.every && !SEPARATORS.includes(token.text) : token.kind !== 'reference',
      );
    case 'open': {
      const { every = false, references = false } = element;
      const isTaken = every
        ? (token: Token, at: number) =>
            token.kind === 'any' || token.kind === 'unknown' || (token.kind === 'one' && isBesideAny(tokens, at))
        : (token: Token) =>
            token.kind === 'character' ? !SEPARATORS.includes(token.text) : references || token.kind !== 'reference';
      const reached = new Set<number>();
      for (
        let next = step(tokens, positions, isTaken);
        next.some(position => !reached.has(position));
        next = step(tokens, next, isTaken)
      ) {
        next.forEach(position => reached.add(position));
      }
      return [...reached];
    }
  }
}

/** Whether a token matches any number of characters. */
export function isMany({ kind }: Token): boolean {
  return kind === 'any' || kind === 'variable' || kind === 'unknown';
}

function step(tokens: Token[], positions: Positions, isTaken: (token: Token, at: number) => boolean): Positions {
  const next: number[] = [];
  for (const position of positions) {
    if (position < tokens.length && isTaken(tokens[position], position)) {
      next.push(isMany(tokens[position]) ? position : position + 1);
    }
  }
  return closed(tokens, next);
}

/** A token that matches any number of characters matches none, too. */
function closed(tokens: Token[], positions: number[]): Positions {
  if (positions.length === 1 && (positions[0] === tokens.length || !isMany(tokens[positions[0]]))) {
    return positions;
  }
  const all = new Set<number>();
  for (let position of positions) {
    all.add(position);
    while (position < tokens.length && isMany(tokens[position])) {
      all.add(++position);
    }
  }
  return [...all];
}

/** `?*` takes a text of whatever length, as `*` does, unless it is empty. */
function isBesideAny(tokens: Token[], at: number): boolean {
  const isWildcard = (index: number) => tokens[index]?.kind === 'one' || tokens[index]?.kind === 'any';
  let [start, end] = [at, at];
  while (isWildcard(start - 1)) {
    start--;
  }
  while (isWildcard(end + 1)) {
    end++;
  }
  return tokens.slice(start, end + 1).includes(ANY);
}

/** `{{resolve:...}}`, whose value only the deployment knows, with colons of its own. */
export function withoutDynamicReferences(parts: Part[]): Part[] {
  if (!parts.some(part => part.kind === 'text' && part.text.includes('{{resolve:'))) {
    return parts;
  }
  const result: Part[] = [];
  let open = false;
  for (const part of parts) {
    const pieces = part.kind === 'text' ? part.text.split(/(\{\{resolve:|\}\})/) : [part];
    for (const piece of pieces) {
      if (piece === '{{resolve:') {
        open = true;
        result.push({ kind: 'unknown', what: 'dynamic reference' });
      } else if (piece === '}}' && open) {
        open = false;
      } else if (!open && piece !== '') {
        result.push(typeof piece === 'string' ? { kind: 'text', text: piece } : piece);
      }
    }
  }
  return result;
}
