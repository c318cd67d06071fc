import { SettingProperties } from '../../lib/contract/wire';
import { Declared } from './stack';
import { FutureRight, futureTextOf, quoted, Right, Table, textOf, World } from './world';

/** Who has granted something: its owner, as this library does too, or somebody else. */
export type Granter = 'owner' | 'other';

interface Holding {
  readonly right: Right;
  /** With the grant option, or without. */
  readonly grantable: Map<Granter, boolean>;
}

interface Expectation {
  declared: {
    privileges: Declared['privileges'];
    future: FutureRight[];
    groups: string[];
    settings: Map<string, string>;
  };
  readonly held: Map<string, Holding>;
  future: { readonly right: FutureRight; grantable: boolean }[];
  readonly groups: Set<string>;
  /** Values by parameter, and by database where they are for one: `work_mem` and `work_mem in shop`. */
  readonly settings: Map<string, string>;
  login: boolean;
  /** Not managed any more, but there, because it owned something. */
  kept: boolean;
}

/**
 * What roles hold after any number of deployments and changes by hand, by the rules that are documented: what is
 * declared is there; what is not declared any more is taken back; what was never declared stays, or goes if the role is
 * exclusive; a role that goes has nothing.
 */
export class Expected {
  private readonly roles = new Map<string, Expectation>();

  constructor(private readonly world: World) {}

  public get names(): string[] {
    return [...this.roles.keys()];
  }

  public get kept(): string[] {
    return this.names.filter(name => this.roles.get(name)!.kept);
  }

  public apply(role: string, declared: Declared): void {
    const one = this.roles.get(role) ?? {
      declared: { privileges: {}, future: [], groups: [], settings: new Map<string, string>() },
      held: new Map<string, Holding>(),
      future: [],
      groups: new Set<string>(),
      settings: new Map<string, string>(),
      login: false,
      kept: false,
    };
    this.roles.set(role, one);
    const isUser = !('roleName' in declared);
    const { exclusive = false, privileges, memberOf = [] } = declared;

    const wanted = this.world.rights(privileges).filter(right => !this.world.isOwner(role, right));
    const before = this.world.rights(one.declared.privileges).map(textOf);
    const wantedTexts = wanted.map(textOf);
    for (const [text, holding] of one.held) {
      if (wantedTexts.includes(text)) {
        holding.grantable.forEach((grantable, granter) => holding.grantable.set(granter, grantable && !exclusive));
      } else if (exclusive) {
        one.held.delete(text);
      } else if (before.includes(text)) {
        this.revoke(role, holding.right, 'owner');
      }
    }
    wanted.filter(right => !one.held.has(textOf(right))).forEach(right => this.grant(role, right, 'owner'));

    const future = this.world.future(privileges);
    const isIn = (list: FutureRight[], right: FutureRight) =>
      list.some(other => futureTextOf(other) === futureTextOf(right));
    one.future = one.future
      .filter(({ right }) => isIn(future, right) || !(exclusive || isIn(one.declared.future, right)))
      .map(({ right, grantable }) => ({ right, grantable: grantable && !(exclusive && isIn(future, right)) }));
    future
      .filter(right => !one.future.some(held => futureTextOf(held.right) === futureTextOf(right)))
      .forEach(right => one.future.push({ right, grantable: false }));

    const groups = isUser ? [...memberOf, 'rds_iam'] : memberOf;
    [...one.groups]
      .filter(group => !groups.includes(group) && (exclusive || one.declared.groups.includes(group)))
      .forEach(group => one.groups.delete(group));
    groups.forEach(group => one.groups.add(group));
    const settings = storedSettings(declared.settings);
    [...one.declared.settings.keys()].filter(name => !settings.has(name)).forEach(name => one.settings.delete(name));
    for (const [name, value] of settings) {
      one.settings.set(name, value);
      [...one.settings]
        .filter(([other, stored]) => other.startsWith(`${name} in `) && stored !== value)
        .forEach(([other]) => one.settings.delete(other));
    }
    one.login = isUser;
    one.kept = false;
    this.ownSchemas(role, one.declared.privileges, privileges);
    one.declared = { privileges, future, groups: memberOf, settings };
  }

  public rename(from: string, to: string): void {
    this.world.rename(from, to);
    this.roles.set(to, this.roles.get(from)!);
    this.roles.delete(from);
    for (const { declared, future, groups } of this.roles.values()) {
      [...declared.future, ...future.map(({ right }) => right)]
        .filter(({ creator }) => creator === from)
        .forEach(right => (right.creator = to));
      if (groups.delete(from)) {
        groups.add(to);
      }
    }
  }

  /** A role that owns something stays, without anything that was granted. */
  public remove(role: string): void {
    const one = this.roles.get(role)!;
    one.held.clear();
    one.groups.clear();
    one.future = [];
    one.login = false;
    this.ownSchemas(role, one.declared.privileges, {});
    this.roles.forEach(({ groups }) => groups.delete(role));
    one.kept = [...this.world.things, ...this.world.schemas].some(({ owner }) => owner === role);
    if (!one.kept) {
      this.roles.delete(role);
      this.roles.forEach(other => other.future = other.future.filter(({ right }) => right.creator !== role));
    }
  }

  public grant(role: string, right: Right, granter: Granter, grantable = false): void {
    const { held } = this.roles.get(role)!;
    const holding = held.get(textOf(right)) ?? { right, grantable: new Map<Granter, boolean>() };
    holding.grantable.set(granter, grantable || holding.grantable.get(granter) === true);
    held.set(textOf(right), holding);
  }

