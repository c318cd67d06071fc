import { existsSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { Signer } from '@aws-sdk/rds-signer';
import { RunFolder } from '../../rehearsal/run-folder';
import { Client, CLEAN_ENVIRONMENT, environment, PAM_REFUSED, SIGNED_IN, USERNAME } from './client';
import { outcome, run, versionOf } from './program';

/** Where Debian has the driver. */
const DRIVER = '/usr/share/java/postgresql.jar';
const PROGRAM = join(__dirname, 'SignIn.java');

/** The PostgreSQL JDBC driver, with tokens of the AWS SDK for JavaScript: Debian has none for Java. */
export const jdbc: Client = {
  name: 'jdbc',
  packages: ['libpostgresql-jdbc-java', 'default-jdk-headless'],

  async find() {
    const { stdout } = await run('java', ['--list-modules'], { env: CLEAN_ENVIRONMENT });
    if (!stdout.includes('jdk.compiler')) {
      throw new Error('there is no JDK of version 11 or later');
    }
    if (!existsSync(DRIVER)) {
      throw new Error(`there is no ${DRIVER}`);
    }
    return versionOf('java', ['-cp', DRIVER, PROGRAM, 'versions']);
  },

  async check(site) {
    const { host: hostname, port, region } = site.server;
    const hosts = RunFolder.open().newPath('hosts');
    writeFileSync(hosts, `${site.address} ${hostname} ${otherHost(hostname)}\n`);
    const signIn = async (credentials = site.operator(), ENDPOINT = hostname) => {
      const TOKEN = await new Signer({ hostname, port, region, credentials, username: USERNAME }).getAuthToken();
      const args = [
        `-Djdk.net.hosts.file=${hosts}`,
        '-Djava.util.logging.config.file=/dev/null',
        '-cp',
        DRIVER,
        PROGRAM,
      ];
      return outcome(await run('java', args, { env: environment(site, credentials, { TOKEN, ENDPOINT }) }));
    };

    site.report('JDBC, sslmode=verify-full', SIGNED_IN, await signIn());
    site.report('JDBC, role without the grant', PAM_REFUSED, await signIn(site.visitor()));
    site.report(
      'JDBC, host that is not in the certificate',
      'refused: The hostname',
      await signIn(undefined, otherHost(hostname)),
    );
  },
};

const otherHost = (host: string) => host.replace('.cluster-', '.cluster-ro-');
