import { Token } from 'aws-cdk-lib';

/**
 * Where the RDS Data API is, for Aurora PostgreSQL, as it was documented in April 2026; 18 from a later copy of the
 * page without a date.
 *
 * @see
 * https://docs.aws.amazon.com/AmazonRDS/latest/AuroraUserGuide/Concepts.Aurora_Fea_Regions_DB-eng.Feature.Data_API.html
 */
const AS_OF = 'April 2026';

/** The first minor version of each major. */
const FIRST_MINORS: { readonly [major: number]: number } = { 13: 11, 14: 8, 15: 3, 16: 1, 17: 4, 18: 3 };

const REGIONS_WITHOUT = [
  'ap-east-2',
  'ap-south-2',
  'ap-southeast-4',
  'ap-southeast-6',
  'ca-west-1',
  'eu-central-2',
  'il-central-1',
  'mx-central-1',
];
const PARTITIONS_WITHOUT = /^(cn|us-gov)-/;

export function regionProblem(region: string): string | undefined {
  return !Token.isUnresolved(region) && (REGIONS_WITHOUT.includes(region) || PARTITIONS_WITHOUT.test(region))
    ? `there was no Data API in Region ${region} (${AS_OF})`
    : undefined;
}

/** @param version such as 17.4; anything else says nothing */
export function engineVersionProblem(version: unknown): string | undefined {
  const [, major, minor] = typeof version === 'string' ? /^(\d+)\.(\d+)/.exec(version)?.map(Number) ?? [] : [];
  if (major === undefined) {
    return undefined;
  }
  const majors = Object.keys(FIRST_MINORS).map(Number);
  const first
    = major < Math.min(...majors)
      ? `${Math.min(...majors)}.${FIRST_MINORS[Math.min(...majors)]}`
      : major in FIRST_MINORS && minor < FIRST_MINORS[major]
        ? `${major}.${FIRST_MINORS[major]}`
        : undefined;
  return (
    first
    && `the engine version is ${version as string}, and there is a Data API from ${first} on (${AS_OF}); choose a later version, or leave transport out`
  );
}
