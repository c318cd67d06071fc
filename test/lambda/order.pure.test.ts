import { Facts } from '../../lambda/provisioner/core/lifecycle';
import { whatOvertook } from '../../lambda/provisioner/core/order';
import { Cancellation, Claim, ManagingResource } from '../../lambda/provisioner/core/state';

const STACK = 'arn:aws:cloudformation:eu-west-1:123456789012:stack/shop';
const NOW = Date.parse('2026-01-31T12:00:00.000Z');
const SENT = NOW - 60_000;

const resource = (logicalId = 'Orders', unique = '1', stack = STACK): ManagingResource => ({
  stack,
  stackId: `${stack}/${unique}`,
  logicalId,
});

const cancelled = (sent: number, of = resource()): Cancellation => ({ ...of, sent });

const claim = (sent: number | undefined, more: Partial<Claim> = {}): Claim => ({
  ...resource(),
  roleOid: '1',
  roleName: 'orders',
  resourceId: 'cluster-1',
  physicalId: 'cluster-1/orders/Orders',
  username: 'orders',
  declarations: [],
  deployed: [],
  released: false,
  sent,
  ...more,
});

const facts = (claims: Claim[], cancellations: Cancellation[] = []): Facts => ({
  claims,
  cancelled: cancellations,
  unreadable: [],
  ofPublic: { records: [], unreadable: [] },
  withoutFormat: [],
  databaseOids: new Map(),
  roles: new Map(),
  databases: [],
  closed: [],
  now: NOW,
});

const CANCELLED
  = 'CloudFormation has cancelled the creation of Orders, and its Delete was carried out before this event came to its turn: nothing was done';
const OVERTAKEN
  = 'CloudFormation has sent another event for Orders since, which was carried out before this one came to its turn: nothing was done';

describe('an event is refused', () => {
  test.each<[string, number | undefined, Facts, string | undefined]>([
    ['that was sent before the Delete of a cancelled creation', SENT - 1_000, facts([], [cancelled(SENT)]), CANCELLED],
    ['that was sent in the same second', SENT, facts([], [cancelled(SENT)]), CANCELLED],
    ['but not one that was sent a second later', SENT + 1_000, facts([], [cancelled(SENT)]), undefined],
    ['but not one of another resource', SENT, facts([], [cancelled(SENT, resource('Sales'))]), undefined],
    ['but not one of another stack of that name', SENT, facts([], [cancelled(SENT, resource('Orders', '2'))]), undefined],
    ['but not one of another stack', SENT, facts([], [cancelled(SENT, resource('Orders', '1', `${STACK}-2`))]),
      undefined],
    ['that was sent before the one that was carried out last', SENT - 1_000, facts([claim(SENT)]), OVERTAKEN],
    ['but not one that was sent in the same second', SENT, facts([claim(SENT)]), undefined],
    ['but not one that was sent later', SENT + 1_000, facts([claim(SENT)]), undefined],
    ['but not where no time is registered', SENT, facts([claim(undefined)]), undefined],
    ['but not by an event of another resource', SENT - 1_000, facts([claim(SENT, resource('Sales'))]), undefined],
    ['but not by an event of another stack of that name', SENT - 1_000, facts([claim(SENT, resource('Orders', '2'))]),
      undefined],
    ['but not by one whose role was kept after its removal', SENT - 1_000, facts([claim(SENT, { released: true })]),
      undefined],
    ['by a time that is a little ahead', SENT, facts([], [cancelled(NOW + 300_000)]), CANCELLED],
    ['but not by one that is too far ahead', SENT, facts([claim(NOW + 300_001)], [cancelled(NOW + 300_001)]), undefined],
    ['but not where nothing is registered', SENT, { ...facts([]), now: undefined }, undefined],
  ])('%s', (_, sent, found, expected) => {
    expect(whatOvertook(resource(), sent, 0, found)).toBe(expected);
  });

  test.each<[string, number, string | undefined]>([
    ['whose invocation began before the Delete', 60_000, CANCELLED],
    ['but not one whose invocation began after it', 59_999, undefined],
  ])('where no time is known, one %s', (_, elapsedMs, expected) => {
    expect(whatOvertook(resource(), undefined, elapsedMs, facts([claim(SENT + 1)], [cancelled(SENT)]))).toBe(expected);
  });
});
