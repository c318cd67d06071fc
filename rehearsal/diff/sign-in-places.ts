import { Role } from './declared-roles';
import { Place } from './sign-in-facts';
import { onlySymbol, symbolsIn, symbolText, withoutAttribute } from './symbols';
import { PROXY_ID, TemplateValues } from './template-values';

/** Where identities sign in: each database with users, and the replicas and proxies of the app. */
export function placesOf(values: TemplateValues, roles: Map<string, Map<string, Role>>): Place[] {
  const usersOf = (server: string | undefined) =>
    [...((server === undefined ? undefined : roles.get(server))?.values() ?? [])]
      .filter(({ kind }) => kind === 'user')
      .map(({ name, undecided }) => ({ name, undecided }));
  const byResource = new Map([...roles.keys()].map(server => [withoutAttribute(server), server]));
  const servers = [...roles.keys()].map(server => ({ id: server, users: usersOf(server) }));
  const replicas = values
    .ofType(/^AWS::RDS::DBInstance$/)
    .flatMap(({ stack, logicalId, definition: { Properties = {} } }) => {
      const source = symbolsIn(values.text(stack, Properties.SourceDBInstanceIdentifier ?? ''))
        .map(symbol => (symbol[0] === 'resource' ? symbolText(['resource', symbol[1], symbol[2], '']) : ''))
        .find(text => byResource.has(text));
      return source === undefined
        ? []
        : [
            {
              id: symbolText(['resource', stack.definition.id, logicalId, 'DbiResourceId']),
              users: usersOf(byResource.get(source)),
            },
          ];
    });
  const proxies = values
    .ofType(/^AWS::RDS::DBProxyTargetGroup$/)
    .flatMap(({ stack, definition: { Properties = {} } }) => {
      const proxy = onlySymbol(values.text(stack, Properties.DBProxyName));
      const targets = [
        ...values.list(stack, Properties.DBClusterIdentifiers),
        ...values.list(stack, Properties.DBInstanceIdentifiers),
      ];
      const server = targets
        .map(target => byResource.get(withoutAttribute(target)))
        .find(each => each !== undefined);
      return proxy?.[0] === 'resource' && server !== undefined
        ? [{ id: symbolText(['resource', proxy[1], proxy[2], PROXY_ID]), users: usersOf(server) }]
        : [];
    });
  return [...servers, ...replicas, ...proxies];
}
