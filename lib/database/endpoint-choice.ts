import type * as rds from 'aws-cdk-lib/aws-rds';

/** Where a client of a user connects. */
export type EndpointChoice
  = | { readonly kind: 'writer' | 'reader' }
    | { readonly kind: 'proxy'; readonly proxy: rds.IDatabaseProxy };
