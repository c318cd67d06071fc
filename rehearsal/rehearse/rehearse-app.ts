import { styleText } from 'node:util';
import { AssemblyStack, CloudAssembly } from '../cloudformation/cloud-assembly';
import { StackResult } from '../cloudformation/stack';
import { AccessDiff } from '../diff/access-diff';
import { linesOfDiff, NO_CHANGE } from '../diff/diff-text';
import { GivenValues, preflight, Preflight } from '../plan/preflight';
import { updateProblems } from '../plan/update';
import { DeploymentPlan } from '../plan/deployment-plan';
import { Rehearsal } from '../rehearsal';
import { inOneLine } from '../text-table';
import { INDENT, Timeline } from '../timeline';
import { DatabaseAccess, measureApp } from './app-access';
import { DatabaseWatch, Remains } from './database-watch';
import { measuredDiff } from './measured-access';
import { Progress } from './progress';
import { fullResourceName, resourceName } from '../plan/resource-name';
import { runStatements, StatementsFile } from './run-statements';
import { assemblyOf, isFolder, refuseUnused, selectStacks } from './source';

export interface RehearseOptions {
  /** Path of an app or of a cloud assembly. @default - "app" of ./cdk.json is run */
  readonly source?: string;
  /** Ids; none are all. */
  readonly stacks: string[];
  readonly context: Record<string, string>;
  /** An app or cloud assembly that is deployed before. */
  readonly from?: string;
  readonly sql: StatementsFile[];
  readonly sqlRole?: string;
  readonly sqlDatabase?: string;
  readonly given: GivenValues;
  readonly json: boolean;
  readonly verbose: boolean;
}

/** What a rehearsal has shown. */
export interface RehearseReport {
  readonly format: 1;
  readonly source: string;
  readonly stacks: string[];
  /** What is not as on AWS. */
  readonly notes: string[];
  /** Why it was not begun. */
  readonly problems: string[];
  readonly postgresql: Preflight['versions'];
  /** Of databases and of proxies. */
  readonly access: DatabaseAccess[];
  /** By an update, which `--from` asks for. */
  readonly changes?: AccessDiff;
  readonly remains: Remains[];
  readonly result: 'ok' | 'failed' | 'refused';
  /** Why it failed. */
  readonly failure?: string;
}

/** An app, or an older state of it. */
interface Version {
  readonly assembly: CloudAssembly;
  readonly stacks: AssemblyStack[];
  readonly checked: Preflight;
}

class Failure extends Error {}

/** Deploys an app, tries who can sign in as whom, asks PostgreSQL what each user may do, and destroys it again. */
export async function rehearse(options: RehearseOptions, print: (line: string) => void): Promise<RehearseReport> {
  const timeline = new Timeline(print);
  const { from } = options;
  const next = await versionOf(options, options.source, from);
  const old = from === undefined ? undefined : await versionOf(options, from, options.source);
  refuseUnused([...old?.assembly.stacks ?? [], ...next.assembly.stacks], options.given);
  const source = options.source ?? 'cdk.json';
  const report = {
    format: 1 as const,
    source,
    stacks: next.stacks.map(({ id }) => id),
    notes: [...new Set([...old?.checked.notes ?? [], ...next.checked.notes])],
    postgresql: next.checked.versions,
  };
  const isMissingUser = (problem: string) => problem.startsWith('no user or role of ');
  const problems = [...new Set([
    ...(old?.checked.problems ?? []).filter(problem => !isMissingUser(problem)),
    ...next.checked.problems,
    ...old ? updateProblems(old.stacks, next.stacks) : [],
  ])];
  if (problems.length > 0) {
    return { ...report, problems, access: [], remains: [], result: 'refused' };
  }
  timeline.step(`${source}: ${report.stacks.join(', ')}`);
  printNotes(report.notes, next.checked, options.verbose, print);
  const run = new Run(options, print, timeline, old, next);
  try {
    const { access, changes, works } = await run.execute();
    const remains = run.remains();
    const asBefore = remains.every(({ differences }) => differences.length === 0);
    return { ...report, problems, access, changes, remains, result: works && asBefore ? 'ok' : 'failed' };
  } catch (error) {
    if (!(error instanceof Failure)) {
      throw error;
    }
    return { ...report, problems, access: [], remains: run.remains(), result: 'failed', failure: error.message };
  }
}

