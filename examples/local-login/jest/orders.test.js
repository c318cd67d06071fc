// Signs in as the service does: with a token of the role in AWS_PROFILE, over verified TLS.
const { readFileSync } = require('node:fs');
const { fromNodeProviderChain } = require('@aws-sdk/credential-providers');
const { Signer } = require('@aws-sdk/rds-signer');
const { Pool } = require('pg');

const { PGHOST: hostname, PGPORT: port, PGUSER: username, PGSSLROOTCERT: caFile } = process.env;
const signer = new Signer({ hostname, port: Number(port), username, credentials: fromNodeProviderChain() });
const pool = new Pool({ password: () => signer.getAuthToken(), ssl: { ca: readFileSync(caFile, 'utf8') } });

afterAll(() => pool.end());

test('the service signs in as its user', async () => {
  expect((await pool.query('SELECT current_user')).rows).toEqual([{ current_user: 'orders' }]);
});

test('the service may not create tables', async () => {
  await expect(pool.query('CREATE TABLE customers (name text)')).rejects.toThrow('permission denied for schema public');
});
