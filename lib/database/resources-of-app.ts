import { CfnResource } from 'aws-cdk-lib';
import type { IConstruct } from 'constructs';

/**
 * All resources of the app that a construct is in, as they are when it is called: what comes later is not among them.
 */
export function resourcesOfApp({ node: { root } }: IConstruct): CfnResource[] {
  return root.node.findAll().filter(child => CfnResource.isCfnResource(child));
}