/** @param other what it is updated to or from: if that is the app, the context is for that one */
async function versionOf(
  options: RehearseOptions,
  source: string | undefined,
  other: string | undefined,
): Promise<Version> {
  const isForOther = options.from !== undefined && isFolder(source) && !isFolder(other);
  const assembly = await assemblyOf(source, isForOther ? {} : options.context);
  const stacks = selectStacks(assembly, options.stacks);
  return { assembly, stacks, checked: preflight(stacks, assembly.assets, options.given) };
}

/** What is not as on AWS. */
export function printNotes(
  notes: string[],
  { notNeeded, versions }: Preflight,
  verbose: boolean,
  print: (line: string) => void,
): void {
  const line = (text: string) => print(`${INDENT}${styleText('dim', text)}`);
  const used = [...new Set(versions.map(version => version.used))];
  if (used.length > 0) {
    line(
      `PostgreSQL ${used.join(', ')}: ${versions.map(({ database, asked, used: major }) => `${database} asks for ${asked ?? 'none in particular'} and gets ${major}`).join('; ')}`,
    );
  }
  notes.forEach(line);
  const types = [...notNeeded].map(([type, names]) => names.length === 1 ? type : `${names.length} ${type}`);
  if (types.length > 0) {
    line(
      `not rehearsed, not needed: ${verbose || types.length <= 6 ? types.join(', ') : `${types.slice(0, 6).join(', ')} and more: ${types.length} types (--verbose names all)`}`,
    );
  }
  if (verbose) {
    [...notNeeded.values()].flat().forEach(name => line(`  ${name}`));
  }
}

class Run {
  private readonly progress: Progress;
  private readonly watch = new DatabaseWatch();
  private readonly definitions: ReadonlyMap<string, AssemblyStack>;
  private reported = false;

  constructor(
    private readonly options: RehearseOptions,
    private readonly print: (line: string) => void,
    private readonly timeline: Timeline,
    private readonly old: Version | undefined,
    private readonly next: Version,
  ) {
    this.progress = new Progress(print);
    this.definitions = new Map(
      [...(old?.stacks ?? []), ...next.stacks].flatMap(withNested).map(stack => [stack.id, stack]),
    );
  }

  async execute(): Promise<{ access: DatabaseAccess[]; changes?: AccessDiff; works: boolean }> {
    const { old, next, options, timeline } = this;
    const plan = planOf(old, next);
    const several = this.definitions.size > 1;
    const rehearsal: Rehearsal = await Rehearsal.start({
      plan,
      onEvent: async (event) => {
        const { stackName, logicalId } = event;
        const definition = this.definitions.get(stackName)?.template.Resources[logicalId];
        const name = resourceName(logicalId, definition);
        const full = several ? fullResourceName(stackName, logicalId, definition) : name;
        if (options.verbose) {
          timeline.event(event);
        } else {
          this.progress.event(event, name, plan.isNeeded(stackName, logicalId));
        }
        await this.watch.event(rehearsal, event, full);
      },
    });
    try {
      const before = old && await this.deployOld(rehearsal, old);
      if (!old) {
        await this.deploy(rehearsal, next, 'deploy');
      }
      for (const file of options.sql) {
        timeline.step(`run ${file.file} as ${options.sqlRole ?? 'the master'}`);
        const { notes, failure } = await runStatements(rehearsal, file, {
          role: options.sqlRole,
          database: options.sqlDatabase,
        });
        notes.forEach(note => this.print(`${INDENT}${styleText('dim', note)}`));
        this.watch.othersWrote = true;
        if (failure !== undefined) {
          throw new Failure(failure);
        }
      }
      if (old) {
        await this.deploy(rehearsal, next, 'update');
      }
      const access = await this.measure(rehearsal, true);
      const changes = before && measuredDiff(before, access);
      if (changes) {
        this.printChanges(changes);
      }
      await this.destroy(rehearsal);
      this.watch.othersWrote ||= rehearsal.othersRan;
      this.printRemains();
      const works = access.every(({ attempts }) => attempts.every(({ outcome }) => outcome !== 'fails'));
      return { access, changes, works };
    } finally {
      rehearsal.inert.forEach(({ stackId, logicalId, reason }) =>
        this.print(`${INDENT}${styleText('yellow', `${stackId}/${logicalId} did nothing: ${inOneLine(reason)}`)}`),
      );
      await rehearsal.close();
    }
  }

