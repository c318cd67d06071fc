import * as ec2 from 'aws-cdk-lib/aws-ec2';

/** Everywhere, in each family of addresses that a function uses. */
export function anyPeer(withIpv6 = false): ec2.IPeer[] {
  return [ec2.Peer.anyIpv4(), ...withIpv6 ? [ec2.Peer.anyIpv6()] : []];
}
