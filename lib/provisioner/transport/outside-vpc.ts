import type { NetworkOptions } from './transport';

/** An option that is about a VPC, and has a value where the function runs in none. */
export function optionOfVpc({ vpc, vpcSubnets, securityGroups, provisioner = {} }: NetworkOptions): string | undefined {
  const { frameworkInVpc, ipv6AllowedForDualStack } = provisioner;
  const inVpc = {
    vpc,
    vpcSubnets,
    securityGroups,
    frameworkInVpc: frameworkInVpc || undefined,
    ipv6AllowedForDualStack: ipv6AllowedForDualStack || undefined,
  };
  return Object.entries(inVpc).find(([, value]) => value !== undefined)?.[0];
}
