import { STSClient } from '@aws-sdk/client-sts';
import { regionOf } from '../../region';

/** Region of the environment, or of the profile, as the AWS CLI finds it; undefined if there is none. */
export async function regionHere(): Promise<string | undefined> {
  return regionOf(process.env) ?? new STSClient({}).config.region().catch(() => undefined);
}
