import { styleText } from 'node:util';
import { Diagnosis, Step } from './diagnosis';
import { Client, Observations } from './observations';
import { quote } from './shell';
import { visible } from '../../lib/report/plain-text';

const WIDTH_OF_STATE = 9;
const WIDTH_OF_STEP = 13;

type Paint = (format: 'bold' | 'dim', text: string) => string;

/** For a person, with names that come from anywhere: one line a step, then the first cause with its fix. */
export function textReport(
  { steps, cause, signedIn }: Diagnosis,
  { client }: Observations,
  verbose: boolean,
  colors: boolean,
): string {
  const paint: Paint = (format, text) => (colors ? styleText(format, text, { validateStream: false }) : text);
  const lines = steps
    .filter(({ state }) => verbose || state !== 'skipped')
    .flatMap(step => lineOf(step, step === cause, verbose, paint));
  return [...lines, '', ...conclusion(steps, cause, signedIn, client, paint)].join('\n');
}

function lineOf(step: Step, isFirst: boolean, verbose: boolean, paint: Paint): string[] {
  const { state, step: name, found, details = [] } = step;
  const line = `${state.padEnd(WIDTH_OF_STATE)} ${name.padEnd(WIDTH_OF_STEP)} ${visible(found)}`;
  const more = verbose
    ? details.map(detail => paint('dim', `${' '.repeat(WIDTH_OF_STATE + WIDTH_OF_STEP + 2)}${visible(detail)}`))
    : [];
  return [isFirst ? paint('bold', line) : line, ...more];
}

function conclusion(
  steps: readonly Step[],
  cause: Step | undefined,
  signedIn: boolean,
  client: Client,
  paint: Paint,
): string[] {
  if (signedIn) {
    return [visible(`Nothing keeps ${client.username} from signing in.`)];
  }
  const inside = steps.some(({ state }) => state === 'elsewhere')
    ? ['', 'Some steps must run where the client runs. There, with its credentials:', `  ${insideCommand(client)}`]
    : [];
  return cause === undefined
    ? ['No cause was found in what could be looked at from here.', ...inside]
    : [paint('bold', visible(`Cause: ${cause.found}`)), paint('bold', visible(`Fix:   ${cause.fix}`)), ...inside];
}

/** For a host of the client: this one may be any other. */
export function insideCommand({ host, port, username, database, sslMode }: Client): string {
  const variables = { PGHOST: host, PGPORT: `${port}`, PGUSER: username, PGDATABASE: database, PGSSLMODE: sslMode };
  return [
    ...Object.entries(variables).map(([name, value]) => `${name}=${quote(visible(value))}`),
    'npx cdk-aurora-iam-auth-cli doctor --env --inside',
  ].join(' ');
}

/** For a program. */
export function jsonReport({ steps, cause, signedIn }: Diagnosis, { client }: Observations): object {
  const { caFile, ...shown } = client;
  return {
    client: shown,
    signedIn,
    cause: cause?.cause,
    fix: cause?.fix,
    steps,
    ...(caFile === undefined ? {} : { caFile }),
  };
}
