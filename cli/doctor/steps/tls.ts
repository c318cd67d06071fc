import { because, elsewhere, Finding, ok, unknown } from '../finding';
import { isSeen, Observations } from '../observations';

const BUNDLE = 'https://truststore.pki.rds.amazonaws.com/global/global-bundle.pem';

/** Whether the connection is encrypted, and whether the client takes the certificate. */
export function tls({ client: { sslMode, host, caFile }, route, tls: seen, proxy }: Observations): Finding {
  if (sslMode === 'disable') {
    return because(
      'tls-disabled',
      'PGSSLMODE is disable, and RDS lets members of rds_iam in over TLS alone',
      'set PGSSLMODE to verify-full and PGSSLROOTCERT to the CAs of the database',
    );
  }
  if (!isSeen(seen)) {
    return isSeen(route) ? unknown(seen.unseen) : elsewhere(seen.unseen);
  }
  const { offered, caFileProblem, distrusted, namesHost, certificateNames = [], issuer, authorities } = seen.value;
  const cas = proxy ? "the CAs of Amazon Trust Services, which are in most systems' own store" : BUNDLE;
  if (!offered) {
    return because(
      'tls-not-offered',
      `${host} offers no TLS, so that it is no endpoint of RDS, or something is between`,
      'connect to the endpoint of RDS itself, without a tunnel or pooler that ends TLS',
    );
  }
  if (caFileProblem !== undefined) {
    return because(
      'tls-ca-file',
      `PGSSLROOTCERT ${caFile}: ${caFileProblem}`,
      `download ${cas}, and set PGSSLROOTCERT to the path of the file`,
    );
  }
  const verifiesChain = sslMode.startsWith('verify-') || (sslMode === 'require' && caFile !== undefined);
  if (distrusted !== undefined) {
    const found = `the certificate is issued by ${issuer ?? 'an unknown CA'}, which ${authorities ?? 'Node.js'} does not have (${distrusted})`;
    return !verifiesChain || authorities === undefined
      ? unknown(`${found}; PGSSLROOTCERT names no file`)
      : because('tls-ca', found, `download ${cas}, and set PGSSLROOTCERT to the path of the file`);
  }
  if (namesHost === false) {
    const found = `the certificate is for ${certificateNames.join(', ')}, and not for ${host}`;
    return sslMode === 'verify-full'
      ? because(
          'tls-host',
          found,
          `connect to the endpoint of RDS (${certificateNames[0]}), and make tokens for it; a name of your own is in no certificate`,
        )
      : unknown(`${found}; PGSSLMODE ${sslMode} does not look at it`);
  }
  return ok(`the certificate is issued by ${issuer ?? 'a CA'}, trusted by ${authorities ?? 'Node.js'}`);
}
