import { writeFileSync } from 'node:fs';
import { isIP } from 'node:net';
import { generate } from 'selfsigned';
import { RunFolder } from '../run-folder';

export interface Certificate {
  /** PEM */
  readonly cert: string;
  /** PEM */
  readonly key: string;
}

const KEY = { keyType: 'ec', curve: 'P-256', algorithm: 'sha256' } as const;

/** A certificate authority for one run; its key never leaves memory. */
export class CertificateAuthority {
  static async create(name = 'Rehearsal of Amazon RDS'): Promise<CertificateAuthority> {
    const { cert, private: key } = await generate([{ name: 'commonName', value: name }], {
      ...KEY,
      extensions: [
        { name: 'basicConstraints', cA: true, critical: true },
        { name: 'keyUsage', keyCertSign: true, cRLSign: true, critical: true },
      ],
    });
    return new CertificateAuthority({ cert, key });
  }

  private constructor(private readonly authority: Certificate) {}

  /** PEM */
  get certificate(): string {
    return this.authority.cert;
  }

  /** Writes its certificate to a file of this run. @returns the path */
  writeCertificate(name: string): string {
    const file = `${RunFolder.open().newPath(name)}.pem`;
    writeFileSync(file, this.certificate);
    return file;
  }

  /** @param names DNS names and IP addresses of the server */
  async issue(names: string[]): Promise<Certificate> {
    const { cert, private: key } = await generate([{ name: 'commonName', value: names[0] }], {
      ...KEY,
      ca: this.authority,
      extensions: [
        { name: 'basicConstraints', cA: false, critical: true },
        { name: 'keyUsage', digitalSignature: true, critical: true },
        { name: 'extKeyUsage', serverAuth: true },
        {
          name: 'subjectAltName',
          altNames: names.map(name => (isIP(name) ? { type: 7, ip: name } : { type: 2, value: name })),
        },
      ],
    });
    return { cert, key };
  }
}