  remains(): Remains[] {
    return this.watch.remains();
  }

  private async deployOld(rehearsal: Rehearsal, old: Version): Promise<DatabaseAccess[]> {
    await this.deploy(rehearsal, old, 'deploy the former');
    return this.measure(rehearsal, false);
  }

  private async deploy(rehearsal: Rehearsal, { assembly, stacks }: Version, verb: string): Promise<void> {
    // The CDK CLI deploys no stack without resources.
    for (const { id } of stacks.filter(({ template }) => Object.keys(template.Resources).length > 0)) {
      this.timeline.step(`${verb} ${id}`);
      this.complete(id, await rehearsal.deploy(assembly, id), rehearsal);
    }
  }

  private async measure(rehearsal: Rehearsal, isShown: boolean): Promise<DatabaseAccess[]> {
    return measureApp(rehearsal, title => this.timeline.step(title), {
      show: isShown ? lines => this.print(lines.join('\n')) : undefined,
      // Names are the same before an update and after it, whatever stacks it adds.
      withStack: this.old !== undefined,
    });
  }

  /** In the other order, and first those that the new app has no more: they may import what others export. */
  private async destroy(rehearsal: Rehearsal): Promise<void> {
    const gone = (this.old?.stacks ?? []).filter(({ id }) => !this.next.stacks.some(stack => stack.id === id));
    for (const { id } of [...[...gone].reverse(), ...[...this.next.stacks].reverse()].filter(stack =>
      rehearsal.stackIds.includes(stack.id),
    )) {
      this.timeline.step(`destroy ${id}`);
      this.complete(id, await rehearsal.destroy(id), rehearsal);
    }
  }

  private complete(id: string, { status, reason }: StackResult, rehearsal: Rehearsal): void {
    this.progress.end();
    if (this.options.verbose) {
      this.timeline.logs(rehearsal.logs);
    }
    if (reason !== undefined) {
      this.watch.othersWrote ||= rehearsal.othersRan;
      this.printRemains();
      throw new Failure(
        `stack ${id} is ${status}: ${reason}${this.options.verbose ? '' : ' (--verbose shows the log of the handler)'}`,
      );
    }
  }

  private printChanges(changes: AccessDiff): void {
    const colors = { '+': 'green', '-': 'red', '=': 'yellow' } as const;
    const lines = linesOfDiff(changes);
    this.timeline.step(lines.length === 0 ? NO_CHANGE : 'what the update changes');
    lines.forEach(({ sign, text }) => this.print(`${INDENT}${styleText(colors[sign], `${sign} ${text}`)}`));
  }

  private printRemains(): void {
    if (this.reported) {
      return;
    }
    this.reported = true;
    for (const { database, kept, ofTheApp, differences } of this.watch.remains()) {
      this.print(
        `${INDENT}${database}: ${differences.length === 0 ? 'roles and privileges are as they were before' : 'roles and privileges are NOT as they were before'}`
        + (kept.length === 0 ? '' : ', but for what is kept'),
      );
      kept.forEach(line => this.print(`${INDENT}  kept: ${line}`));
      ofTheApp.forEach(line => this.print(`${INDENT}  by the app itself: ${line}`));
      differences.forEach(line => this.print(styleText('red', `${INDENT}  ${line}`)));
    }
  }
}

function withNested(stack: AssemblyStack): AssemblyStack[] {
  return [stack, ...Object.values(stack.nested).flatMap(withNested)];
}

/** What one of the two needs is deployed in both. */
function planOf(old: Version | undefined, { checked }: Version): DeploymentPlan {
  if (!old) {
    return checked.plan;
  }
  const both = [old.checked.plan, checked.plan];
  return {
    ...checked.plan,
    isNeeded: (stackId, logicalId) => {
      const known = both.filter(plan => plan.has(stackId, logicalId));
      return known.length === 0 || known.some(plan => plan.isNeeded(stackId, logicalId));
    },
    expectedBy: (stackId, logicalId) =>
      checked.plan.expectedBy(stackId, logicalId) ?? old.checked.plan.expectedBy(stackId, logicalId),
  };
}
