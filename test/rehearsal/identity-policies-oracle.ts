import { Condition, PolicyDocument, PolicyStatement } from '../../rehearsal/iam/policy-document';

/** A request and what is known of it. Knows nothing of how the rehearsal evaluates. */
export interface World {
  readonly action: string;
  readonly resource: string;
  readonly principal: { readonly arn: string; readonly tags: Record<string, string>; readonly userId?: string };
  readonly at: Date;
  /** Keys that a rehearsal has no value for, by name in lower case. */
  readonly extra: Record<
    string,
    {
      readonly value: string | string[] | undefined;
      readonly types: ('String' | 'Numeric' | 'Date' | 'Bool' | 'Arn' | 'IpAddress')[];
    }
  >;
}

export type Verdict = 'allowed' | 'denied' | 'not known';

/** Yes, no, or not documented. */
type Answer = boolean | undefined;

/** What was answered, by operator as the policies write it. */
export type Answers = Map<string, Set<Answer>>;

/**
 * The decision once more, written from the IAM User Guide and not from the evaluator: by its flow chart, statement by
 * statement, with patterns matched character by character, dates and addresses by hand.
 */
export class Oracle {
  constructor(private readonly world: World, private readonly answers: Answers = new Map()) {}

  decide(identity: PolicyDocument[], boundary: PolicyDocument | undefined): Verdict {
    const effectsOf = (documents: PolicyDocument[]) =>
      documents.flatMap(document =>
        asList(document.Statement).map(statement => ({
          effect: statement.Effect,
          answer: this.isAbout(statement, document.Version === '2012-10-17'),
        })),
      );
    const own = effectsOf(identity);
    const limit = boundary && effectsOf([boundary]);
    const all = [...own, ...limit ?? []];
    if (all.some(({ answer }) => answer === undefined)) {
      return 'not known';
    }
    const has = (effects: typeof all, wanted: string) =>
      effects.some(({ effect, answer }) => effect === wanted && answer);
    if (has(all, 'Deny')) {
      return 'denied';
    }
    if (!has(own, 'Allow')) {
      return 'denied';
    }
    return limit && !has(limit, 'Allow') ? 'denied' : 'allowed';
  }

  private isAbout(statement: PolicyStatement, variables: boolean): Answer {
    const { Action, NotAction, Resource, NotResource, Condition = {} } = statement;
    const actions = asList(Action ?? NotAction ?? []).map(pattern =>
      glob(plainCells(pattern.toUpperCase()), this.world.action.toUpperCase()),
    );
    if (actions.includes(true) === (Action === undefined)) {
      return false;
    }
    const texts = asList(Resource ?? NotResource ?? []);
    const resources = texts.map(text => this.matchesResource(text, variables));
    if (resources.includes(undefined)) {
      return undefined;
    }
    if (resources.includes(true) === (Resource === undefined)) {
      return false;
    }
    const conditions = this.holds(Condition, variables);
    if (conditions !== true) {
      return conditions;
    }
    // "might cause the entire statement to be invalid": so nobody knows when the rest of it says yes.
    const withVariables = [...texts, ...Object.entries(Condition).flatMap(([operator, tests]) =>
      /String|Arn/.test(operator) ? Object.values(tests).flatMap(values => asList(values).map(String)) : [])];
    return variables && withVariables.some(text => this.cells(text) === 'missing') ? undefined : true;
  }

  private matchesResource(text: string, variables: boolean): Answer {
    const cells = variables ? this.cells(text) : plainCells(text);
    if (cells === 'malformed') {
      return undefined;
    }
    if (cells === 'missing') {
      return false;
    }
    const beyond = glob(cells, this.world.resource);
    const inside = glob(cells, this.world.resource, true);
    return beyond === inside ? beyond : undefined;
  }

  private holds(condition: Condition, variables: boolean): Answer {
    const answers = Object.entries(condition).flatMap(([operator, tests]) =>
      Object.entries(tests).map(([key, values]) => {
        const answer = this.test(operator, key, asList(values).map(String), variables);
        this.remember(operator, answer);
        return answer;
      }),
    );
    return answers.includes(undefined) ? undefined : !answers.includes(false);
  }

  private remember(operator: string, answer: Answer): void {
    const before = this.answers.get(operator);
    if (before) {
      before.add(answer);
    } else {
      this.answers.set(operator, new Set([answer]));
    }
  }

