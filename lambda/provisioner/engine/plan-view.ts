import { Imagined, type SharedState } from '../core/imagined';
import type { Facts } from '../core/lifecycle';
import type { DatabaseQuestion } from '../sql/catalog';

/** What a question about all databases is about. */
export interface SharedNames {
  readonly names: string[];
  readonly databases: string[];
  readonly exclusive: string[];
  readonly groups: string[];
}

const NOTHING_YET: DatabaseQuestion = { roles: [], schemas: [], everything: false };

/**
 * How a plan looks at the catalogs: with what it has planned laid over them, and with questions that are as wide as all before them, so that many
 * resources are answered by one.
 */
export class PlanView {
  public readonly imagined = new Imagined();
  private asked: SharedNames = { names: [], databases: [], exclusive: [], groups: [] };
  private roleNames: string[] = [];
  private read?: { readonly sources: unknown[]; readonly facts: Facts };
  private readonly questions = new Map<string, DatabaseQuestion>();

  /** Names of roles to ask for. */
  public roles(names: string[]): string[] {
    return this.roleNames = union(this.roleNames, this.inCatalog(names));
  }

  public names({ names, databases, exclusive, groups }: SharedNames): SharedNames {
    return this.asked = {
      names: union(this.asked.names, this.inCatalog(names)),
      databases: union(this.asked.databases, databases),
      exclusive: union(this.asked.exclusive, this.inCatalog(exclusive)),
      groups: union(this.asked.groups, this.inCatalog(groups)),
    };
  }

  /** @param sources what the facts are made of: the same for each resource, as long as no more is asked for */
  public facts(sources: unknown[], make: () => Facts): Facts {
    if (this.read === undefined || sources.some((source, index) => source !== this.read?.sources[index])) {
      this.read = { sources, facts: make() };
    }
    return this.imagined.facts(this.read.facts);
  }

  /** What roles of these names hold, of what was asked for more. */
  public shared(names: string[], read: SharedState): SharedState {
    const { roles, owners } = this.imagined.shared(names, read);
    const wanted = new Set(names);
    return { roles: new Map([...roles].filter(([name]) => wanted.has(name))), owners };
  }

  public question(database: string, question: DatabaseQuestion): DatabaseQuestion {
    const before = this.questions.get(database) ?? NOTHING_YET;
    const [a, b] = [before.identities, question.identities];
    const identities = a === undefined || b === undefined
      ? a ?? b
      : {
          names: union(a.names, b.names),
          columns: union(a.columns, b.columns),
          schemaOids: union(a.schemaOids, b.schemaOids),
          objectOids: union(a.objectOids, b.objectOids),
        };
    const wide = {
      roles: union(before.roles, this.inCatalog(question.roles)),
      schemas: union(before.schemas, question.schemas),
      everything: before.everything || question.everything,
      ...identities === undefined ? {} : { identities },
    };
    this.questions.set(database, wide);
    return wide;
  }

  /**
   * Names as they are then and as they are in the catalog. Who is not there is asked for even so: a question that is the same for all resources
   * is asked once.
   */
  private inCatalog(names: string[]): string[] {
    return names.flatMap(name => [name, this.imagined.nameToday(name) ?? []].flat());
  }
}

function union(some: string[], others: string[]): string[] {
  return [...new Set([...some, ...others])].sort();
}
