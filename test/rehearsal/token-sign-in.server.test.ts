import { ResourceDefinition } from '../../rehearsal/cloudformation/template';
import { SETUPS } from '../../rehearsal/setups';
import { signIn } from '../../rehearsal/sign-in';
import { firstOf, full } from '../full';
import { cluster, instance, policy, policyDocument, role } from './fixtures/app';
import { deploy, rehearsal, resource } from './shop-stack';

const MAJORS = [...new Set(SETUPS.map(({ major }) => major))].reverse();

describe('lets in with a token', () => {
  const users = (database: string, attribute = 'DBClusterResourceId') => ({
    'Fn::Sub': `arn:\${AWS::Partition}:rds-db:\${AWS::Region}:\${AWS::AccountId}:dbuser:\${${database}.${attribute}}/alice`,
  });

  async function login(
    roleId: string,
    username = 'alice',
    clusterId = 'Cluster',
    tokenOf = clusterId,
  ): Promise<string> {
    const { host, port, region } = rehearsal.database(resource(tokenOf));
    const server = rehearsal.database(resource(clusterId));
    const password = server.token('', username, {
      host,
      port,
      region,
      credentials: rehearsal.credentialsOf(resource(roleId)),
    });
    return signIn(server, { username, password, database: 'postgres' });
  }

  const createUsers = (clusterId = 'Cluster') =>
    rehearsal
      .database(resource(clusterId))
      .sql('CREATE ROLE alice LOGIN; CREATE ROLE bob LOGIN; GRANT rds_iam TO alice, bob');

  test('whom the policies of its role name, however they are attached', async () => {
    await deploy({
      ...cluster(),
      Inline: role({
        Policies: [{ PolicyName: 'x', PolicyDocument: policyDocument('rds-db:connect', users('Cluster')) }],
      }),
      Attached: role(), Policy: policy('Attached', 'rds-db:connect', users('Cluster')),
      Managed: role(),
      ManagedPolicy: {
        Type: 'AWS::IAM::ManagedPolicy',
        Properties: { PolicyDocument: policyDocument('rds-db:connect', users('Cluster')), Roles: [{ Ref: 'Managed' }] },
      },
      ByArn: role({ ManagedPolicyArns: [{ Ref: 'ManagedPolicy' }] }),
      Denied: role({ Policies: [
        { PolicyName: 'x', PolicyDocument: policyDocument('*', '*') },
        { PolicyName: 'y',
          PolicyDocument: { Version: '2012-10-17', Statement: { Effect: 'Deny', Action: 'rds-db:*', Resource: '*' } } },
      ] }),
      None: role(),
      Unknown: role({ ManagedPolicyArns: ['arn:aws:iam::aws:policy/ReadOnlyAccess'] }),
    });
    await createUsers();
    for (const roleId of ['Inline', 'Attached', 'Managed', 'ByArn']) {
      expect([roleId, await login(roleId)]).toEqual([roleId, 'signed in as alice']);
      expect([roleId, await login(roleId, 'bob')]).toEqual([
        roleId,
        'refused: 28000 PAM authentication failed for user "bob"',
      ]);
    }
    for (const roleId of ['Denied', 'None']) {
      expect([roleId, await login(roleId)]).toEqual([
        roleId,
        'refused: 28000 PAM authentication failed for user "alice"',
      ]);
    }
    expect(await login('Unknown')).toBe(
      'refused: XX000 the rehearsal cannot decide about this login: '
      + 'managed policy arn:aws:iam::aws:policy/ReadOnlyAccess is in no rehearsed stack, so its statements are not known',
    );
  });

  full.test('no user while the cluster has no IAM database authentication', async () => {
    const grant = { Attached: role(), Policy: policy('Attached', 'rds-db:connect', users('Cluster')) };
    await deploy({ ...cluster({ EnableIAMDatabaseAuthentication: undefined }), ...grant });
    await createUsers();
    expect(await login('Attached')).toMatch(/^refused: 28000 PAM/);
    await deploy({ ...cluster({ EnableIAMDatabaseAuthentication: true }), ...grant });
    expect(await login('Attached')).toBe('signed in as alice');
    await deploy(cluster({ EnableIAMDatabaseAuthentication: true }));
    await deploy({ ...cluster({ EnableIAMDatabaseAuthentication: true }), Attached: role() });
    expect(await login('Attached')).toMatch(/^refused: 28000 PAM/);
  });

  full.test(
    'to an instance, whom a policy with its own resource id names, and only while it has IAM database authentication',
    async () => {
      const grant = {
        Attached: role(),
        Policy: policy('Attached', 'rds-db:connect', users('Instance', 'DbiResourceId')),
        None: role(),
      };
      const others = {
        Wrong: role(),
        WrongPolicy: policy('Wrong', 'rds-db:connect', { 'Fn::Sub': 'arn:aws:rds-db:*:*:dbuser:cluster-*/alice' }),
      };
      await deploy({ ...instance({ EnableIAMDatabaseAuthentication: undefined }), ...grant, ...others });
      await createUsers('Instance');
      expect(await login('Attached', 'alice', 'Instance')).toMatch(/^refused: 28000 PAM/);
      await deploy({ ...instance(), ...grant, ...others });
      expect(await login('Attached', 'alice', 'Instance')).toBe('signed in as alice');
      for (const [roleId, username] of [['Attached', 'bob'], ['None', 'alice'], ['Wrong', 'alice']]) {
        expect([roleId, await login(roleId, username, 'Instance')]).toEqual([
          roleId,
          `refused: 28000 PAM authentication failed for user "${username}"`,
        ]);
      }
      await deploy({ ...instance({ EnableIAMDatabaseAuthentication: false }), ...grant, ...others });
      expect(await login('Attached', 'alice', 'Instance')).toMatch(/^refused: 28000 PAM/);
    },
  );

  test.each(firstOf(1, MAJORS))(
    '%i to a read replica, by its own resource id and switch: it has what its source has, and is read only',
    async (major) => {
      const replica = (properties = {}): Record<string, ResourceDefinition> => ({
        ...instance({ EngineVersion: `${major}` }),
        Replica: {
          Type: 'AWS::RDS::DBInstance',
          Properties: {
            SourceDBInstanceIdentifier: { Ref: 'Instance' },
            EnableIAMDatabaseAuthentication: true,
            ...properties,
          },
        },
        AtSource: role(), SourcePolicy: policy('AtSource', 'rds-db:connect', users('Instance', 'DbiResourceId')),
        AtReplica: role(), ReplicaPolicy: policy('AtReplica', 'rds-db:connect', users('Replica', 'DbiResourceId')),
      });
      expect(await deploy(replica())).toMatchObject({ status: 'CREATE_COMPLETE' });
      const [source, copy] = [resource('Instance'), resource('Replica')].map(({ attributes }) => attributes);
      expect(copy).toMatchObject({
        'DbiResourceId': expect.stringMatching(/^db-[A-Z0-9]{26}$/) as string,
        'Endpoint.Port': '5432',
      });
      expect([copy.DbiResourceId, copy['Endpoint.Address']]).not.toEqual([
        source.DbiResourceId,
        source['Endpoint.Address'],
      ]);

      const server = rehearsal.database(resource('Replica'));
      await server.sql("ALTER SYSTEM SET recovery_min_apply_delay = '300ms'"); // it is waited for
      await server.sql('SELECT pg_reload_conf()');
      await createUsers('Instance');
      expect(await login('AtReplica', 'alice', 'Replica')).toBe('signed in as alice');
      expect(await login('AtReplica', 'alice', 'Instance')).toMatch(/^refused: 28000 PAM/);
      expect(await login('AtSource', 'alice', 'Instance')).toBe('signed in as alice');
      expect(await login('AtSource', 'alice', 'Replica')).toMatch(/^refused: 28000 PAM/);
      await expect(server.sql('CREATE ROLE carol')).rejects.toThrow(
        'cannot execute CREATE ROLE in a read-only transaction',
      );

      await deploy(replica({ EnableIAMDatabaseAuthentication: false }));
      expect(await login('AtReplica', 'alice', 'Replica')).toMatch(/^refused: 28000 PAM/);
      expect(await login('AtSource', 'alice', 'Instance')).toBe('signed in as alice');
      expect(await rehearsal.destroy('Shop')).toMatchObject({ status: 'DELETE_COMPLETE' });
    },
  );

  test('and no condition, which RDS does not evaluate: not even one that holds', async () => {
    const conditional = (effect: string, resource: unknown): ResourceDefinition => ({
      Type: 'AWS::IAM::Policy',
      Properties: {
        PolicyName: `${effect} some`,
        PolicyDocument: {
          Version: '2012-10-17',
          Statement: [
            {
              Effect: effect,
              Action: 'rds-db:connect',
              Resource: resource,
              Condition: { DateLessThan: { 'aws:CurrentTime': '2999-01-01T00:00:00Z' } },
            },
          ],
        },
        Roles: [{ Ref: effect }],
      },
    });
    const resources = {
      ...cluster(),
      Allow: role(), Allowed: conditional('Allow', users('Cluster')),
      Deny: role(), Plain: policy('Deny', 'rds-db:connect', users('Cluster')),
    };
    await deploy({ ...resources, Denied: conditional('Deny', users('Cluster')) });
    await createUsers('Cluster');
    for (const principal of ['Allow', 'Deny']) {
      expect(await login(principal, 'alice', 'Cluster')).toBe(
        'refused: 28000 PAM authentication failed for user "alice"',
      );
      expect(rehearsal.database(resource('Cluster')).log.at(-1)).toContain(
        'not evaluated by RDS: refused; a statement about rds-db:connect has a Condition',
      );
    }
    await deploy({ ...resources, Allowed: policy('Allow', 'rds-db:connect', users('Cluster')) });
    expect(await login('Allow', 'alice', 'Cluster')).toBe('signed in as alice');
    expect(await login('Deny', 'alice', 'Cluster')).toBe('signed in as alice');
  });

  test('of this cluster, not of another in the stack', async () => {
    const { Secret, Cluster, Instance } = cluster();
    const Other = { ...Instance, Properties: { DBClusterIdentifier: { Ref: 'Second' } } };
    await deploy({
      Secret, Cluster, Instance, Second: Cluster, Other,
      Attached: role(), Policy: policy('Attached', 'rds-db:connect', users('Second')),
    });
    await createUsers('Cluster');
    await createUsers('Second');
    expect(await login('Attached', 'alice', 'Second')).toBe('signed in as alice');
    expect(await login('Attached', 'alice', 'Cluster')).toMatch(/^refused: 28000 PAM/);
    expect(await login('Attached', 'alice', 'Second', 'Cluster')).toMatch(/^refused: 28000 PAM/);
  });
});
