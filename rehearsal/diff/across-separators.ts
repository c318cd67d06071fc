import { PolicyPattern, policyPattern, Token } from './policy-pattern';
import { isSymbol, symbolsIn } from './symbols';

/** What a pattern of a whole ARN is about. */
export interface Across {
  readonly ids: PolicyPattern[];
  readonly usernames: PolicyPattern[];
}

/** Between them in an ARN of a user are texts without separators. */
const TEXTS = ['arn:', ':rds-db:', ':', ':dbuser:'];

/**
 * The resource ids and the usernames that a pattern is about, in which a wildcard stands for a separator of the ARN;
 * `unknown` where only the deployment knows whether it is about any.
 */
export function acrossSeparators({ tokens }: PolicyPattern): Across | 'unknown' | undefined {
  const many = tokens.map(isMany);
  /** A wildcard is left as soon as it is reached, and is still there. */
  const closed = (positions: Iterable<number>) => {
    const all = new Set(positions);
    for (const at of all) { // also those that are added meanwhile
      if (many[at]) {
        all.add(at + 1);
      }
    }
    return all;
  };
  const step = (positions: Iterable<number>, isTaken: (token: Token) => boolean) =>
    closed(
      [...positions].flatMap(at =>
        many[at] ? [at] : at < tokens.length && (tokens[at].kind === 'one' || isTaken(tokens[at])) ? [at + 1] : [],
      ),
    );
  const afterText = (positions: Iterable<number>, text: string) =>
    [...text].reduce(
      (reached, character) => step(reached, token => token.kind === 'text' && token.text === character),
      new Set(positions),
    );
  const afterOpen = (positions: Iterable<number>) => {
    const reached = step(positions, isOfName);
    for (const at of reached) {
      step([at], isOfName).forEach(next => reached.add(next));
    }
    return reached;
  };
  const starts = TEXTS.slice(1).reduce(
    (reached, text) => afterText(afterOpen(reached), text),
    afterText(closed([0]), TEXTS[0]),
  );
  // A username ends an ARN, and what is spelled behind a separator is in it.
  const isSlash = ({ kind, text }: Token) => kind === 'text' && text === '/';
  const slash = tokens.findIndex(isSlash);
  const last = slash >= 0 ? slash : tokens.map(({ kind, text }) => kind === 'text' && text === ':').lastIndexOf(true);
  const [ids, usernames] = [new Map<string, PolicyPattern>(), new Map<string, PolicyPattern>()];
  for (const start of starts) {
    for (const end of afterOpen([start])) {
      const names = [...afterText([end], '/')].filter(name => name > last && name < tokens.length);
      if (names.length > 0) {
        put(ids, tokens.slice(start, many[end] ? end + 1 : end));
        names.forEach(name => put(usernames, tokens.slice(name)));
      }
    }
  }
  const isOpen = tokens.some(token => token.kind === 'text' && isMany(token));
  return usernames.size === 0
    ? undefined
    : isOpen
      ? 'unknown'
      : { ids: [...ids.values()], usernames: [...usernames.values()] };
}

/** `*`, a variable, or a value that may be a pattern itself: not the attribute of a resource, nor a Region. */
function isMany({ kind, text }: Token): boolean {
  const [symbol] = isSymbol(text) ? symbolsIn(text) : [];
  switch (symbol?.[0]) {
    case undefined:
      return kind === 'any';
    case 'resource':
      return symbol[3].startsWith('Outputs.');
    case 'character':
      return false;
    default:
      return !symbol[1].startsWith('AWS::');
  }
}

function isOfName({ kind, text }: Token): boolean {
  return kind === 'text' && text !== ':' && text !== '/';
}

function put(patterns: Map<string, PolicyPattern>, tokens: readonly Token[]): void {
  const source = tokens
    .map(({ kind, text }) => (kind === 'text' && /^[*?$]$/.test(text) ? `\${${text}}` : text))
    .join('');
  patterns.set(source, policyPattern(source));
}
