import { awscdk, javascript } from 'projen';

/** Modules that the test files of a worker have in common: see test/worker/shared-module.js. */
const SHARED_BY_TESTS = 'aws-cdk-lib|constructs|cdk-nag|selfsigned';

export const JEST_OPTIONS: javascript.JestOptions = {
  updateSnapshot: javascript.UpdateSnapshot.NEVER,
  jestConfig: {
    collectCoverage: false, // `npm run coverage`
    collectCoverageFrom: ['lib/**/*.ts', 'lambda/**/*.ts'],
    coverageThreshold: { statements: 80 },
    globalSetup: '<rootDir>/test/prepare.ts',
    maxWorkers: 4, // some tests only wait
    // Ten times what the longest test takes here: it ends what hangs, and says nothing of what is slow.
    testTimeout: 600_000,
    moduleNameMapper: { '^cdk-aurora-iam-auth$': '<rootDir>/lib' },
    testEnvironment: '<rootDir>/test/worker/environment.ts',
    modulePathIgnorePatterns: ['<rootDir>/dist/'], // the packed command line
    transformIgnorePatterns: [`/node_modules/(?!(${SHARED_BY_TESTS})/)`],
  },
};

/** ts-jest would take half a minute for what esbuild does in a second. */
export function compileTestsWithEsbuild(project: awscdk.AwsCdkConstructLibrary): void {
  (project.jest!.config as { transform: Record<string, string> }).transform = {
    '^.+\\.ts$': '<rootDir>/test/worker/typescript.js',
    [`/node_modules/(${SHARED_BY_TESTS})/.+\\.js$`]: '<rootDir>/test/worker/shared-module.js',
  };
  project.deps.removeDependency('ts-jest');
}
