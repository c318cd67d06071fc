import { CloudAssembly } from '../../rehearsal/cloudformation/cloud-assembly';
import { ResourceState } from '../../rehearsal/cloudformation/template';
import { Rehearsal } from '../../rehearsal/rehearsal';
import { signIn } from '../../rehearsal/sign-in';
import { synthesized } from './synthesized';

/** The same stack by another name, as an app has it that is written alike. */
function renamed(assembly: CloudAssembly, from: string, to: string): CloudAssembly {
  const stacks = assembly.stacks.map(stack => stack.name === from ? { ...stack, id: to, name: to } : stack);
  return Object.create(assembly, { stacks: { value: stacks } }) as CloudAssembly;
}

test('two apps that declare the same user in a cluster of a third one: the second is refused, and the first keeps its user', async () => {
  const rehearsal = await Rehearsal.start();
  try {
    const assembly = await synthesized('examples/imported-cluster/app.ts');
    const others = renamed(assembly, 'Reports', 'OtherReports');
    const resource = (stack: string, type: string, id = ''): ResourceState =>
      rehearsal.resources(stack).find(each => each.type === type && each.logicalId.startsWith(id))!;
    const signInOf = (stack: string) => {
      const server = rehearsal.database(resource('Platform', 'AWS::RDS::DBCluster'));
      return signIn(server, {
        username: 'reports',
        database: 'shop',
        password: server.token('', 'reports', {
          credentials: rehearsal.credentialsOf(resource(stack, 'AWS::IAM::Role', 'Service')),
        }),
      });
    };
    for (const stack of ['Platform', 'Reports']) {
      expect(await rehearsal.deploy(assembly, stack)).toMatchObject({ status: 'CREATE_COMPLETE' });
    }

    const { status, reason } = await rehearsal.deploy(others, 'OtherReports');
    expect(status).toBe('ROLLBACK_COMPLETE');
    expect(reason).toMatch(
      /"reports" is managed by another stack already \(arn:aws:cloudformation:\S+:stack\/Reports\/\S+, resource IamAuthreports\w+\); declare it in one stack only, or choose another name; if that stack is gone, drop the role/,
    );
    expect(await signInOf('Reports')).toBe('signed in as reports');

    // Once the first has given it up, the second can have it.
    expect(await rehearsal.destroy('Reports')).toMatchObject({ status: 'DELETE_COMPLETE' });
    expect(await rehearsal.deploy(others, 'OtherReports')).toMatchObject({ status: 'CREATE_COMPLETE' });
    expect(await signInOf('OtherReports')).toBe('signed in as reports');
  } finally {
    await rehearsal.close();
  }
});
