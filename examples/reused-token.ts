/** A token that is used for all new connections of ten minutes: RDS throttles new connections, but not those with the same token. */
import { fromNodeProviderChain } from '@aws-sdk/credential-providers';
import { Signer } from '@aws-sdk/rds-signer';

/** RDS accepts a token for 15 minutes, and not after the credentials that it was signed with have expired. */
const REUSE_MS = (Number(process.env.TOKEN_REUSE_SECONDS) || 600) * 1000;
const MARGIN_MS = 60_000;

/** What a pool takes as its password: called for each new connection, it signs only when the token gets old. */
export function reusedToken(
  signIn: { readonly hostname: string; readonly port: number; readonly username: string; readonly region?: string },
  credentialsNow = fromNodeProviderChain(),
): () => Promise<string> {
  let token: Promise<string>;
  let renewAt = 0;
  const sign = async () => {
    const credentials = await credentialsNow();
    if (credentials.expiration) {
      renewAt = Math.min(renewAt, credentials.expiration.getTime() - MARGIN_MS);
    }
    return new Signer({ ...signIn, credentials }).getAuthToken();
  };
  return () => {
    if (Date.now() >= renewAt) {
      renewAt = Date.now() + REUSE_MS;
      token = sign();
      token.catch(() => {
        renewAt = 0; // the next connection tries again
      });
    }
    return token;
  };
}
