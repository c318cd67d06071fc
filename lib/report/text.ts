import { Stack, Token } from 'aws-cdk-lib';
import type { IConstruct } from 'constructs';
import { constructAt } from '../model/app-access';

/**
 * A text for people; what only the deployment knows is in it as CloudFormation writes it, such as `${Username}`.
 *
 * @param path of a construct in the stack that would write it
 */
export function readable(root: IConstruct, path: string, text: string): string {
  return Token.isUnresolved(text) ? written(Stack.of(constructAt(root, path)).resolve(text)) : text;
}

/** What a template has in place of a text. */
export function written(value: unknown): string {
  if (typeof value !== 'object' || value === null) {
    return String(value);
  }
  const { 'Ref': ref, 'Fn::GetAtt': attribute, 'Fn::Join': join, 'Fn::ImportValue': imported } = value as Intrinsic;
  if (ref !== undefined) {
    return `\${${ref}}`;
  }
  if (Array.isArray(attribute)) {
    return `\${${attribute.map(written).join('.')}}`;
  }
  if (join !== undefined && Array.isArray(join[1])) {
    return join[1].map(written).join(join[0]);
  }
  return imported === undefined ? `\${${JSON.stringify(value)}}` : `\${${written(imported)}}`;
}

interface Intrinsic {
  readonly 'Ref'?: string;
  readonly 'Fn::GetAtt'?: unknown;
  readonly 'Fn::Join'?: readonly [string, unknown];
  readonly 'Fn::ImportValue'?: unknown;
}

/** Characters that nobody sees, or that change the order of others, as their code: names come from databases. */
export function visible(text: string): string {
  return /^[ -~]*$/.test(text) ? text : text.replace(/[\p{C}\p{Zl}\p{Zp}]/gu, character => `\\u{${character.codePointAt(0)?.toString(16)}}`);
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
  return items.map(item => ({ item, key: key(item) })).sort((a, b) => a.key < b.key ? -1 : a.key > b.key ? 1 : 0).map(({ item }) => item);
}