  private test(operator: string, key: string, texts: string[], variables: boolean): Answer {
    const known = this.lookUp(key);
    if (!known) {
      return undefined;
    }
    const { value, types } = known;
    if (operator === 'Null') {
      return texts.includes(value === undefined ? 'true' : 'false');
    }
    const quantifier = operator.includes(':') ? operator.slice(0, operator.indexOf(':')) : '';
    const bare = operator.slice(quantifier === '' ? 0 : quantifier.length + 1);
    const ifExists = bare.endsWith('IfExists');
    const name = ifExists ? bare.slice(0, -'IfExists'.length) : bare;
    const isNot = name.includes('Not');
    const positive = name.replace('Not', '');
    const family = types.find(type => positive.startsWith(type));
    if (!family) {
      return undefined;
    }
    const expected: (Cell[] | 'missing' | 'malformed')[] = texts.map(text =>
      /String|Arn/.test(family) && variables ? this.cells(text) : plainCells(text),
    );
    if (
      expected.includes('malformed')
      || (family === 'Arn'
        && expected.some(cells => typeof cells !== 'string' && cells.filter(({ colon }) => colon).length < 5))
    ) {
      return undefined;
    }
    if (variables && !/String|Arn/.test(family) && texts.some(text => text.includes('${'))) {
      return undefined;
    }
    const one = (actual: string) => {
      const matching = expected.some(cells => typeof cells !== 'string' && compare(positive, actual, cells));
      return isNot ? !matching : matching;
    };
    const values = value === undefined ? [] : asList(value);
    switch (quantifier) {
      case 'ForAllValues':
        return !values.some(actual => actual !== '' && !one(actual));
      case 'ForAnyValue':
        return value === undefined && ifExists ? undefined : values.some(actual => actual !== '' && one(actual));
      default:
        if (Array.isArray(value)) {
          return undefined;
        }
        return value === undefined ? isNot || ifExists : one(value);
    }
  }

  /** The characters and wildcards that a policy's string stands for. */
  private cells(text: string): Cell[] | 'missing' | 'malformed' {
    const cells: Cell[] = [];
    let missing = false;
    let rest = text;
    while (rest !== '') {
      if (!rest.startsWith('${')) {
        const [character] = rest;
        cells.push(...plainCells(character));
        rest = rest.slice(character.length);
        continue;
      }
      const end = rest.indexOf('}');
      const inner = rest.slice(2, end);
      const comma = inner.indexOf(', \'');
      const key = comma < 0 ? inner : inner.slice(0, comma);
      const byDefault = comma < 0 ? undefined : inner.slice(comma + 3, -1);
      const isEscape = ['*', '?', '$'].includes(inner);
      const isDefault = comma < 0 || (inner.length >= comma + 4 && inner.endsWith('\'') && !byDefault!.includes('\''));
      const wellFormed = end >= 0 && (isEscape || (isKey(key) && isDefault));
      if (!wellFormed) {
        return 'malformed';
      }
      const known = isEscape ? { value: inner } : this.lookUp(key);
      if (!known || Array.isArray(known.value)) {
        return 'malformed';
      }
      const value = known.value ?? byDefault;
      missing ||= value === undefined;
      cells.push(...[...value ?? ''].map(character => ({ character })));
      rest = rest.slice(end + 1);
    }
    return missing ? 'missing' : cells;
  }

  private lookUp(name: string): { value: string | string[] | undefined; types: readonly string[] } | undefined {
    const { action, resource, principal, at, extra } = this.world;
    const key = name.toLowerCase();
    const isUser = principal.arn.includes(':user/');
    if (key.startsWith('aws:principaltag/')) {
      const tag = Object.keys(principal.tags).find(
        each => `aws:principaltag/${each}`.toUpperCase() === key.toUpperCase(),
      );
      return { value: tag === undefined ? undefined : principal.tags[tag], types: ['String'] };
    }
    switch (key) {
      case 'aws:currenttime':
        return { value: at.toISOString().replace(/\.\d+/, ''), types: ['Date'] };
      case 'aws:epochtime':
        return { value: String((at.getTime() - at.getMilliseconds()) / 1000), types: ['Date', 'Numeric'] };
      case 'aws:principalaccount':
        return { value: principal.arn.split(':')[4], types: ['String'] };
      case 'aws:principalarn':
        return { value: principal.arn, types: ['Arn', 'String'] };
      case 'aws:principaltype':
        return { value: isUser ? 'User' : 'AssumedRole', types: ['String'] };
      case 'aws:requestedregion':
        return { value: resource.split(':')[3], types: ['String'] };
      case 'aws:securetransport':
        return { value: 'true', types: ['Bool'] };
      case 'aws:userid':
        return principal.userId === undefined ? undefined : { value: principal.userId, types: ['String'] };
      case 'aws:username':
        return {
          value: isUser ? principal.arn.slice(principal.arn.lastIndexOf('/') + 1) : undefined,
          types: ['String'],
        };
      default:
        return key.startsWith('aws:') || action === '' ? undefined : extra[key];
    }
  }
}

