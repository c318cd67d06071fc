/**
 * `npm run rehearse -- <app or cdk.out>`: rehearses any CDK app that uses this library. Deploys it to local PostgreSQL
 * servers, tries who can sign in as whom, asks PostgreSQL what each user may do, and destroys it again.
 */
import { styleText } from 'node:util';
import { AuroraLikeServer } from './aurora-like-server';
import { AssemblyStack } from './cloudformation/cloud-assembly';
import { hasServer } from './cloudformation/database-servers';
import { StackResult } from './cloudformation/stack';
import { ResourceState } from './cloudformation/template';
import { Rehearsal } from './rehearsal';
import { rightsTable, signInTable } from './rehearse/access-table';
import { DatabaseWatch, Remains } from './rehearse/database-watch';
import { DeclaredRole, declaredRoles } from './rehearse/declared-roles';
import { measureAccess, principalsFor, SignInTarget, trySignIns, untriedPrincipals } from './rehearse/measure-access';
import { Options, optionsOf, USAGE } from './rehearse/options';
import { preflight } from './rehearse/preflight';
import { Progress } from './rehearse/progress';
import { resourceName } from './rehearse/resource-name';
import { assemblyOf, selectStacks } from './rehearse/source';
import { inOneLine } from './text-table';
import { INDENT, Timeline } from './timeline';

const timeline = new Timeline(console.log);

/** Whether all went well. */
async function rehearse(options: Options): Promise<boolean> {
  const assembly = await assemblyOf(options);
  const stacks = selectStacks(assembly, options.stacks);
  preflight(stacks);
  timeline.step(`${options.source}: ${stacks.map(({ name }) => name).join(', ')}`);

  const progress = new Progress(console.log);
  const watch = new DatabaseWatch();
  const rehearsal: Rehearsal = await Rehearsal.start({
    onEvent: async (event) => {
      const { template } = stacks.find(({ name }) => name === event.stackName)!;
      const name = resourceName(event.logicalId, template.Resources[event.logicalId]);
      if (options.verbose) {
        timeline.event(event);
      } else {
        progress.event(event, name);
      }
      await watch.event(rehearsal, event, stacks.length > 1 ? `${event.stackName}/${name}` : name);
    },
  });
  const complete = ({ name }: AssemblyStack, { status, reason }: StackResult) => {
    progress.end();
    if (options.verbose) {
      timeline.logs(rehearsal.logs);
    }
    if (reason !== undefined) {
      reportRemains(watch.remains());
      throw new Error(`stack ${name} is ${status}: ${reason}${options.verbose ? '' : ' (--verbose shows the log of the handler)'}`);
    }
  };
  try {
    for (const stack of stacks) {
      timeline.step(`deploy ${stack.name}`);
      complete(stack, await rehearsal.deploy(assembly, stack.name));
    }
    const works = await showAccess(rehearsal, stacks);
    for (const stack of [...stacks].reverse()) {
      timeline.step(`destroy ${stack.name}`);
      complete(stack, await rehearsal.destroy(stack.name));
    }
    return reportRemains(watch.remains()) && works;
  } finally {
    await rehearsal.close();
  }
}

/** Whether everybody can sign in who is allowed to. */
async function showAccess(rehearsal: Rehearsal, stacks: AssemblyStack[]): Promise<boolean> {
  const resources = stacks.flatMap(({ name }) => rehearsal.resources(name).map(state => ({ state, stack: name })));
  const named = ({ state, stack }: { state: ResourceState; stack: string }) =>
    `${stacks.length > 1 ? `${stack}/` : ''}${resourceName(state.logicalId, state.definition)}`;
  const ofType = (type: string) => resources.filter(({ state }) => state.type === type);
  const iamRoles = ofType('AWS::IAM::Role').map(role => ({ name: named(role), arn: role.state.attributes.Arn as string, credentials: rehearsal.credentialsOf(role.state) }));
  const principals = (state: ResourceState, target: SignInTarget) => principalsFor(state, target, iamRoles, (arn, action, resource) => rehearsal.allows(arn, action, resource));
  const rolesOf = (server: AuroraLikeServer) => declaredRoles(resources.map(({ state }) => state), (server.source ?? server).resourceId);
  const begin = (what: string, roles: DeclaredRole[]) =>
    timeline.step(`sign in to ${what}: ${counted(roles.filter(({ kind }) => kind === 'user').length, 'user')} with tokens of ${counted(iamRoles.length, 'IAM role')}`);
  const untried = untriedPrincipals(resources.map(({ state }) => state));
  let works = true;
  for (const database of resources.filter(({ state }) => hasServer(state))) {
    const server = rehearsal.database(database.state);
    const roles = rolesOf(server);
    if (roles.length > 0) {
      const version = (database.state.properties.EngineVersion as string | undefined) ?? server.major;
      begin(`${named(database)}, PostgreSQL ${version}${server.source ? ', a read replica' : ''}`, roles);
      const access = await measureAccess(server, roles, principals(database.state, server));
      console.log([...signInTable(access.attempts), ...untried, '', ...rightsTable(access), ''].join('\n'));
      works &&= access.attempts.every(({ outcome }) => outcome !== 'fails');
    }
  }
  for (const resource of ofType('AWS::RDS::DBProxy')) {
    const proxy = rehearsal.proxy(resource.state);
    const roles = proxy.database ? rolesOf(proxy.database) : [];
    if (roles.length > 0) {
      const database = resources.find(({ state }) => hasServer(state) && rehearsal.database(state) === proxy.database);
      begin(`${database ? named(database) : 'a database'} through ${named(resource)}, a proxy`, roles);
      const attempts = await trySignIns(proxy, roles, principals(resource.state, proxy));
      console.log([...signInTable(attempts), ...untried, ''].join('\n'));
      works &&= attempts.every(({ outcome }) => outcome !== 'fails');
    }
  }
  return works;
}

function counted(count: number, noun: string): string {
  return `${count} ${noun}${count === 1 ? '' : 's'}`;
}

/** Whether nothing is different that should not be. */
function reportRemains(remains: Remains[]): boolean {
  for (const { database, kept, differences } of remains) {
    console.log(`${INDENT}${database}: ${differences.length === 0 ? 'roles and privileges are as they were before' : 'roles and privileges are NOT as they were before'}`
      + (kept.length === 0 ? '' : ', but for what is kept'));
    kept.forEach(line => console.log(`${INDENT}  kept: ${line}`));
    differences.forEach(line => console.log(styleText('red', `${INDENT}  ${line}`)));
  }
  return remains.every(({ differences }) => differences.length === 0);
}

async function main(): Promise<void> {
  const options = optionsOf(process.argv.slice(2));
  if (!options) {
    console.log(USAGE);
    return;
  }
  if (!await rehearse(options)) {
    throw new Error('not all of it is as it should be, see above');
  }
  console.log('\nAll went well.');
}

main().catch((error: Error) => {
  console.error(styleText('red', `rehearse: ${inOneLine(error.message)}`, { stream: process.stderr }));
  if (process.argv.includes('--verbose')) {
    console.error(error.cause ?? error);
  }
  process.exitCode = 1;
});
