import { execFileSync } from 'node:child_process';
import { mkdtempSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { App, Stack } from 'aws-cdk-lib';
import * as iam from 'aws-cdk-lib/aws-iam';
import { DISABLE_CREATION_STACK_TRACES } from 'aws-cdk-lib/cx-api';
import { AuroraIamAuth, DatabaseUser, Privileges, TablePrivilege } from '../../lib';
import { newCluster } from './support';

const CDK = join(require.resolve('aws-cdk/package.json'), '../bin/cdk');
const NAMES = ['added', 'gone', 'granted', 'narrowed', 'new', 'removed', 'same', 'widened'];

type Declare = (stack: Stack, add: (name: string, privileges?: Privileges[]) => DatabaseUser) => void;

const on = (...privileges: TablePrivilege[]) => Privileges.onTables({ database: 'shop', schema: 'public', privileges });
const { SELECT, UPDATE } = TablePrivilege;

const BEFORE: Declare = (_, add) => {
  add('added');
  add('gone', [on(SELECT)]);
  add('granted');
  add('narrowed', [on(SELECT, UPDATE)]);
  add('removed', [on(SELECT)]);
  add('same', [on(SELECT)]);
  add('widened', [on(SELECT)]);
};
const AFTER: Declare = (stack, add) => {
  add('added', [on(SELECT)]);
  add('granted').grantConnect(new iam.Role(stack, 'Clerk', { assumedBy: new iam.AccountRootPrincipal() }));
  add('narrowed', [on(SELECT)]);
  add('new', [on(SELECT)]).grantConnect(new iam.Role(stack, 'Reader', { assumedBy: new iam.AccountRootPrincipal() }));
  add('removed');
  add('same', [on(SELECT)]);
  add('widened', [on(SELECT, UPDATE)]);
};

describe('cdk diff', () => {
  let output: string;
  beforeAll(() => output = diff(BEFORE, AFTER));

  test.each([
    ['added', ['[+]   "shop.public: SELECT on all tables"']],
    ['granted', ['[-]   "sign-in by no identity in this app",', '[+]   "sign-in by Clerk role",']],
    ['narrowed', ['[-]   "shop.public: SELECT, UPDATE on all tables"', '[+]   "shop.public: SELECT on all tables"']],
    ['removed', ['[-]   "shop.public: SELECT on all tables"']],
    ['widened', ['[-]   "shop.public: SELECT on all tables"', '[+]   "shop.public: SELECT, UPDATE on all tables"']],
  ])('shows what changes as a line of its own below the resource of the user: %s', (name, lines) => {
    expect(
      linesBelow(`[~] Custom::RdsIamUser IamAuth/${name} `).filter(
        line => /^\[[+-]\] {3}"/.test(line) && /shop\.|sign-in/.test(line),
      ),
    ).toEqual(lines);
  });

  test('shows a user that is new or gone in a line of its own, with what it may do', () => {
    expect(output).toContain(
      '[+] Metadata Access of IamAuth/new: sign-in by Reader role; shop: CONNECT; shop.public: SELECT on all tables\n',
    );
    expect(output).toContain(
      '[-] Metadata Access of IamAuth/gone: sign-in by no identity in this app; shop: CONNECT; shop.public: SELECT on all tables\n',
    );
  });

  test('names exactly the users that change', () => {
    const changed = NAMES.filter(name => output.includes(`Custom::RdsIamUser IamAuth/${name} `));
    expect(changed).toEqual(NAMES.filter(name => name !== 'same'));
    expect(output).not.toContain('IamAuth/same');
  });

  /** The lines of one resource, without the tree that they hang on. */
  function linesBelow(resource: string): string[] {
    const [, ...lines] = output.slice(output.indexOf(resource)).split('\n');
    return lines.slice(0, lines.findIndex(line => !/^ /.test(line))).map(line => line.replace(/^[ │├└─]+/, ''));
  }
});

/** What the CLI prints when an app was deployed that declared something else. It needs neither network nor account. */
function diff(before: Declare, after: Declare): string {
  const [old, current] = [before, after].map((declare) => {
    const outdir = mkdtempSync(join(tmpdir(), 'cdk-diff-'));
    const app = new App({
      outdir,
      context: {
        'aws:cdk:disable-asset-staging': true,
        'aws:cdk:enable-path-metadata': true,
        [DISABLE_CREATION_STACK_TRACES]: true,
      },
    });
    const stack = new Stack(app, 'Shop');
    const iamAuth = new AuroraIamAuth(stack, 'IamAuth', {
      cluster: newCluster(stack),
      provisioner: { concurrentUsers: NAMES.length },
    });
    declare(stack, (name, privileges) => iamAuth.addUser(name, { privileges }));
    app.synth();
    return outdir;
  });
  return execFileSync(
    process.execPath,
    [
      CDK,
      'diff',
      'Shop',
      '--app',
      current,
      '--template',
      join(old, 'Shop.template.json'),
      '--ci',
      '--no-color',
      '--no-notices',
      '--no-version-reporting',
    ],
    {
      encoding: 'utf8',
      stdio: ['ignore', 'pipe', 'pipe'],
      env: {
        ...process.env,
        AWS_REGION: 'us-east-1',
        AWS_EC2_METADATA_DISABLED: 'true',
        CDK_DISABLE_VERSION_CHECK: '1',
        FORCE_COLOR: '0',
      },
    },
  );
}
