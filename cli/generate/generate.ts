import { visible } from '../../lib/report/plain-text';
import { InputError } from '../../rehearsal/rehearse/input-error';
import { environmentOf } from '../doctor/options';
import { EXIT_CODES } from '../exit-codes';
import { jsonText } from '../json-text';
import { Catalog, readCatalog } from './catalog';
import { connections } from './connection';
import { findingLine } from './findings';
import { Model, modelOf } from './model/model';
import { SubjectOptions } from './model/subjects';
import { generateOptionsOf, USAGE } from './options';
import { typescriptOf } from './text/typescript';

/** `generate > lib/database-access.ts` */
export async function main(args: string[]): Promise<number> {
  const options = generateOptionsOf(args);
  if (!options) {
    console.log(USAGE);
    return EXIT_CODES.ok;
  }
  const environment = environmentOf(process.env);
  const databases = [...new Set(options.databases)];
  const first = process.env.PGDATABASE || databases[0] || 'postgres';
  const visit = await connections({ ...environment, database: first });
  const catalog = await readCatalog(visit, first, databases.length > 0 ? databases : undefined);
  const unknown = databases.find(name => !catalog.owners.has(name));
  if (unknown !== undefined) {
    throw new InputError(
      `--database ${unknown}: there is no such database; there are ${[...catalog.owners.keys()].join(', ')}`,
    );
  }
  const { file, model } = generated(catalog, { ...options, preferred: first });
  if (options.json) {
    const roles = model.roles.flatMap(({ kind, names }) => names.map(name => ({ kind, name })));
    console.log(jsonText({ file, roles, notDeclared: model.findings }));
    return EXIT_CODES.ok;
  }
  process.stdout.write(file);
  console.error(summary(model).map(visible).join('\n'));
  return EXIT_CODES.ok;
}

/** The file, and what it is made of. */
export function generated(catalog: Catalog, options: SubjectOptions): { readonly file: string; readonly model: Model } {
  const model = modelOf(catalog, options);
  const names = catalog.databases.map(({ database }) => JSON.stringify(database)).join(', ');
  const server = `PostgreSQL ${Math.floor(catalog.version / 10_000)}, databases ${visible(names)}`;
  const about = [
    `Made by cdk-aurora-iam-auth-cli generate, of ${server}.`,
    'A first deployment takes these roles over, and changes none of them. "All" objects are those that exist by then.',
    ...(options.includePasswordLogins
      ? ['Users that sign in with passwords are among them: their passwords stop working then.']
      : []),
    ...(options.includePublicConnect
      ? ['Users without CONNECT of their own are among them: it is granted to them then.']
      : []),
  ];
  return { file: typescriptOf(model, about), model };
}

function summary({ roles, findings }: Model): string[] {
  const counted = (kind: string, word: string) => {
    const count = roles.filter(role => role.kind === kind).reduce((sum, { names }) => sum + names.length, 0);
    return `${count} ${word}${count === 1 ? '' : 's'}`;
  };
  return [
    `Declared: ${counted('role', 'group role')}, ${counted('user', 'user')}.`,
    ...findings.length === 0 ? [] : ['Not declared, and left as it is in the database:'],
    ...findings.map(finding => `- ${findingLine(finding)}`),
  ];
}
