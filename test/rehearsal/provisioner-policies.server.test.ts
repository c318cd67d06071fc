import { firstOf, full } from '../full';
import { AppRun } from './app-run';
import { PolicyDocument, PolicyStatement } from '../../rehearsal/iam/policy-document';

describe('the roles of the provisioner', () => {
  let run: AppRun;
  beforeAll(async () => run = await AppRun.of('examples/quick-start/app.ts'));
  afterAll(() => run.rehearsal.close());

  /** Statements of its policies that the rehearsal decides by; the others are about logs and network interfaces. */
  const ACTIONS = ['secretsmanager:GetSecretValue', 'lambda:InvokeFunction'];

  const statements: Record<string, (statement: PolicyStatement) => PolicyStatement[]> = {
    'without it': () => [],
    'for another resource': ({ Resource, ...statement }) => [
      { ...statement, Resource: { 'Fn::Join': ['', [Resource, 'x']] } as never },
    ],
    'for another action': statement => [
      { ...statement, Action: ['secretsmanager:DescribeSecret', 'lambda:GetFunction'] },
    ],
  };

  test.each(
    firstOf(
      1,
      ACTIONS.flatMap(action => Object.keys(statements).map(how => [action, how])),
    ),
  )('%s, %s: the deployment fails and is rolled back', async (action, how) => {
    let found = 0;
    const { status, reason } = await run.deploy(resources =>
      Object.fromEntries(
        Object.entries(resources).map(([id, definition]) => {
          const { PolicyDocument: document } = (definition.Properties ?? {}) as { PolicyDocument?: PolicyDocument };
          if (!document || !id.startsWith('IamAuthProvisioner')) {
            return [id, definition];
          }
          const Statement = [document.Statement].flat().flatMap((statement) => {
            const isIt = [statement.Action].flat().includes(action);
            found += isIt ? 1 : 0;
            // The framework asks whether the function is there, for minutes, before it gives up.
            const rest = action.startsWith('lambda:') ? [{ ...statement, Action: ['lambda:GetFunction'] }] : [];
            return isIt ? [...statements[how](statement), ...rest] : [statement];
          });
          return [
            id,
            { ...definition, Properties: { ...definition.Properties, PolicyDocument: { ...document, Statement } } },
          ];
        }),
      ),
    );
    expect(found).toBe(1);
    expect({ status, reason }).toEqual({
      status: 'ROLLBACK_COMPLETE',
      reason: expect.stringMatching(
        new RegExp(`AccessDeniedException: .*not authorized to perform: ${action} on resource`),
      ) as string,
    });
    expect(run.rehearsal.resources(run.stackName)).toEqual([]);
  });

  full.test('as they are, it does not', async () => {
    expect(await run.deploy()).toMatchObject({ status: 'CREATE_COMPLETE' });
  });
});
