import { findingLine } from '../findings';
import { Factory, PrivilegesCall } from '../model/factories';
import { GeneratedRoles, referencesOf } from '../model/groups';
import { Model } from '../model/model';
import { GeneratedSettings } from '../model/settings';
import { Expression, List, Struct, written } from './layout';
import { literal, Names, objectKey } from './literals';

/** Enumeration of the privileges of a factory, and the option that takes names. */
const FACTORIES: { readonly [name in Factory]?: { readonly words: string; readonly names?: string } } = {
  onDatabase: { words: 'DatabasePrivilege' },
  onSchema: { words: 'SchemaPrivilege' },
  onTables: { words: 'TablePrivilege', names: 'tables' },
  onColumns: { words: 'ColumnPrivilege', names: 'columns' },
  onSequences: { words: 'SequencePrivilege', names: 'sequences' },
  onFunctions: { words: 'FunctionPrivilege', names: 'functions' },
  onTypes: { words: 'TypePrivilege', names: 'types' },
};

const INDENT = '    ';

/**
 * The file that declares the roles of a model.
 *
 * @param about lines of a comment at its top
 */
export function typescriptOf(model: Model, about: string[]): string {
  const body = new Body(model);
  const statements = body.statements();
  const isEmpty = statements.length === 0;
  const props = isEmpty ? '_props' : 'props'; // compilers may refuse what is not used
  const fields = body.fields.map(({ name, type }) => `  public readonly ${name}: ${type};\n`);
  return `${[...about, ...unsaid(model)].flatMap(commentLines).join('\n')}
${body.used.delete('Duration') ? "import { Duration } from 'aws-cdk-lib';\n" : ''}${importOf([...body.used].sort(), 'cdk-aurora-iam-auth')}
import { Construct } from 'constructs';

export interface DatabaseAccessProps {
  /** The AuroraIamAuth or InstanceIamAuth of the database. */
  readonly iamAuth: IamAuthBase;
}

/** The group roles and users of a database. */
export class DatabaseAccess extends Construct {
${fields.join('')}${fields.length > 0 ? '\n' : ''}  constructor(scope: Construct, id: string, ${props}: DatabaseAccessProps) {
    super(scope, id);
${isEmpty ? '' : '    const iamAuth = props.iamAuth;\n'}${statements.map(statement => `\n${statement}\n`).join('')}  }
}
`;
}

function importOf(names: string[], from: string): string {
  const line = `import { ${names.join(', ')} } from ${literal(from)};`;
  return line.length <= 120 ? line : `import {\n${(written({ items: names }, '', 1000).slice(2, -1))}} from ${literal(from)};`;
}

function unsaid({ findings }: Model): string[] {
  const lines = findings.map(finding => `- ${findingLine(finding)}`);
  return lines.length === 0 ? [] : ['', 'Not declared here, and left as it is in the database:', ...lines];
}

const COMMENT_WIDTH = 117;

/** A line of a comment, and what of it needs further ones. */
function commentLines(text: string): string[] {
  const lines: string[] = [''];
  for (const word of text.split(' ')) {
    const last = lines[lines.length - 1];
    if (last !== '' && last.length + word.length + 1 > COMMENT_WIDTH) {
      lines.push(`  ${word}`);
    } else {
      lines[lines.length - 1] = last === '' ? word : `${last} ${word}`;
    }
  }
  return lines.map(line => `// ${line}`.trimEnd());
}

interface Field {
  readonly name: string;
  readonly type: 'DatabaseUser' | 'DatabaseUsers';
}

type Fields = Struct['fields'];

/** What the constructor does. */
class Body {
  readonly fields: Field[] = [];
  /** What is imported from the library and the CDK. */
  readonly used = new Set(['IamAuthBase']);
  private readonly names = new Names();
  /** How the code refers to a role. */
  private readonly references = new Map<string, string>();
  private readonly referred: ReadonlySet<string>;

  constructor(private readonly model: Model) {
    this.referred = new Set(model.roles.flatMap(referencesOf));
  }

  statements(): string[] {
    const { external, roles } = this.model;
    const references = external.map(name => this.externalRole(name)).join('\n');
    return [...references === '' ? [] : [references], ...roles.map(role => this.statement(role))];
  }

  private externalRole(name: string): string {
    this.used.add('DatabaseRole');
    const variable = this.names.variable(name, 'role');
    this.references.set(name, variable);
    const id = literal(this.names.id(name, 'role'));
    return `${INDENT}const ${variable} = DatabaseRole.fromRoleName(this, ${id}, ${literal(name)});`;
  }

  private statement(role: GeneratedRoles): string {
    const options = this.options(role);
    if (role.kind === 'user') {
      return role.names.length === 1 ? this.user(role, options) : this.users(role, options);
    }
    return role.names.length === 1 ? this.group(role.names[0], options) : this.loop(role.names, options);
  }

  private group(name: string, options: Fields): string {
    const variable = this.referred.has(name) ? this.names.variable(name, 'role') : undefined;
    const id = this.names.id(name, 'role');
    if (variable !== undefined) {
      this.references.set(name, variable);
    }
    const call = added('addRole', literal(id), [['roleName', id === name ? undefined : literal(name)], ...options]);
    return assigned(variable === undefined ? '' : `const ${variable} = `, call);
  }

