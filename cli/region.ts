/**
 * Takes out the variables of AWS that are set to nothing, as `AWS_REGION=` of a workflow without that variable is. The
 * AWS SDK for JavaScript would take no Region in place of that of the profile, and fail at `AWS_USE_FIPS_ENDPOINT=`.
 */
export function unsetEmpty(env: Record<string, string | undefined>): void {
  Object.keys(env).filter(name => name.startsWith('AWS_') && env[name] === '').forEach(name => delete env[name]);
}

/**
 * Region that the environment names, as the AWS CLI finds it. The AWS SDK for JavaScript does not read the second
 * variable.
 *
 * @param env where a variable that is set to nothing is not set
 * @returns undefined if there is none: the SDK then looks into the profile
 * @see https://docs.aws.amazon.com/cli/latest/userguide/cli-configure-envvars.html
 */
export function regionOf(env: Readonly<Record<string, string | undefined>>): string | undefined {
  return env.AWS_REGION || env.AWS_DEFAULT_REGION || undefined;
}