  /** What is taken back alone; a caller who does it by hand minds the columns of a table. */
  public revoke(role: string, right: Right, granter: Granter): void {
    const { held } = this.roles.get(role)!;
    const holding = held.get(textOf(right));
    holding?.grantable.delete(granter);
    if (holding?.grantable.size === 0) {
      held.delete(textOf(right));
    }
  }

  public holdings(role: string): Holding[] {
    return [...this.roles.get(role)!.held.values()];
  }

  public grantFuture(role: string, right: FutureRight, grantable: boolean): void {
    const { future } = this.roles.get(role)!;
    const held = future.find(one => futureTextOf(one.right) === futureTextOf(right));
    if (held) {
      held.grantable ||= grantable;
    } else {
      future.push({ right, grantable });
    }
  }

  public futures(role: string): FutureRight[] {
    return this.roles.get(role)!.future.map(({ right }) => right);
  }

  public revokeFuture(role: string, right: FutureRight): void {
    const one = this.roles.get(role)!;
    one.future = one.future.filter(other => futureTextOf(other.right) !== futureTextOf(right));
  }

  /** By hand. @param name as in `settings` */
  public set(role: string, name: string, value: string): void {
    this.roles.get(role)!.settings.set(name, value);
  }

  public setMember(role: string, group: string, member: boolean): void {
    const { groups } = this.roles.get(role)!;
    if (member) {
      groups.add(group);
    } else {
      groups.delete(group);
    }
  }

  public groups(role: string): string[] {
    return [...this.roles.get(role)!.groups];
  }

  /** A table that is there from now on, with what was granted on it in advance, unless somebody else has created it. */
  public createTable(table: Table, owner: string, handedOver: boolean): void {
    const { database, schema, name } = table;
    this.world.things.push({ kind: 'TABLE', ...table, owner, columns: ['a', 'b'] });
    for (const [role, { future }] of handedOver ? [] : this.roles) {
      future
        .filter(
          ({ right }) =>
            right.database === database
            && right.creator === owner
            && right.objects === 'TABLES'
            && [schema, undefined].includes(right.schema),
        )
        .forEach(({ right: { privilege }, grantable }) =>
          this.grant(role, { kind: 'TABLE', database, schema, name, privilege }, 'owner', grantable),
        );
    }
  }

  public dropTable(table: Table): void {
    const isIt = (other: { database: string; schema?: string; name?: string }) =>
      (['database', 'schema', 'name'] as const).every(part => other[part] === table[part]);
    this.world.things.splice(this.world.things.findIndex(isIt), 1);
    this.forget(isIt);
  }

  /** As `heldBy` says it. */
  public lines(): string[] {
    return [...this.roles].flatMap(([role, { held, future, groups, settings, login }]) => [
      ...[...held].map(([text, { grantable }]) => `${text}${[...grantable.values()].includes(true) ? '*' : ''}`),
      ...future.map(({ right, grantable }) => `${futureTextOf(right)}${grantable ? '*' : ''}`),
      ...[...groups].map(group => `in ${quoted(group)}`),
      ...[...settings].map(([name, value]) => `sets ${name.replace(/^\w+/, parameter => `${parameter}=${value}`)}`),
      ...login ? ['logs in'] : [],
    ].map(line => `${quoted(role)} ${line}`)).sort();
  }

  /** Created where it is missing; dropped when it is not declared any more, if it is empty then. */
  private ownSchemas(role: string, before: Declared['privileges'], now: Declared['privileges']): void {
    const { schemas, things } = this.world;
    const [earlier, declared] = [ownSchemasIn(before), ownSchemasIn(now)];
    const isIn = (list: typeof declared, { database, schema }: { database: string; schema: string }) =>
      list.some(one => one.database === database && one.schema === schema);
    for (const one of schemas.filter(
      one => one.owner === role && isIn(earlier, one) && !isIn(declared, one) && !isIn(things, one),
    )) {
      schemas.splice(schemas.indexOf(one), 1);
      this.forget(({ database, schema }) => database === one.database && schema === one.schema);
    }
    schemas.push(...declared.filter(one => !isIn(schemas, one)).map(one => ({ ...one, owner: role })));
  }

  private forget(isGone: (right: { database: string; schema?: string; name?: string }) => boolean): void {
    for (const one of this.roles.values()) {
      [...one.held].filter(([, { right }]) => isGone(right)).forEach(([text]) => one.held.delete(text));
      one.future = one.future.filter(({ right }) => !isGone(right));
    }
  }
}

function ownSchemasIn(privileges: Declared['privileges'] = {}): { database: string; schema: string }[] {
  return Object.entries(privileges).flatMap(([database, { Schemas = {} }]) =>
    Object.entries(Schemas)
      .filter(([, { Owner }]) => Owner)
      .map(([schema]) => ({ database, schema })),
  );
}

/** As the catalog has what is declared. */
function storedSettings({ ConnectionLimit: limit, Parameters = {}, RoleAtLogin: role }: SettingProperties = {}): Map<
  string,
  string
> {
  const parameters = Object.entries(Parameters).map(([name, value]): [string, string] => [
    name,
    typeof value === 'string' ? value : value.map(quoted).join(', '),
  ]);
  return new Map([
    ...(limit === undefined ? [] : [['connections', limit] as const]),
    ...parameters,
    ...(role === undefined ? [] : [['role', role] as const]),
  ]);
}
