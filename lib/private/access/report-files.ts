/** Name of a file of the access report, next to the template of the stack. */
export function accessFile(templateFile: string, extension: 'html' | 'json' | 'md'): string {
  return `${templateFile.replace(/\.template\.json$/, '')}.access.${extension}`;
}
