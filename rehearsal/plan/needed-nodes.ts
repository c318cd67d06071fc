import { AppGraph, Node } from './app-graph';
import { isOfLibrary } from './library-types';
import { isCustom, isCustomResource } from '../cloudformation/native-resource';

/** Types that are made when what they refer to is. */
const ATTACHED = [
  'AWS::RDS::DBInstance',
  'AWS::RDS::DBProxyTargetGroup',
  'AWS::SecretsManager::SecretTargetAttachment',
];

/** What users, grants and databases reach. */
export function neededNodes(graph: AppGraph, isRehearsedDatabase: (node: Node) => boolean): Set<Node> {
  const mayConnect = ({ definition: { Properties: properties } }: Node) =>
    JSON.stringify(properties ?? {}).includes('rds-db:connect');
  const seeds = graph.nodes.filter(
    node => isOfLibrary(node.definition.Type) || (node.definition.Type.startsWith('AWS::IAM::') && mayConnect(node)),
  );
  let needed = graph.closure(seeds);
  const attached = graph.ofType(...ATTACHED);
  for (let before = -1; before !== needed.size;) {
    before = needed.size;
    const joined = attached.filter(
      node =>
        !needed.has(node)
        && graph
          .references(node.stack, node.definition.Properties)
          .some(
            other =>
              needed.has(other)
              && /^AWS::(RDS::DB(Cluster|Instance)|SecretsManager::Secret)$/.test(other.definition.Type),
          ),
    );
    needed = new Set([...needed, ...graph.closure(joined)]);
  }
  // What a nested stack holds decides for itself, and the stack is there in any case.
  const nested = graph
    .ofType('AWS::CloudFormation::Stack')
    .filter(({ stack, logicalId }) => Object.hasOwn(stack.definition.nested, logicalId));
  return new Set([...[...needed].filter(node => isRehearsedDatabase(node) && isDeployed(node)), ...nested]);
}

function isDeployed({ stack, logicalId, definition: { Type: type } }: Node): boolean {
  return (
    (!isCustom(type) || isCustomResource(type))
    && (type !== 'AWS::CloudFormation::Stack' || Object.hasOwn(stack.definition.nested, logicalId))
  );
}
