import { overDataApi } from '../../lambda/provisioner/transport/data-api/client';
import { Transport } from '../../lambda/provisioner/transport/session';
import { AuroraLikeServer } from '../../rehearsal/aurora-like-server';
import { CLUSTER_ARN, DataApiEndpoint, SECRET_ARN } from '../rehearsal/data-api-endpoint';

const ENDPOINTS = new WeakMap<AuroraLikeServer, Promise<DataApiEndpoint>>();
const OPEN: Promise<DataApiEndpoint>[] = [];

/** The Data API of a server, one for all that ask. It goes with the server. */
export function dataApiOf(server: AuroraLikeServer): Promise<DataApiEndpoint> {
  const endpoint = ENDPOINTS.get(server) ?? DataApiEndpoint.start(server);
  if (!ENDPOINTS.has(server)) {
    ENDPOINTS.set(server, endpoint);
    OPEN.push(endpoint);
  }
  return endpoint;
}

/** How a handler gets to a server through its Data API. */
export function throughDataApi(server: AuroraLikeServer): Transport {
  return async (budget, log, purpose) => {
    const { client } = await dataApiOf(server);
    return overDataApi({ client, clusterArn: CLUSTER_ARN, secretArn: SECRET_ARN })(budget, log, purpose);
  };
}

// Suites close their servers, and need not know what leads to them.
globalThis.afterAll?.(async () => {
  await Promise.all(OPEN.splice(0).map(async endpoint => (await endpoint).close()));
});
