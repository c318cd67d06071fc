import { styleText } from 'node:util';
import { StackEvent } from './cloudformation/stack';
import { FunctionLog } from './cloudformation/function-invocations';

/** How far what is under the seconds is indented. */
export const INDENT = ' '.repeat(8);

/** What happens, with the seconds since the start in front. */
export class Timeline {
  private readonly started = Date.now();

  constructor(private readonly print: (line: string) => void) {}

  step(title: string): void {
    this.print(`${styleText('dim', `${((Date.now() - this.started) / 1000).toFixed(1).padStart(4)} s`)}  ${title}`);
  }

  event({ status, logicalId, type, reason }: StackEvent): void {
    this.print(`${INDENT}${styleText('dim', [status, logicalId, type, reason].filter(Boolean).join(' '))}`);
  }

  /** Prints and forgets what functions wrote. */
  logs(logs: FunctionLog[]): void {
    logs.splice(0).forEach(({ text }) => this.print(text.trimEnd().replace(/^(?=.)/gm, INDENT)));
  }
}
