import { ProvisionError } from './errors';

/** Where a function runs, which decides where it may answer CloudFormation. */
export interface AwsLocation {
  readonly region: string;
  /** Such as amazonaws.com, of the partition. */
  readonly urlSuffix: string;
}

const REMEDY = 'let CloudFormation send the events';

/**
 * The pre-signed URL of an event, if it is one of CloudFormation in this Region: an object in the bucket that AWS
 * documents for answers. Nothing is sent anywhere else. The messages have nothing of the URL but its host: a principal
 * that has the URL can answer in place of this function.
 *
 * @see https://docs.aws.amazon.com/AWSCloudFormation/latest/UserGuide/vpc-interface-endpoints.html
 */
export function decodeResponseUrl(value: unknown, { region, urlSuffix }: AwsLocation): URL {
  const url = typeof value === 'string' && URL.canParse(value) ? new URL(value) : refuse('is not a URL');
  if (url.protocol !== 'https:' || url.port !== '' || url.username !== '' || url.password !== '') {
    refuse('is not an https URL without a port and credentials');
  }
  const bucket = `cloudformation-custom-resource-response-${region.replaceAll('-', '')}`;
  const endpoints = ['s3', `s3.${region}`, `s3-${region}`, `s3.dualstack.${region}`];
  if (!endpoints.some(endpoint => url.hostname === `${bucket}.${endpoint}.${urlSuffix}`)) {
    refuse(
      `is at ${JSON.stringify(url.hostname.slice(0, 200))}, and CloudFormation takes answers at ${bucket}.s3.${region}.${urlSuffix}`,
    );
  }
  return url;
}

/**
 * When CloudFormation has sent an event, as its pre-signed URL says.
 *
 * @returns milliseconds since 1970, or undefined where the URL does not say it
 * @see https://docs.aws.amazon.com/AmazonS3/latest/API/sigv4-query-string-auth.html
 */
export function sentAt({ searchParams }: URL): number | undefined {
  const [, date, hour, minute, second]
    = /^(\d{8})T(\d{2})(\d{2})(\d{2})Z$/.exec(searchParams.get('X-Amz-Date') ?? '') ?? [];
  const time
    = date === undefined
      ? NaN
      : Date.parse(`${date.slice(0, 4)}-${date.slice(4, 6)}-${date.slice(6)}T${hour}:${minute}:${second}Z`);
  return Number.isNaN(time) ? undefined : time;
}

function refuse(problem: string): never {
  throw new ProvisionError(`ResponseURL ${problem}, so that CloudFormation gets no answer; ${REMEDY}`);
}
