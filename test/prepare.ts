import { RunFolder } from '../rehearsal/run-folder';
import { SHARED_FOLDER } from '../rehearsal/shared-folder';

/**
 * Before all tests: a folder for what their files share, and one for what they leave in the temp folder. Both go with
 * jest.
 */
export default function prepare(): void {
  const folder = RunFolder.open();
  process.env[SHARED_FOLDER] = folder.newFolder('shared');
  process.env.TMPDIR = folder.newFolder('tmp');
}
