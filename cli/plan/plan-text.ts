import { ResourceResult, StackPlan } from './plan-stacks';
import { Action } from './stack-events';
import { counted, sqlLines } from '../deployed/change-text';
import { code, escaped } from '../../lib/report/markdown-text';
import { visible } from '../../lib/report/plain-text';

export const NOTHING = 'Nothing to do.';

const WORDS: Record<Action, string> = { create: 'create', update: 'change', delete: 'remove' };

/** A resource with its heading, and what is below it. */
interface Part {
  readonly resource: ResourceResult;
  readonly lines: string[];
}

/** Whether a deployment would leave the databases as they are, as far as is known. */
export function isNothing(plans: readonly StackPlan[]): boolean {
  return plans.every(({ resources, impossible }) => impossible.length === 0 && resources.every(isQuiet));
}

function isQuiet({ action, changes, notes, problem, notPlanned }: ResourceResult): boolean {
  return (
    changes.length === 0
    && problem === undefined
    && notPlanned === undefined
    && (action === 'update' || notes.length === 0)
  );
}

/** For a terminal. */
export function textOfPlan(plans: readonly StackPlan[]): string {
  const parts = plans.flatMap(plan => [
    `Stack ${visible(plan.stack)}${placeOf(plan)}`,
    ...plan.underWay.map(
      text => `A deployment is under way (${visible(text)}): what is planned may be done by the time you read it.`,
    ),
    ...partsOf(plan).map(({ resource, lines }) =>
      [`${headOf(resource)}`, ...lines.map(line => `  ${line}`)].join('\n'),
    ),
    ...plan.impossible.map(reason => `Not possible: ${visible(reason)}`),
    ...isNothing([plan]) ? [NOTHING] : [],
  ]);
  return `${[...parts, summary(plans)].join('\n\n')}\n`;
}

/** For a comment on a pull request. */
export function markdownOfPlan(plans: readonly StackPlan[]): string {
  const parts = plans.flatMap(plan => [
    `## Stack ${code(plan.stack)}${escaped(placeOf(plan))}`,
    ...plan.underWay.map(
      text => `**A deployment is under way** (${escaped(text)}): what is planned may be done by the time you read it.`,
    ),
    ...partsOf(plan).flatMap(
      ({ resource, lines }) => [
        `### ${WORDS[resource.action]} ${code(resource.name)}`,
        ...(lines.length > 0 ? [fenced(lines)] : []),
      ],
    ),
    ...plan.impossible.map(reason => `**Not possible:** ${escaped(reason)}`),
    ...isNothing([plan]) ? [NOTHING] : [],
  ]);
  return `${['# Database changes', ...parts, escaped(summary(plans))].join('\n\n')}\n`;
}

/** No line begins with a name: each is a statement, a comment, or further in. */
function fenced(lines: string[]): string {
  return ['```sql', ...lines, '```'].join('\n');
}

function partsOf({ resources }: StackPlan): Part[] {
  return resources.filter(resource => !isQuiet(resource)).map(resource => ({ resource, lines: linesOf(resource) }));
}

function linesOf({ changes, notes, problem, notPlanned }: ResourceResult): string[] {
  return [
    ...sqlLines(changes, notes),
    ...problem === undefined ? [] : [`-- would fail: ${visible(problem)}`],
    ...notPlanned === undefined ? [] : [`-- not planned: ${visible(notPlanned)}`],
    ...changes.length === 0 && problem === undefined && notPlanned === undefined ? ['-- no statement is needed'] : [],
  ];
}

function headOf({ action, name, logicalId }: ResourceResult): string {
  return `${WORDS[action]} ${visible(name)}${name === logicalId ? '' : ` (${visible(logicalId)})`}`;
}

function placeOf({ account, region }: StackPlan): string {
  const place = [account, region].filter(each => each !== undefined).join(', ');
  return place === '' ? '' : visible(` (${place})`);
}

function summary(plans: readonly StackPlan[]): string {
  const all = plans.flatMap(({ resources }) => resources);
  const planned = all.filter(resource => resource.notPlanned === undefined && !isQuiet(resource));
  const count = (action: Action) => planned.filter(resource => resource.action === action).length;
  const statements = planned.flatMap(({ changes }) => changes.flatMap(({ sql }) => sql)).length;
  const failing = all.filter(({ problem }) => problem !== undefined).length;
  const unknown = all.filter(({ notPlanned }) => notPlanned !== undefined).length;
  if (plans.length === 0) {
    return 'No stack has users or group roles of cdk-aurora-iam-auth.';
  }
  return [
    `${counted(count('create'), 'creation')}, ${counted(count('update'), 'change')}, ${counted(count('delete'), 'removal')}: ${counted(statements, 'statement')}.`,
    ...failing > 0 ? [`${failing} would fail.`] : [],
    ...unknown > 0 ? [`${unknown} not planned.`] : [],
  ].join(' ');
}
