import { execFileSync, spawnSync } from 'node:child_process';
import { chmodSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { delimiter, join } from 'node:path';
import { CfnOutput, Stack } from 'aws-cdk-lib';
import { AuroraIamAuth } from '../../../lib';
import { caBundleUrl } from '../../../lib/database/certificate-authorities';
import { psqlCommand } from '../../../lib/database/psql-command';
import { IRELAND, newApp, newCluster, templateOf } from '../support';

const VARIABLES = ['PGHOST', 'PGPORT', 'PGUSER', 'PGDATABASE', 'PGSSLMODE', 'PGSSLROOTCERT', 'PGPASSWORD'];

/**
 * Programs of these names that tell how they were called; `aws` answers with its arguments, as if they were a token.
 */
const SHIMS = {
  aws: 'printf "%s\\n" "$@"',
  psql: `printf "%s\\0" ${VARIABLES.map(name => `"$${name}"`).join(' ')} "$@"`,
};
const CONNECTION = {
  host: 'shop.cluster-1.eu-west-1.rds.amazonaws.com',
  port: '5432',
  region: 'eu-west-1',
  database: 'shop',
  cas: caBundleUrl('database', 'eu-west-1'),
};

let bin: string;
beforeAll(() => {
  bin = mkdtempSync(join(tmpdir(), 'psql-command-'));
  for (const [name, code] of Object.entries(SHIMS)) {
    writeFileSync(join(bin, name), `#!/bin/sh\n${code}\n`);
    chmodSync(join(bin, name), 0o755);
  }
});
afterAll(() => rmSync(bin, { recursive: true }));

function environment(variables: Record<string, string> = {}) {
  return { PATH: [bin, process.env.PATH].join(delimiter), HOME: '/home/of/somebody', ...variables };
}

function run(command: string, shell = 'sh') {
  const output = execFileSync(shell, ['-c', command], {
    env: environment({ PGSSLROOTCERT: '/etc/rds bundle.pem' }),
    encoding: 'utf8',
  });
  const values = output.split('\0').slice(0, -1);
  return {
    env: Object.fromEntries(VARIABLES.map((name, index) => [name, values[index]])),
    argv: values.slice(VARIABLES.length),
  };
}

describe('psqlCommand', () => {
  test.each(['sh', 'bash'])('signs in with a token, over TLS that is verified: %s', (shell) => {
    expect(run(psqlCommand({ ...CONNECTION, username: 'mario.rossi@example.com' }), shell)).toEqual({
      argv: ['--no-password'],
      env: {
        PGHOST: CONNECTION.host,
        PGPORT: '5432',
        PGUSER: 'mario.rossi@example.com',
        PGDATABASE: 'shop',
        PGSSLMODE: 'verify-full',
        PGSSLROOTCERT: '/etc/rds bundle.pem',
        PGPASSWORD: [
          'rds',
          'generate-db-auth-token',
          '--hostname',
          CONNECTION.host,
          '--port',
          '5432',
          '--region',
          'eu-west-1',
          '--username=mario.rossi@example.com',
        ].join('\n'),
      },
    });
  });

  test.each([
    "o'brien",
    "'",
    "''",
    'quo"te',
    'semi;--',
    '$HOME',
    '${HOME}',
    '$(id)',
    'a b',
    '  ',
    'back\\slash',
    '\\',
    '`id`',
    '!!',
    '-x',
    '--help',
    '*',
    '~',
    '#',
    '&',
    '|',
    '<>',
    '()',
    'Müller',
    '%s',
  ])('hands over as it is: %s', (name) => {
    const { env } = run(psqlCommand({ ...CONNECTION, username: name, database: name }));
    expect([env.PGUSER, env.PGDATABASE, env.PGPASSWORD.split('\n').pop()]).toEqual([name, name, `--username=${name}`]);
  });

  test('is one line', () => {
    expect(psqlCommand({ ...CONNECTION, username: 'app' })).not.toContain('\n');
  });

  test.each([['not set', {}], ['empty', { PGSSLROOTCERT: '' }]])(
    'asks for the CAs before anything else where PGSSLROOTCERT is %s',
    (_, variables) => {
      const { status, stdout, stderr } = spawnSync('sh', ['-c', psqlCommand({ ...CONNECTION, username: 'app' })], {
        env: environment(variables),
        encoding: 'utf8',
      });
      expect(status).not.toBe(0);
      expect(stdout).toBe('');
      expect(stderr).toContain(
        'PGSSLROOTCERT: is not set: give it the path of a file downloaded from https://truststore.pki.rds.amazonaws.com/global/global-bundle.pem',
      );
    },
  );

  test('is in an output what it is here', () => {
    const stack = new Stack(newApp(), 'Data', { env: IRELAND });
    const user = new AuroraIamAuth(stack, 'IamAuth', { cluster: newCluster(stack) }).addUser('o\'brien');
    new CfnOutput(stack, 'Connect', { value: user.psqlCommand() });
    const { Value } = templateOf(stack).findOutputs('Connect').Connect as {
      Value: { 'Fn::Join': ['', (string | object)[]] };
    };
    const deployed = Value['Fn::Join'][1].map(part => typeof part === 'string' ? part : CONNECTION.host).join('');
    expect(deployed).toBe(psqlCommand({ ...CONNECTION, username: 'o\'brien' }));
  });
});
