import { isIP } from 'node:net';
import { generate } from 'selfsigned';
import { Certificate } from '../../rehearsal/gateway/certificate-authority';

const KEY = { keyType: 'ec', curve: 'P-256', algorithm: 'sha256' } as const;

export interface CertificateOptions {
  readonly commonName?: string;
  /** DNS names and IP addresses. @default - no extension for them */
  readonly altNames?: string[];
  /** @default 'server' */
  readonly purpose?: 'server' | 'client';
  /** @default - now, for a year */
  readonly validity?: { readonly from: Date; readonly to: Date };
}

/** An authority that also issues what no authority should, and what no server should have. */
export class LaxAuthority {
  static async create(name = 'Lax'): Promise<LaxAuthority> {
    const { cert, private: key } = await generate([{ name: 'commonName', value: name }], {
      ...KEY,
      extensions: [
        { name: 'basicConstraints', cA: true, critical: true },
        { name: 'keyUsage', keyCertSign: true, cRLSign: true, critical: true },
      ],
    });
    return new LaxAuthority({ cert, key });
  }

  private constructor(private readonly authority: Certificate) {}

  /** PEM */
  get certificate(): string {
    return this.authority.cert;
  }

  async issue({
    commonName = 'server',
    altNames,
    purpose = 'server',
    validity,
  }: CertificateOptions): Promise<Certificate> {
    const { cert, private: key } = await generate([{ name: 'commonName', value: commonName }], {
      ...KEY,
      ca: this.authority,
      // A Date of the process, where selfsigned is loaded, is not one of the tests.
      ...validity ? structuredClone({ notBeforeDate: validity.from, notAfterDate: validity.to }) : {},
      extensions: [
        { name: 'basicConstraints', cA: false, critical: true },
        { name: 'keyUsage', digitalSignature: true, critical: true },
        { name: 'extKeyUsage', ...purpose === 'server' ? { serverAuth: true } : { clientAuth: true } },
        ...(altNames
          ? [{ name: 'subjectAltName' as const,
              altNames: altNames.map(name =>
                isIP(name) ? { type: 7 as const, ip: name } : { type: 2 as const, value: name },
              ) }]
          : []),
      ],
    });
    return { cert, key };
  }
}
