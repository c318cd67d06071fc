import { Stack } from 'aws-cdk-lib';
import * as iam from 'aws-cdk-lib/aws-iam';
import { Construct } from 'constructs';
import {
  AuroraIamAuth,
  DatabaseRole,
  DatabaseUser,
  DatabaseUserGrants,
  DatabaseUsers,
  IDatabaseRole,
  IDatabaseUser,
  IIamAuth,
  OnRemoval,
  Privileges,
  TablePrivilege,
} from '../../lib';
import { newApp, newCluster, resourcesOf } from './support';

let stack: Stack;
let iamAuth: AuroraIamAuth;
beforeEach(() => {
  stack = new Stack(newApp(), 'Data');
  iamAuth = new AuroraIamAuth(stack, 'IamAuth', { cluster: newCluster(stack) });
});

class ImitatedIamAuth extends Construct implements IIamAuth {
  public readonly database = 'shop';
  public get provisioner(): never {
    throw new Error('there is none');
  }
}

class ImitatedUser extends Construct implements IDatabaseUser {
  public readonly roleName = 'ann';
  public readonly username = 'ann';
  public readonly database = 'shop';
  public grantConnect(grantee: iam.IGrantable): iam.Grant {
    return iam.Grant.drop(grantee, '');
  }

  public connectionEnvironment(): { [name: string]: string } {
    return {};
  }

  public psqlCommand(): string {
    return '';
  }
}

/** As TypeScript has no null checks in other languages. */
const MISSING = [['undefined', undefined, 'undefined'], ['a text', 'ann', '"ann"']] as const;
const IMITATED = ['another implementation', 'an imitation', 'Data/Imitation'] as const;

describe('something else than an AuroraIamAuth', () => {
  test.each([...MISSING, IMITATED])('is refused: %s', (_, value, name) => {
    const other = value === IMITATED[1] ? new ImitatedIamAuth(stack, 'Imitation') : value as never;
    const message = `iamAuth ${name} is neither an AuroraIamAuth nor an InstanceIamAuth, and no other construct creates users; pass one of these`;
    expect(() => new DatabaseUser(stack, 'User', { iamAuth: other, username: 'app' })).toThrow(
      new Error(`[Data/User] ${message}`),
    );
    expect(() => new DatabaseUsers(stack, 'Users', { iamAuth: other, usernames: ['app'] })).toThrow(
      new Error(`[Data/Users] ${message}`),
    );
    expect(() => new DatabaseRole(stack, 'Role', { iamAuth: other, roleName: 'app' })).toThrow(
      new Error(`[Data/Role] ${message}`),
    );
  });
});

describe('something else than a role', () => {
  const REMEDY
    = 'is no role of this library, so that the deployment cannot be ordered after its creation; '
      + 'pass a DatabaseRole or a DatabaseUser, or DatabaseRole.fromRoleName(scope, id, roleName) for a role that is managed elsewhere';
  const USES: [string, (role: IDatabaseRole) => unknown][] = [
    ['memberOf', role => Privileges.memberOf(role)],
    ['objectsCreatedBy', role => Privileges.readOnly({ database: 'shop', objectsCreatedBy: [role] })],
    ['objectsCreatedBy',
      role =>
        Privileges.onTables({ database: 'shop', schema: 'public', privileges: [TablePrivilege.SELECT],
          objectsCreatedBy: [role] })],
    ['reassignOwnedTo', role => OnRemoval.drop({ reassignOwnedTo: role })],
  ];

  describe.each(USES)('in %s', (property, use) => {
    test.each([...MISSING, IMITATED])('is refused: %s', (_, value, name) => {
      const role = value === IMITATED[1] ? new ImitatedUser(stack, 'Imitation') : value as never;
      expect(() => use(role)).toThrow(new Error(`${property} ${name} ${REMEDY}`));
    });

    test('is no user, user of a list, group role, or role that is managed elsewhere', () => {
      [
        iamAuth.addUser('a'),
        iamAuth.addUsers('B', { usernames: ['b'] }).user('b'),
        iamAuth.addRole('c'),
        DatabaseRole.fromRoleName(stack, 'D', 'd'),
      ].forEach(role => expect(() => use(role)).not.toThrow());
    });
  });
});

describe('the grants of a user', () => {
  const statements = () =>
    Object.values(resourcesOf(stack, 'AWS::IAM::Policy')).map(
      ({ Properties }) => (Properties.PolicyDocument as { Statement: object[] }).Statement,
    );
  const role = (id: string) => new iam.Role(stack, id, { assumedBy: new iam.AccountRootPrincipal() });

  test('are what grantConnect is short for', () => {
    const user = iamAuth.addUser('orders');
    user.grantConnect(role('A'));
    user.grants.connect(role('B'));
    DatabaseUserGrants.fromUser(user).connect(role('C'));
    const [a, b, c] = statements();
    expect(a).toHaveLength(1);
    expect([b, c]).toEqual([a, a]);
  });

  test('are there for a user of a list', () => {
    const user = iamAuth.addUsers('Team', { usernames: ['ann'] }).user('ann');
    user.grantConnect(role('A'));
    DatabaseUserGrants.fromUser(user).connect(role('B'));
    const [a, b] = statements();
    expect(b).toEqual(a);
  });

  test.each([...MISSING, IMITATED])('are refused for something else: %s', (_, value, name) => {
    const user = value === IMITATED[1] ? new ImitatedUser(stack, 'Imitation') : value as never;
    expect(() => DatabaseUserGrants.fromUser(user)).toThrow(new Error(
      `user ${name} is no user of this library, and the database that it is in is not known; pass a DatabaseUser, users.user(username) of a DatabaseUsers, `
      + 'or DatabaseUser.fromUsername(scope, id, attributes)',
    ));
  });
});
