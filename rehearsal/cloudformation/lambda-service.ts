import { AwsAnswer, AwsService, failure } from './aws-endpoint';
import { Invocation } from './lambda-function';
import { Authorize } from './secrets-manager';

const PATH = /^\/2015-03-31\/functions\/([^/?]+)(\/invocations)?(\?.*)?$/;

export interface Functions {
  /**
   * By name or ARN, and by alias if there is a qualifier; undefined if there is none at this moment. The ARN ends with
   * the qualifier.
   */
  find(name: string, qualifier?: string): { readonly arn: string } | undefined;
  invoke(arn: string, event: unknown): Promise<Invocation>;
}

/**
 * Invoke, which waits for the answer, and GetFunction, for whom policies allow them on the ARN with the qualifier: by
 * an alias, the function itself is not reached, nor the other way round.
 *
 * @see https://docs.aws.amazon.com/lambda/latest/api/API_Invoke.html
 * @see https://docs.aws.amazon.com/lambda/latest/dg/lambda-api-permissions-ref.html
 */
export function lambdaService(functions: Functions, authorize: Authorize): AwsService {
  return async ({ method, path, body, accessKeyId }) => {
    const [, encoded, invocations, query] = PATH.exec(path) ?? [];
    const action
      = method === 'POST' && invocations
        ? 'InvokeFunction'
        : method === 'GET' && encoded && !invocations
          ? 'GetFunction'
          : undefined;
    if (action === undefined) {
      return undefined;
    }
    const { name, qualifier = new URLSearchParams(query).get('Qualifier') ?? undefined } = qualified(
      decodeURIComponent(encoded),
    );
    const { arn } = functions.find(name, qualifier) ?? {};
    if (arn === undefined) {
      return failure(
        404,
        'ResourceNotFoundException',
        `Function not found: ${name}${qualifier === undefined ? '' : `:${qualifier}`}`,
      );
    }
    if (!authorize(accessKeyId, `lambda:${action}`, arn)) {
      return failure(
        403,
        'AccessDeniedException',
        `not authorized to perform: lambda:${action} on resource: ${arn} because no identity-based policy allows the lambda:${action} action`,
      );
    }
    return action === 'GetFunction'
      ? { status: 200, body: { Configuration: { FunctionArn: arn, State: 'Active' } } }
      : answerOf(await functions.invoke(arn, body === '' ? {} : JSON.parse(body)));
  };
}

/** A qualifier may stand behind a name and behind an ARN, which has seven parts without one. */
export function qualified(text: string): { readonly name: string; readonly qualifier?: string } {
  const parts = text.split(':');
  const length = text.startsWith('arn:') ? 7 : 1;
  return { name: parts.slice(0, length).join(':'), qualifier: parts[length] };
}

/** An error of the function is no error of the call. */
function answerOf({ result, error }: Invocation): AwsAnswer {
  return error
    ? {
        status: 200,
        body: { errorType: error.name, errorMessage: error.message, trace: error.trace },
        headers: { 'X-Amz-Function-Error': 'Unhandled' },
      }
    : { status: 200, body: result ?? null };
}
