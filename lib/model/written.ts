/** What a template has in place of a text. */
export function written(value: unknown): string {
  if (typeof value !== 'object' || value === null) {
    return String(value);
  }
  const { 'Ref': ref, 'Fn::GetAtt': attribute, 'Fn::Join': join, 'Fn::ImportValue': imported } = value as Intrinsic;
  if (ref !== undefined) {
    return `\${${ref}}`;
  }
  if (Array.isArray(attribute)) {
    return `\${${attribute.map(written).join('.')}}`;
  }
  if (join !== undefined && Array.isArray(join[1])) {
    return join[1].map(written).join(join[0]);
  }
  return imported === undefined ? `\${${JSON.stringify(value)}}` : `\${${written(imported)}}`;
}

interface Intrinsic {
  readonly 'Ref'?: string;
  readonly 'Fn::GetAtt'?: unknown;
  readonly 'Fn::Join'?: readonly [string, unknown];
  readonly 'Fn::ImportValue'?: unknown;
}
