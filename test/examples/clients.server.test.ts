import { LocalDatabase } from '../../rehearsal/local/local-database';
import {
  checkRefusals,
  checkRenewal,
  copyForNode,
  Finding,
  OF_RENEWAL,
  OWN_MODULES,
  startDatabase,
} from '../clients/recipe';
import { firstOf, full } from '../full';
import { synthesized } from '../rehearsal/synthesized';

const failed = (findings: Finding[]) => findings.filter(({ expected, measured }) => !expected.test(measured));

// The others need packages from a registry: npm run test:clients.
describe.each(firstOf(1, ['pg', 'postgres-js']))('examples/clients/%s', (name) => {
  let database: LocalDatabase;

  beforeAll(async () => {
    database = await startDatabase((await synthesized('examples/shop/app.ts')).folder);
  });

  afterAll(() => database.close());

  full.test('reuses and renews its token in a pool that lives for three of them, and after a restart', async () => {
    expect(failed(await checkRenewal(copyForNode(name, OWN_MODULES), database))).toEqual([]);
  });

  full.test('is refused where TLS, user or credentials are wrong', async () => {
    expect(failed(await checkRefusals(copyForNode(name, OWN_MODULES), database))).toEqual([]);
  });

  full.test('fails with a constant token in place of its token function', async () => {
    const findings = failed(await checkRenewal(copyForNode(name, OWN_MODULES, true), database));
    expect(findings.map(({ check }) => check)).toEqual(OF_RENEWAL);
    expect(findings[0].measured).toBe('error: PAM authentication failed for user "orders"');
  });
});
