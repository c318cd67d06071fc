import { parseArgs, ParseArgsConfig } from 'node:util';
import { InputError } from '../rehearsal/rehearse/input-error';

/**
 * Options and arguments of a command line. `parseArgs` itself takes the last one of an option that is given twice, and
 * texts without a character.
 *
 * @throws if an option that counts once is given more often, or if a text is empty, as `"$UNSET"` of a shell is
 */
export function parseOptions<Config extends ParseArgsConfig>(config: Config): ReturnType<typeof parseArgs<Config>> {
  const { tokens, ...parsed } = parseArgs({ ...config, tokens: true });
  const given = new Set<string>();
  for (const token of tokens ?? []) {
    if (token.kind === 'positional' && token.value === '') {
      throw new InputError('an argument is empty; pass a text, or leave it out');
    }
    if (token.kind === 'option' && token.value !== undefined) {
      const { name, rawName, value } = token;
      if (value === '') {
        throw new InputError(`${rawName} is empty; pass a text, or leave it out`);
      }
      if (given.has(name) && config.options?.[name]?.multiple !== true) {
        throw new InputError(`${rawName} is given more than once, and counts once; leave one of them out`);
      }
      given.add(name);
    }
  }
  return parsed as unknown as ReturnType<typeof parseArgs<Config>>;
}

/**
 * Values by key, each given as `key=value`.
 *
 * @throws if one is of another form, or a key is given twice. The value is not in the message: it may be a secret
 */
export function pairsOf(option: string, texts: readonly string[]): Record<string, string> {
  const pairs = new Map<string, string>();
  for (const text of texts) {
    const at = text.indexOf('=');
    if (at < 1) {
      throw new InputError(`${option} ${text} is not of the form key=value`);
    }
    const key = text.slice(0, at);
    if (pairs.has(key)) {
      throw new InputError(`${option} ${key} is given more than once, and counts once; leave one of them out`);
    }
    pairs.set(key, text.slice(at + 1));
  }
  return Object.fromEntries(pairs);
}
