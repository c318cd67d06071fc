import { type Change, rolesOf } from './change';

/** A change that is planned, and the database that it would be made in. */
export interface Planned {
  readonly database: string;
  readonly change: Change;
}

/**
 * Planned changes in their order, found by the roles that they are about. Hundreds of resources are planned one after
 * the other, and each asks for those of a few roles.
 */
export class PlannedChanges {
  private readonly all: Planned[] = [];
  private readonly ofEach = new Map<string, number[]>();
  /** Those that matter whichever roles are asked for. */
  private readonly ofAll: number[] = [];

  public get length(): number {
    return this.all.length;
  }

  public add(planned: Planned): void {
    for (const places of this.placesOf(planned.change)) {
      places.push(this.all.length);
    }
    this.all.push(planned);
  }

  /** Takes back what was added since then. */
  public truncate(length: number): void {
    for (const { change } of this.all.splice(length)) {
      for (const places of this.placesOf(change)) {
        places.pop();
      }
    }
  }

  /** Those after so many. */
  public since(count: number): Planned[] {
    return this.all.slice(count);
  }

  /**
   * Changes of these roles, of memberships in them, and those of schemas and of names, whichever role they are about.
   */
  public about(names: Iterable<string>): Planned[] {
    const places = new Set([...this.ofAll, ...[...names].flatMap(name => this.ofEach.get(name) ?? [])]);
    return [...places].sort((a, b) => a - b).map(place => this.all[place]);
  }

  public ofNames(): Planned[] {
    return this.ofAll.map(place => this.all[place]).filter(({ change }) => isOfNames(change));
  }

  private placesOf(change: Change): number[][] {
    const names = new Set([...rolesOf(change), ...'group' in change ? [change.group] : []]);
    const lists = [...names].map((name) => {
      const places = this.ofEach.get(name) ?? [];
      this.ofEach.set(name, places);
      return places;
    });
    return isOfAll(change) ? [...lists, this.ofAll] : lists;
  }
}

/** Whether it changes a name, which all databases have. */
export function isOfNames({ kind }: Change): boolean {
  return kind === 'renameRole' || kind === 'dropRole';
}

function isOfAll(change: Change): boolean {
  return (
    isOfNames(change) || change.kind === 'createSchema' || change.kind === 'dropSchema' || change.kind === 'dropOwned'
  );
}
