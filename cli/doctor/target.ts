/** What the name of a host says of it. */
import { HostKind } from './observations';

export interface HostFacts {
  readonly kind: HostKind;
  /** Of the cluster, the instance or the proxy. */
  readonly identifier?: string;
  readonly region?: string;
}

/** `shop.cluster-c9akciq32rgm.eu-central-1.rds.amazonaws.com`, and in China `.rds.cn-north-1.amazonaws.com.cn`. */
const ENDPOINT
  = /^([a-z0-9-]+)\.(?:(endpoint)\.)?(?:(cluster|cluster-ro|cluster-custom|proxy)-)?([a-z0-9]+)\.(?:([a-z0-9-]+)\.rds\.amazonaws\.com|rds\.([a-z0-9-]+)\.amazonaws\.com\.cn)$/;

export function hostFacts(host: string): HostFacts {
  const [, identifier, isOfEndpoint, prefix, , region, regionOfChina] = (ENDPOINT.exec(host.toLowerCase()) ?? []) as (
    string | undefined
  )[];
  if (identifier === undefined) {
    return { kind: 'other' };
  }
  const its = { region: region ?? regionOfChina };
  switch (prefix) {
    case 'cluster':
      return { ...its, kind: 'cluster', identifier };
    case 'cluster-ro':
      return { ...its, kind: 'reader', identifier };
    // Names of their own: the cluster or proxy is not in them.
    case 'cluster-custom':
      return { ...its, kind: 'custom' };
    case 'proxy':
      return { ...its, kind: 'proxy', identifier: isOfEndpoint ? undefined : identifier };
    default:
      return { ...its, kind: 'instance', identifier };
  }
}
