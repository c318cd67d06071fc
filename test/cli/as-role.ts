import { CliError } from '../../cli/exit-codes';
import { ResourceState } from '../../rehearsal/cloudformation/template';
import { Rehearsal } from '../../rehearsal/rehearsal';

export interface Ran {
  readonly code: number;
  readonly output: string;
  readonly reasons: readonly string[];
}

/** Environment variables of a process that has the credentials of a role in a rehearsal, and finds its services. */
export function environmentOf(rehearsal: Rehearsal, role: ResourceState): Record<string, string> {
  const { accessKeyId, secretAccessKey, sessionToken } = rehearsal.credentialsOf(role);
  return {
    AWS_ENDPOINT_URL: rehearsal.endpointUrl,
    AWS_REGION: 'eu-central-1',
    AWS_ACCESS_KEY_ID: accessKeyId,
    AWS_SECRET_ACCESS_KEY: secretAccessKey,
    AWS_SESSION_TOKEN: sessionToken,
  };
}

/** Runs a command of the program with the credentials of a role. */
export async function runAs(
  rehearsal: Rehearsal,
  role: ResourceState,
  command: (args: string[]) => Promise<number>,
  ...args: string[]
): Promise<Ran> {
  Object.assign(process.env, environmentOf(rehearsal, role));
  let output = '';
  const written = jest.spyOn(process.stdout, 'write').mockImplementation((text) => {
    output += String(text);
    return true;
  });
  try {
    return { code: await command(args), output, reasons: [] };
  } catch (error) {
    if (error instanceof CliError) {
      return { code: error.code, output, reasons: error.reasons };
    }
    throw error;
  } finally {
    written.mockRestore();
  }
}
