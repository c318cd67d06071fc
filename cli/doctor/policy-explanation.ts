/** Why policies do not let an identity do something, in the words of the policies themselves. */
import { because, Finding, ok, unknown } from './finding';
import { isSeen, NamedPolicy, PolicyDocuments, PolicyFacts, Simulation } from './observations';
import { matchesString, readLiterally } from '../../rehearsal/iam/pattern';
import { list, PolicyStatement } from '../../rehearsal/iam/policy-document';

interface Statement extends PolicyStatement {
  readonly policy: string;
}

/** What the simulator says counts; the policies say why, and what the simulator does not know of RDS. */
export function explainPolicy(
  { principal, action, resource, simulation, documents }: PolicyFacts,
  prefix = 'policy',
): Finding {
  const its = nameOf(principal);
  const simulated = isSeen(simulation) ? fromSimulation(simulation.value, its, action, resource) : undefined;
  const read = isSeen(documents) ? fromDocuments(documents.value, its, action, resource) : undefined;
  const details = [`${action} on ${resource}`];
  if (read?.state === 'cause') {
    // A deny that the simulator does not confirm may have a condition that does not hold.
    return simulated?.state === 'ok' && read.cause !== 'policy-condition'
      ? { ...simulated, details }
      : { ...read, details };
  }
  if (simulated?.state === 'cause') {
    return { ...simulated, details };
  }
  const finding = simulated ?? read;
  if (finding) {
    return { ...finding, details };
  }
  const needs = [simulation, documents].flatMap(seen => (isSeen(seen) ? [] : [seen.unseen]));
  return unknown([...new Set(needs)].join(', or '), [`${prefix}: ${details[0]}`]);
}

function fromSimulation(simulation: Simulation, its: string, action: string, resource: string): Finding {
  const { decision, boundaryAllows, organizationAllows, missingContext } = simulation;
  if (organizationAllows === false) {
    return because(
      'policy-organization',
      `a service control policy of the organization does not allow ${action} for ${its}`,
      `let the owner of the organization allow ${action} on ${resource}`,
    );
  }
  if (decision === 'explicitDeny') {
    return because('policy-deny', `a policy of ${its} denies ${action}`, `take ${resource} out of the Deny`);
  }
  if (boundaryAllows === false) {
    return because(
      'policy-boundary',
      `the permissions boundary of ${its} does not allow ${action}`,
      `allow ${action} on ${resource} in the boundary, too`,
    );
  }
  if (decision === 'implicitDeny') {
    return missingContext.length > 0
      ? because(
          'policy-condition',
          `a policy of ${its} allows ${action} with a condition on ${missingContext.join(', ')} alone`,
          'narrow the resource instead: RDS evaluates no condition of rds-db:connect',
        )
      : notAllowed(its, action, resource);
  }
  return ok(`IAM allows ${its} ${action}, simulated`);
}

function notAllowed(its: string, action: string, resource: string): Finding {
  return because('policy-not-allowed', `no policy of ${its} allows ${action} on ${resource}`, grant(resource));
}

/** https://repost.aws/knowledge-center/aurora-postgresql-connect-iam: RDS evaluates no condition of rds-db:connect. */
function fromDocuments(
  { policies, boundary }: PolicyDocuments,
  its: string,
  action: string,
  resource: string,
): Finding {
  const statements = policies.flatMap(statementsOf);
  const about = statements.filter(statement => isAboutAction(statement, action));
  const matching = about.filter(statement => isAboutResource(statement, resource));
  if (matching.some(({ Resource, NotResource }) => list(Resource ?? NotResource ?? []).some(hasVariable))) {
    return unknown(`policies of ${its} have policy variables, which are not evaluated here`);
  }
  const denying = matching.find(({ Effect }) => Effect === 'Deny');
  if (denying && !isUnconditional(denying)) {
    return unknown(`policy ${denying.policy} of ${its} denies ${action} with a condition, which is not evaluated here`);
  }
  if (denying) {
    return because(
      'policy-deny',
      `policy ${denying.policy} of ${its} denies ${action} on ${resource}`,
      `take it out of the Deny of ${denying.policy}`,
    );
  }
  const allowing = matching.filter(({ Effect }) => Effect === 'Allow');
  if (allowing.some(isUnconditional)) {
    const bounded = boundary === undefined || allows(boundary, action, resource);
    if (bounded === undefined) {
      return unknown(
        `the permissions boundary ${boundary?.name} of ${its} has a condition or a policy variable, which is not evaluated here`,
      );
    }
    return bounded
      ? ok(`the policies of ${its} allow ${action}`)
      : because(
          'policy-boundary',
          `the permissions boundary ${boundary.name} of ${its} does not allow ${action}`,
          `allow ${action} on ${resource} in the boundary, too`,
        );
  }
  const [conditional] = allowing;
  if (conditional) {
    const keys = Object.values(conditional.Condition ?? {})
      .flatMap(Object.keys)
      .join(', ');
    return because(
      'policy-condition',
      `policy ${conditional.policy} of ${its} allows ${action} with a condition on ${keys} alone, and RDS evaluates no condition of it`,
      'take the condition out, and narrow the resource instead',
    );
  }
  return nearest(
    about.filter(({ Effect }) => Effect === 'Allow'),
    its,
    action,
    resource,
  );
}

interface ConnectArn {
  readonly partition: string;
  readonly region: string;
  readonly account: string;
  readonly resourceId: string;
  readonly username: string;
}

const CONNECT_ARN = /^arn:([^:]*):rds-db:([^:]*):([^:]*):dbuser:([^/]*)\/(.*)$/s;

