import { isSymbol, tokensIn } from './symbols';

/** A character, a symbol, or a wildcard of a policy. */
export interface Token {
  readonly kind: 'text' | 'any' | 'one';
  readonly text: string;
}

/** A part of a resource in a policy. */
export interface PolicyPattern {
  readonly tokens: readonly Token[];

  /** As it is written. */
  readonly source: string;

  /** Names of the condition keys that it has as variables. */
  readonly variables: readonly string[];
}

/**
 * `*`, `?` and the escapes `${*}`, `${?}` and `${$}`; other variables have no value here.
 *
 * @see https://docs.aws.amazon.com/IAM/latest/UserGuide/reference_policies_variables.html
 */
export function policyPattern(source: string): PolicyPattern {
  const variables: string[] = [];
  const tokens = source.split(/(\$\{[^}]*\})/).flatMap((part, index): Token[] => {
    if (index % 2 === 0) {
      return tokensIn(part).map(text => ({ kind: text === '*' ? 'any' : text === '?' ? 'one' : 'text', text }));
    }
    const name = part.slice(2, -1);
    if (['*', '?', '$'].includes(name)) {
      return [{ kind: 'text', text: name }];
    }
    variables.push(name);
    return [{ kind: 'any', text: part }];
  });
  return { tokens, source, variables };
}

/** The text that a pattern stands for, if it is one only. */
export function exactly({ tokens }: PolicyPattern): string | undefined {
  return tokens.every(({ kind }) => kind === 'text') ? tokens.map(({ text }) => text).join('') : undefined;
}

/** `maybe` where that depends on what only the deployment knows, or the request that a variable is about. */
export function matches({ tokens, variables }: PolicyPattern, text: string): 'yes' | 'maybe' | 'no' {
  const characters = tokensIn(text);
  if (fits(tokens, characters, false)) {
    return variables.length === 0 ? 'yes' : 'maybe';
  }
  const loose = tokens.map((token): Token => (isSymbol(token.text) ? { ...token, kind: 'any' } : token));
  return fits(loose, characters, true) ? 'maybe' : 'no';
}

/** @param anySymbol whether a symbol in the text may be any text, instead of itself alone */
function fits(tokens: readonly Token[], characters: readonly string[], anySymbol: boolean): boolean {
  // Which beginnings of the text the tokens so far may stand for: names are short, and patterns may be hostile.
  const isAny = (at: number) => anySymbol && at < characters.length && isSymbol(characters[at]);
  const closure = (positions: Set<number>) => {
    for (const at of positions) {
      if (isAny(at)) {
        positions.add(at + 1);
      }
    }
    return positions;
  };
  let reached = closure(new Set([0]));
  for (const { kind, text } of tokens) {
    const next = new Set<number>();
    for (const at of reached) {
      if (kind === 'any') {
        characters.forEach((_, index) => index >= at && next.add(index));
        next.add(characters.length);
      } else if (isAny(at)) {
        next.add(at);
      }
      if (kind !== 'any' && at < characters.length && (kind === 'one' || characters[at] === text)) {
        next.add(at + 1);
      }
    }
    reached = closure(next);
  }
  return reached.has(characters.length);
}
