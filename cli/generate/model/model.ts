import { membershipProblem } from '../../../lib/contract/predefined-roles';
import { roleNameProblem } from '../../../lib/contract/names';
import { RDS_IAM } from '../../../lambda/provisioner/core/state';
import { Catalog } from '../catalog';
import { Finding, Findings, quoted } from '../findings';
import { callsOf } from './factories';
import { GeneratedRoles, inGroups, referencesOf } from './groups';
import { sizeProblem } from './parts';
import { References } from './references';
import { DatabaseIndex, rightsIn } from './rights';
import { keyProblem, sorted, textProblem } from './sayable';
import { GeneratedSettings, settingsOf } from './settings';
import { databasesOf, Subject, SubjectOptions, subjectsOf } from './subjects';

/** What the file says, and what it cannot. */
export interface Model {
  /** Each after those that it names. */
  readonly roles: GeneratedRoles[];
  /** Names of roles that are named and not declared. */
  readonly external: string[];
  readonly findings: Finding[];
}

/** Makes declarations of the catalogs, of which a deployment executes nothing. */
export function modelOf(catalog: Catalog, options: SubjectOptions): Model {
  const findings = new Findings();
  const subjects = subjectsOf(catalog, options, findings);
  const references = new References(subjects);
  const memberOf = new Map(subjects.map(subject => [subject.name, membershipsOf(subject, catalog, findings)]));
  memberOf.forEach((groups, name) => groups.forEach(group => references.add(name, group)));
  const settings = new Map(subjects.map((subject) => {
    const groups = memberOf.get(subject.name)!.filter(group => references.kindOf(group) === 'role');
    return [subject.name, settingsOf(subject, new Set(groups), findings)];
  }));
  settings.forEach(({ setRoleAtLogin }, name) =>
    setRoleAtLogin === undefined ? undefined : references.actsAs(name, setRoleAtLogin),
  );

  const databases = catalog.databases
    .filter(({ database }) => keyProblem('database', database) === undefined)
    .map(one => new DatabaseIndex(one));
  const roles = subjects.map(subject =>
    generated(subject, { catalog, databases, references, findings, memberOf, settings }),
  );
  if (catalog.managed === undefined) {
    findings.add(
      {},
      'this user may not read it, so that roles which a stack manages are among those that are declared; '
      + 'sign in as the admin of the provisioner',
      'registry of this library',
    );
  }
  for (const [database, why] of catalog.unread) {
    findings.add({ database }, `it was not read: ${why}`, 'privileges in it');
  }
  const useful = roles.filter(role => isUseful(role, catalog, references, findings) && isTakenByStack(role, findings));
  const declared = new Set(useful.flatMap(({ names }) => names));
  return {
    roles: inGroups(useful, databases),
    external: sorted(new Set(useful.flatMap(referencesOf).filter(name => !declared.has(name)))),
    findings: findings.list(),
  };
}

interface Context {
  readonly catalog: Catalog;
  readonly databases: DatabaseIndex[];
  readonly references: References;
  readonly findings: Findings;
  readonly memberOf: ReadonlyMap<string, string[]>;
  readonly settings: ReadonlyMap<string, GeneratedSettings>;
}

function generated(
  subject: Subject,
  { catalog, databases, references, findings, memberOf, settings }: Context,
): GeneratedRoles {
  const { name, kind, observed, database: own } = subject;
  reportShared(subject, findings);
  const connected = new Set(databasesOf(observed, catalog));
  const privileges = databases.flatMap((index) => {
    const { database } = index.catalog;
    const held = observed.databases.filter(row => row.database === database);
    const words = new Set(held.map(({ privilege }) => privilege));
    const rights = rightsIn(index, {
      role: name,
      findings,
      creatorProblem: creator => references.tryCreator(name, creator),
    });
    const connects = own === database || (connected.has(database) && catalog.owners.get(database) === name);
    const mayConnect = connects || words.has('CONNECT');
    findings.add({ role: name, database }, 'a declaration of it includes CONNECT, which it does not have of its own',
      ...mayConnect ? [] : rights.filter(({ owns }) => owns).map(({ schema }) => `owner of schema ${quoted(schema)}`));
    return callsOf({ database, words, schemas: rights, connects });
  });
  const ignored = observed.databases.filter(
    ({ database }) => !databases.some(({ catalog: { database: read } }) => read === database),
  );
  for (const { database, privilege } of ignored) {
    findings.add({ role: name, database }, 'the database was not read, or its name cannot be declared', [
      privilege,
      'the database',
    ]);
  }
  return {
    kind, names: [name], ...own === undefined ? {} : { database: own },
    memberOf: memberOf.get(name)!, privileges, settings: settings.get(name)!,
  };
}

/** Memberships that can be declared: they are there, and inherit. */
function membershipsOf({ name, kind, observed }: Subject, catalog: Catalog, findings: Findings): string[] {
  const left = (why: string, group: string) => findings.add({ role: name }, why, `member of ${quoted(group)}`);
  const groups = sorted(new Set(observed.memberships.map(({ group }) => group)));
  return groups.flatMap((group) => {
    const rows = observed.memberships.filter(row => row.group === group);
    if (rows.some(({ admin }) => admin)) {
      findings.add({ role: name }, 'a declaration has no ADMIN option; it stays', `ADMIN option on ${quoted(group)}`);
    }
    if (group === RDS_IAM && kind === 'user') {
      return [];
    }
    const problem
      = membershipProblem(group, [catalog.admin])
        ?? roleNameProblem(group)
        ?? textProblem('role name', group)
        ?? (rows.some(({ inherits }) => inherits)
          ? undefined
          : 'it does not inherit from it, and a declared membership does');
    if (problem !== undefined) {
      left(problem, group);
      return [];
    }
    if (rows.every(({ ours }) => !ours)) {
      left('another role has granted it: when it is not declared any more, it stays', group);
    }
    return [group];
  });
}

/** Privileges on what all databases share, beside databases. */
function reportShared({ name, observed }: Subject, findings: Findings): void {
  for (const { on, name: what, privilege } of observed.others) {
    const target = `${on.toLowerCase()} ${quoted(what)}`;
    findings.add({ role: name }, 'no declaration has privileges on this kind of object', [privilege, target]);
  }
  for (const { database, privilege, grantable, ours } of observed.databases) {
    const what = [privilege, 'the database'] as const;
    if (grantable) {
      findings.add({ role: name, database }, 'a declaration has no grant option; it stays', what);
    }
    if (!ours) {
      findings.add(
        { role: name, database },
        'another role has granted it: when it is not declared any more, it stays',
        what,
      );
    }
  }
}

function isTakenByStack(role: GeneratedRoles, findings: Findings): boolean {
  const problem = sizeProblem(role);
  findings.add({ role: role.names[0] }, problem ?? '', ...problem === undefined ? [] : ['the role']);
  return problem === undefined;
}

/** A group role that has nothing and that no role needs is not worth a construct. */
function isUseful(role: GeneratedRoles, { observed }: Catalog, references: References, findings: Findings): boolean {
  const { kind, names: [name], memberOf, privileges } = role;
  const { members = [], ownsIn = [] } = observed.get(name) ?? {};
  const count = memberOf.length + privileges.length + members.length + ownsIn.length;
  const useful = kind === 'user' || count > 0 || references.isNamed(name);
  if (!useful) {
    findings.add({ role: name }, 'it has neither members nor anything that can be declared', 'the role');
  }
  return useful;
}
