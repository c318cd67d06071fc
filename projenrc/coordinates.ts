/**
 * Author, repository and publishing coordinates are not decided yet. Everything that depends on them is here. Python,
 * Java and Go are built and tried by `test:languages`; of .NET the source is generated.
 */
export const COORDINATES = {
  author: 'The cdk-aurora-iam-auth authors',
  authorAddress: 'maintainers@example.com',
  repositoryUrl: 'https://github.com/example/cdk-aurora-iam-auth.git',
  publishToPypi: { distName: 'cdk-aurora-iam-auth', module: 'cdk_aurora_iam_auth', trustedPublishing: true },
  publishToMaven: {
    javaPackage: 'io.github.example.cdk.auroraiamauth',
    mavenGroupId: 'io.github.example',
    mavenArtifactId: 'cdk-aurora-iam-auth',
    mavenServerId: 'central-ossrh',
  },
  publishToNuget: {
    dotNetNamespace: 'Example.Cdk.AuroraIamAuth', packageId: 'Example.Cdk.AuroraIamAuth', trustedPublishing: true,
  },
  publishToGo: { moduleName: 'github.com/example/cdk-aurora-iam-auth-go' },
};

/** Pages of the repository, on its default branch. */
export const PAGES = `${COORDINATES.repositoryUrl.replace(/\.git$/, '')}/blob/main`;
