import { ResourceDefinition, Template } from '../../rehearsal/cloudformation/template';
import { SETUPS } from '../../rehearsal/setups';
import { firstOf, full } from '../full';
import { assemblyOf, cluster, connect, custom, instance, policy, provider, secret } from './fixtures/app';
import { deploy, rehearsal, resource } from './shop-stack';

const MAJORS = [...new Set(SETUPS.map(({ major }) => major))].reverse();
const READ_SECRET = policy('HandlerRole', 'secretsmanager:GetSecretValue', { Ref: 'Secret' });

describe('Rehearsal', () => {
  /** Of the handler, not of the framework in front of it. */
  const logs = () => rehearsal.logs.splice(0).filter(({ functionName }) => functionName.includes('-Handler-')).map(({ text }) => text).join('');

  describe('runs the handler', () => {
    test('with the environment of the template and nothing of this process', async () => {
      process.env.OF_THE_PARENT = 'x';
      const { status } = await deploy({
        ...provider({ Environment: { Variables: { NODE_EXTRA_CA_CERTS: '/var/runtime/ca-cert.pem', OWN: { Ref: 'HandlerRole' } } } }),
        It: custom('environment'),
      });
      delete process.env.OF_THE_PARENT;
      expect(status).toBe('CREATE_COMPLETE');
      const { variables, certificates, region, remaining, functionName } = resource('It').attributes as Record<string, string>;
      expect(variables.split(' ').filter(name => !name.startsWith('NODE_CHANNEL_'))).toEqual([
        'AWS_ACCESS_KEY_ID', 'AWS_DEFAULT_REGION', 'AWS_ENDPOINT_URL', 'AWS_LAMBDA_FUNCTION_NAME', 'AWS_LAMBDA_LOG_STREAM_NAME', 'AWS_REGION',
        'AWS_SECRET_ACCESS_KEY', 'AWS_SESSION_TOKEN', 'NODE_EXTRA_CA_CERTS', 'NODE_PATH', 'OWN', 'PATH', 'TZ',
      ]);
      expect(certificates).toMatch(/ca-\d+\.pem$/);
      expect(region).toBe('eu-central-1');
      expect(functionName).toBe(resource('Handler').physicalId);
      expect(Number(remaining)).toBeGreaterThan(0);
      expect(Number(remaining)).toBeLessThanOrEqual(30_000);
      expect(logs()).toBe('Create environment\n');
    });

    test.each(firstOf<[string, string, object, RegExp]>(1, [
      ['throws', 'fail', {}, /^It \(Custom::It\): as it was told\n\nLogs: \/aws\/lambda\/Shop-Handler-\w+\n/],
      ['ends', 'exit', {}, /^It \(Custom::It\): Error: Runtime exited with exit status 3$/m],
      ['does not end', 'hang', { Timeout: 2 }, /^It \(Custom::It\): Error: Task timed out after 2\.00 seconds$/m],
      ['has no such handler', 'nothing', { Handler: 'index.none' }, /^It \(Custom::It\): handler is not a function$/m],
    ]))('and fails when it %s; the handler gets no Delete', async (_name, action, properties, reason) => {
      const result = await deploy({ ...provider(properties), It: custom(action) });
      expect(result.status).toBe('ROLLBACK_COMPLETE');
      expect(result.reason).toMatch(reason);
      expect(logs()).not.toContain('Delete');
      expect(rehearsal.resources('Shop')).toEqual([]);
    });

    full.test('only if the framework may invoke it at this moment', async () => {
      const { FrameworkPolicy, Framework, ...others } = provider();
      const { reason } = await deploy({ ...others, Framework: { ...Framework, DependsOn: [] }, It: custom('nothing'), FrameworkPolicy: { ...FrameworkPolicy, DependsOn: 'It' } });
      expect(reason).toMatch(/AccessDeniedException: not authorized to perform: lambda:InvokeFunction on resource: arn:aws:lambda:/);
    });

    test.each(firstOf(1, ['Custom::LogRetention', 'Custom::S3AutoDeleteObjects', 'Custom::VpcRestrictDefaultSG']))('but not of %s, which is CDK\'s own and has nothing to do with databases', async (Type) => {
      await expect(deploy({ ...provider(), It: { ...custom('fail'), Type } })).resolves.toMatchObject({ status: 'CREATE_COMPLETE' });
      expect(rehearsal.logs).toEqual([]);
    });

    full.test('on Create, Update and Delete', async () => {
      const resources = provider();
      await deploy({ ...resources, It: custom('nothing', { Size: 1 }) });
      await deploy({ ...resources, It: custom('nothing', { Size: 1 }) });
      await deploy({ ...resources, It: custom('nothing', { Size: 2 }) });
      await rehearsal.destroy('Shop');
      expect(logs()).toBe('Create nothing\nUpdate nothing\nDelete nothing\n');
    });
  });

  describe('lets the handler read', () => {
    const readSecret = (DependsOn: string[]) => custom('secret', { SecretId: { Ref: 'Secret' } }, DependsOn);

    full.test('a secret that its role may read', async () => {
      const { status } = await deploy({ ...provider(), Secret: secret, HandlerPolicy: READ_SECRET, It: readSecret(['HandlerPolicy']) });
      expect(status).toBe('CREATE_COMPLETE');
      const { username, password } = JSON.parse(resource('It').attributes.value as string) as Record<string, string>;
      expect(username).toBe('chief');
      expect(password).toMatch(/^[^"@/\\]{40}$/);
    });

    full.test.each<[string, Record<string, ResourceDefinition>]>([
      ['without a policy', {}],
      ['with a policy for another secret', { HandlerPolicy: policy('HandlerRole', 'secretsmanager:GetSecretValue', { 'Fn::Sub': '${Secret}x' }) }],
      ['with a policy of another role', { HandlerPolicy: policy('FrameworkRole', 'secretsmanager:GetSecretValue', '*') }],
      ['with a policy that comes later', { It: readSecret([]), HandlerPolicy: { ...READ_SECRET, DependsOn: 'It' } }],
    ])('no secret %s', async (_name, resources) => {
      const { reason } = await deploy({ ...provider(), Secret: secret, ...resources, It: readSecret(resources.It ? [] : Object.keys(resources)) });
      expect(reason).toMatch(/^It \(Custom::It\): not authorized to perform: secretsmanager:GetSecretValue on resource: arn:aws:secretsmanager:/);
    });

    full.test('no secret that does not exist', async () => {
      const { reason } = await deploy({
        ...provider(), HandlerPolicy: policy('HandlerRole', '*', '*'), It: custom('secret', { SecretId: 'none' }, ['HandlerPolicy']),
      });
      expect(reason).toMatch(/can't find the specified secret/);
    });
  });

  describe('gives a database cluster', () => {
    test.each(firstOf(1, MAJORS))('%i a server, which the handler reaches over verified TLS', async (major) => {
      const { status } = await deploy({ ...provider(), ...cluster({ EngineVersion: `${major}.7` }), HandlerPolicy: READ_SECRET, It: connect() });
      expect(status).toBe('CREATE_COMPLETE');
      expect(resource('It').attributes).toEqual({ user: 'chief', database: 'shop', version: expect.stringMatching(`^${major}\\.`) as string });
      expect(resource('Cluster').attributes).toMatchObject({
        'Endpoint.Address': expect.stringMatching(/\.cluster-c\w+\.eu-central-1\.rds\.amazonaws\.com$/) as string,
        'Endpoint.Port': '5432',
        'DBClusterResourceId': expect.stringMatching(/^cluster-[A-Z0-9]{26}$/) as string,
      });
      expect(rehearsal.database(resource('Cluster')).master).toMatchObject({ username: 'chief' });
    });

    full.test('a secret that says how to reach it', async () => {
      await deploy({ ...provider(), ...cluster({ Port: 6543 }), HandlerPolicy: READ_SECRET,
        It: custom('secret', { SecretId: { Ref: 'Attachment' } }, ['HandlerPolicy']) });
      expect(JSON.parse(resource('It').attributes.value as string)).toEqual({
        username: 'chief', password: expect.any(String) as string, engine: 'postgres', dbname: 'shop',
        host: resource('Cluster').attributes['Endpoint.Address'], port: 6543, dbClusterIdentifier: resource('Cluster').physicalId,
      });
    });

    full.test('a secret with username and password alone, when RDS manages it', async () => {
      await deploy({
        ...provider(),
        Cluster: {
          Type: 'AWS::RDS::DBCluster',
          Properties: { Engine: 'aurora-postgresql', EngineVersion: '17.7', MasterUsername: 'chief', ManageMasterUserPassword: true },
        },
        HandlerPolicy: policy('HandlerRole', 'secretsmanager:GetSecretValue', { 'Fn::GetAtt': ['Cluster', 'MasterUserSecret.SecretArn'] }),
        It: custom('secret', { SecretId: { 'Fn::GetAtt': ['Cluster', 'MasterUserSecret.SecretArn'] } }, ['HandlerPolicy']),
      });
      expect(JSON.parse(resource('It').attributes.value as string)).toEqual(rehearsal.database(resource('Cluster')).master);
    });

    full.test('no connection while it has no instance', async () => {
      const { Instance, ...others } = cluster();
      const { reason } = await deploy({ ...provider(), ...others, HandlerPolicy: READ_SECRET, It: connect(['HandlerPolicy']), Instance: { ...Instance, DependsOn: 'It' } });
      expect(reason).toMatch(/^It \(Custom::It\): (Connection terminated|read ECONNRESET)/);
    });

    full.test('a certificate that a handler without the certificates of RDS does not trust', async () => {
      const { reason } = await deploy({ ...provider({ Environment: {} }), ...cluster(), HandlerPolicy: READ_SECRET, It: connect() });
      expect(reason).toMatch(/^It \(Custom::It\): (unable to verify the first certificate|unable to get local issuer certificate|self-signed)/);
    });

    full.test('a server that goes with it', async () => {
      await deploy(cluster());
      const server = rehearsal.database(resource('Cluster'));
      await rehearsal.destroy('Shop');
      await expect(server.sql('SELECT 1')).rejects.toThrow(/ENOENT|ECONNREFUSED/);
    });

    test.each(firstOf<[string, object, RegExp]>(1, [
      ['Engine', { Engine: 'aurora-mysql' }, /Engine aurora-mysql and EngineVersion 17\.7 is not rehearsed: use aurora-postgresql or postgres, 14, 15, 16, 17 or 18/],
      ['EngineVersion', { EngineVersion: '13.23' }, /EngineVersion 13\.23 is not rehearsed/],
      ['MasterUsername', { MasterUsername: undefined }, /a database without MasterUsername and MasterUserPassword is not rehearsed/],
    ]))('an error when its %s is not rehearsed', async (_name, properties, reason) => {
      expect((await deploy(cluster(properties))).reason).toMatch(reason);
    });
  });

  full.test('gives a Multi-AZ cluster a server without another instance', async () => {
    const { Secret, Cluster, Attachment } = cluster({ Engine: 'postgres', EngineVersion: '17.4', DBClusterInstanceClass: 'db.m6gd.large' });
    const { status } = await deploy({ ...provider(), Secret, Cluster, Attachment, HandlerPolicy: READ_SECRET, It: connect(['HandlerPolicy']) });
    expect(status).toBe('CREATE_COMPLETE');
    expect(resource('It').attributes).toMatchObject({ user: 'chief', database: 'shop' });
    expect(resource('Cluster').attributes.DBClusterResourceId).toMatch(/^cluster-/);
  });

  describe('gives a database instance', () => {
    full.test.each(MAJORS)('%i a server, which the handler reaches over verified TLS', async (major) => {
      const { status } = await deploy({ ...provider(), ...instance({ EngineVersion: `${major}` }), HandlerPolicy: READ_SECRET, It: connect(undefined, 'Instance') });
      expect(status).toBe('CREATE_COMPLETE');
      expect(resource('It').attributes).toEqual({ user: 'chief', database: 'shop', version: expect.stringMatching(`^${major}\\.`) as string });
      const { physicalId, attributes } = resource('Instance');
      expect(attributes).toEqual({
        'DBInstanceArn': `arn:aws:rds:eu-central-1:111122223333:db:${physicalId}`,
        'DbiResourceId': expect.stringMatching(/^db-[A-Z0-9]{26}$/) as string,
        'Endpoint.Address': expect.stringMatching(new RegExp(`^${physicalId}\\.c[0-9a-f]{10}\\.eu-central-1\\.rds\\.amazonaws\\.com$`)) as string,
        'Endpoint.Port': '5432',
      });
    });

    full.test('a secret that says how to reach it', async () => {
      await deploy({ ...provider(), ...instance({ Port: '6543', DBInstanceIdentifier: 'Shop' }), HandlerPolicy: READ_SECRET,
        It: custom('secret', { SecretId: { Ref: 'Attachment' } }, ['HandlerPolicy']) });
      expect(JSON.parse(resource('It').attributes.value as string)).toEqual({
        username: 'chief', password: expect.any(String) as string, engine: 'postgres', dbname: 'shop',
        host: resource('Instance').attributes['Endpoint.Address'], port: 6543, dbInstanceIdentifier: 'shop',
      });
    });

    full.test('a secret with username and password alone, when RDS manages it', async () => {
      const SecretId = { 'Fn::GetAtt': ['Instance', 'MasterUserSecret.SecretArn'] };
      const { Instance } = instance({ MasterUsername: 'chief', MasterUserPassword: undefined, ManageMasterUserPassword: true });
      await deploy({ ...provider(), Instance, HandlerPolicy: policy('HandlerRole', 'secretsmanager:GetSecretValue', SecretId), It: custom('secret', { SecretId }, ['HandlerPolicy']) });
      expect(JSON.parse(resource('It').attributes.value as string)).toEqual(rehearsal.database(resource('Instance')).master);
    });

    full.test('a server that goes with it', async () => {
      await deploy(instance());
      const server = rehearsal.database(resource('Instance'));
      await rehearsal.destroy('Shop');
      await expect(server.sql('SELECT 1')).rejects.toThrow(/ENOENT|ECONNREFUSED/);
    });

    full.test('none of its own when it is in a cluster, although a cluster may have the same name', async () => {
      const named = cluster({ DBClusterIdentifier: 'shop' });
      const { Instance } = instance({ DBInstanceIdentifier: 'shop' });
      expect(await deploy({ ...named, Other: Instance })).toMatchObject({ status: 'CREATE_COMPLETE' });
      expect(rehearsal.database(resource('Other'))).not.toBe(rehearsal.database(resource('Cluster')));
      expect(() => rehearsal.database(resource('Instance'))).toThrow(/^no database arn:aws:rds:.*:db:.* exists$/);
    });

    test.each(firstOf<[string, object, RegExp]>(1, [
      ['Engine', { Engine: 'mysql' }, /^Instance .*: an instance with Engine mysql and EngineVersion 17 is not rehearsed: use postgres, 14, 15, 16, 17 or 18/],
      ['EngineVersion', { EngineVersion: '13.23' }, /Engine postgres and EngineVersion 13\.23 is not rehearsed/],
      ['MasterUsername', { MasterUsername: undefined }, /a database without MasterUsername and MasterUserPassword is not rehearsed/],
      ['SourceDBInstanceIdentifier', { SourceDBInstanceIdentifier: 'other' }, /no database arn:aws:rds:eu-central-1:111122223333:db:other exists/],
      ['SourceDBClusterIdentifier', { SourceDBClusterIdentifier: 'other' }, /a read replica of a cluster is not rehearsed/],
    ]))('an error when its %s is not rehearsed', async (_name, properties, reason) => {
      expect((await deploy(instance(properties))).reason).toMatch(reason);
    });

    full.test('an error when it is changed in what a rehearsal cannot change', async () => {
      await deploy(instance());
      expect((await deploy(instance({ EngineVersion: '18' }))).reason).toMatch(/^Instance .*: a changed EngineVersion of a database is not rehearsed/);
      expect((await deploy(instance({ DBClusterIdentifier: 'other' }))).reason).toMatch(/^Instance .*: no database arn:aws:rds:\S+:cluster:other exists/);
    });
  });

  describe('has several stacks', () => {
    const network: Template = {
      Resources: { Vpc: { Type: 'AWS::EC2::VPC' } },
      Outputs: { Vpc: { Value: { Ref: 'Vpc' }, Export: { Name: 'Network:Vpc' } } },
    };
    const shop: Template = {
      Resources: { Group: { Type: 'AWS::EC2::SecurityGroup', Properties: { VpcId: { 'Fn::ImportValue': 'Network:Vpc' } } } },
    };

    test('of which one imports what another exports', async () => {
      const assembly = assemblyOf({ Shop: shop, Network: network }, 'aws://444455556666/us-east-1');
      expect(assembly.stacks).toMatchObject([{ name: 'Network', account: '444455556666', region: 'us-east-1' }, { name: 'Shop' }]);
      for (const { name } of assembly.stacks) {
        expect((await rehearsal.deploy(assembly, name)).status).toBe('CREATE_COMPLETE');
      }
      expect(resource('Group').attributes.VpcId).toBe(resource('Vpc', 'Network').physicalId);
    });

    test('and tells which one is missing', async () => {
      const assembly = assemblyOf({ Shop: shop, Network: network });
      expect((await rehearsal.deploy(assembly, 'Shop')).reason).toMatch(/no export named Network:Vpc found: deploy the stack that exports it first/);
      await expect(rehearsal.deploy(assembly, 'Nonsense')).rejects.toThrow('the app has no stack Nonsense, only Network, Shop');
      await expect(rehearsal.destroy('Network')).rejects.toThrow('stack Network was not deployed');
    });
  });

  test.each(firstOf<[string, Record<string, ResourceDefinition>, RegExp]>(1, [
    ['a nested stack', { Nested: { Type: 'AWS::CloudFormation::Stack' } }, /the template of nested stack Nested is not in the cloud assembly/],
    ['code that is no asset', { ...provider({ Code: { ZipFile: 'x' } }), It: custom('nothing') }, /code of Handler is not rehearsed/],
  ]))('says that %s is not rehearsed', async (_name, resources, reason) => {
    expect((await deploy(resources)).reason).toMatch(reason);
  });
});
