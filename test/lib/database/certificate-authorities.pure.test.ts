import { Aws } from 'aws-cdk-lib';
import { caBundleUrl, type CertificateHolder } from '../../../lib/database/certificate-authorities';

test.each<[CertificateHolder, string, string]>([
  ['database', 'eu-west-1', 'https://truststore.pki.rds.amazonaws.com/global/global-bundle.pem'],
  ['database', Aws.REGION, 'https://truststore.pki.rds.amazonaws.com/global/global-bundle.pem'],
  ['database', 'us-gov-east-1', 'https://truststore.pki.us-gov-west-1.rds.amazonaws.com/global/global-bundle.pem'],
  ['database', 'us-gov-west-1', 'https://truststore.pki.us-gov-west-1.rds.amazonaws.com/global/global-bundle.pem'],
  ['database', 'cn-north-1', 'https://rds-truststore.s3.cn-north-1.amazonaws.com.cn/global/global-bundle.pem'],
  ['database', 'cn-northwest-1', 'https://rds-truststore.s3.cn-north-1.amazonaws.com.cn/global/global-bundle.pem'],
  ['proxy', 'eu-west-1', 'https://www.amazontrust.com/repository/AmazonRootCA1.pem'],
  ['proxy', 'cn-north-1', 'https://www.amazontrust.com/repository/AmazonRootCA1.pem'],
])('the authorities of a %s in %s', (holder, region, url) => {
  expect(caBundleUrl(holder, region)).toBe(url);
});
