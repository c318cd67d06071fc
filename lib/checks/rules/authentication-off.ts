import { settingOf } from '../app/value';
import { isExpress, isPostgresql, isRestored } from '../databases/postgresql';
import type { Rule } from '../rule';

const PROPERTY = 'EnableIAMDatabaseAuthentication';
const location = `Properties/${PROPERTY}`;

/** A cluster, or an instance outside of clusters, that no user can sign in to with IAM. */
export const authenticationOff: Rule = {
  id: 'IamAuth-AuthenticationOff',
  remedy: 'set iamAuthentication: true, or apply ClusterIamAuthEnabled or InstanceIamAuthEnabled',
  source: 'https://docs.aws.amazon.com/AmazonRDS/latest/AuroraUserGuide/UsingWithRDS.IAMDBAuth.Enabling.html',
  check(resource) {
    const isOne = isPostgresql(resource);
    const setting = settingOf(resource.properties[PROPERTY], resource.template);
    const isOn = setting.state === 'known' && setting.value === 'true';
    if (isOne === false) {
      return 'NOT_APPLICABLE';
    }
    if (isOn || (setting.state === 'unset' && isExpress(resource))) {
      return 'COMPLIANT';
    }
    if (isOne === undefined) {
      return [
        {
          unknown: true,
          problem: `Engine is known at the deployment only, and if it is PostgreSQL, ${PROPERTY} must be true for any user to sign in with IAM`,
          location: 'Properties/Engine',
        },
      ];
    }
    if (setting.state === 'unknown') {
      return [
        {
          unknown: true,
          problem: `${PROPERTY} is ${setting.shown}, and unless that is true no user can sign in with IAM`,
          location,
        },
      ];
    }
    if (setting.state === 'unset' && isRestored(resource)) {
      return [
        {
          unknown: true,
          problem: `${PROPERTY} is not set, so that it is what it was in the snapshot, and unless that is true no user can sign in with IAM`,
          location,
        },
      ];
    }
    return [
      {
        problem: `${PROPERTY} is ${setting.state === 'known' ? setting.value : 'not set'}, so that no user can sign in with IAM, and each signs in with a password`,
        location,
      },
    ];
  },
};
