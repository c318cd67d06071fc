import type {
  AccessReport,
  GroupAccess,
  Membership,
  PrivilegeAccess,
  ServerAccess,
  SignIn,
  UserAccess,
} from './access-report';
import { code, escaped, table } from './markdown-text';
import { byPlace, privilegeText } from './privilege-lines';
import { DEFAULT_REMOVAL, notControlledHere, notices, removalText, titleOf } from './remarks';
import { settingLines } from './setting-lines';
import { principalText, signInText, trustedRoles } from './sign-in-text';
import { expiryText, membershipExpiryText } from '../model/expiry';

/**
 * `<stack>.access.md`: the report as tables, for a pull request or a terminal. Names are text in it, whatever they are.
 */
export function markdownOf(report: AccessReport): string {
  return [
    `# Access: ${report.stack === '' ? titleOf(report) : code(report.stack)}`,
    'Who may sign in to PostgreSQL as whom, and what each user may do, as the app declares it.',
    ...report.servers.flatMap(server => serverPart(server, report.stack)),
    '## Not controlled here',
    notControlledHere(report).map(({ what, why }) => `- **${what}** ${why}`).join('\n'),
  ].join('\n\n') + '\n';
}

function serverPart(server: ServerAccess, stack: string): string[] {
  const { kind, path, users, groups, signInsByTag, otherSignIns, resourceId, account, region } = server;
  const remarks = notices(server, stack);
  const roles = trustedRoles(server, stack);
  return [
    `## ${kind === 'cluster' ? 'Cluster' : 'Instance'} ${code(path)}`,
    `Resource id ${code(resourceId)}, account ${code(account)}, Region ${code(region)}. ${DEFAULT_REMOVAL}`,
    ...(remarks.length > 0
      ? [remarks.map(({ title, items }) => `- **${title}**: ${items.map(code).join(', ')}`).join('\n')]
      : []),
    ...(users.length > 0
      ? [
          '### Users',
          table(
            ['User', 'Who signs in', 'May'],
            users.map(user => userRow(user, groups, stack)),
          ),
        ]
      : []),
    ...groups.length > 0 ? ['### Group roles', table(['Group role', 'Members', 'May'], groups.map(groupRow))] : [],
    ...roles.length > 0
      ? [
          '### Who may assume the roles',
          table(['Role', 'Assumed by'], roles.map(({ role, by }) => [code(role), by.map(code).join('<br>')])),
        ]
      : [],
    ...(signInsByTag.length > 0
      ? [
          '### As the user that a tag names',
          table(
            ['Who signs in', 'Tag'],
            signInsByTag.map(access => [signIn(access, stack), code(access.tagKey)]),
          ),
        ]
      : []),
    ...(otherSignIns.length > 0
      ? [
          '### As users that this app does not create',
          table(
            ['User', 'Who signs in'],
            otherSignIns.map(access => [code(access.username), signIn(access, stack)]),
          ),
        ]
      : []),
  ];
}

function userRow(user: UserAccess, groups: readonly GroupAccess[], stack: string): string[] {
  const { name, exclusive, expiresAt, onRemoval, signIns, memberOf, privileges } = user;
  return [
    [
      code(name),
      expiresAt === undefined ? '' : `**${expiryText(expiresAt)}**`,
      exclusive ? 'exclusive' : '',
      removalText(onRemoval) ?? '',
    ]
      .filter(text => text !== '')
      .join('<br>'),
    signIns.map(access => signIn(access, stack)).join('<br>') || '*no identity in this app*',
    [
      ...user.settings ? settingLines(user.settings).map(escaped) : [],
      ...privilegeRows(privileges),
      ...memberOf.flatMap(membership => [
        `as a member of ${membershipText(membership)}:`,
        ...inherited(groups.find(({ name: group }) => group === membership.role)),
      ]),
    ].join('<br>'),
  ];
}

function inherited(group: GroupAccess | undefined): string[] {
  return group?.path === undefined ? [unknownText(group)] : privilegeRows(group.privileges);
}

/** Of a role that this app does not create. */
function unknownText(group: GroupAccess | undefined): string {
  return group?.strong === undefined
    ? '*what it may do is not known here*'
    : `**strong role**: its members ${escaped(group.strong)}`;
}

function groupRow(group: GroupAccess): string[] {
  const { name, path, exclusive, members, memberOf, privileges } = group;
  return [
    code(name) + (path === undefined ? '<br>managed elsewhere' : '') + (exclusive ? '<br>exclusive' : ''),
    members
      .map(
        member =>
          code(member.name) + (member.through.length > 0 ? ` through ${member.through.map(code).join(', ')}` : ''),
      )
      .join('<br>') || '*no member in this app*',
    path === undefined
      ? group.strong === undefined
        ? '*not known here*'
        : unknownText(group)
      : [...privilegeRows(privileges), ...memberOf.map(membership => `what ${membershipText(membership)} may`)].join(
          '<br>',
        ),
  ];
}

function membershipText({ role, through, expiresAt }: Membership): string {
  return (
    code(role)
    + membershipExpiryText(expiresAt)
    + (through.length > 0 ? ` through ${through.map(code).join(', ')}` : '')
  );
}

function privilegeRows(privileges: readonly PrivilegeAccess[]): string[] {
  return byPlace(privileges).map(
    ({ place, privileges: inPlace }) =>
      `${code(place)}: ${inPlace.map(privilege => escaped(privilegeText(privilege))).join('; ')}`,
  );
}

function signIn(access: SignIn, stack: string): string {
  const text = signInText(access, stack);
  const principal = principalText(access.principal, stack);
  return code(principal) + escaped(text.slice(principal.length));
}
