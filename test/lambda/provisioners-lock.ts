import { Client } from 'pg';
import { LOCK_SCHEMA, TAKE_LOCK } from '../../lambda/provisioner/sql/lock-schema';

/** Takes the provisioners' lock as another provisioner does: until the session, or its transaction, ends. */
export async function takeLock(admin: Client): Promise<void> {
  await admin.query(`CREATE SCHEMA ${LOCK_SCHEMA}`).catch((error: Error & { code?: string }) => {
    if (error.code !== '42P06' && error.code !== '23505') {
      throw error;
    }
  });
  await admin.query(`BEGIN; ${TAKE_LOCK}`);
}
