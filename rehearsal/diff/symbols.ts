/** What stands in a text for what only the deployment knows. */
export type Symbol
  = | readonly ['resource', stackId: string, logicalId: string, attribute: string]
    | readonly ['name', name: string]
    | readonly ['function', stackId: string, json: string]
    | readonly ['character', character: string];

/** Private use characters. Names that contain them are encoded, so that no name can be taken for a symbol. */
const [BEGIN, END] = ['\ue000', '\ue001'];
const SYMBOL = new RegExp(`${BEGIN}([^${BEGIN}${END}]*)${END}`, 'g');

/** Without any character that has a meaning in an ARN or in a pattern. */
export function symbolText(symbol: Symbol): string {
  return `${BEGIN}${encodeURIComponent(JSON.stringify(symbol)).replaceAll('*', '%2A')}${END}`;
}

export function symbolsIn(text: string): Symbol[] {
  return [...text.matchAll(SYMBOL)].map(([, encoded]) => JSON.parse(decodeURIComponent(encoded)) as Symbol);
}

export function replaceSymbols(text: string, replacement: (symbol: Symbol) => string): string {
  return text.replace(SYMBOL, found => replacement(symbolsIn(found)[0]));
}

/** The symbol that a text consists of, if it is nothing else. */
export function onlySymbol(text: string): Symbol | undefined {
  const [symbol] = symbolsIn(text);
  return symbol !== undefined && symbolText(symbol) === text ? symbol : undefined;
}

/** The resource of which a text is an attribute. */
export function withoutAttribute(text: string): string {
  const symbol = onlySymbol(text);
  return symbol?.[0] === 'resource' ? symbolText(['resource', symbol[1], symbol[2], '']) : text;
}

/** Each character of a text, and each symbol in it. */
export function tokensIn(text: string): string[] {
  return text.match(new RegExp(`${SYMBOL.source}|[^]`, 'gu')) ?? [];
}

export function isSymbol(token: string): boolean {
  return token.startsWith(BEGIN);
}
