/** https://www.w3.org/TR/WCAG22/#dfn-relative-luminance */
export function luminanceOf(color: string): number {
  const [red, green, blue] = (color.match(/\d+/g) ?? [])
    .map(Number)
    .map(value => value / 255)
    .map(value => (value <= 0.04045 ? value / 12.92 : ((value + 0.055) / 1.055) ** 2.4));
  return 0.2126 * red + 0.7152 * green + 0.0722 * blue;
}

/** Between 1 and 21. */
export function contrastOf(one: string, other: string): number {
  const [dark, light] = [luminanceOf(one), luminanceOf(other)].sort((a, b) => a - b);
  return (light + 0.05) / (dark + 0.05);
}
