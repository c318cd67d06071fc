import { kindOf } from '../../../lib/contract/object-kinds';
import { ALL_OBJECTS } from '../../../lib/contract/wire';
import { type Change, oneByOne, rolesOf } from './change';
import { type Missing, missingIn, objectOf } from './plan-database';
import type { Wanted } from './plan-shared';
import { declares, isReset } from './settings';
import { type Declaration, type ObjectPrivileges, RDS_IAM, type SchemaDeclaration } from './state';

/**
 * What completed events have declared. A rollback declares it again, whatever has happened to tables, schemas,
 * databases and roles meanwhile. So it is no error that it is not there any more, or is out of the reach of the admin.
 */

/** Whether what is missing was declared before. */
export function wasDeclared({ role, schema, kind, name }: Missing, database: string, wanted: Wanted[]): boolean {
  return deployedTo(role, wanted).flatMap(declaration => schemasIn(declaration, database)).some((declared) => {
    switch (declared.schema === schema && kind) {
      case false: return false;
      case 'SCHEMA': return true;
      case 'OWN SCHEMA': return declared.owner;
      default: return declared.objects.map(objectOf).some(object => object.kind === kind && object.name === name);
    }
  });
}

/** Whether all that these roles declare in the schemas of a database was declared before. */
export function isAllDeployed(database: string, wanted: Wanted[]): boolean {
  const schemas = wanted.every(({ declaration, deployed }) => {
    const before = deployed.flatMap(earlier => schemasIn(earlier, database));
    return schemasIn(declaration, database).every(({ schema }) => before.some(earlier => earlier.schema === schema));
  });
  const everything = missingIn(database, wanted, { schemas: [], objects: [], held: [], future: [] });
  return schemas && everything.every(one => wasDeclared(one, database, wanted));
}

/**
 * Divides changes into those that have to be made, and those that may turn out to be impossible: to give what was given
 * before, and to take back what is not declared any more. No group role keeps a membership in rds_iam; a user that has
 * expired may, without a login.
 */
export function divide(
  changes: Change[],
  database: string,
  wanted: Wanted[],
): { required: Change[]; optional: Change[] } {
  const deployed = new Map(wanted.map(one => [one.role, deployedTo(one.role, wanted)]));
  const isCoveredFor = (change: Change) =>
    rolesOf(change).every(role => isCovered(change, database, deployed.get(role) ?? []));
  const groups = wanted.flatMap(({ role, declaration: { kind } }) => kind === 'role' ? [role] : []);
  const isOfGroup = (change: Change) =>
    change.kind === 'revokeRole' && change.group === RDS_IAM && change.roles.some(role => groups.includes(role));
  const required: Change[] = [];
  const optional: Change[] = [];
  for (const change of changes) {
    if ((isRevoke(change) && !isOfGroup(change)) || isCoveredFor(change)) {
      optional.push(change);
    } else if (rolesOf(change).some(role => deployed.get(role)?.length)) {
      const parts = oneByOne(change).map(part => ({ part, mayFail: isCoveredFor(part) }));
      const possible = parts.filter(({ mayFail }) => mayFail).map(({ part }) => part);
      optional.push(...possible);
      required.push(
        ...(possible.length === 0 ? [change] : parts.filter(({ mayFail }) => !mayFail).map(({ part }) => part)),
      );
    } else {
      required.push(change);
    }
  }
  return { required, optional };
}

export function isRevoke(change: Change): boolean {
  return change.kind === 'revoke' || change.kind === 'revokeFuture' || change.kind === 'revokeRole' || isReset(change);
}

/** Whether declarations have all that a change gives. */
function isCovered(change: Change, database: string, deployed: Declaration[]): boolean {
  const inSchema = (name: string | undefined) =>
    deployed.flatMap(declaration => schemasIn(declaration, database)).filter(({ schema }) => schema === name);
  switch (change.kind) {
    case 'grantRole': return deployed.some(({ memberOf }) => memberOf.includes(change.group));
    case 'setParameter':
    case 'limitConnections':
      return deployed.some(({ settings }) => settings !== undefined && declares(settings, change));
    case 'createSchema': return inSchema(change.schema).some(({ owner }) => owner);
    case 'grantFuture': {
      const { creator, schema, objects } = change.on;
      const future = inSchema(schema)
        .flatMap(({ futureObjects }) => futureObjects)
        .filter(one => one.creator === creator);
      return haveAll(
        change.privileges,
        future
          .flatMap(one => one.objects)
          .filter(({ kind }) => kindOf(kind).future === objects)
          .map(({ privileges }) => privileges),
      );
    }
    case 'grant':
      // What a column has goes with what is revoked from its table, and is given again where that can be done.
      return change.again === true || haveAll(change.privileges, privilegesOn(change.on, deployed, inSchema));
    default: return false;
  }
}

type Target = Extract<Change, { kind: 'grant' }>['on'];

function privilegesOn(
  on: Target,
  deployed: Declaration[],
  inSchema: (name: string) => SchemaDeclaration[],
): string[][] {
  switch (on.type) {
    case 'DATABASE':
      return deployed
        .flatMap(({ databases }) => databases)
        .filter(({ database }) => database === on.database)
        .map(({ privileges }) => privileges);
    case 'SCHEMA': return inSchema(on.schema).map(({ privileges }) => privileges);
    case 'COLUMN':
      return onAllOf(
        on.columns,
        objectsIn(inSchema(on.schema), 'COLUMN').filter(({ table }) => table === on.table),
      );
    default:
      return 'objects' in on
        ? onAllOf(
            on.objects.map(({ name }) => name),
            objectsIn(inSchema(on.schema), on.type),
          )
        : [];
  }
}

function objectsIn(schemas: SchemaDeclaration[], type: ObjectPrivileges['kind']): ObjectPrivileges[] {
  return schemas.flatMap(({ objects }) => objects).filter(({ kind }) => kind === type);
}

/** Lists of privileges that are declared on each of the names. */
function onAllOf(names: string[], entries: ObjectPrivileges[]): string[][] {
  const lists = names.map(name =>
    entries.filter(entry => entry.name === name || entry.name === ALL_OBJECTS).flatMap(({ privileges }) => privileges),
  );
  const [first = [], ...others] = lists;
  return [first.filter(privilege => others.every(other => other.includes(privilege)))];
}

function haveAll(privileges: string[], lists: string[][]): boolean {
  return privileges.every(privilege => lists.some(list => list.includes(privilege)));
}

function deployedTo(role: string, wanted: Wanted[]): Declaration[] {
  return wanted.filter(one => one.role === role).flatMap(({ deployed }) => deployed);
}

function schemasIn({ databases }: Declaration, database: string): SchemaDeclaration[] {
  return databases.filter(one => one.database === database).flatMap(({ schemas }) => schemas);
}
