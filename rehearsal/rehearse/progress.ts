import { styleText } from 'node:util';
import { StackEvent } from '../cloudformation/stack';
import { inOneLine } from '../text-table';
import { INDENT } from '../timeline';

/** A line for each resource that this is about, when it is done with; the others are counted. */
export class Progress {
  private readonly begun = new Map<string, number>();
  private readonly others = new Map<string, number>();

  constructor(private readonly print: (line: string) => void) {}

  /**
   * @param name what readers know the resource by
   * @param isDeployed whether it does something in a rehearsal
   */
  event({ stackName, logicalId, status, type, reason }: StackEvent, name: string, isDeployed = true): void {
    const key = `${stackName} ${logicalId}`;
    const isFailure = status.endsWith('_FAILED');
    if (status.endsWith('_IN_PROGRESS')) {
      this.begun.set(key, Date.now());
    } else if (isFailure || (isDeployed && /^(Custom::|AWS::RDS::DB(Cluster|Instance)$)/.test(type))) {
      const line = `${INDENT}${status.padEnd(16)} ${type.padEnd(20)} ${name} (${((Date.now() - (this.begun.get(key) ?? Date.now())) / 1000).toFixed(1)} s)`;
      this.print(isFailure ? styleText('red', `${line}: ${inOneLine(reason ?? '')}`) : line);
    } else {
      this.others.set(status, (this.others.get(status) ?? 0) + 1);
    }
  }

  /** The end of what is done to a stack. */
  end(): void {
    this.others.forEach((count, status) =>
      this.print(`${INDENT}${status.padEnd(16)} ${count} other resource${count === 1 ? '' : 's'}`),
    );
    this.others.clear();
  }
}
