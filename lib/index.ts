export * from './admin-credentials';
export * from './aurora-iam-auth';
export * from './connect-grants';
export * from './database-role';
export * from './database-user';
export * from './iam-auth';
export * from './mixins/cluster-iam-authentication';
export * from './privileges';
