/**
 * All apps of the project, and in each which role signs in as which user, at which replica and through which proxy, if
 * so. Nobody else does.
 */

/** Clusters of the app. */
export const CLUSTERS = {
  'examples/data-api/app.ts': ['Service as orders'],
  'examples/isolated-subnets/app.ts': ['Service as orders'],
  'examples/no-password/app.ts': ['Reports as reports'],
  'examples/quick-start/app.ts': ['Operator as mario.rossi@example.com'],
  'examples/shop/app.ts': [
    'ada role as ada',
    'grace role as grace',
    'migrator role as migrator',
    'orders role as orders',
  ],
};

/** Instances, and databases of other stacks, apps and Regions. */
export const OTHER_DATABASES = {
  'examples/global-database/app.ts': ['Reports as reports', 'RegionalReports as reports at Cluster'],
  'examples/imported-cluster/app.ts': ['Service as reports'],
  'examples/rds-instance/app.ts': ['Service as orders', 'Reports as reports at Replica'],
  'examples/enable-iam-authentication/app.ts': ['Service as reports'],
};

/** Other ways to the database. */
export const WAYS_IN = {
  'examples/proxy/app.ts': ['ProxyRole as orders', 'Reports as reports', 'Service/ServiceRole as orders through Proxy'],
  'examples/service-stack/app.ts': ['Service as billing', 'Pipeline as migrator'],
};

/** Tests of the integration with AWS, which assert a sign-in. */
export const INTEG_TESTS = {
  'integ-tests/integ.no-password.ts': ['SignIn/ServiceRole as reports'],
  'integ-tests/integ.proxy.ts': ['ProxyRole as orders', 'SignIn/ServiceRole as orders through Proxy'],
  'integ-tests/integ.quick-start.ts': ['SignIn/ServiceRole as mario.rossi@example.com'],
};