  private loop(names: string[], options: Fields): string {
    const pairs = names.map(name => ({ name, id: this.names.id(name, 'role') }));
    const isSame = pairs.every(({ name, id }) => name === id);
    const items: List = { items: isSame ? names.map(literal) : pairs.map(({ name, id }) => inList(id, name)) };
    const call = added('addRole', isSame ? 'roleName' : 'roleId', [['roleName', isSame ? undefined : 'roleName'], ...options]);
    const loop = `${INDENT}for (const ${isSame ? 'roleName' : '[roleId, roleName]'} of `;
    return `${loop}${written(items, INDENT, loop.length + 3)}) {\n${assigned('', call, `${INDENT}  `)}\n${INDENT}}`;
  }

  private user(role: GeneratedRoles, options: Fields): string {
    const [name] = role.names;
    const variable = this.names.variable(name, 'user');
    this.addField(variable, 'DatabaseUser');
    this.references.set(name, `this.${variable}`);
    const id = this.names.id(name, 'user');
    const call = added('addUser', literal(id), [['username', id === name ? undefined : literal(name)], ...options]);
    return assigned(`this.${variable} = `, call);
  }

  private users(role: GeneratedRoles, options: Fields): string {
    const what = role.memberOf.length > 0 ? `${role.memberOf.join(' ')} users` : 'users';
    const variable = this.names.variable(what, 'users');
    const id = this.names.id(`${variable[0].toUpperCase()}${variable.slice(1)}`, 'Users');
    this.addField(variable, 'DatabaseUsers');
    role.names.forEach(name => this.references.set(name, `this.${variable}.user(${literal(name)})`));
    const call = added('addUsers', literal(id), [['usernames', { items: role.names.map(literal) }], ...options]);
    return assigned(`this.${variable} = `, call);
  }

  private addField(name: string, type: Field['type']): void {
    this.fields.push({ name, type });
    this.used.add(type);
  }

  private options({ database, memberOf, privileges, settings }: GeneratedRoles): Fields {
    const items = [
      ...memberOf.map((group): Expression => ({ call: 'Privileges.memberOf', parameters: [this.reference(group)] })),
      ...privileges.map(call => this.privileges(call)),
    ];
    if (items.length > 0) {
      this.used.add('Privileges');
    }
    return [
      ['database', database === undefined ? undefined : literal(database)],
      ['privileges', items.length === 0 ? undefined : { items }],
      ...this.settings(settings),
      ['adoptExisting', 'true'],
    ];
  }

  private privileges({ factory, database, schemas, schema, table, names, privileges, objectsCreatedBy }: PrivilegesCall): Expression {
    const { words = '', names: option = '' } = FACTORIES[factory] ?? {};
    if (privileges) {
      this.used.add(words);
    }
    return {
      call: `Privileges.${factory}`,
      parameters: [{
        fields: [
          ['database', literal(database)],
          ['schemas', schemas && { items: schemas.map(literal) }],
          ['schema', schema === undefined ? undefined : literal(schema)],
          ['table', table === undefined ? undefined : literal(table)],
          [option, names && { items: names.map(literal) }],
          ['privileges', privileges && { items: privileges.map(word => `${words}.${word}`) }],
          ['objectsCreatedBy', objectsCreatedBy && { items: objectsCreatedBy.map(name => this.reference(name)) }],
        ],
      }],
    };
  }

  private settings(declared: GeneratedSettings): Fields {
    const { connectionLimit, searchPath, statementTimeout, idleInTransactionTimeout, settings = {}, setRoleAtLogin } = declared;
    const others = Object.entries(settings).sort(([a], [b]) => a < b ? -1 : 1);
    return [
      ['connectionLimit', connectionLimit === undefined ? undefined : `${connectionLimit}`],
      ['searchPath', searchPath && { items: searchPath.map(literal) }],
      ['statementTimeout', this.duration(statementTimeout)],
      ['idleInTransactionTimeout', this.duration(idleInTransactionTimeout)],
      ['settings', others.length === 0 ? undefined : { fields: others.map(([name, value]) => [objectKey(name), literal(value)]) }],
      ['setRoleAtLogin', setRoleAtLogin === undefined ? undefined : this.reference(setRoleAtLogin)],
    ];
  }

  private duration(milliseconds?: number): string | undefined {
    if (milliseconds === undefined) {
      return undefined;
    }
    this.used.add('Duration');
    const [unit, length] = UNITS.find(([, size]) => milliseconds > 0 && milliseconds % size === 0) ?? ['millis', 1];
    return `Duration.${unit}(${milliseconds / length})`;
  }

  private reference(name: string): string {
    const reference = this.references.get(name);
    if (reference === undefined) {
      throw new Error(`role ${JSON.stringify(name)} is named before it is declared`);
    }
    return reference;
  }
}

function added(method: 'addRole' | 'addUser' | 'addUsers', id: string, options: Fields): Expression {
  return { call: `iamAuth.${method}`, parameters: [id, { fields: options }] };
}

function assigned(start: string, call: Expression, indent = INDENT): string {
  return `${indent}${start}${written(call, indent, indent.length + start.length + 1)};`;
}

function inList(...texts: string[]): string {
  return `[${texts.map(literal).join(', ')}]`;
}

const UNITS: [string, number][] = [['hours', 3_600_000], ['minutes', 60_000], ['seconds', 1_000]];
