import { awscdk, javascript } from 'projen';

const DIRECTORIES = ['lambda', 'rehearsal', 'cli', 'examples', 'integ-tests', 'benchmarks'];

/** Examples are written as a user writes them. */
const EXAMPLE_PATHS = (root: string) => ({ 'cdk-aurora-iam-auth': [`${root}lib/index.ts`] });

/** For TypeScript outside of lib/ and test/. */
export function addTypescriptConfigs(project: awscdk.AwsCdkConstructLibrary): void {
  for (const dir of DIRECTORIES) {
    new javascript.TypescriptConfig(project, {
      fileName: `${dir}/tsconfig.json`,
      extends: javascript.TypescriptConfigExtends.fromTypescriptConfigs([project.tsconfig!]),
      include: ['**/*.ts'],
      compilerOptions: {
        noEmit: true,
        rootDir: '..',
        ...dir === 'examples' ? { paths: EXAMPLE_PATHS('../') } : {},
      },
    });
    project.npmignore?.exclude(`/${dir}/`);
  }
  // One program for all of them: most of the time goes into the types of aws-cdk-lib.
  const typecheck = new javascript.TypescriptConfig(project, {
    fileName: 'tsconfig.check.json',
    extends: javascript.TypescriptConfigExtends.fromTypescriptConfigs([project.tsconfig!]),
    include: [...['lib', ...DIRECTORIES, 'test', 'scripts'].map(dir => `${dir}/**/*.ts`), '.projenrc.ts'],
    compilerOptions: { noEmit: true, rootDir: '.', types: ['jest', 'node'], paths: EXAMPLE_PATHS('./') },
  });
  project.npmignore?.exclude(`/${typecheck.fileName}`);
}
