import { CfnResource, Validations } from 'aws-cdk-lib';
import type { IConstruct } from 'constructs';

/** A finding of cdk-nag that stays. */
export interface Acknowledgement {
  /** With the packs they are of. */
  readonly rules: string[];
  /** Which finding of the rule it is, where the rule tells them apart. */
  readonly finding?: string;
  /** For reviewers of the template: why it is right as it is. */
  readonly reason: string;
}

/** @param reasons what needs all resources, and why */
export function onAllResources(...reasons: string[]): Acknowledgement {
  return { rules: ['AwsSolutions-IAM5'], finding: 'Resource::*', reason: reasons.join(' ') };
}

export const HANDLER_WITHOUT_DEAD_LETTER_QUEUE: Acknowledgement = {
  rules: ['HIPAA.Security-LambdaDLQ', 'NIST.800.53.R5-LambdaDLQ', 'Serverless-LambdaDLQ'],
  reason:
    'Events of CloudFormation arrive synchronously, and a dead-letter queue gets asynchronous ones only. Failures are answered to CloudFormation.',
};

export const ANSWERING_WITHOUT_DEAD_LETTER_QUEUE: Acknowledgement = {
  rules: HANDLER_WITHOUT_DEAD_LETTER_QUEUE.rules,
  reason:
    'CloudFormation waits for the answer to each event, and fails the deployment without one. Afterwards the event must not be run again, and it has a pre-signed URL, which belongs in no queue.',
};

export const SCHEDULE_WITHOUT_DEAD_LETTER_QUEUE: Acknowledgement = {
  rules: ['Serverless-EventBusDLQ'],
  reason:
    'The event says nothing but that it is time to compare roles with what is declared. One that is lost is made up for by the next, which compares all of them.',
};

export const FRAMEWORK_OUTSIDE_VPC: Acknowledgement = {
  rules: [
    'HIPAA.Security-LambdaInsideVPC',
    'NIST.800.53.R4-LambdaInsideVPC',
    'NIST.800.53.R5-LambdaInsideVPC',
    'PCI.DSS.321-LambdaInsideVPC',
  ],
  reason:
    "The function is CDK's provider framework, which calls Lambda and answers CloudFormation. It reaches no database, and must answer also when the VPC has no way out.",
};

export const HANDLER_OUTSIDE_VPC: Acknowledgement = {
  rules: FRAMEWORK_OUTSIDE_VPC.rules,
  reason:
    'The function calls the API of RDS and reaches no database. In the VPC it would need a way out of it, which there may not be.',
};

export const HANDLER_WITH_DATA_API: Acknowledgement = {
  rules: FRAMEWORK_OUTSIDE_VPC.rules,
  reason: 'The function connects to no database: it calls the RDS Data API, as it is told to by the transport.',
};

export const CONNECTS_FROM_OUTSIDE_VPC: Acknowledgement = {
  rules: FRAMEWORK_OUTSIDE_VPC.rules,
  reason:
    'The cluster has express configuration and is in no VPC of the account: the function connects to its internet access gateway, over verified TLS and with a token of IAM.',
};

/**
 * Says to cdk-nag that a finding stays, and why: to version 3 in the metadata of the construct, to version 2 in the one
 * of the resource. Neither is needed for it: the one is of CDK itself, the other plain metadata of CloudFormation.
 *
 * @see https://github.com/cdklabs/cdk-nag
 * @param construct a resource, or a construct that has one
 * @param acknowledgement what stays
 */
export function acknowledge(construct: IConstruct, { rules, finding, reason }: Acknowledgement): void {
  const resource = (CfnResource.isCfnResource(construct) ? construct : construct.node.defaultChild) as
    CfnResource | undefined;
  if (!resource) {
    return; // a policy that iam.Role.customizeRoles() leaves to others has none
  }
  Validations.of(resource).acknowledge(
    ...rules.map(rule => ({ id: finding === undefined ? rule : `${rule}[${finding}]`, reason })),
  );
  const before = resource.getMetadata('cdk_nag') as { readonly rules_to_suppress: object[] } | undefined;
  const suppressed = rules.map(id => ({ id, reason, ...finding === undefined ? {} : { applies_to: [finding] } }));
  resource.addMetadata('cdk_nag', { rules_to_suppress: [...before?.rules_to_suppress ?? [], ...suppressed] });
}
