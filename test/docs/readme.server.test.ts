import { spawnSync } from 'node:child_process';
import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { App, Stack as CdkStack } from 'aws-cdk-lib';
import { Template } from 'aws-cdk-lib/assertions';
import { transformSync } from 'esbuild';
import { AuroraLikeServer } from '../../rehearsal/aurora-like-server';
import { RunFolder } from '../../rehearsal/run-folder';
import { packedCli } from '../cli/packed-cli';
import { full } from '../full';
import { Declared, Stack, trust } from '../lambda/stack';
import { ROOT, samplesOf } from './pages';

const sample = (page: string, language: string, contains = '') =>
  samplesOf(page).find(({ info, code }) => info.split(' ')[0] === language && code.includes(contains))!.code;

interface Properties {
  readonly Username: string;
  readonly Privileges: Declared['privileges'];
}

/** The stack of the app of README.md, which is executed as it stands there. */
function stackOfReadme(): CdkStack {
  const { code } = transformSync(sample('README.md', 'ts'), { loader: 'ts', format: 'cjs' });
  const load = (name: string): unknown => jest.requireActual(name === 'cdk-aurora-iam-auth' ? '../../lib' : name);
  // eslint-disable-next-line @typescript-eslint/no-implied-eval -- the text under test is a text
  const run = new Function('require', 'module', `${code}; return stack;`) as (...globals: unknown[]) => CdkStack;
  return run(load, { exports: {} });
}

const propertiesOf = (template: Template, username: string) =>
  Object.values(template.findResources('Custom::RdsIamUser'))
    .map(({ Properties }) => Properties as Properties)
    .find(({ Username }) => Username === username)!;

describe('README.md', () => {
  let template: Template;
  beforeAll(() => {
    template = Template.fromStack(stackOfReadme());
  });

  test('shows the SQL that the deployment of its app executes for its user', async () => {
    const server = await AuroraLikeServer.start({ major: 17, roleRules: 'plain', databases: ['shop'] });
    try {
      trust(server.caCertificate);
      const stack = new Stack(server);
      const declared = ({ Username, Privileges }: Properties): Declared => ({
        username: Username,
        privileges: Privileges,
        connect: [],
      });
      await stack.create('Migrator', declared(propertiesOf(template, 'migrator')));
      stack.takeExecuted();
      await stack.create('Orders', declared(propertiesOf(template, 'orders')));
      // The admin acts for the creator of tables inside the transaction: README.md leaves that out.
      const executed = stack
        .takeExecuted()
        .map(({ sql }) => `${sql};`)
        .filter(sql => !/"migrator" (TO|FROM) "postgres"/.test(sql));
      expect(sample('README.md', 'sql').replace(/\n {2}/g, ' ').trim().split('\n')).toEqual(executed);
    } finally {
      await server.stop();
    }
  });

  test('shows the statement of the policy of its app', () => {
    const [role] = Object.keys(template.findResources('AWS::IAM::Role')).filter(id => id.startsWith('Developer'));
    const [policy] = Object.values(
      template.findResources('AWS::IAM::Policy', { Properties: { Roles: [{ Ref: role }] } }),
    ).map(({ Properties }) => Properties as { PolicyDocument: { Statement: { Resource: unknown }[] } });
    const shown = JSON.parse(sample('README.md', 'json')) as { Resource: string };
    const [statement] = policy.PolicyDocument.Statement;
    const resource = JSON.stringify(statement.Resource);
    expect({ ...statement, Resource: shown.Resource }).toEqual(shown);
    expect(shown.Resource).toBe('arn:aws:rds-db:eu-west-1:111122223333:dbuser:cluster-ABCDEFGHIJKL01234/orders');
    expect(resource).toContain(':rds-db:');
    expect(resource).toContain('DBClusterResourceId');
    expect(resource).toMatch(/\/orders"\]\]\}$/);
  });
});

full.test('docs/first-login.md: its query prints what it says, signed in to the app of README.md', async () => {
  const folder = RunFolder.open().newFolder('first-login');
  const program = join(folder, 'query.js');
  writeFileSync(program, sample('docs/first-login.md', 'js'));
  const { directory } = (stackOfReadme().node.root as App).synth();
  const args = [await packedCli(), 'up', directory, '--user', 'orders', '--', process.execPath, program];
  const { status, stdout, stderr } = spawnSync(process.execPath, args, {
    cwd: ROOT,
    encoding: 'utf8',
    env: { ...process.env, NODE_PATH: join(ROOT, 'node_modules') },
  });
  expect({ status, stderr: status === 0 ? '' : stderr }).toEqual({ status: 0, stderr: '' });
  expect(stdout).toBe("[ { current_user: 'orders' } ]\n");
});
