import { settingOf } from '../app/value';
import { DATABASE_TYPES } from '../databases/postgresql';
import type { Rule } from '../rule';

/** A master that signs in with IAM, and is given a password as well. */
export const masterWithPassword: Rule = {
  id: 'IamAuth-MasterWithPassword',
  remedy: 'leave the password out, as well as the secret it comes from; or leave MasterUserAuthenticationType out',
  source: 'https://docs.aws.amazon.com/AWSCloudFormation/latest/TemplateReference/aws-resource-rds-dbcluster.html',
  check({ type, properties, template }) {
    const authentication = settingOf(properties.MasterUserAuthenticationType, template);
    if (
      !DATABASE_TYPES.includes(type)
      || authentication.state === 'unset'
      || (authentication.state === 'known' && authentication.value !== 'iam-db-auth')
    ) {
      return 'NOT_APPLICABLE';
    }
    const managed = settingOf(properties.ManageMasterUserPassword, template);
    const passwords = [
      { property: 'MasterUserPassword', is: settingOf(properties.MasterUserPassword, template).state !== 'unset' },
      {
        property: 'ManageMasterUserPassword',
        is: managed.state === 'unknown' ? undefined : managed.state === 'known' && managed.value === 'true',
      },
    ];
    const given = passwords.find(({ is }) => is === true) ?? passwords.find(({ is }) => is === undefined);
    if (!given) {
      return 'COMPLIANT';
    }
    const location = `Properties/${given.property}`;
    const rule = 'a master that signs in with IAM has no password, and RDS is reported to refuse the two together';
    return authentication.state === 'unknown' || given.is === undefined
      ? [
          {
            unknown: true,
            location,
            problem: `whether MasterUserAuthenticationType is iam-db-auth together with ${given.property}, is known at the deployment only: ${rule}`,
          },
        ]
      : [{ location, problem: `MasterUserAuthenticationType is iam-db-auth, and ${given.property} is set: ${rule}` }];
  },
};
