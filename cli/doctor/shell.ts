/** For sh: as it is where that is safe, and between single quotes otherwise. */
export function quote(text: string): string {
  return /^[\w.:/@%+-]+$/.test(text) ? text : `'${text.replaceAll("'", "'\\''")}'`;
}
