/**
 * What the condition `kms:ViaService` may say of a service in a Region. KMS documents it with `amazonaws.com`;
 * endpoints in China end in `amazonaws.com.cn`, and AWS does not document which of the two the key has there.
 *
 * @see https://docs.aws.amazon.com/kms/latest/developerguide/conditions-kms.html#conditions-kms-via-service
 */
export function viaService(service: string, region: string): { readonly 'kms:ViaService': string[] } {
  return { 'kms:ViaService': ['amazonaws.com', 'amazonaws.com.cn'].map(suffix => `${service}.${region}.${suffix}`) };
}
