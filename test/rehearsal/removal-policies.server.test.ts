import { synthesize } from '../../rehearsal/cloudformation/synthesize';
import { ResourceState } from '../../rehearsal/cloudformation/template';
import { Rehearsal } from '../../rehearsal/rehearsal';
import { signIn } from '../../rehearsal/sign-in';
import { full } from '../full';
import { synthesized } from './synthesized';

const APP = 'test/rehearsal/fixtures/retained-app.ts';

/** The rehearsed account, and what is asked of it. */
class Shop {
  static async of(context: Record<string, string> = {}): Promise<Shop> {
    const shop = new Shop(await Rehearsal.start(), context);
    await shop.deploy('orders,invoices');
    return shop;
  }

  private constructor(readonly rehearsal: Rehearsal, private readonly context: Record<string, string>) {}

  async deploy(users: string, context: Record<string, string> = {}): Promise<void> {
    const assembly = await synthesized(APP, { ...this.context, ...context, users });
    const { reason } = await this.rehearsal.deploy(assembly, 'Shop');
    expect(reason).toBeUndefined();
  }

  /** Whether the role of a user may sign in as that user, by the policies that exist, and what the database answers. */
  async access(username: string): Promise<{ permission: boolean; answer: string }> {
    const role = this.resource('AWS::IAM::Role', `${username}Role`);
    const arn = `arn:aws:rds-db:eu-central-1:111122223333:dbuser:${this.server.resourceId}/${username}`;
    const password = this.server.token('', username, { credentials: this.rehearsal.credentialsOf(role) });
    return {
      permission: this.rehearsal.allows(role.attributes.Arn as string, 'rds-db:connect', arn),
      answer: await signIn(this.server, { username, password, database: 'shop' }),
    };
  }

  get server() {
    return this.rehearsal.database(this.resource('AWS::RDS::DBCluster'));
  }

  private resource(type: string, id = ''): ResourceState {
    return this.rehearsal.resources('Shop').find(each => each.type === type && each.logicalId.startsWith(id))!;
  }
}

const ALLOWED = (username: string) => ({ permission: true, answer: `signed in as ${username}` });
const REFUSED = (username: string) => expect.stringMatching(`^refused: 28\\w{3} .*"${username}"`) as string;

describe('an app that retains everything', () => {
  test('takes login and permission from a user that leaves it', async () => {
    const shop = await Shop.of();
    try {
      expect(await shop.access('orders')).toEqual(ALLOWED('orders'));
      await shop.deploy('invoices');
      expect(await shop.access('orders')).toEqual({ permission: false, answer: REFUSED('orders') });
      expect(await shop.access('invoices')).toEqual(ALLOWED('invoices'));
      const names = await shop.server.sql("SELECT rolname FROM pg_roles WHERE rolname IN ('orders', 'invoices')");
      expect(names).toEqual([{ rolname: 'invoices' }]);
    } finally {
      await shop.rehearsal.close();
    }
  });

  full.test(
    'takes the login and leaves an acknowledged permission, which a new user of that name has again',
    async () => {
      const shop = await Shop.of({ policies: 'acknowledged' });
      try {
        await shop.deploy('invoices');
        expect(await shop.access('orders')).toEqual({ permission: true, answer: REFUSED('orders') });
        await shop.deploy('orders,invoices', { grants: 'invoices' });
        expect(await shop.access('orders')).toEqual(ALLOWED('orders'));
      } finally {
        await shop.rehearsal.close();
      }
    },
  );

  full.test('is not synthesized with retained policies unless that is acknowledged', async () => {
    await expect(synthesize(APP, { users: 'orders', policies: 'retained' })).rejects.toThrow(
      `${APP} does not synthesize: Error: Validation failed with the following errors: [Shop/Cluster/Resource] `
      + 'Shop/ordersRole/DefaultPolicy/Resource (AWS::IAM::Policy) has DeletionPolicy Retain and UpdateReplacePolicy Retain, and allows rds-db:connect on this database: ',
    );
  });
});
