import { CfnParameter, Fn } from 'aws-cdk-lib';
import * as iam from 'aws-cdk-lib/aws-iam';
import { AuroraIamAuth, ConnectGrants } from '../../../../lib';
import { unescapedUsername } from '../../../../lib/checks/rules/unescaped-username';
import { newCluster } from '../../support';
import { answer, newStack, resource } from '../support';

const ARN = 'arn:aws:rds-db:eu-west-1:111111111111:dbuser:cluster-A';

function ask(Resource: unknown, version = '2012-10-17') {
  const stack = newStack();
  new CfnParameter(stack, 'Open');
  return answer(
    unescapedUsername,
    resource(stack, 'It', 'AWS::IAM::ManagedPolicy', {
      PolicyDocument: { Version: version, Statement: [{ Effect: 'Allow', Action: 'rds-db:connect', Resource }] },
    }),
  );
}

/** The policy that CDK's own method makes, or this library. */
function granted(grant: (cluster: ReturnType<typeof newCluster>, role: iam.Role) => void) {
  const stack = newStack();
  const role = new iam.Role(stack, 'Role', { assumedBy: new iam.AccountRootPrincipal() });
  grant(newCluster(stack, 'Cluster', { iamAuthentication: true }), role);
  return answer(unescapedUsername, role.node.findChild('DefaultPolicy'));
}

describe('IamAuth-UnescapedUsername', () => {
  test.each([['every user of everything', '*'], ['another service', 'arn:aws:s3:*'], ['a parameter', Fn.ref('Open')]])(
    'is not about %s',
    (_, Resource) => {
      expect(ask(Resource)).toBe('NOT_APPLICABLE');
    },
  );

  test.each([
    ['a name', `${ARN}/orders`],
    ['escapes', `${ARN}/a\${*}b\${?}c\${$}`],
    ['every user, which is the matter of another rule', `${ARN}/*`],
    ['the tag of a principal', `${ARN}/\${aws:PrincipalTag/DatabaseUser}`],
    ['a name of the deployment, which is the matter of another rule', Fn.sub(`${ARN}/\${Open}`)],
  ])('has nothing against %s', (_, Resource) => {
    expect(ask(Resource)).toBe('COMPLIANT');
  });

  test.each([
    ['app*', 'in which IAM reads * and ? as wildcards: it allows signing in as every user whose name matches'],
    ['a?b', 'in which IAM reads * and ? as wildcards: it allows signing in as every user whose name matches'],
    ['${*}*', 'in which IAM reads * and ? as wildcards: it allows signing in as every user whose name matches'],
    ['${aws:username}',
      'in which IAM reads ${aws:username} as a variable: it allows signing in as the user that the variable names for the caller, and a caller without it cannot sign in'],
    ['app-${aws:PrincipalTag/team}',
      'in which IAM reads ${aws:PrincipalTag/team} as a variable: it allows signing in as the user that the variable names for the caller, and a caller without it cannot sign in'],
    ["${aws:PrincipalTag/user, '*'}",
      "in which IAM reads ${aws:PrincipalTag/user, '*'} as a variable: it allows signing in as the user that the variable names for the caller, and a caller without it cannot sign in"],
  ])('finds %s', (username, why) => {
    expect(ask(`${ARN}/${username}`)).toEqual([
      {
        id: `dbuser:cluster-A/${username}`,
        description: `rds-db:connect is allowed on dbuser:cluster-A/${username}, ${why}`,
        location: 'Properties/PolicyDocument/Statement/0',
      },
    ]);
  });

  test('finds a wildcard in an escape, and no variable, in the old version of the policy language', () => {
    expect(ask(`${ARN}/a\${*}`, '2008-10-17')).toMatchObject([{ id: 'dbuser:cluster-A/a${*}' }]);
    expect(ask(`${ARN}/\${aws:username}`, '2008-10-17')).toBe('COMPLIANT');
  });

  test('cannot tell of a name with a part that is known at the deployment only', () => {
    expect(ask(Fn.sub(`${ARN}/app-\${Open}`))).toEqual([{
      id: 'unknown dbuser:cluster-A/app-<Open>',
      description:
        'rds-db:connect is allowed on dbuser:cluster-A/app-<Open>, a part of which is known at the deployment only, and must have no *, ? or ${...}',
      location: 'Properties/PolicyDocument/Statement/0',
    }]);
  });

  test.each(['app*', 'a?b', '${aws:username}'])('finds what CDK makes of a username: %s', (username) => {
    expect(granted((cluster, role) => cluster.grantConnect(role, username))).toMatchObject([
      { id: expect.stringContaining(`/${username}`) as unknown },
    ]);
  });

  test.each(['app*', 'a?b', '${name}', '$'])('finds nothing in what this library makes of it: %s', (username) => {
    expect(granted((cluster, role) => {
      new AuroraIamAuth(cluster.stack, 'IamAuth', { cluster }).addUser(username).grantConnect(role);
    })).toBe('COMPLIANT');
  });

  test('finds nothing in a tag that was asked for', () => {
    expect(granted((cluster, role) => {
      ConnectGrants.fromCluster(cluster).connectAsPrincipalTag(role, 'DatabaseUser');
    })).toBe('COMPLIANT');
  });
});