function parsed(arn: string): ConnectArn | undefined {
  const [, partition, region, account, resourceId, username] = CONNECT_ARN.exec(arn) ?? [];
  return username === undefined ? undefined : { partition, region, account, resourceId, username };
}

/** What is allowed instead, if it is about something similar. */
function nearest(statements: Statement[], its: string, action: string, resource: string): Finding {
  const wanted = parsed(resource);
  const others = statements.flatMap(({ policy, Resource = [] }) =>
    list(Resource).flatMap((text) => {
      const arn = parsed(text);
      return arn ? [{ policy, text, arn }] : [];
    }),
  );
  if (!wanted || others.length === 0) {
    return because('policy-missing', `no policy of ${its} allows ${action}`, grant(resource));
  }
  const { username, resourceId } = wanted;
  const matches = (
    part: 'partition' | 'region' | 'account' | 'resourceId' | 'username',
    { arn }: { arn: ConnectArn },
  ) => isMatch(arn[part], wanted[part]);
  const sameId = others.find(other => matches('resourceId', other));
  const sameUser = others.find(other => matches('username', other));
  const both = others.find(other => matches('resourceId', other) && matches('username', other));
  if (both) {
    return because(
      'policy-other-location',
      `policy ${both.policy} of ${its} is about ${both.text}, and the database is ${resource}`,
      `name Region, account and partition of the database: ${resource}`,
    );
  }
  if (sameId) {
    const { policy, arn } = sameId;
    if (/[*?]/.test(arn.username.replace(/\$\{[*?$]\}/g, ''))) {
      return because(
        'policy-wildcard',
        `policy ${policy} of ${its} is about users ${arn.username}, which ${username} does not match`,
        grant(resource),
      );
    }
    return arn.username.toLowerCase() === username.toLowerCase()
      ? because(
          'policy-case',
          `policy ${policy} of ${its} is about user ${arn.username}, and not ${username}: names are case-sensitive`,
          grant(resource),
        )
      : because(
          'policy-other-user',
          `policy ${policy} of ${its} is about user ${arn.username}, and not ${username}`,
          grant(resource),
        );
  }
  if (sameUser) {
    return because(
      'policy-other-id',
      `policy ${sameUser.policy} of ${its} is about ${sameUser.arn.resourceId}, and this is ${resourceId}${hint(sameUser.arn.resourceId, resourceId)}`,
      grant(resource),
    );
  }
  return because(
    'policy-missing',
    `no policy of ${its} allows ${action} at ${resourceId} or as ${username}`,
    grant(resource),
  );
}

function hint(given: string, resourceId: string): string {
  if (!/^(cluster|db|prx)-[A-Z0-9]+$/i.test(given)) {
    return ': a policy needs the resource id, and not the name';
  }
  if (resourceId.startsWith('prx-') || given.startsWith('prx-')) {
    return ': a proxy has a resource id of its own';
  }
  return ', such as after a restore or a switchover';
}

const grant = (resource: string) =>
  `grant with user.grantConnect(role) and deploy, or allow rds-db:connect on ${resource}`;

function statementsOf({ name, document }: NamedPolicy): Statement[] {
  return list(document.Statement).map(statement => ({ ...statement, policy: name }));
}

/** Whether a boundary lets this through; undefined where that depends on a condition or a policy variable. */
function allows(boundary: NamedPolicy, action: string, resource: string): boolean | undefined {
  const matching = statementsOf(boundary)
    .filter(statement => isAboutAction(statement, action) && isAboutResource(statement, resource));
  const has = (effect: string, statements: readonly Statement[]) => statements.some(({ Effect }) => Effect === effect);
  const certain = matching.filter(statement => isUnconditional(statement)
    && !list(statement.Resource ?? statement.NotResource ?? []).some(hasVariable));
  if (has('Deny', certain) || !has('Allow', matching)) {
    return false;
  }
  return has('Deny', matching) || !has('Allow', certain) ? undefined : true;
}

/** A variable other than the escapes of `*`, `?` and `$`. */
function hasVariable(text: string): boolean {
  return /\$\{(?![*?$]\})/.test(text);
}

function isUnconditional({ Condition = {} }: PolicyStatement): boolean {
  return Object.keys(Condition).length === 0;
}

function isAboutAction({ Action, NotAction }: PolicyStatement, action: string): boolean {
  const matches = (pattern: string) => matchesString(readLiterally(pattern.toLowerCase()), action.toLowerCase());
  return Action === undefined ? !list(NotAction ?? []).some(matches) : list(Action).some(matches);
}

function isAboutResource({ Resource, NotResource }: PolicyStatement, resource: string): boolean {
  const matches = (pattern: string) => isMatch(pattern, resource);
  // An exception with a variable may be about another resource.
  return Resource === undefined
    ? !list(NotResource ?? []).some(pattern => !hasVariable(pattern) && matches(pattern))
    : list(Resource).some(matches);
}

/** Policy variables other than the escapes stand for text that is not known here: they may match. */
function isMatch(pattern: string, text: string): boolean {
  const tokens = pattern.split(/(\$\{[^}]*\})/).flatMap((part, at) => {
    if (at % 2 === 0) {
      return readLiterally(part);
    }
    const escaped = /^\$\{([*?$])\}$/.exec(part)?.[1];
    return escaped === undefined ? readLiterally('*') : [{ kind: 'text' as const, text: escaped }];
  });
  return matchesString(tokens, text);
}

/** `role Service` of its ARN. */
function nameOf(principal: string): string {
  const [kind, ...path] = (principal.split(':')[5] ?? principal).split('/');
  return path.length === 0 ? principal : `${kind} ${path.at(-1)}`;
}
