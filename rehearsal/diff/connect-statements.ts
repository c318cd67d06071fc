import { acrossSeparators } from './across-separators';
import { branchesOf, isFunction } from './branches';
import { matches, PolicyPattern, policyPattern } from './policy-pattern';
import { symbolsIn } from './symbols';

export interface Document {
  readonly statements: readonly Statement[];

  /** Why it may not apply. */
  readonly undecided?: string;
}

interface Statement {
  readonly effect: string;
  readonly resources: readonly ConnectResource[];
  readonly undecided?: string;
}

/** The parts of an ARN in a statement about `rds-db:connect`. */
export interface ConnectResource {
  readonly region: PolicyPattern;
  readonly account: PolicyPattern;
  readonly id: PolicyPattern;
  readonly username: PolicyPattern;

  /** Why it is not known what it is about. */
  readonly undecided?: string;
}

const CONNECT = 'rds-db:connect';
const ANY = policyPattern('*');
const EVERYTHING = { region: ANY, account: ANY, id: ANY, username: ANY };

/** Of a policy that cannot be read, whose text tells it from others. */
export function unreadable(source: string): Statement {
  return {
    effect: 'Allow',
    resources: [somewhere(source, 'the policy is known to the deployment alone')],
  };
}

/** The statements of a policy that are about `rds-db:connect`. */
export function statementsIn(document: unknown, read: (value: unknown) => string): Statement[] {
  return branchesOf((document as { Statement?: unknown }).Statement).flatMap(
    ({ value: statement, undecided: branch }) => {
      const { Effect, Action, Resource, NotResource, Condition } = statement as { [key: string]: unknown };
      if (Effect === undefined) {
        return isFunction(statement) ? [unreadable(read(statement))] : [];
      }
      const about = isAbout(statement as object, [CONNECT], read);
      const isNamed = branchesOf(Action).some(({ value }) => read(value).toLowerCase().startsWith('rds-db:'));
      if (about === 'no') {
        return [];
      }
      const resources
        = NotResource === undefined
          ? branchesOf(Resource).flatMap(({ value, undecided }) =>
              connectResources(read(value), isNamed).map(resource => ({
                ...(undecided === undefined ? {} : { undecided }),
                ...resource,
              })),
            )
          : [{ ...EVERYTHING, undecided: 'its policy has NotResource' }];
      const isConditional = Object.keys(Condition ?? {}).length > 0;
      const because
        = branch
          ?? (about === 'maybe' ? 'the Action in its policy is known to the deployment alone' : undefined)
          ?? (isConditional ? 'its policy has a Condition, which RDS does not evaluate for rds-db:connect' : undefined);
      return effectsIn(Effect, read).map(({ effect, undecided = because }) => ({
        effect, resources, ...(undecided === undefined ? {} : { undecided }),
      }));
    },
  );
}

/** What a statement may do. */
export function effectsIn(
  effect: unknown,
  read: (value: unknown) => string,
): { readonly effect: string; readonly undecided?: string }[] {
  return branchesOf(effect).flatMap(({ value, undecided }) => {
    const text = read(value);
    return symbolsIn(text).length === 0
      ? [{ effect: text, ...(undecided === undefined ? {} : { undecided }) }]
      : ['Allow', 'Deny'].map(each => ({
          effect: each,
          undecided: 'the Effect in its policy is known to the deployment alone',
        }));
  });
}

const OPPOSITE = { yes: 'no', maybe: 'maybe', no: 'yes' } as const;

/** Whether a statement is about one of some actions, which are in lower case. */
export function isAbout(
  statement: object,
  actions: readonly string[],
  read: (value: unknown) => string,
): 'yes' | 'maybe' | 'no' {
  const { Action, NotAction } = statement as { Action?: unknown; NotAction?: unknown };
  const answers = actions.map((action) => {
    const answer = isAmong(action, NotAction ?? Action, read);
    return NotAction === undefined ? answer : OPPOSITE[answer];
  });
  return (['yes', 'maybe'] as const).find(answer => answers.includes(answer)) ?? 'no';
}

function isAmong(action: string, patterns: unknown, read: (value: unknown) => string): 'yes' | 'maybe' | 'no' {
  const answers = branchesOf(patterns).map(({ value, undecided }) => {
    const answer = matches(policyPattern(read(value).toLowerCase()), action);
    return answer === 'yes' && undecided !== undefined ? 'maybe' : answer;
  });
  return (['yes', 'maybe'] as const).find(answer => answers.includes(answer)) ?? 'no';
}

function somewhere(source: string, undecided: string): ConnectResource {
  return { ...EVERYTHING, username: { ...ANY, source }, undecided };
}

/** @param isNamed whether the statement names an action of rds-db */
function connectResources(text: string, isNamed: boolean): ConnectResource[] {
  const [, service = '', region = '', account = '', id = '', username = '']
    = /^arn:[^:]*:([^:]*):([^:]*):([^:]*):dbuser:([^/]*)\/(.*)$/s.exec(text) ?? [];
  if (username !== '' && matches(policyPattern(service), 'rds-db') !== 'no') {
    const [ofRegion, ofAccount, ofId, ofUser] = [region, account, id, username].map(policyPattern);
    return [{ region: ofRegion, account: ofAccount, id: ofId, username: ofUser }];
  }
  const across = acrossSeparators(policyPattern(text));
  if (across === 'unknown' || (across === undefined && isNamed && !text.startsWith('arn:'))) {
    return [somewhere(text, 'the ARN in its policy is known to the deployment alone')];
  }
  // IAM documents that a * at the end goes beyond the parts of an ARN, and of another wildcard it does not say so.
  const undecided = /^[^*?]*\*$/.test(text)
    ? {}
    : { undecided: 'a wildcard in its policy stands for a separator of the ARN' };
  const [, ofRegion = '*', ofAccount = '*'] = /^arn:[^:]*:[^:]*:([^:*?]*):([^:*?]*):/.exec(text) ?? [];
  const place = { region: policyPattern(ofRegion), account: policyPattern(ofAccount) };
  return across === undefined
    ? []
    : across.ids.flatMap(each => across.usernames.map(user => ({ ...place, id: each, username: user, ...undecided })));
}
