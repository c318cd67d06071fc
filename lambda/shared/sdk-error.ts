/**
 * What an exception of the AWS SDK says. Of an answer that is not JSON, Node.js quotes the beginning: it may be a
 * secret, or anything else.
 */
export function saidBy({ name, message }: Error): string {
  return name === 'SyntaxError' ? 'the answer is not JSON' : `${name}: ${message}`;
}
