import { EXIT_CODES } from './exit-codes';
import { parseOptions } from './parse-options';
import { callerFolder } from '../rehearsal/caller-folder';
import { Detached, findDetached, stopDetached } from '../rehearsal/local/detached';
import { InputError } from '../rehearsal/rehearse/input-error';

const USAGE = `Usage: cdk-aurora-iam-auth-cli down [<id>...] [--all]

Ends what "up --detach" has started. Nothing of it is left.

  <id>      one that runs, as "up --detach" has printed it (default: the one that was started in this folder)
  --all     all that this user of the machine has started
  --help    this text

Exit codes: 0 it has ended, or nothing runs; 2 wrong usage.`;

/** `down` */
export async function main(args: string[]): Promise<number> {
  const { values: { all, help }, positionals: ids } = parseOptions({
    args,
    allowPositionals: true,
    options: { all: { type: 'boolean', default: false }, help: { type: 'boolean', short: 'h', default: false } },
  });
  if (help) {
    console.log(USAGE);
    return EXIT_CODES.ok;
  }
  const chosen = choose(findDetached(), ids, all, callerFolder());
  for (const detached of chosen) {
    await stopDetached(detached);
    console.log(`${detached.id} has ended: ${detached.source}`);
  }
  if (chosen.length === 0) {
    console.log(`nothing runs${all ? '' : ` that was started in ${callerFolder()}`}`);
  }
  return EXIT_CODES.ok;
}

/** Those that are to end. */
export function choose(running: Detached[], ids: string[], all: boolean, folder: string): Detached[] {
  const list = (some: Detached[]) => some.map(({ id, source }) => `${id} (${source})`).join(', ');
  if (all) {
    if (ids.length > 0) {
      throw new InputError(
        `--all ends all of them, and ${ids.join(', ')} ${ids.length === 1 ? 'names one' : 'name some'}; leave one of the two out`,
      );
    }
    return running;
  }
  const unknown = ids.find(id => !running.some(each => each.id === id));
  if (unknown !== undefined) {
    throw new InputError(`${unknown} does not run: an id is one that "up --detach" has printed; `
      + (running.length === 0 ? 'nothing runs' : `these run: ${list(running)}`));
  }
  if (ids.length > 0) {
    return running.filter(({ id }) => ids.includes(id));
  }
  const here = running.filter(({ startedIn }) => startedIn === folder);
  if (here.length > 1) {
    throw new InputError(`${here.length} run that were started in ${folder}, and down ends one: ${list(here)}; `
      + 'give the ids, or --all');
  }
  return here;
}
