import type { CloudAssembly } from '../../rehearsal/cloudformation/cloud-assembly';

/**
 * What is deployed for the same sample, apart from hashes of assets and metadata. @returns where the two differ, in
 * words
 */
export function differences(expected: CloudAssembly, actual: CloudAssembly): string[] {
  const [names, others] = [expected, actual].map(assembly => assembly.stacks.map(({ name }) => name).join(', '));
  if (names !== others) {
    return [`stacks: ${others} in place of ${names}`];
  }
  return expected.stacks.flatMap(({ template }, index) =>
    compare('', deployed(template), deployed(actual.stacks[index].template)),
  );
}

/** Without what belongs to this run and to the machine. */
function deployed(value: unknown): unknown {
  if (Array.isArray(value)) {
    return value.map(deployed);
  }
  if (typeof value === 'object' && value !== null) {
    return Object.fromEntries(
      Object.entries(value)
        .filter(([key]) => key !== 'Metadata')
        .map(([key, item]) => [key, deployed(item)]),
    );
  }
  return typeof value === 'string' ? value.replace(/^[0-9a-f]{64}(?=\.(?:zip|json)$)/, '<asset>') : value;
}

function compare(path: string, expected: unknown, actual: unknown): string[] {
  if (typeof expected !== 'object' || typeof actual !== 'object' || expected === null || actual === null) {
    return expected === actual ? [] : [`${path}: ${JSON.stringify(actual)} in place of ${JSON.stringify(expected)}`];
  }
  const keys = new Set([...Object.keys(expected), ...Object.keys(actual)]);
  return [...keys].flatMap(key =>
    compare(`${path}/${key}`, (expected as Record<string, unknown>)[key], (actual as Record<string, unknown>)[key]),
  );
}
