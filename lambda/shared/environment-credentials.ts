/**
 * Stands in for @aws-sdk/credential-provider-node and credential-providers in the bundle (see scripts/bundle.ts): a
 * Lambda function has its credentials in the environment, and the other sources, with clients for SSO and STS, are a
 * third of the code that would be loaded.
 */
export { fromEnv as defaultProvider, fromEnv as fromNodeProviderChain } from '@aws-sdk/credential-provider-env';
