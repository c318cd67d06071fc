import { Token } from 'aws-cdk-lib';
import type { IConstruct } from 'constructs';
import { errorAt } from '../model/errors';
import { requireOptions, requireText } from '../model/types';

/** Where a statement or a policy goes, for the access report; refuses what the report could not show. */
export function labelIn(construct: IConstruct, options: { readonly label?: string }): string | undefined {
  requireOptions(construct, 'options', options);
  const { label } = options;
  if (label !== undefined) {
    requireText(construct, 'label', label);
  }
  if (Token.isUnresolved(label)) {
    throw errorAt(construct, 'label is a token, and the access report is written at synthesis; give the text itself');
  }
  return label;
}
