import { findingLine } from '../findings';
import { Factory, PrivilegesCall } from '../model/factories';
import { GeneratedRoles, referencesOf } from '../model/groups';
import { Model } from '../model/model';
import { inParts, Limits } from '../model/parts';
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
 * The file that declares the roles of a model: a class, or several where one stack does not take them all.
 *
 * @param about lines of a comment at its top
 */
export function typescriptOf(model: Model, about: string[], limits?: Limits): string {
  const bodies = inParts(model.roles, limits).reduce<Body[]>(
    (parts, roles) => [...parts, new Body(model, roles, parts)],
    [],
  );
  const classes = bodies.map(body => body.text());
  const used = new Set(bodies.flatMap(body => [...body.used]));
  const several = bodies.length === 1
    ? []
    : [
        `One stack does not take them all: the ${bodies.length} classes are for a stack each, with an AuroraIamAuth or InstanceIamAuth of its own.`,
      ];
  return `${[...about, ...several, ...unsaid(model)].flatMap(commentLines).join('\n')}
${used.delete('Duration') ? "import { Duration } from 'aws-cdk-lib';\n" : ''}${importOf([...used].sort(), 'cdk-aurora-iam-auth')}
import { Construct } from 'constructs';
${classes.join('')}`;
}

function importOf(names: string[], from: string): string {
  const line = `import { ${names.join(', ')} } from ${literal(from)};`;
  return line.length <= 120
    ? line
    : `import {\n${written({ items: names }, '', 1000).slice(2, -1)}} from ${literal(from)};`;
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
  readonly type: 'DatabaseRole' | 'DatabaseUser' | 'DatabaseUsers';
}

type Fields = Struct['fields'];

const CLASS = 'DatabaseAccess';

/** A class, and what its constructor does. */
class Body {
  readonly fields: Field[] = [];
  /** What is imported from the library and the CDK. */
  readonly used = new Set(['IamAuthBase']);
  private readonly names = new Names();
  /** How the code refers to a role. */
  private readonly references = new Map<string, string>();
  private readonly referred: ReadonlySet<string>;
  /** Names of roles that other classes refer to. */
  private readonly shared: ReadonlySet<string>;
  private readonly name: string;
  /** Classes that this one refers to, by the name of the property that has it. */
  private readonly others = new Map<string, string>();

  /** @param earlier classes with roles that this one may refer to */
  constructor(
    private readonly model: Model,
    private readonly roles: GeneratedRoles[],
    private readonly earlier: readonly Body[],
  ) {
    this.name = `${CLASS}${earlier.length === 0 ? '' : earlier.length + 1}`;
    this.referred = new Set(roles.flatMap(referencesOf));
    const here = new Set(roles);
    this.shared = new Set(model.roles.filter(role => !here.has(role)).flatMap(referencesOf));
  }

  text(): string {
    const statements = this.statements();
    const isEmpty = statements.length === 0;
    const props = isEmpty ? '_props' : 'props'; // compilers may refuse what is not used
    const fields = this.fields.map(({ name, type }) => `  public readonly ${name}: ${type};\n`);
    const others = [...this.others].map(
      ([property, type]) => `  /** Of another stack. */\n  readonly ${property}: ${type};\n`,
    );
    return `
export interface ${this.name}Props {
  /** The AuroraIamAuth or InstanceIamAuth of the database${this.earlier.length === 0 ? '' : ', in a stack of its own'}. */
  readonly iamAuth: IamAuthBase;
${others.join('')}}

/** ${this.earlier.length === 0 ? 'The group roles and users' : 'Further group roles and users'} of a database. */
export class ${this.name} extends Construct {
${fields.join('')}${fields.length > 0 ? '\n' : ''}  constructor(scope: Construct, id: string, ${props}: ${this.name}Props) {
    super(scope, id);
${isEmpty ? '' : '    const iamAuth = props.iamAuth;\n'}${statements.map(statement => `\n${statement}\n`).join('')}  }
}
`;
  }

  private statements(): string[] {
    const external = this.model.external.filter(name => this.referred.has(name));
    const references = external.map(name => this.externalRole(name)).join('\n');
    return [...references === '' ? [] : [references], ...this.roles.map(role => this.statement(role))];
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
    const isShared = this.shared.has(name);
    const variable = isShared || this.referred.has(name) ? this.names.variable(name, 'role') : undefined;
    const id = this.names.id(name, 'role');
    if (variable !== undefined) {
      this.references.set(name, isShared ? `this.${variable}` : variable);
    }
    if (variable !== undefined && isShared) {
      this.addField(variable, 'DatabaseRole');
    }
    const call = added('addRole', literal(id), [['roleName', id === name ? undefined : literal(name)], ...options]);
    const start = isShared ? `this.${variable} = ` : `const ${variable} = `;
    return assigned(variable === undefined ? '' : start, call);
  }

  private loop(names: string[], options: Fields): string {
    const pairs = names.map(name => ({ name, id: this.names.id(name, 'role') }));
    const isSame = pairs.every(({ name, id }) => name === id);
    const items: List = { items: isSame ? names.map(literal) : pairs.map(({ name, id }) => inList(id, name)) };
    const call = added('addRole', isSame ? 'roleName' : 'roleId', [
      ['roleName', isSame ? undefined : 'roleName'],
      ...options,
    ]);
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

  private privileges({
    factory,
    database,
    schemas,
    schema,
    table,
    names,
    privileges,
    objectsCreatedBy,
  }: PrivilegesCall): Expression {
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
    const {
      connectionLimit,
      searchPath,
      statementTimeout,
      idleInTransactionTimeout,
      settings = {},
      setRoleAtLogin,
    } = declared;
    const others = Object.entries(settings).sort(([a], [b]) => a < b ? -1 : 1);
    return [
      ['connectionLimit', connectionLimit === undefined ? undefined : `${connectionLimit}`],
      ['searchPath', searchPath && { items: searchPath.map(literal) }],
      ['statementTimeout', this.duration(statementTimeout)],
      ['idleInTransactionTimeout', this.duration(idleInTransactionTimeout)],
      [
        'settings',
        others.length === 0 ? undefined : { fields: others.map(([name, value]) => [objectKey(name), literal(value)]) },
      ],
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
    const reference
      = this.references.get(name)
        ?? this.earlier.map(body => this.referenceTo(body, name)).find(found => found !== undefined);
    if (reference === undefined) {
      throw new Error(`role ${JSON.stringify(name)} is named before it is declared`);
    }
    return reference;
  }

  /** To a role of another class, which is a field of it. */
  private referenceTo({ name: type, references }: Body, role: string): string | undefined {
    const field = /^this\.(.*)$/s.exec(references.get(role) ?? '')?.[1];
    const property = `${type[0].toLowerCase()}${type.slice(1)}`;
    if (field !== undefined) {
      this.others.set(property, type);
    }
    return field && `props.${property}.${field}`;
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
