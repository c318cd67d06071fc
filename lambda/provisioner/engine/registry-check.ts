import { ProvisionError } from '../errors';
import { identifier } from '../sql/quote';
import { REGISTRY_SCHEMA, REGISTRY_TABLE, type RegistryFacts, type RegistryFault } from '../sql/registry';

/**
 * Refuses a registry that is not as this library makes it. What others have added to it would run with the
 * rights of the admin, and what others can write is not believed.
 *
 * @param admin name of the admin
 */
export function checkRegistry({ faults, owner }: RegistryFacts, admin: string): void {
  const [first] = faults;
  if (first) {
    const { found, remedy } = EXPLANATIONS[first.fault](first.name, owner, admin);
    throw new ProvisionError(`the registry in database postgres is not used: ${found}; ${remedy}`);
  }
}

interface Explanation {
  readonly found: string;
  readonly remedy: string;
}

const IS_ANOTHER = 'it is not the registry of this library: rename or drop it';

const EXPLANATIONS: Record<RegistryFault, (name: string | null, owner: string, admin: string) => Explanation> = {
  'owner missing': (_, owner) => ({
    found: `there is no role ${quoted(owner)}, which registryOwner names`,
    remedy: 'create that group role and make the admin a member of it, or correct the name',
  }),
  'owner not held': (_, owner, admin) => ({
    found: `the admin ${quoted(admin)} is no member of ${quoted(owner)}, which registryOwner names, `
      + 'or does not inherit its rights',
    remedy: `GRANT ${identifier(owner)} TO ${identifier(admin)}`,
  }),
  'schema owner': (name, owner) => belongsToAnother(`schema ${REGISTRY_SCHEMA}`, name, owner),
  'table owner': (name, owner) => belongsToAnother(`table ${REGISTRY_TABLE}`, name, owner),
  'schema grantee': name => granted('SCHEMA', REGISTRY_SCHEMA, name),
  'table grantee': name => granted('TABLE', REGISTRY_TABLE, name),
  'column grantee': name => granted('TABLE', REGISTRY_TABLE, name),
  'object': name => ({
    found: `${name} is in schema ${REGISTRY_SCHEMA}`,
    remedy: 'drop it, or move it to another schema',
  }),
  'kind': () => ({ found: `${REGISTRY_TABLE} is no ordinary table that is logged`, remedy: IS_ANOTHER }),
  'column': name => ({
    found: `column ${quoted(name)} of ${REGISTRY_TABLE} is not as this library makes it`,
    remedy: IS_ANOTHER,
  }),
  'constraint': name => has('constraint', name, `ALTER TABLE ${REGISTRY_TABLE} DROP CONSTRAINT ${sqlName(name)}`),
  'index': name => ({
    found: `index ${quoted(name)} of ${REGISTRY_TABLE} is missing or is not its primary key`,
    remedy: 'drop that index, or add the primary key (role_oid, stack, logical_id)',
  }),
  'trigger': name => has('trigger', name, `DROP TRIGGER ${sqlName(name)} ON ${REGISTRY_TABLE}`),
  'rule': name => has('rule', name, `DROP RULE ${sqlName(name)} ON ${REGISTRY_TABLE}`),
  'policy': name => has('policy', name, `DROP POLICY ${sqlName(name)} ON ${REGISTRY_TABLE}`),
  'forced': () => ({
    found: `row-level security of ${REGISTRY_TABLE} is forced, so that its owner sees nothing`,
    remedy: `ALTER TABLE ${REGISTRY_TABLE} NO FORCE ROW LEVEL SECURITY`,
  }),
  'parent': name => ({
    found: `${REGISTRY_TABLE} inherits from ${name}`,
    remedy: `ALTER TABLE ${REGISTRY_TABLE} NO INHERIT ${name}`,
  }),
  'child': name => ({
    found: `${name} inherits from ${REGISTRY_TABLE}`,
    remedy: `ALTER TABLE ${name} NO INHERIT ${REGISTRY_TABLE}`,
  }),
  'statistics': name => has('statistics', name, 'drop them (DROP STATISTICS)'),
};

function has(what: string, name: string | null, remedy: string): Explanation {
  return { found: `${REGISTRY_TABLE} has ${what} ${quoted(name)}`, remedy };
}

function belongsToAnother(what: string, name: string | null, owner: string): Explanation {
  return {
    found: `${what} belongs to ${quoted(name)} and not to ${quoted(owner)}`,
    remedy: 'rename or drop it if it is not the registry; '
      + `if ${quoted(name)} is a group role that the admin is a member of, name it as registryOwner; `
      + `if it was the admin before, ALTER SCHEMA ${REGISTRY_SCHEMA} OWNER TO ${identifier(owner)}, `
      + `and the same for TABLE ${REGISTRY_TABLE}`,
  };
}

function granted(kind: 'SCHEMA' | 'TABLE', what: string, name: string | null): Explanation {
  const grantee = name === null ? 'PUBLIC' : identifier(name);
  return {
    found: `${grantee} has privileges on ${kind.toLowerCase()} ${what}`,
    remedy: `REVOKE ALL ON ${kind} ${what} FROM ${grantee}`,
  };
}

function quoted(name: string | null): string {
  return JSON.stringify(name);
}

function sqlName(name: string | null): string {
  return identifier(name ?? '');
}
