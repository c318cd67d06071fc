import { lanesIn, TemplateGraph, TemplateResource } from '../../../lib/provisioner/template-graph';
import { Random } from '../../lambda/random';

type Resources = Record<string, TemplateResource>;

const graphOf = (resources: Resources, others: string[] = []) => TemplateGraph.of(resources, new Set(others));

describe('what a resource waits for', () => {
  test.each<[string, TemplateResource, boolean]>([
    ['DependsOn', { DependsOn: 'B' }, true],
    ['a list of DependsOn', { DependsOn: ['C', 'B'] }, true],
    ['Ref', { Properties: { a: [{ b: { Ref: 'B' } }] } }, true],
    ['Fn::GetAtt', { Properties: { a: { 'Fn::GetAtt': ['B', 'Arn'] } } }, true],
    ['Fn::GetAtt as a text', { Properties: { a: { 'Fn::GetAtt': 'B.Arn' } } }, true],
    ['a name in Fn::Sub', { Properties: { a: { 'Fn::Sub': 'arn:${AWS::Partition}:${B}' } } }, true],
    ['an attribute in Fn::Sub', { Properties: { a: { 'Fn::Sub': ['${x}-${B.Arn}', { x: { Ref: 'C' } }] } } }, true],
    ['a value of Fn::Sub', { Properties: { a: { 'Fn::Sub': ['${x}', { x: { Ref: 'B' } }] } } }, true],
    ['metadata', { Metadata: { a: { Ref: 'B' } } }, true],
    ['something in between', { DependsOn: 'Between' }, true],
    ['nothing', {}, false],
    ['another one', { DependsOn: 'C', Properties: { a: { Ref: 'Parameter' }, b: { Ref: 'AWS::StackId' } } }, false],
    ['a text that only looks so', { Properties: { a: { 'Fn::Sub': '${!B}' }, b: '${B}', c: 'B' } }, false],
    ['a name that Fn::Sub is given a value for', { Properties: { a: { 'Fn::Sub': ['${B}', { B: '1' }] } } }, false],
  ])('%s', (_, A, expected) => {
    const graph = graphOf({ A, B: {}, C: {}, Between: { DependsOn: 'B' } }, ['Parameter'])!;
    expect(graph.isAfter('A', 'B')).toBe(expected);
    expect(graph.isAfter('B', 'A')).toBe(false);
  });

  test.each<[string, Resources]>([
    ['a name that is neither resource nor parameter', { A: { Properties: { a: { Ref: 'Unknown' } } } }],
    ['a part that a macro fills in', { A: { Properties: { 'Fn::Transform': { Name: 'AWS::Include' } } } }],
    ['resources in a loop', { 'Fn::ForEach::Topics': {} }],
    ['a list in a loop', { A: { Properties: { a: { 'Fn::ForEach::x': [] } } } }],
    ['a name that is not a text', { A: { Properties: { a: { Ref: { Ref: 'A' } } } } }],
    ['resources that wait for each other', { A: { DependsOn: 'B' }, B: { Properties: { a: { Ref: 'A' } } } }],
  ])('is not known with %s', (_, resources) => {
    expect(graphOf(resources)).toBeUndefined();
  });

  test('a resource that refers to itself waits for nothing', () => {
    expect(graphOf({ A: { Properties: { a: { Ref: 'A' } } } })!.isAfter('A', 'B')).toBe(false);
  });
});

describe('lanes', () => {
  const users = (count: number) => Array.from({ length: count }, (_, n) => `U${n}`);

  test('each waits for the one that many places before it, in the order of the template', () => {
    const graph = graphOf(Object.fromEntries(users(7).map(id => [id, {}])))!;
    expect([...lanesIn(graph, users(7), 3)]).toEqual([['U3', 'U0'], ['U4', 'U1'], ['U5', 'U2'], ['U6', 'U3']]);
    expect([...lanesIn(graph, users(7), 7)]).toEqual([]);
    expect([...lanesIn(graph, users(7), 1)]).toHaveLength(6);
  });

  test('none where the app has a path of its own: through a migration, for one', () => {
    const resources: Resources = {
      U0: { DependsOn: 'Migration' },
      Migration: { Properties: { user: { Ref: 'U1' } } },
      U1: {},
      U2: { DependsOn: 'U0' },
    };
    // U1, then the migration, then U0 and U2.
    expect([...lanesIn(graphOf(resources)!, users(3), 1)]).toEqual([]);
    expect([...lanesIn(graphOf({ ...resources, U2: {} })!, users(3), 1)]).toEqual([['U2', 'U0']]);
  });

  test('random apps: never a cycle, no edge beside a path of the app, and never more at the same time', () => {
    const random = new Random(1);
    for (let run = 0; run < 200; run++) {
      const ids = random.shuffled([...users(12), ...Array.from({ length: 12 }, (_, n) => `X${n}`)]);
      // Each may wait for those before it in some order that is not the one of the template.
      const resources = Object.fromEntries(
        random.shuffled(
          ids.map((id, n): [string, TemplateResource] => [
            id,
            { DependsOn: ids.slice(0, n).filter(() => random.chance(0.08)) },
          ]),
        ),
      );
      const graph = graphOf(resources)!;
      const width = 1 + Math.floor(random.next() * 5);
      const lanes = lanesIn(graph, users(12), width);
      lanes.forEach((before, id) =>
        expect([graph.isAfter(id, before), graph.isAfter(before, id)]).toEqual([false, false]),
      );
      const withLanes = graphOf(
        Object.fromEntries(
          Object.entries(resources).map(([id, resource]) => [
            id,
            { DependsOn: [resource.DependsOn as string[], lanes.get(id) ?? []].flat() },
          ]),
        ),
      );
      expect(withLanes).toBeDefined();
      // In so many lanes, each user waits for all before it in its lane: of any width + 1 users, one waits for another.
      const sorted = graph.sorted(users(12));
      sorted.slice(width).forEach((id, n) => expect(withLanes!.isAfter(id, sorted[n])).toBe(true));
    }
  });
});
