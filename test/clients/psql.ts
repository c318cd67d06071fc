import { join } from 'node:path';
import { Client, environment, PAM_REFUSED, SIGNED_IN, STATEMENT } from './client';
import { later } from './clock';
import { outcome, run, versionOf } from './program';

const ARTICLE = join(__dirname, 'article.sh');
const INPUT = `\\set ON_ERROR_STOP on\n\\set QUIET on\n\\pset format unaligned\n\\pset tuples_only on\n${STATEMENT};\n`;

/** The AWS CLI's tokens with psql. */
export const psql: Client = {
  name: 'psql',
  packages: ['awscli', 'postgresql-client'],

  async find() {
    const versions = [await versionOf('psql', ['--version']), await versionOf('aws', ['--version'])];
    return versions.join(', ').replace(/ Python\S* .*/, '');
  },

  async check(site) {
    const { server, report } = site;
    const sh = async (args: string[], credentials = site.operator(), variables = {}) =>
      outcome(await run('sh', args, { env: environment(site, credentials, variables), input: INPUT }));
    const article = (SSLMODE: string, credentials = site.operator(), variables = {}) =>
      sh([ARTICLE], credentials, { SSLMODE, ...variables });

    report('psql, the article as written, sslmode=require', SIGNED_IN, await article('require'));
    report('psql, the article, sslmode=verify-full', SIGNED_IN, await article('verify-full'));
    report('psql, the stack\'s output', SIGNED_IN, await sh(['-c', site.connectCommand]));
    report('psql, role without the grant', PAM_REFUSED, await article('verify-full', site.visitor()));
    report('psql, token of 16 minutes ago', PAM_REFUSED, await later(16, () => article('verify-full')));
    report('psql, without TLS', 'refused: pg_hba.conf rejects connection', await article('disable'));
    const otherHost = server.host.replace('.cluster-', '.cluster-ro-');
    report(
      'psql, host that is not in the certificate',
      'refused: server certificate for',
      await article('verify-full', undefined, { ENDPOINT: otherHost }),
    );
    report('psql, token for another host', PAM_REFUSED, await article('require', undefined, { ENDPOINT: otherHost }));
  },
};
