import { ConditionKeys } from './condition-keys';

/** A character of a policy's string. What a variable stands for is text, even a * or a colon. */
export interface Token {
  readonly kind: 'text' | 'colon' | 'any' | 'one';
  readonly text: string;
}

export type Pattern = Token[];

/** `${key}` or `${key, 'default'}`; a tag key has letters, digits, spaces and `_.:/=+-@`. */
const VARIABLE = /^([\p{L}\p{N}_.:/=+\-@ ]+)(?:, '([^']*)')?$/u;

/**
 * Reads the strings of one statement for one request, replacing policy variables and their escapes.
 *
 * @see https://docs.aws.amazon.com/IAM/latest/UserGuide/reference_policies_variables.html
 */
export class PatternReader {
  /** Variables that the request has no value for, and that have no default. */
  readonly missing: string[] = [];

  /** @param hasVariables whether the version of the policy language has them */
  constructor(readonly hasVariables: boolean, private readonly keys: ConditionKeys) {}

  /** @returns undefined when a variable in it has no value: then it matches nothing */
  read(text: string): Pattern | undefined {
    if (!this.hasVariables) {
      return readLiterally(text);
    }
    const missingBefore = this.missing.length;
    const pattern = text
      .split(/(\$\{[^}]*\}?)/)
      .flatMap((part, at) => (at % 2 === 0 ? readLiterally(part) : this.valueOf(part)));
    return this.missing.length === missingBefore ? pattern : undefined;
  }

  private valueOf(variable: string): Pattern {
    if (!variable.endsWith('}')) {
      throw new Error(`${JSON.stringify(variable)} has no closing brace; write \${$}{ for the characters themselves`);
    }
    return [...this.textOf(variable.slice(2, -1))].map(text => ({ kind: 'text', text }));
  }

  private textOf(variable: string): string {
    if (['*', '?', '$'].includes(variable)) {
      return variable;
    }
    const [, key, byDefault] = (VARIABLE.exec(variable) ?? []) as (string | undefined)[];
    if (key === undefined) {
      throw new Error(`policy variable \${${variable}} has not the form \${key} or \${key, 'default'}`);
    }
    const value = this.keys(key).value ?? byDefault;
    if (Array.isArray(value)) {
      throw new Error(
        `policy variable \${${variable}} is of a key with several values, and IAM takes only those with one`,
      );
    }
    if (value === undefined) {
      this.missing.push(`\${${variable}}`);
    }
    return value ?? '';
  }
}

/** For strings in which IAM knows no variables. */
export function readLiterally(text: string): Pattern {
  return [...text].map(tokenOf);
}

export function textOf(pattern: Pattern): string {
  return pattern.map(({ text }) => text).join('');
}

/** `*` for any characters, also none, and `?` for one. */
export function matchesString(pattern: Pattern, text: string): boolean {
  return matches(pattern, text, () => true);
}

/**
 * IAM documents wildcards within the segments of an ARN, and that a * at the end of a segment goes beyond it. It does
 * not say whether another wildcard matches a colon, so it is an error where that decides.
 *
 * @see https://docs.aws.amazon.com/IAM/latest/UserGuide/reference_policies_elements_resource.html
 */
export function matchesResource(pattern: Pattern, resource: string): boolean {
  const across = matchesString(pattern, resource);
  const within = across && matches(pattern, resource, (character, { kind }, next) =>
    character !== ':' || (kind === 'any' && (next === undefined || next.kind === 'colon')));
  if (across !== within) {
    throw new Error(
      `whether resource ${JSON.stringify(textOf(pattern))} matches ${JSON.stringify(resource)} is not documented: `
      + 'a wildcard inside a segment would have to match a colon; put the * at the end of the segment, or name the resource',
    );
  }
  return across;
}

/**
 * Each of the six parts for itself.
 *
 * @see
 * https://docs.aws.amazon.com/IAM/latest/UserGuide/reference_policies_elements_condition_operators.html#Conditions_ARN
 */
export function matchesArn(pattern: Pattern, arn: string): boolean {
  const actual = arnParts(readLiterally(arn)).map(textOf);
  return arnParts(pattern).every((part, at) => matchesString(part, actual[at]));
}

/** Throws when there are fewer than six. */
export function arnParts(pattern: Pattern): Pattern[] {
  const parts: Token[][] = [[]];
  for (const token of pattern) {
    if (token.kind === 'colon' && parts.length < 6) {
      parts.push([]);
    } else {
      parts.at(-1)!.push(token);
    }
  }
  if (parts.length < 6) {
    throw new Error(
      `${JSON.stringify(textOf(pattern))} is no ARN of six parts, which is what Arn operators compare; use a String operator`,
    );
  }
  return parts;
}

type Wildcard = (character: string, wildcard: Token, next: Token | undefined) => boolean;

function matches(pattern: Pattern, text: string, takes: Wildcard): boolean {
  const characters = [...text];
  const matchesFrom = (position: number, start: number): boolean => {
    let at = start;
    for (let i = position; i < pattern.length; i++) {
      const token = pattern[i];
      const isTaken = () => at < characters.length && takes(characters[at], token, pattern[i + 1]);
      if (token.kind === 'any') {
        while (!matchesFrom(i + 1, at)) {
          if (!isTaken()) {
            return false;
          }
          at++;
        }
        return true;
      }
      if (token.kind === 'one' ? !isTaken() : characters[at] !== token.text) {
        return false;
      }
      at++;
    }
    return at === characters.length;
  };
  return matchesFrom(0, 0);
}

function tokenOf(character: string): Token {
  const kind = character === '*' ? 'any' : character === '?' ? 'one' : character === ':' ? 'colon' : 'text';
  return { kind, text: character };
}
