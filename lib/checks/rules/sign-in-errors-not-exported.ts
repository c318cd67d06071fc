import { settingOf, shown, partsOf } from '../app/value';
import { isPostgresql } from '../databases/postgresql';
import type { Finding, Rule } from '../rule';

const LOG = 'iam-db-auth-error';
const PROPERTY = 'EnableCloudwatchLogsExports';
const location = `Properties/${PROPERTY}`;

/** A database with IAM authentication whose log of refused sign-ins is not exported. */
export const signInErrorsNotExported: Rule = {
  id: 'IamAuth-SignInErrorsNotExported',
  remedy: `set cloudwatchLogsExports: ['${LOG}']`,
  isWarning: true,
  source: 'https://docs.aws.amazon.com/AmazonRDS/latest/AuroraUserGuide/UsingWithRDS.IAMDBAuth.Troubleshooting.html',
  check(resource) {
    const { properties, template } = resource;
    const authentication = settingOf(properties.EnableIAMDatabaseAuthentication, template);
    if (isPostgresql(resource) !== true || authentication.state !== 'known' || authentication.value !== 'true') {
      return 'NOT_APPLICABLE';
    }
    const missing = (what: string, unknown?: true): Finding[] => [{
      ...unknown && { unknown },
      problem: `${PROPERTY} ${what}, and ${LOG} is the log that names the cause and the caller of a refused sign-in`,
      location,
    }];
    const logs = properties[PROPERTY] ?? [];
    if (!Array.isArray(logs)) {
      return missing(`is ${shown(partsOf(logs, template))}`, true);
    }
    const settings = logs.map(log => settingOf(log, template));
    if (settings.some(log => log.state === 'known' && log.value === LOG)) {
      return 'COMPLIANT';
    }
    const open = settings.find(log => log.state === 'unknown');
    return open
      ? missing(`has ${open.state === 'unknown' ? open.shown : ''}`, true)
      : missing(`has no ${LOG}`);
  },
};
