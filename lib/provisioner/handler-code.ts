import { X509Certificate } from 'node:crypto';
import { copyFileSync, cpSync, readFileSync, writeFileSync } from 'node:fs';
import * as path from 'node:path';
import { rootCertificates } from 'node:tls';
import { AssetHashType, DockerImage } from 'aws-cdk-lib';
import * as lambda from 'aws-cdk-lib/aws-lambda';
import type { IConstruct } from 'constructs';
import { errorAt } from '../model/errors';

const HANDLER = path.join(__dirname, '../../assets/provisioner');

/** In the code of the function, beside the handler. */
const CA_FILE = 'ca-certificates.pem';

/** Where the file of the app is in the function. */
export const GIVEN_CA_FILE = `/var/task/${CA_FILE}`;

const AMAZON_CAS = 'amazon-ca-certificates.pem';

/** Where Amazon's own authorities are in the function. */
export const AMAZON_CA_FILE = `/var/task/${AMAZON_CAS}`;

export interface HandlerCodeOptions {
  /** Path of a file that the app gives. */
  readonly caCertificates?: string;
  /** Whether the function needs the authorities of Amazon, unless the app gives others. */
  readonly trustsAmazon?: boolean;
}

/** The handler, with a file of certificate authorities where it does not take those of Lambda's runtime. */
export function handlerCode({ caCertificates, trustsAmazon }: HandlerCodeOptions): lambda.Code {
  if (caCertificates === undefined && !trustsAmazon) {
    return lambda.Code.fromAsset(HANDLER);
  }
  return lambda.Code.fromAsset(HANDLER, {
    assetHashType: AssetHashType.OUTPUT,
    bundling: {
      image: DockerImage.fromRegistry('not-used'),
      local: {
        tryBundle(outputDir: string): boolean {
          cpSync(HANDLER, outputDir, { recursive: true });
          if (caCertificates === undefined) {
            writeFileSync(path.join(outputDir, AMAZON_CAS), amazonAuthorities().join('\n'));
          } else {
            copyFileSync(caCertificates, path.join(outputDir, CA_FILE));
          }
          return true;
        },
      },
    },
  });
}

/**
 * Refuses a file in which the function would find no certificate authorities: the deployment would fail, minutes later.
 */
export function checkCaCertificates(scope: IConstruct, file: string | undefined): void {
  if (file === undefined) {
    return;
  }
  const problem = problemOf(file);
  if (problem !== undefined) {
    throw errorAt(
      scope,
      `caCertificates ${JSON.stringify(file)} of provisioner ${problem}; pass the path of a file with certificates in PEM format, such as a downloaded global-bundle.pem`,
    );
  }
}

/** Those of Node.js that are Amazon's: the roots of AWS Certificate Manager. https://www.amazontrust.com/repository/ */
function amazonAuthorities(): string[] {
  return rootCertificates.filter(pem => /^O=Amazon$/m.test(new X509Certificate(pem).subject)).sort();
}

function problemOf(file: string): string | undefined {
  let text: string;
  try {
    text = readFileSync(file, 'utf8');
  } catch (error) {
    return `cannot be read (${(error as NodeJS.ErrnoException).code ?? 'unknown error'})`;
  }
  const certificates = text.match(/-----BEGIN CERTIFICATE-----[^-]+-----END CERTIFICATE-----/g) ?? [];
  if (certificates.length === 0) {
    return 'has no certificate';
  }
  return certificates.every(isCertificate) ? undefined : 'has a certificate that cannot be read';
}

function isCertificate(pem: string): boolean {
  try {
    return new X509Certificate(pem).subject !== '';
  } catch {
    return false;
  }
}
