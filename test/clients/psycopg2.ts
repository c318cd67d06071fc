import { join } from 'node:path';
import { Client, CLEAN_ENVIRONMENT, environment, PAM_REFUSED, SIGNED_IN } from './client';
import { outcome, run } from './program';

/** The second is Debian's own, for there may be others before it that do not see Debian's packages. */
const PYTHONS = ['python3', '/usr/bin/python3'];
const VERSIONS = `
import sys, boto3, psycopg2
print('Python', sys.version.split()[0] + ', boto3', boto3.__version__ + ', psycopg2', psycopg2.__version__.split()[0])`;

let python: string;

/** boto3's tokens with psycopg2. */
export const psycopg2: Client = {
  name: 'psycopg2',
  packages: ['python3-boto3', 'python3-psycopg2'],

  async find() {
    for (const candidate of PYTHONS) {
      const { code, stdout } = await run(candidate, ['-c', VERSIONS], { env: CLEAN_ENVIRONMENT });
      if (code === 0) {
        python = candidate;
        return stdout.trim();
      }
    }
    throw new Error('there is no Python 3 with boto3 and psycopg2');
  },

  async check(site) {
    const article = async (SSLMODE: string, credentials = site.operator()) =>
      outcome(await run(python, [join(__dirname, 'article.py')], { env: environment(site, credentials, { SSLMODE }) }));

    site.report('psycopg2, the article as written, sslmode=require', SIGNED_IN, await article('require'));
    site.report('psycopg2, the article, sslmode=verify-full', SIGNED_IN, await article('verify-full'));
    site.report('psycopg2, role without the grant', PAM_REFUSED, await article('verify-full', site.visitor()));
  },
};
