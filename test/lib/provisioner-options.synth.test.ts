import { mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { rootCertificates } from 'node:tls';
import { App, Stack, Token } from 'aws-cdk-lib';
import * as lambda from 'aws-cdk-lib/aws-lambda';
import * as logs from 'aws-cdk-lib/aws-logs';
import * as sqs from 'aws-cdk-lib/aws-sqs';
import { Fact, FactName } from 'aws-cdk-lib/region-info';
import { AuroraIamAuth, DatabaseUser, ProvisionerOptions, SqlTransport } from '../../lib';
import { runtimeOf } from '../../lib/provisioner/runtime';
import { attribute, imported, newApp, newCluster, reference, resourcesOf } from './support';

let app: App;
let stack: Stack;
beforeEach(() => {
  app = newApp();
  stack = new Stack(app, 'Data');
});

function functionsWith(provisioner: ProvisionerOptions): Record<string, unknown>[] {
  new AuroraIamAuth(stack, 'IamAuth', { cluster: newCluster(stack), provisioner }).addUser('app');
  return functionsIn(stack);
}

/** The handler, and CDK's framework. */
const functionsIn = (scope: Stack) =>
  ['index.handler', 'framework.onEvent'].map(handler =>
    Object.values(resourcesOf(scope, 'AWS::Lambda::Function'))
      .map(({ Properties }) => Properties)
      .find(({ Handler }) => Handler === handler)!,
  );

describe('provisioner', () => {
  test.each<[string, () => ProvisionerOptions, object]>([
    ['a log group', () => ({ logGroup: new logs.LogGroup(stack, 'Mine') }),
      { LoggingConfig: { LogGroup: reference(/^Mine/) } }],
    ['concurrency', () => ({ reservedConcurrentExecutions: 1 }), { ReservedConcurrentExecutions: 1 }],
    ['tracing', () => ({ tracing: lambda.Tracing.PASS_THROUGH }), { TracingConfig: { Mode: 'PassThrough' } }],
    ['a dead-letter queue', () => ({ deadLetterQueue: new sqs.Queue(stack, 'Lost') }),
      { DeadLetterConfig: { TargetArn: attribute(/^Lost/, 'Arn') } }],
  ])('says %s for both functions', (_, options, expected) => {
    expect(functionsWith(options())).toMatchObject([expected, expected]);
  });

  test('has nothing of it without being told', () => {
    functionsWith({ tracing: lambda.Tracing.DISABLED }).forEach((properties) => {
      ['ReservedConcurrentExecutions', 'TracingConfig', 'DeadLetterConfig'].forEach(property =>
        expect(properties).not.toHaveProperty(property),
      );
    });
  });

  test('has no log groups of its own beside the one that is given', () => {
    functionsWith({ logGroup: new logs.LogGroup(stack, 'Mine') });
    expect(Object.keys(resourcesOf(stack, 'AWS::Logs::LogGroup'))).toEqual([expect.stringMatching(/^Mine/)]);
  });

  test('has the framework in the subnets of the handler, with a group that is let out to port 443 alone', () => {
    const [handler, framework] = functionsWith({ frameworkInVpc: true }).map(
      ({ VpcConfig }) => VpcConfig as { SubnetIds: unknown; SecurityGroupIds: unknown },
    );
    expect(framework.SubnetIds).toEqual(handler.SubnetIds);
    expect(framework.SecurityGroupIds).toEqual([attribute(/^IamAuthProvisionerFrameworkSecurityGroup/, 'GroupId')]);
  });

  test('is the same in other stacks', () => {
    const apps = new Stack(app, 'Apps');
    const iamAuth = new AuroraIamAuth(stack, 'IamAuth', {
      cluster: newCluster(stack),
      provisioner: { logGroup: new logs.LogGroup(stack, 'Mine'), reservedConcurrentExecutions: 5 },
    });
    new DatabaseUser(apps, 'User', { iamAuth, username: 'app' });
    expect(functionsIn(apps)).toMatchObject(
      [0, 1].map(() => ({ ReservedConcurrentExecutions: 5, LoggingConfig: { LogGroup: imported(/Mine/) } })),
    );
    expect([stack.dependencies, apps.dependencies]).toEqual([[], [stack]]);
  });

  test.each([0, -1, 1.5])('fails for a concurrency of %d', (reservedConcurrentExecutions) => {
    expect(() => functionsWith({ reservedConcurrentExecutions })).toThrow(new Error(
      `[Data/IamAuth] reservedConcurrentExecutions ${reservedConcurrentExecutions} is not a number of executions from 1 on, and the functions could not run; pass one, or leave it out`,
    ));
  });

  test('takes a concurrency that only the deployment knows', () => {
    expect(functionsWith({ reservedConcurrentExecutions: Token.asNumber({ Ref: 'Concurrency' }) })).toMatchObject(
      [0, 1].map(() => ({ ReservedConcurrentExecutions: { Ref: 'Concurrency' } })),
    );
  });
});

describe('the runtime', () => {
  const inRegion = (region?: string, runtime?: lambda.Runtime) => {
    const scope = new Stack(
      app,
      `In-${region ?? 'any'}`,
      region === undefined ? {} : { env: { region, account: '111111111111' } },
    );
    new AuroraIamAuth(scope, 'IamAuth', { cluster: newCluster(scope), provisioner: { runtime } }).addUser('app');
    return functionsIn(scope).map(({ Runtime }) => Runtime);
  };

  test.each(['eu-west-1', 'us-east-1', undefined])(
    'is the newest one in the partition aws, and where the Region is open: %s',
    (region) => {
      expect(inRegion(region)).toEqual(['nodejs24.x', 'nodejs24.x']);
    },
  );

  test.each(['cn-north-1', 'us-gov-west-1', 'us-iso-east-1', 'eusc-de-east-1'])(
    'is the newest one that CDK knows of in other partitions: %s',
    (region) => {
      const known = Fact.find(region, FactName.LATEST_NODE_RUNTIME);
      expect(inRegion(region)).toEqual([known, known]);
    },
  );

  test('is no older one than the code is written for, whatever CDK knows', () => {
    const find = jest.spyOn(Fact, 'find').mockReturnValue('nodejs18.x');
    expect(runtimeOf(new Stack(app, 'China', { env: { region: 'cn-north-1' } }), undefined)).toBe(
      lambda.Runtime.NODEJS_22_X,
    );
    find.mockReturnValue('nodejs24.x');
    expect(runtimeOf(new Stack(app, 'Later', { env: { region: 'cn-north-1' } }), undefined).name).toBe('nodejs24.x');
    jest.restoreAllMocks();
  });

  test.each([lambda.Runtime.NODEJS_22_X, lambda.Runtime.NODEJS_24_X, lambda.Runtime.NODEJS_LATEST])(
    'is the one that is given: %s',
    (runtime) => {
      expect(inRegion('us-gov-west-1', runtime)).toEqual([runtime.name, runtime.name]);
    },
  );

  test.each([lambda.Runtime.NODEJS_20_X, lambda.Runtime.PYTHON_3_13])('is refused: %s', (runtime) => {
    expect(() => inRegion('eu-west-1', runtime)).toThrow(
      `runtime ${runtime.name} of provisioner is not supported, because its functions are written for Node.js 22 and newer; `
      + 'pass lambda.Runtime.NODEJS_22_X or a newer one, or leave it out',
    );
  });
});

describe('certificate authorities', () => {
  const BUNDLE = join(__dirname, '../../assets/provisioner');
  let folder: string;
  beforeAll(() => {
    folder = mkdtempSync(join(tmpdir(), 'cas-'));
  });
  afterAll(() => rmSync(folder, { recursive: true }));
  const file = (name: string, text: string) => {
    writeFileSync(join(folder, name), text);
    return join(folder, name);
  };
  const certificate = rootCertificates[0];

  test('are those of the runtime', () => {
    const [handler] = functionsWith({});
    expect(handler.Environment).toMatchObject({ Variables: { DATABASE_CA_FILE: '/var/runtime/ca-cert.pem' } });
  });

  test('are those of a file, which is in the code of the function beside the handler', () => {
    const [handler] = functionsWith({
      caCertificates: file('two.pem', `of RDS\n${certificate}\n${rootCertificates[1]}\n`),
    });
    expect(handler.Environment).toMatchObject({ Variables: { DATABASE_CA_FILE: '/var/task/ca-certificates.pem' } });
    const { S3Key } = handler.Code as { S3Key: string };
    const asset = join(app.outdir, `asset.${S3Key.replace('.zip', '')}`);
    expect(readdirSync(asset).sort()).toEqual([...readdirSync(BUNDLE), 'ca-certificates.pem'].sort());
    expect(readFileSync(join(asset, 'ca-certificates.pem'), 'utf8')).toContain(certificate);
    expect(readFileSync(join(asset, 'index.js')).equals(readFileSync(join(BUNDLE, 'index.js')))).toBe(true);
  });

  test('of the same file make the same template, and of another one another', () => {
    const keyWith = (text: string) => {
      const scope = new Stack(newApp(), 'Data');
      new AuroraIamAuth(scope, 'IamAuth', {
        cluster: newCluster(scope),
        provisioner: { caCertificates: file('some.pem', text) },
      }).addUser('app');
      return functionsIn(scope)[0].Code;
    };
    expect(keyWith(certificate)).toEqual(keyWith(certificate));
    expect(keyWith(certificate)).not.toEqual(keyWith(rootCertificates[1]));
  });

  test.each<[string, () => string, string]>([
    ['that is not there', () => '/nowhere/bundle.pem',
      'caCertificates "/nowhere/bundle.pem" of provisioner cannot be read (ENOENT); '
      + 'pass the path of a file with certificates in PEM format, such as a downloaded global-bundle.pem'],
    ['without certificates', () => file('none.pem', 'nothing'), 'has no certificate; pass the path'],
    ['with a broken certificate',
      () => file('broken.pem', '-----BEGIN CERTIFICATE-----\nAAAA\n-----END CERTIFICATE-----'),
      'has a certificate that cannot be read; pass the path'],
  ])('are refused in a file %s', (_, path, message) => {
    expect(() => functionsWith({ caCertificates: path() })).toThrow(message);
  });
});

describe('IPv6', () => {
  const egressOf = (id: RegExp) =>
    Object.entries(resourcesOf(stack, 'AWS::EC2::SecurityGroup'))
      .filter(([key]) => id.test(key))
      .flatMap(
        ([, { Properties }]) =>
          Properties.SecurityGroupEgress as { CidrIp?: string; CidrIpv6?: string; FromPort?: number }[],
      )
      .filter(({ FromPort }) => FromPort === 443)
      .map(({ CidrIp, CidrIpv6 }) => CidrIp ?? CidrIpv6);

  test('is used by both functions, and their groups let it out, where the app says so', () => {
    expect(functionsWith({ ipv6AllowedForDualStack: true, frameworkInVpc: true })).toMatchObject(
      [0, 1].map(() => ({ VpcConfig: { Ipv6AllowedForDualStack: true } })),
    );
    expect(egressOf(/ProvisionerSecurityGroup/)).toEqual(['0.0.0.0/0', '::/0']);
    expect(egressOf(/FrameworkSecurityGroup/)).toEqual(['0.0.0.0/0', '::/0']);
  });

  test('is not used otherwise, nor by a framework outside of the VPC', () => {
    const [handler, framework] = functionsWith({ ipv6AllowedForDualStack: true });
    expect([handler.VpcConfig as object, framework.VpcConfig]).toEqual([
      expect.objectContaining({ Ipv6AllowedForDualStack: true }),
      undefined,
    ]);
    stack = new Stack(newApp(), 'Other');
    expect(
      functionsWith({ frameworkInVpc: true }).map(({ VpcConfig }) => Object.keys(VpcConfig as object).sort()),
    ).toEqual([0, 1].map(() => ['SecurityGroupIds', 'SubnetIds']));
    expect(egressOf(/SecurityGroup/)).toEqual(['0.0.0.0/0', '0.0.0.0/0']);
  });
});

test.each<[ProvisionerOptions, string]>([
  [{ caCertificates: __filename.replace(/\.ts$/, '.pem') }, 'cannot be read'],
  [{ ipv6AllowedForDualStack: true },
    'transport is SqlTransport.dataApi(), and ipv6AllowedForDualStack cannot be combined with it, because the function runs outside a VPC'],
])('is refused through the Data API: %j', (provisioner, message) => {
  expect(
    () =>
      new AuroraIamAuth(stack, 'IamAuth', {
        cluster: newCluster(stack),
        transport: SqlTransport.dataApi(),
        provisioner,
      }),
  ).toThrow(message);
});
