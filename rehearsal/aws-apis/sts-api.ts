import { AwsService } from '../cloudformation/aws-endpoint';
import { fault, parametersOf, result } from '../rds-api/query-protocol';

/** https://docs.aws.amazon.com/STS/latest/APIReference/welcome.html */
const VERSION = '2011-06-15';

/**
 * GetCallerIdentity, which needs no permission:
 * https://docs.aws.amazon.com/STS/latest/APIReference/API_GetCallerIdentity.html
 */
export function stsApi(principal: (accessKeyId: string) => string | undefined): AwsService {
  return (call) => {
    if (parametersOf(call, VERSION)?.Action !== 'GetCallerIdentity') {
      return undefined;
    }
    const arn = principal(call.accessKeyId);
    return arn === undefined
      ? fault(403, 'InvalidClientTokenId', 'The security token included in the request is invalid.')
      : result('GetCallerIdentity', {
          Arn: callerArn(arn),
          UserId: 'AROAEXAMPLE:rehearsal',
          Account: arn.split(':')[4],
        });
  };
}

/** A role is seen as a session of it, whose ARN has no path. */
export function callerArn(arn: string): string {
  const [, partition, , , account, path] = arn.split(':');
  const [kind, ...names] = path.split('/');
  return kind === 'role' ? `arn:${partition}:sts::${account}:assumed-role/${names.at(-1)}/rehearsal` : arn;
}
