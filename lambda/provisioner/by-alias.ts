import { ProvisionError } from '../shared/errors';
import type { Context } from '../shared/event';

type Handle = (event: unknown, context: Context) => Promise<unknown>;

/**
 * One handler for each alias of the function, and one for the function itself. Which of them it is, is in the ARN that
 * was invoked, for which the caller needs a permission; an event has no say in it.
 *
 * @see https://docs.aws.amazon.com/lambda/latest/dg/nodejs-context.html for invokedFunctionArn
 */
export function byAlias(handlers: { readonly [alias: string]: Handle }, unqualified: Handle): Handle {
  return async (event, context) => {
    const alias = aliasIn(context.invokedFunctionArn);
    if (alias === undefined) {
      return unqualified(event, context);
    }
    if (!Object.hasOwn(handlers, alias)) {
      throw new ProvisionError(
        `alias ${JSON.stringify(alias)} is not one of this function: known are ${Object.keys(handlers).join(', ')}; invoke one of them`,
      );
    }
    return handlers[alias](event, context);
  };
}

/** arn:aws:lambda:eu-central-1:123456789012:function:name:alias */
function aliasIn(arn: string | undefined): string | undefined {
  const [,,,,,,, qualifier] = arn?.split(':') ?? [];
  return qualifier === '$LATEST' ? undefined : qualifier;
}
