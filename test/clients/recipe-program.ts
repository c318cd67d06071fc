import { ChildProcess } from 'node:child_process';
import { createInterface } from 'node:readline';
import { RunFolder } from '../../rehearsal/run-folder';

/** A program of examples/clients that answers statements, in a process of its own. */
export class RecipeProgram {
  private readonly child: ChildProcess;
  private readonly answers: AsyncIterator<string>;
  private errors = '';

  constructor(folder: string, [program, ...args]: string[], env: NodeJS.ProcessEnv) {
    this.child = RunFolder.open().spawn(program, args, 'KILL', { cwd: folder, env });
    this.answers = answersIn(createInterface({ input: this.child.stdout! }));
    this.child.stderr!.setEncoding('utf8').on('data', (text: string) => this.errors += text);
    this.child.stdin!.on('error', () => undefined); // it has ended: the next question is not answered
  }

  /** The first value, or `error: ` and what is wrong. */
  async ask(statement: string): Promise<string> {
    this.child.stdin!.write(`${statement}\n`);
    const answer = await this.answers.next();
    return answer.done === true
      ? `the program has ended: ${this.errors.trim().split('\n').slice(-3).join(' ')}`
      : answer.value;
  }

  async end(): Promise<void> {
    this.child.stdin!.end();
    const { done } = await this.answers.next();
    if (!done) {
      throw new Error('the program has answered more than was asked');
    }
  }
}

/** Clients write warnings to the standard output, too. */
async function* answersIn(lines: AsyncIterable<string>): AsyncGenerator<string> {
  for await (const line of lines) {
    if (line.startsWith('> ')) {
      yield line.slice(2);
    }
  }
}
