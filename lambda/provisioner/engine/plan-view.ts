import { Imagined, type SharedState } from '../core/imagined';
import type { DatabaseQuestion } from '../sql/catalog';

/** What a question about all databases is about. */
export interface SharedNames {
  readonly names: string[];
  readonly databases: string[];
  readonly exclusive: string[];
  readonly groups: string[];
}

/** Names that were asked for, in order. */
class Names {
  private readonly all = new Set<string>();
  private sorted: string[] = [];

  /** With more of them; the same list as long as none is new. */
  public with(names: string[]): string[] {
    const { size } = this.all;
    names.forEach(name => this.all.add(name));
    return this.sorted = this.all.size === size ? this.sorted : [...this.all].sort();
  }
}

/** What was asked about one database. */
class AskedInDatabase {
  private readonly asked = {
    roles: new Names(),
    schemas: new Names(),
    names: new Names(),
    columns: new Names(),
    schemaOids: new Names(),
    objectOids: new Names(),
  };

  private everything = false;

  public with({ roles, schemas, everything, identities }: DatabaseQuestion): DatabaseQuestion {
    const { asked } = this;
    this.everything ||= everything;
    return {
      roles: asked.roles.with(roles),
      schemas: asked.schemas.with(schemas),
      everything: this.everything,
      identities: {
        names: asked.names.with(identities?.names ?? []),
        columns: asked.columns.with(identities?.columns ?? []),
        schemaOids: asked.schemaOids.with(identities?.schemaOids ?? []),
        objectOids: asked.objectOids.with(identities?.objectOids ?? []),
      },
    };
  }
}

/**
 * How a plan looks at the catalogs: with what it has planned laid over them, and with questions that are as wide as all
 * before them, so that many resources are answered by one.
 */
export class PlanView {
  public readonly imagined = new Imagined();
  private readonly asked = { names: new Names(), databases: new Names(), exclusive: new Names(), groups: new Names() };
  private readonly roleNames = new Names();
  private readonly made = new Map<string, { readonly sources: unknown[]; readonly value: unknown }>();
  private readonly questions = new Map<string, AskedInDatabase>();

  /** Names of roles to ask for. */
  public roles(names: string[]): string[] {
    return this.roleNames.with(this.inCatalog(names));
  }

  public names({ names, databases, exclusive, groups }: SharedNames): SharedNames {
    const { asked } = this;
    return {
      names: asked.names.with(this.inCatalog(names)),
      databases: asked.databases.with(databases),
      exclusive: asked.exclusive.with(this.inCatalog(exclusive)),
      groups: asked.groups.with(this.inCatalog(groups)),
    };
  }

  /**
   * What is made of sources: again only where one of them is another, which they are not for each resource as long as
   * no more is asked for.
   */
  public once<T>(name: string, sources: unknown[], make: () => T): T {
    const before = this.made.get(name);
    if (before !== undefined && sources.every((source, index) => source === before.sources[index])) {
      return before.value as T;
    }
    const value = make();
    this.made.set(name, { sources, value });
    return value;
  }

  /** What roles of these names hold, of what was asked for more. */
  public shared(names: string[], read: SharedState): SharedState {
    const { roles, owners } = this.imagined.shared(names, read);
    const wanted = new Set(names);
    return { roles: new Map([...roles].filter(([name]) => wanted.has(name))), owners };
  }

  public question(database: string, question: DatabaseQuestion): DatabaseQuestion {
    const asked = this.questions.get(database) ?? new AskedInDatabase();
    this.questions.set(database, asked);
    return asked.with({ ...question, roles: this.inCatalog(question.roles) });
  }

  /**
   * Names as they are then and as they are in the catalog. Who is not there is asked for even so: a question that is
   * the same for all resources is asked once.
   */
  private inCatalog(names: string[]): string[] {
    return names.flatMap(name => [name, this.imagined.nameToday(name) ?? []].flat());
  }
}
