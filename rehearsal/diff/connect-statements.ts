import { list } from '../iam/policy-document';
import { matches, PolicyPattern, policyPattern } from './policy-pattern';

export interface Document {
  readonly statements: readonly Statement[];

  /** Why it may not apply. */
  readonly undecided?: string;
}

interface Statement {
  readonly effect: string;

  /** Whether it is about `rds-db:connect`; `named` if it says so, rather than `*`. */
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

/** Of a policy that cannot be read. */
export const UNREADABLE: Statement = {
  effect: 'Allow',
  resources: [
    { region: ANY, account: ANY, id: ANY, username: ANY, undecided: 'the policy is known to the deployment alone' },
  ],
};

/** The statements of a policy that are about `rds-db:connect`. */
export function statementsIn(document: unknown, read: (value: unknown) => string): Statement[] {
  return list((document as { Statement?: unknown }).Statement ?? []).flatMap((statement) => {
    const { Effect, Action, NotAction, Resource, NotResource, Condition } = statement as { [key: string]: unknown };
    if (Effect === undefined) {
      return JSON.stringify(statement).includes('rds-db') ? [UNREADABLE] : [];
    }
    const covers = (action: unknown) => matches(policyPattern(read(action).toLowerCase()), CONNECT) !== 'no';
    const isNamed = list(Action ?? []).some(action => read(action).toLowerCase().startsWith('rds-db:'));
    if (Action === undefined ? list(NotAction ?? []).some(covers) : !list(Action).some(covers)) {
      return [];
    }
    const resources
      = NotResource === undefined
        ? list(Resource ?? []).flatMap(resource => connectResource(read(resource), isNamed) ?? [])
        : [{ region: ANY, account: ANY, id: ANY, username: ANY, undecided: 'its policy has NotResource' }];
    const isConditional = Object.keys(Condition ?? {}).length > 0;
    return [
      {
        effect: read(Effect),
        resources,
        ...(isConditional
          ? { undecided: 'its policy has a Condition, which RDS does not evaluate for rds-db:connect' }
          : {}),
      },
    ];
  });
}

/** @param isNamed whether the statement names an action of rds-db */
function connectResource(text: string, isNamed: boolean): ConnectResource | undefined {
  if (text === '*') {
    return { region: ANY, account: ANY, id: ANY, username: ANY };
  }
  const [arn, , service, region, account, ...rest] = text.split(':');
  if (arn !== 'arn' || service === undefined) {
    return isNamed
      ? {
          region: ANY,
          account: ANY,
          id: ANY,
          username: ANY,
          undecided: 'the ARN in its policy is known to the deployment alone',
        }
      : undefined;
  }
  if (matches(policyPattern(service), 'rds-db') === 'no') {
    return undefined;
  }
  const resource = rest.join(':');
  const [, id, username] = /^dbuser:([^/]*)\/(.*)$/s.exec(resource) ?? [];
  const pattern = { region: policyPattern(region ?? '*'), account: policyPattern(account ?? '*') };
  if (id === undefined) {
    return matches(policyPattern(resource), 'dbuser:cluster-A/user') === 'no'
      ? undefined
      : { ...pattern, id: ANY, username: ANY };
  }
  return { ...pattern, id: policyPattern(id), username: policyPattern(username) };
}
