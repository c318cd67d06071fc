/** Fields that have the name of a role. */
const ROLE_FIELDS = new Set(['role', 'member', 'group', 'owner', 'creator', 'as', 'grantor', 'through']);

/** The same after a role has got another name, wherever it is named. */
export function withNewName<Value>(value: Value, from: string, to: string): Value {
  const renamed = (one: unknown, field?: string): unknown => {
    if (one instanceof Map) {
      return new Map([...one].map(([name, held]) => [name === from ? to : name, renamed(held)]));
    }
    if (Array.isArray(one)) {
      return one.map(item => renamed(item));
    }
    if (typeof one === 'object' && one !== null) {
      return Object.fromEntries(Object.entries(one).map(([name, held]) => [name, renamed(held, name)]));
    }
    return field !== undefined && ROLE_FIELDS.has(field) && one === from ? to : one;
  };
  return renamed(value) as Value;
}
