import { endpointPattern } from '../../../lib/provisioner/deployment-order';

/** What endpoints of a service may be called, in all partitions. */
test.each<[service: string, endpoint: string, isOfService: boolean]>([
  ['s3', 'com.amazonaws.eu-central-1.s3', true],
  ['s3', 'com.amazonaws.eu-central-1.s3-outposts', false],
  ['s3', 'com.amazonaws.eu-central-1.s3express', false],
  ['s3', 'com.amazonaws.s3-global.accesspoint', false],
  ['secretsmanager', 'cn.com.amazonaws.cn-north-1.secretsmanager', true],
  ['secretsmanager', 'com.amazonaws.us-east-1.secretsmanager-fips', false],
  ['secretsmanager', 'com.amazonaws.eu-central-1.mysecretsmanager', false],
  ['s3', 'com.amazonaws.${Token[AWS.Region.4]}.s3', true],
])('a function that needs %s: an endpoint for %s is one of it: %s', (service, endpoint, isOfService) => {
  expect(endpointPattern(service).test(endpoint)).toBe(isOfService);
});
