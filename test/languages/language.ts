import { execFileSync } from 'node:child_process';
import { cpSync } from 'node:fs';
import { join, resolve } from 'node:path';

const EXAMPLES = resolve(__dirname, '../../examples/languages');

/** The samples that every language has, by the folder of the one in TypeScript. */
export type Sample = 'quick-start' | 'shop';

/** A language for which jsii-pacmak generates this library. */
export interface Language {
  readonly name: string;
  /** What must be on the machine. */
  readonly tools: string[];
  /**
   * Builds the library from what jsii-pacmak has generated, and the samples with it.
   *
   * @param generated the library's source in this language
   * @param folder an empty one
   * @returns the command that runs a sample
   */
  build(generated: string, folder: string): (sample: Sample) => string;
}

export function run(folder: string, command: string, ...args: string[]): void {
  execFileSync(command, args, { cwd: folder, stdio: ['ignore', 2, 2] });
}

/** The examples of a language, where building them leaves nothing in the repository. */
export function copyOfExamples(language: string, folder: string): string {
  const copy = join(folder, 'examples');
  cpSync(join(EXAMPLES, language), copy, { recursive: true });
  return copy;
}
