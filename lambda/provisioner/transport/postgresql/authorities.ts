import { X509Certificate } from 'node:crypto';
import { readFileSync } from 'node:fs';
import { createSecureContext, type SecureContext } from 'node:tls';
import { ProvisionError } from '../../errors';

/**
 * Makes what trusts the certificate authorities in a PEM file, and no others: those that come with Node.js are not
 * among them.
 */
export function readAuthorities(file: string): SecureContext {
  let text: string;
  try {
    text = readFileSync(file, 'utf8');
  } catch (error) {
    return refuse(file, `cannot be read (${(error as NodeJS.ErrnoException).code ?? 'unknown error'})`);
  }
  const ca
    = text.match(/-----BEGIN CERTIFICATE-----[^-]+-----END CERTIFICATE-----/g) ?? refuse(file, 'has no certificate');
  // A context is made of anything, and what cannot be read is left out without a word.
  return ca.every(isCertificate) ? createSecureContext({ ca }) : refuse(file, 'has a certificate that cannot be read');
}

function isCertificate(pem: string): boolean {
  try {
    return new X509Certificate(pem).subject !== '';
  } catch {
    return false;
  }
}

function refuse(file: string, problem: string): never {
  throw new ProvisionError(
    `${file}, the file with the certificate authorities that the provisioner trusts, ${problem}; `
    + "it comes with Lambda's runtime for Node.js, so deploy the provisioner with that runtime, or correct the environment variable DATABASE_CA_FILE",
  );
}
