import { Token } from 'aws-cdk-lib';

/**
 * What shows a client its certificate: a cluster or instance, or the proxy or internet access gateway in front of one.
 */
export type CertificateHolder = 'database' | 'proxy' | 'gateway';

/** Amazon's own, which most clients trust already: of proxies, and of the internet access gateway of Aurora. */
const OF_AMAZON = 'https://www.amazontrust.com/repository/AmazonRootCA1.pem';

/** Those of RDS by the beginning of the Region; those of other partitions are not among them. */
const OF_RDS = {
  '': 'https://truststore.pki.rds.amazonaws.com/global/global-bundle.pem',
  'us-gov-': 'https://truststore.pki.us-gov-west-1.rds.amazonaws.com/global/global-bundle.pem',
  'cn-': 'https://rds-truststore.s3.cn-north-1.amazonaws.com.cn/global/global-bundle.pem',
};

/**
 * Where the certificate authorities are downloaded from that a client needs. A Region that only the deployment knows is
 * taken for one of the partition `aws`.
 *
 * @see https://docs.aws.amazon.com/AmazonRDS/latest/AuroraUserGuide/UsingWithRDS.SSL.html
 * @see https://docs.amazonaws.cn/en_us/AmazonRDS/latest/UserGuide/UsingWithRDS.SSL.html
 * @see https://docs.aws.amazon.com/AmazonRDS/latest/AuroraUserGuide/rds-proxy.html
 */
export function caBundleUrl(holder: CertificateHolder, region: string): string {
  if (holder !== 'database') {
    return OF_AMAZON;
  }
  const known = Token.isUnresolved(region) ? '' : region;
  return known.startsWith('us-gov-') ? OF_RDS['us-gov-'] : known.startsWith('cn-') ? OF_RDS['cn-'] : OF_RDS[''];
}