/** What one place of a pattern takes. */
interface Cell {
  readonly character?: string;
  readonly wildcard?: '*' | '?';
  /** A separator of the pattern itself. */
  readonly colon?: boolean;
}

function plainCells(text: string): Cell[] {
  return [...text].map(character =>
    character === '*' || character === '?' ? { wildcard: character } : { character, colon: character === ':' },
  );
}

/**
 * Cell by cell: where in the text one may be after it, in ascending order.
 *
 * @param inside whether wildcards stay within segments, but for a * at the end of one
 */
function glob(cells: Cell[], text: string, inside = false): boolean {
  const characters = [...text];
  let common = 0;
  while (
    common < cells.length
    && cells[common].wildcard === undefined
    && cells[common].character === characters[common]
  ) {
    common++;
  }
  let places = [common];
  for (let at = common; at < cells.length && places.length > 0; at++) {
    const { character, wildcard } = cells[at];
    const isBound = inside && !(wildcard === '*' && (at === cells.length - 1 || cells[at + 1].colon));
    const takes = (place: number) =>
      place < characters.length
      && (wildcard === undefined ? characters[place] === character : !(isBound && characters[place] === ':'));
    if (wildcard !== '*') {
      places = places.filter(takes).map(place => place + 1);
      continue;
    }
    const reached: number[] = [];
    for (let place = places[0]; place <= characters.length; place++) {
      if (places.includes(place) || (reached.at(-1) === place - 1 && takes(place - 1))) {
        reached.push(place);
      }
    }
    places = reached;
  }
  return places.includes(characters.length);
}

function compare(operator: string, actual: string, cells: Cell[]): boolean {
  const text = cells.map(({ character, wildcard }) => wildcard ?? character).join('');
  switch (operator) {
    case 'StringEquals':
      return !(actual < text) && !(actual > text);
    case 'StringEqualsIgnoreCase':
      return actual.toUpperCase() === text.toUpperCase();
    case 'StringLike':
      return glob(cells, actual);
    case 'Bool':
      return actual === text;
    case 'ArnEquals':
    case 'ArnLike':
      return arnLike(cells, actual);
    case 'IpAddress':
      return bits(actual).startsWith(bits(text).slice(0, Number(text.split('/')[1] ?? 32)));
    default:
      return ordered(
        operator,
        operator.startsWith('Date')
          ? moment(actual) - moment(text)
          : Math.round(Number(actual) * 1000) - Math.round(Number(text) * 1000),
      );
  }
}

function arnLike(cells: Cell[], arn: string): boolean {
  let pattern = cells;
  let rest = arn;
  for (let part = 0; part < 5; part++) {
    const end = pattern.findIndex(({ colon }) => colon);
    if (!glob(pattern.slice(0, end), rest.slice(0, rest.indexOf(':')))) {
      return false;
    }
    pattern = pattern.slice(end + 1);
    rest = rest.slice(rest.indexOf(':') + 1);
  }
  return glob(pattern, rest);
}

function ordered(operator: string, difference: number): boolean {
  return difference < 0
    ? operator.includes('Less')
    : difference > 0
      ? operator.includes('Greater')
      : operator.endsWith('Equals');
}

function bits(address: string): string {
  return address.split('/')[0].split('.').map(part => Number(part).toString(2).padStart(8, '0')).join('');
}

/** Seconds since 1970, counting the days of the Gregorian calendar. */
function moment(text: string): number {
  if (!text.includes('T')) {
    return Number(text);
  }
  const [year, month, day, hour, minute] = text.split(/[-T:Z+]/).map(Number);
  const isLeap = (of: number) => of % 4 === 0 && (of % 100 !== 0 || of % 400 === 0);
  let days = day - 1;
  for (let each = 1970; each < year; each++) {
    days += isLeap(each) ? 366 : 365;
  }
  for (let each = 1; each < month; each++) {
    days += each === 2 ? (isLeap(year) ? 29 : 28) : [4, 6, 9, 11].includes(each) ? 30 : 31;
  }
  const seconds = Number(/T\d\d:\d\d:(\d\d(?:\.\d+)?)/.exec(text)?.[1] ?? 0);
  const zone = /([+-])(\d\d):(\d\d)$/.exec(text);
  const offset = zone ? (zone[1] === '+' ? 1 : -1) * (Number(zone[2]) * 60 + Number(zone[3])) : 0;
  return days * 86_400 + hour * 3600 + (minute - offset) * 60 + seconds;
}

function isKey(text: string): boolean {
  return (
    text !== ''
    && [...text].every(
      character => '0123456789_.:/=+-@ '.includes(character) || character.toLowerCase() !== character.toUpperCase(),
    )
  );
}

function asList<Item>(items: Item | Item[]): Item[] {
  return Array.isArray(items) ? items : [items];
}
