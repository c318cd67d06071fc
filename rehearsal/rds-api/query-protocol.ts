import { randomUUID } from 'node:crypto';
import { AwsAnswer, AwsCall } from '../cloudformation/aws-endpoint';

/** A tree of elements; what has no value is left out. */
export interface Elements {
  readonly [name: string]: ElementValue | readonly ElementValue[];
}

type ElementValue = string | number | boolean | Elements | undefined;

/** https://docs.aws.amazon.com/AmazonRDS/latest/APIReference/Welcome.html */
const VERSION = '2014-10-31';

/** The parameters of a call of an API of this version, which is that of RDS; undefined for one of another. */
export function parametersOf({ method, target, body }: AwsCall, wanted = VERSION): Record<string, string> | undefined {
  const { Version: version, ...parameters }
    = method === 'POST' && target === undefined ? Object.fromEntries(new URLSearchParams(body)) : {};
  return version === wanted ? parameters : undefined;
}

export function result(action: string, content: Elements): AwsAnswer {
  return xml(200, {
    [`${action}Response`]: { [`${action}Result`]: content, ResponseMetadata: { RequestId: randomUUID() } },
  });
}

export function fault(status: number, code: string, message: string): AwsAnswer {
  return xml(status, {
    ErrorResponse: { Error: { Type: 'Sender', Code: code, Message: message }, RequestId: randomUUID() },
  });
}

function xml(status: number, content: Elements): AwsAnswer {
  return { status, body: undefined, text: written(content), headers: { 'Content-Type': 'text/xml' } };
}

/** An element for each value of a list. */
function written(content: Elements): string {
  return Object.entries(content)
    .flatMap(([name, value]) => [value].flat().map((item: ElementValue) => [name, item] as const))
    .filter(([, value]) => value !== undefined)
    .map(([name, value]) => `<${name}>${typeof value === 'object' ? written(value) : escape(String(value))}</${name}>`)
    .join('');
}

function escape(text: string): string {
  return text.replaceAll('&', '&amp;').replaceAll('<', '&lt;').replaceAll('>', '&gt;');
}
