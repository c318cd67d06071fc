import { PublicPrivilegesProperties } from '../../lib/contract/wire';
import { AssemblyStack } from '../cloudformation/cloud-assembly';
import { ComparableFact } from './access-diff';
import { atomsIn } from './declared-privileges';
import { rolesByServer } from './declared-roles';
import { ServerFacts } from './server-facts';
import { signInFacts, SignInOptions } from './sign-in-facts';
import { placesOf } from './sign-in-places';
import { withoutAttribute } from './symbols';
import { conditionOf, TemplateValues } from './template-values';
import { unreadFact } from './unread-fact';

const PUBLIC = /^Custom::RdsPublicPrivileges$/;

/** What an app declares, by its templates alone: who may sign in as whom, and what each user may do. */
export function declaredAccess(stacks: readonly AssemblyStack[], options: SignInOptions = {}): ComparableFact[] {
  const values = new TemplateValues(stacks);
  const roles = rolesByServer(values);
  const places = placesOf(values, roles);
  return [
    ...[...roles].flatMap(([server, byName]) =>
      new ServerFacts(server, values.named(withoutAttribute(server)), byName, values).all(),
    ),
    ...values.unread.map(resource => unreadFact(resource, values)),
    ...values.ofType(PUBLIC).flatMap(resource => publicFacts(resource, values)),
    ...signInFacts(values, places, options),
  ];
}

/** What PUBLIC does not have in one database. */
function publicFacts(resource: ReturnType<TemplateValues['ofType']>[number], values: TemplateValues): ComparableFact[] {
  const { stack, definition } = resource;
  const {
    Database,
    DatabaseName = '',
    Revoked = {},
  } = (definition.Properties ?? {}) as Partial<PublicPrivilegesProperties>;
  const server = values.text(stack, Database?.ResourceId);
  const undecided = conditionOf(resource);
  return atomsIn({ [DatabaseName]: Revoked }).map(({ database, privilege, on, key }) => ({
    at: values.named(withoutAttribute(server)),
    who: { kind: 'PUBLIC', name: 'PUBLIC' },
    access: { kind: 'privilege', database, privilege, on, through: [] },
    key: JSON.stringify([server, 'PUBLIC', key]),
    isWithheld: true,
    ...(undecided === undefined ? {} : { undecided }),
  }));
}
