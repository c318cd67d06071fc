import { Stack } from 'aws-cdk-lib';
import { AuroraIamAuth } from '../../../lib';
import { collectAccess } from '../../../lib/report/collect';
import { htmlOf } from '../../../lib/report/html';
import { markdownOf } from '../../../lib/report/markdown';
import { newApp, newCluster, templateOf } from '../support';

/** An auditor whose access ends, and a guest whose access has ended, beside a user that stays. */
function stackWithUsers(): Stack {
  const stack = new Stack(newApp(), 'Data');
  const iamAuth = new AuroraIamAuth(stack, 'IamAuth', { cluster: newCluster(stack) });
  iamAuth.addUser('auditor', { expiresAt: new Date('2095-01-31T12:00:00Z') });
  iamAuth.addUsers('Guests', { usernames: ['guest'], expiresAt: new Date('2026-01-31T12:00:00.5Z') });
  iamAuth.addUser('orders');
  return stack;
}

test('the report has the time, and whether it has passed', () => {
  const { servers: [{ users }] } = collectAccess(stackWithUsers());
  expect(users.map(({ name, expiresAt, expired }) => [name, expiresAt, expired])).toEqual([
    ['auditor', '2095-01-31T12:00:00.000Z', undefined],
    ['guest', '2026-01-31T12:00:00.500Z', true],
    ['orders', undefined, undefined],
  ]);
  expect(Object.keys(users[2])).not.toContain('expiresAt');
});

test('so have its pages, and who has no access any more is among what a reviewer looks at first', () => {
  const report = collectAccess(stackWithUsers());
  const [markdown, html] = [markdownOf(report), htmlOf(report)];
  expect(markdown).toContain('**access ends 2095-01-31T12:00:00Z**');
  expect(markdown).toContain('**access ended 2026-01-31T12:00:00.500Z**');
  expect(markdown).toContain('- **Access has ended**: `guest`');
  expect(html).toContain('<span class="badge">access ends 2095-01-31T12:00:00Z</span>');
  expect(html).toContain('<span class="badge">access ended 2026-01-31T12:00:00.500Z</span>');
});

test('so has the metadata of the template, of users with an end alone', () => {
  const template = templateOf(stackWithUsers()).toJSON() as {
    Metadata: Record<string, string>;
    Resources: Record<string, { Type: string; Metadata?: { Access?: string[] } }>;
  };
  const lines = Object.values(template.Resources)
    .filter(({ Type }) => Type.startsWith('Custom::'))
    .map(({ Metadata }) => Metadata?.Access?.[0]);
  expect(lines).toEqual([
    'access ends 2095-01-31T12:00:00Z',
    'access ended 2026-01-31T12:00:00.500Z',
    'sign-in by no identity in this app',
  ]);
  expect(
    Object.values(template.Metadata).filter(text => typeof text === 'string' && text.startsWith('access en')),
  ).toHaveLength(2);
});
