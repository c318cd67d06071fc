import { ComparableFact } from './access-diff';
import { TemplateResource, TemplateValues } from './template-values';

/** Of a template that is YAML, or not there: what it grants may be another thing as soon as it is another template. */
export function unreadFact(
  { stack, logicalId, definition: { Properties = {} } }: TemplateResource,
  values: TemplateValues,
): ComparableFact {
  const name = values.pathOf(stack.definition.id, logicalId);
  const source = values.text(stack, Properties.TemplateBody ?? Properties.TemplateURL);
  return {
    who: { kind: 'principal', name },
    access: { kind: 'unknown', text: 'whatever the template that it deploys allows' },
    key: JSON.stringify(['template', name, source]),
    undecided: 'it is no JSON in the folder',
  };
}
