import { quoted } from '../findings';
import { Subject } from './subjects';

/** Which roles name which others, so that each can be deployed after those that it names. */
export class References {
  private readonly kinds: ReadonlyMap<string, Subject['kind']>;
  private readonly named = new Map<string, Set<string>>();
  private readonly atLogin = new Map<string, string>();

  constructor(subjects: Subject[]) {
    this.kinds = new Map(subjects.map(({ name, kind }) => [name, kind]));
  }

  /** Undefined for a role that is not declared. */
  kindOf(name: string): Subject['kind'] | undefined {
    return this.kinds.get(name);
  }

  /** Whether another role names it. */
  isNamed(name: string): boolean {
    return [...this.named.values()].some(names => names.has(name));
  }

  add(name: string, other: string): void {
    this.named.set(name, (this.named.get(name) ?? new Set<string>()).add(other));
  }

  /** Sessions of the user act as the group. */
  actsAs(user: string, group: string): void {
    this.atLogin.set(user, group);
  }

  /** Notes that a role has privileges on what another one creates, unless that cannot be declared: then why. */
  tryCreator(name: string, creator: string): string | undefined {
    const owner = this.atLogin.get(creator);
    if (owner !== undefined) {
      return `sessions of ${quoted(creator)} act as ${quoted(owner)}, which owns what they create`;
    }
    if (this.leadsTo(creator, name)) {
      return `${quoted(creator)} is deployed after ${quoted(name)}, which it refers to`;
    }
    this.add(name, creator);
    return undefined;
  }

  private leadsTo(from: string, to: string): boolean {
    const reached = new Set([from]);
    for (const each of reached) { // also those that are added meanwhile
      if (this.kinds.has(each)) {
        this.named.get(each)?.forEach(one => reached.add(one));
      }
    }
    return reached.has(to);
  }
}
