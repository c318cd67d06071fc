import { Catalog, Fact } from './catalog';
import { DeclaredRole, declaredRoles, RESOURCE_TYPES } from './declared-roles';
import { databaseArnOf, isDatabase } from '../cloudformation/database-properties';
import { StackEvent } from '../cloudformation/stack';
import { ResourceState } from '../cloudformation/template';
import { Rehearsal } from '../rehearsal';

interface Watched {
  readonly name: string;
  readonly resourceId: string;
  readonly before: Catalog;
  after?: Catalog;
}

/** What a rehearsal leaves in a database. */
export interface Remains {
  /** What readers know it by. */
  readonly database: string;
  /** Roles that stay because the app wants it or because they own something. */
  readonly kept: string[];
  /** What the app itself, and not this library, has done there. */
  readonly ofTheApp: string[];
  /** What should not be different. */
  readonly differences: string[];
}

/** Looks at the catalogs of each cluster and instance when it is new and in the moment before it goes. */
export class DatabaseWatch {
  /** Whether something beside this library may have written to databases. */
  othersWrote = false;
  private readonly databases = new Map<string, Watched>();
  /** Of the resources of this library that there have been. */
  private readonly declarations = new Map<string, ResourceState>();

  /** @param name what readers know the resource by */
  async event(rehearsal: Rehearsal, { stackName, logicalId, type, status }: StackEvent, name: string): Promise<void> {
    const state = rehearsal.resources(stackName).find(each => each.logicalId === logicalId);
    if (state && RESOURCE_TYPES.includes(type)) {
      this.declarations.set(`${stackName} ${logicalId}`, state);
    }
    if (!state || !isDatabase(state) || (!rehearsal.hasDatabase(state) && status !== 'DELETE_COMPLETE')) {
      return;
    }
    const watched = this.databases.get(databaseArnOf(state));
    if (status === 'CREATE_COMPLETE') {
      const server = rehearsal.database(state);
      this.databases.set(databaseArnOf(state), {
        name,
        resourceId: server.resourceId,
        before: await Catalog.of(server),
      });
    } else if (watched && ['DELETE_IN_PROGRESS', 'DELETE_SKIPPED'].includes(status)) {
      watched.after = await Catalog.of(rehearsal.database(state));
    }
  }

  remains(): Remains[] {
    return [...this.databases.values()].flatMap(({ name, resourceId, before, after }) =>
      after
        ? [
            {
              database: name,
              ...compare(before, after, declaredRoles([...this.declarations.values()], resourceId), this.othersWrote),
            },
          ]
        : [],
    );
  }
}

function compare(
  before: Catalog,
  after: Catalog,
  declared: DeclaredRole[],
  othersWrote: boolean,
): Omit<Remains, 'database'> {
  const added = after.minus(before);
  const missing = before.minus(after);
  const isKept = (name: string) => !before.roles.has(name) && reasonToStay(name, after, declared) !== undefined;
  const keptRoles = [...after.roles.keys()].filter(isKept);
  // The provisioner's own records stay as long as there is a role to remember.
  const isExpected = ({ roles, text }: Fact) =>
    roles.some(name => keptRoles.includes(name))
    || (keptRoles.length > 0 && /\bcdk_aurora_iam_auth(_lock)?\b/.test(text));
  const texts = (facts: Fact[]) => facts.map(({ text }) => text);
  // This library makes nothing but roles, schemas, memberships and privileges, for the roles that are declared.
  const isOfTheApp = ({ roles, text }: Fact) =>
    othersWrote
    && !/\bcdk_aurora_iam_auth/.test(text)
    && !roles.some(name => declared.some(each => each.name === name));
  const unexpected = texts(added.filter(fact => !isExpected(fact) && !isOfTheApp(fact)));
  const changed = unexpected.filter(text => texts(missing).includes(text));
  return {
    kept: keptRoles.map(
      name =>
        `role ${name}, ${after.roles.get(name)?.canLogin ? 'with' : 'without'} login: ${reasonToStay(name, after, declared)}`,
    ),
    ofTheApp: [
      ...withoutContents(texts(added.filter(fact => !isExpected(fact) && isOfTheApp(fact)))),
      ...texts(missing.filter(isOfTheApp)).map(text => `no more: ${text}`),
    ],
    differences: [
      ...changed.map(text => `changed: ${text}`),
      ...unexpected.filter(text => !changed.includes(text)).map(text => `left behind: ${text}`),
      ...texts(missing.filter(fact => !isOfTheApp(fact)))
        .filter(text => !changed.includes(text))
        .map(text => `gone: ${text}`),
    ],
  };
}

/** A database that is new is named, and not what is in it. */
function withoutContents(texts: string[]): string[] {
  const databases = texts.flatMap(text => /^database (.+)$/.exec(text)?.[1] ?? []);
  return texts.filter(
    text =>
      !databases.some(name => text.endsWith(` in database ${name}`) || text.includes(` on database ${name} for `)),
  );
}

function reasonToStay(name: string, { roles }: Catalog, declared: DeclaredRole[]): string | undefined {
  const role = roles.get(name);
  switch (declared.find(each => each.name === name)?.onRemoval) {
    case 'RETAIN': return 'its onRemoval is retain';
    case 'DISABLE': return role?.canLogin ? undefined : 'its onRemoval is disable';
    case 'DROP_OR_DISABLE': return role?.ownsSomething && !role.canLogin ? 'it owns something' : undefined;
    default: return undefined;
  }
}
