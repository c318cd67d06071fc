import type { Remedy } from '../shared/remedy';

const named = (pattern: RegExp) => ({ name }: Error) => pattern.test(name);

/** Why the RDS API refuses a call. The names of its errors are the same in every language. */
export const RDS_API: Remedy<[error: Error]>[] = [
  {
    matches: named(/^AccessDenied/),
    remedy:
      "check that no service control policy or permissions boundary denies it to the function's role, which is allowed to do it to the identifier in lower case",
  },
  {
    matches: named(/^DBClusterNotFound/),
    remedy: 'check the identifier, and that the cluster is in the account and Region of this stack',
  },
  {
    matches: named(/^DBInstanceNotFound/),
    remedy: 'check the identifier, and that the instance is in the account and Region of this stack',
  },
  {
    matches: named(/^InvalidParameter/),
    remedy: 'check that its engine version and all its instance classes have IAM authentication',
  },
  { matches: () => true, remedy: 'try again' },
];
