import { mkdirSync } from 'node:fs';
import { join } from 'node:path';
import { POSTGRESQL_MAJORS } from '../rehearsal/postgresql/binaries';
import { initialize, TEMPLATES } from '../rehearsal/postgresql/data-folder-templates';
import { RunFolder } from '../rehearsal/run-folder';

/** Before all tests: what every file would do again, and one folder for what they leave in the temp folder. All of it goes with jest. */
export default async function prepare(): Promise<void> {
  const { path } = RunFolder.open();
  const [templates, temp] = ['templates', 'tmp'].map(name => join(path, name));
  [templates, temp].forEach(folder => mkdirSync(folder, { mode: 0o755 }));
  await Promise.all(POSTGRESQL_MAJORS.map(major => initialize(major, join(templates, String(major)))));
  process.env[TEMPLATES] = templates;
  process.env.TMPDIR = temp;
}
