import { Stack } from 'aws-cdk-lib';
import * as iam from 'aws-cdk-lib/aws-iam';
import { StringParameter } from 'aws-cdk-lib/aws-ssm';
import { AuroraIamAuth, ConnectGrants, DatabaseUser, DatabaseUsers } from '../../lib';
import { IRELAND, newApp, newCluster } from './support';

const KEY = 'ssm:account=111111111111:parameterName=/shop/user:region=eu-west-1';

type Use = (stack: Stack, username: string) => void;

/**
 * Names a user as a parameter of Systems Manager says, which CDK looks up between a first synthesis and a second one.
 */
function synthesis(use: Use, value?: string) {
  const stack = new Stack(newApp(value === undefined ? {} : { [KEY]: value }), 'Data', { env: IRELAND });
  use(stack, StringParameter.valueFromLookup(stack, '/shop/user'));
  return (stack.node.root as ReturnType<typeof newApp>).synth().manifest.missing ?? [];
}

const role = (stack: Stack) => new iam.Role(stack, 'Role', { assumedBy: new iam.AccountRootPrincipal() });
const USES: [string, Use][] = [
  [
    'a user',
    (stack, username) =>
      void new AuroraIamAuth(stack, 'IamAuth', { cluster: newCluster(stack) })
        .addUser(username)
        .grantConnect(role(stack)),
  ],
  [
    'a user with an id of its own',
    (stack, username) =>
      void new DatabaseUser(stack, 'User', {
        username,
        iamAuth: new AuroraIamAuth(stack, 'IamAuth', { cluster: newCluster(stack) }),
      }),
  ],
  [
    'one of a list',
    (stack, username) =>
      void new DatabaseUsers(stack, 'Users', {
        usernames: [username, 'ada'],
        iamAuth: new AuroraIamAuth(stack, 'IamAuth', { cluster: newCluster(stack) }),
      }),
  ],
  [
    'a grant alone',
    (stack, username) =>
      void ConnectGrants.fromCluster(newCluster(stack, 'Cluster', { iamAuthentication: true })).connect(
        role(stack),
        username,
      ),
  ],
  [
    'a statement',
    (stack, username) =>
      void ConnectGrants.fromCluster(newCluster(stack, 'Cluster', { iamAuthentication: true })).connectStatement(
        username,
      ),
  ],
];

describe('a username that CDK looks up in Systems Manager', () => {
  test.each(USES)('may be missing in the first synthesis: %s', (_, use) => {
    expect(synthesis(use)).toMatchObject([{ key: KEY }]);
  });

  test.each(USES)('is one in the second synthesis, and refused where it is none: %s', (_, use) => {
    expect(synthesis(use, 'orders')).toEqual([]);
    expect(() => synthesis(use, 'a/b')).toThrow('username "a/b"');
  });
});
