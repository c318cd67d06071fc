import type { Resource } from '../app/template';
import { attributeIn, type Part, partsOf, settingOf, shown } from '../app/value';
import { FUNCTION_ACTIONS, libraryFunctionsOf, libraryRolesOf, provisionersOf } from '../databases/provisioners';
import { allowedIn, holdersOf } from '../iam/allowed';
import { UNREAD } from '../iam/identity-policies';
import { isAbout, type Statement } from '../iam/statement';
import { reachOf, reachOfResource } from '../iam/target';
import { answerOf, type Finding, type Rule } from '../rule';
import { DRIFT_ALIAS, EXPIRY_ALIAS, PLAN_ALIAS } from '../../contract/wire';

/** What makes a function callable. */
interface Caller {
  /** Property that names the function. */
  readonly function: string;
  /** Who calls it, for people. */
  readonly who: (resource: Resource) => string;
  /** Whether it lets the function be called or changed; undefined where only the deployment knows. */
  readonly does?: (resource: Resource) => boolean | undefined;
}

const CALLERS: Record<string, Caller> = {
  'AWS::Lambda::Permission': {
    function: 'FunctionName',
    who: named('Principal', 'a caller that it does not name'),
    does: permits,
  },
  'AWS::Lambda::Url': { function: 'TargetFunctionArn', who: callersOfUrl },
  'AWS::Lambda::EventSourceMapping': {
    function: 'FunctionName',
    who: named('EventSourceArn', 'a self-managed event source'),
  },
};

/**
 * A policy or another resource that lets principals other than CloudFormation call or change a function of this
 * library, by name.
 */
export const provisionerInvocable: Rule = {
  id: 'IamAuth-ProvisionerInvocable',
  remedy:
    'take the grant away; CloudFormation calls the function in the name of the principal that deploys, and nothing else needs to',
  source: 'https://docs.aws.amazon.com/lambda/latest/dg/lambda-permissions.html',
  check(resource) {
    const functions = libraryFunctionsOf(resource.template.app);
    if (functions.length === 0) {
      return 'NOT_APPLICABLE';
    }
    // The provider framework in front of them hands each event on, whichever alias it came by.
    const handlers = new Set(provisionersOf(resource.template.app).map(({ handler }) => handler));
    const caller = Object.hasOwn(CALLERS, resource.type) ? CALLERS[resource.type] : undefined;
    if (caller) {
      return answerOf(callsOf(resource, caller, handlers));
    }
    const allowed = allowedIn(resource, ...FUNCTION_ACTIONS);
    return allowed.length === 0
      ? 'NOT_APPLICABLE'
      : answerOf(
          allowed.flatMap(({ policy, statement, actions, unknown, location }) => {
            const holders = holdersOf(policy, libraryRolesOf(resource.template.app));
            if (holders.length === 0) {
              return [];
            }
            if (!statement) {
              const { what, why } = policy.unread ?? UNREAD;
              return [
                {
                  what,
                  unknown,
                  location,
                  problem: `${why}, and must not allow ${FUNCTION_ACTIONS[0]} or a change of the functions that create users`,
                },
              ];
            }
            return functions
              .map(each => ({ ...each, reach: reachOf(statement, each.target) }))
              .filter(({ reach, resource: it }) => reach.isNamed && !(handlers.has(it) && isByNarrowAlias(statement)))
              .map(({ resource: it, task, reach }) =>
                findingOf(it, task, {
                  unknown: unknown || !reach.is,
                  location,
                  who: `${holders.join(', ')} may call ${actions.join(', ')} on`,
                }),
              );
          }),
        );
  },
};

/** By these aliases the function carries out no event of CloudFormation. */
const NARROW_ALIASES = [PLAN_ALIAS, DRIFT_ALIAS, EXPIRY_ALIAS];

/** Whether a statement names nothing but such aliases. */
function isByNarrowAlias({ resources, notResources }: Statement): boolean {
  return notResources === undefined && resources.length > 0 && resources.every(isNarrowAlias);
}

function isNarrowAlias(parts: Part[]): boolean {
  const { resource, attribute } = attributeIn(parts) ?? {};
  const name
    = resource?.type === 'AWS::Lambda::Alias' && attribute === 'Ref'
      ? settingOf(resource.properties.Name, resource.template)
      : undefined;
  return name?.state === 'known' && NARROW_ALIASES.includes(name.value);
}

function callsOf(
  resource: Resource,
  { function: property, who, does = () => true }: Caller,
  handlers: ReadonlySet<Resource | undefined>,
): Finding[] {
  const { properties, template, type } = resource;
  const location = `Properties/${property}`;
  const name = asArn(partsOf(properties[property], template));
  const applies = does(resource);
  return applies === false
    ? []
    : libraryFunctionsOf(template.app).flatMap(({ resource: it, task, target }) => {
        const isIt = name.length === 1 && name[0].kind === 'attribute' && name[0].resource === it;
        const is = isIt || reachOfResource(name, false, target).is;
        return is === false || (handlers.has(it) && isNarrowAlias(name))
          ? []
          : [findingOf(it, task, { unknown: !is || !applies, location, who: `${type} lets ${who(resource)} call` })];
      });
}

/** @param unnamed who it is without the property: Apache Kafka outside of AWS has no ARN */
function named(property: string, unnamed: string): Caller['who'] {
  return ({ properties, template }) =>
    properties[property] === undefined ? unnamed : shown(partsOf(properties[property], template));
}

/**
 * Whether a permission is for one of the actions with which a function is called or changed, and not for one that reads
 * it.
 *
 * @see https://docs.aws.amazon.com/AWSCloudFormation/latest/TemplateReference/aws-resource-lambda-permission.html
 */
function permits({ properties: { Action }, template }: Resource): boolean | undefined {
  const statement: Statement = {
    actions: [partsOf(Action, template)],
    resources: [],
    principals: [],
    hasVariables: false,
    location: '',
  };
  const answers = [...FUNCTION_ACTIONS, 'lambda:InvokeFunctionUrl'].map(action => isAbout(statement, action));
  return answers.includes(true) || (answers.includes(undefined) ? undefined : false);
}

/** https://docs.aws.amazon.com/lambda/latest/dg/urls-auth.html */
function callersOfUrl({ properties: { AuthType }, template }: Resource): string {
  const type = settingOf(AuthType, template);
  switch (type.state === 'known' ? type.value : undefined) {
    case 'NONE': return 'any caller that has its URL';
    case 'AWS_IAM': return 'each principal with lambda:InvokeFunctionUrl';
    default: return 'callers that its AuthType admits';
  }
}

/** A function may be named without the rest of its ARN. */
function asArn(name: Part[]): Part[] {
  const [first, ...others] = name;
  return first?.kind === 'text' && !first.text.startsWith('arn:')
    ? [{ kind: 'text', text: `arn:aws:lambda:-:-:function:${first.text}` }, ...others]
    : name;
}

function findingOf(
  { logicalId }: Resource,
  task: string,
  { unknown, location, who }: { readonly unknown: boolean; readonly location: string; readonly who: string },
): Finding {
  const problem = `${who} ${logicalId}, which ${task}`;
  return { what: `<${logicalId}>`, unknown, location, problem: unknown ? `whether ${problem}` : problem };
}
