import type { Change } from './change';
import type { LocatedRecord } from './public-records';
import type { Claim } from './state';

/** What the attempts of one event have committed, so that it can be taken back should they fail in the end. */
export class Journal {
  private readonly entries: { readonly database: string; readonly changes: Change[] }[] = [];
  private before?: Claim[];
  private publicBefore?: LocatedRecord[];

  /**
   * @param changes about to be committed: the answer may be lost
   * @returns takes the note back, where the answer is that nothing was committed
   */
  public note(database: string, changes: Change[]): () => void {
    const entry = { database, changes };
    this.entries.push(entry);
    return () => void this.entries.splice(this.entries.indexOf(entry), 1);
  }

  /** What was registered before the first attempt. */
  public remember(claims: Claim[], ofPublic: LocatedRecord[] = []): void {
    this.before ??= claims;
    this.publicBefore ??= ofPublic;
  }

  /** All of it is taken back. */
  public clear(): void {
    this.entries.length = 0;
  }

  public get isEmpty(): boolean {
    return this.entries.length === 0;
  }

  public get claims(): Claim[] {
    return this.before ?? [];
  }

  public get publicRecords(): LocatedRecord[] {
    return this.publicBefore ?? [];
  }

  /** The last one first. */
  public get backwards(): { readonly database: string; readonly changes: Change[] }[] {
    return [...this.entries].reverse();
  }
}
