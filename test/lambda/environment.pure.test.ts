import { writeFileSync } from 'node:fs';
import { Environment, readDeployment } from '../../lambda/provisioner/environment';
import { CertificateAuthority } from '../../rehearsal/gateway/certificate-authority';
import { RunFolder } from '../../rehearsal/run-folder';

const file = `${RunFolder.open().newPath('ca')}.pem`;
let certificate: string;
beforeAll(async () => {
  ({ certificate } = await CertificateAuthority.create());
});
beforeEach(() => writeFileSync(file, certificate));
afterAll(() => RunFolder.open().remove(file));

const COMMON = { STACK_ID: 'stack', DATABASE_RESOURCE_ID: 'cluster-ABC', DATABASE_HOST: 'shop.example.com' };
const CONNECTIONS: Environment = {
  ...COMMON,
  DATABASE_PORT: '5432',
  DATABASE_CA_FILE: file,
  ADMIN_SECRET_ARN: 'secret',
};
const WITH_TOKEN: Environment = { ...CONNECTIONS, ADMIN_SECRET_ARN: undefined, ADMIN_USERNAME: 'chief' };
const DATA_API: Environment = { ...COMMON, CLUSTER_ARN: 'cluster', ADMIN_SECRET_ARN: 'secret' };
const ALL: [string, Environment][] = [
  ['with a secret', CONNECTIONS],
  ['with a token', WITH_TOKEN],
  ['through the Data API', DATA_API],
];

const REMEDY = 'deploy the provisioner with the construct of this library, and change nothing in its environment';

describe('the environment of the provisioner', () => {
  test.each(ALL)('says which database it is for and whose events it serves, %s', (_, environment) => {
    expect(readDeployment(environment)).toMatchObject({
      stackId: 'stack',
      resourceId: 'cluster-ABC',
      host: 'shop.example.com',
    });
  });

  test.each(ALL)('is refused without a variable, %s', (_, environment) => {
    for (const name of Object.keys(environment).filter(
      key => environment[key] !== undefined && key !== 'CLUSTER_ARN' && key !== 'ADMIN_USERNAME',
    )) {
      for (const value of [undefined, '']) {
        expect(() => readDeployment({ ...environment, [name]: value })).toThrow(
          new Error(`environment variable ${name} of the provisioner is not set; ${REMEDY}`),
        );
      }
    }
  });

  test('names a role of its own as the owner of the registry, or none', () => {
    expect(readDeployment({ ...CONNECTIONS, REGISTRY_OWNER: 'owners' }).registryOwner).toBe('owners');
    expect(readDeployment({ ...CONNECTIONS, REGISTRY_OWNER: '' }).registryOwner).toBeUndefined();
    expect(() => readDeployment({ ...CONNECTIONS, REGISTRY_OWNER: 'pg_write_all_data' })).toThrow(
      new Error(
        'registryOwner "pg_write_all_data" is not allowed: PostgreSQL reserves names that begin with pg_; choose another name',
      ),
    );
  });

  test.each(['1', '65535'])('has port %s', (port) => {
    expect(() => readDeployment({ ...CONNECTIONS, DATABASE_PORT: port })).not.toThrow();
  });

  test.each(['0', '65536', '123456', '5432.0', '5432 ', '-1', '0x10', 'x'])('is refused with port %j', (port) => {
    expect(() => readDeployment({ ...CONNECTIONS, DATABASE_PORT: port })).toThrow(
      new Error(
        `environment variable DATABASE_PORT of the provisioner is ${JSON.stringify(port)}, which is not a number from 1 to 65535; ${REMEDY}`,
      ),
    );
  });
});

describe('the file of certificate authorities', () => {
  const refused = (problem: string) =>
    new Error(
      `${file}, the file with the certificate authorities that the provisioner trusts, ${problem}; `
      + "it comes with Lambda's runtime for Node.js, so deploy the provisioner with that runtime, or correct the environment variable DATABASE_CA_FILE",
    );

  test('may have many, with text between them', () => {
    writeFileSync(file, `# Amazon\n${certificate}\n# Others\r\n${certificate}`);
    expect(() => readDeployment(CONNECTIONS)).not.toThrow();
  });

  test.each<[string, () => string, string]>([
    ['is empty', () => '', 'has no certificate'],
    ['has something else', () => certificate.replaceAll('CERTIFICATE', 'PRIVATE KEY'), 'has no certificate'],
    ['breaks off', () => certificate.slice(0, -30), 'has no certificate'],
    ['has a certificate that is none',
      () => `${certificate}\n-----BEGIN CERTIFICATE-----\nAAAA\n-----END CERTIFICATE-----\n`,
      'has a certificate that cannot be read'],
  ])('is refused if it %s', (_, content, problem) => {
    writeFileSync(file, content());
    expect(() => readDeployment(CONNECTIONS)).toThrow(refused(problem));
  });

  test('is refused if it is not there', () => {
    RunFolder.open().remove(file);
    expect(() => readDeployment(CONNECTIONS)).toThrow(refused('cannot be read (ENOENT)'));
  });

  test('is not needed for the Data API', () => {
    RunFolder.open().remove(file);
    expect(() => readDeployment(DATA_API)).not.toThrow();
  });
});
