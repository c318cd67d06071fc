import { AccessReport, PrivilegeAccess } from '../../../lib/report/access-report';

const CONNECT: PrivilegeAccess = { database: 'shop', on: 'database', privileges: ['CONNECT'] };
const IN_PUBLIC = { database: 'shop', schema: 'public' };

/** A report that has one of everything. */
export const REPORT: AccessReport = {
  format: 1,
  stack: 'Shop',
  servers: [{
    path: 'Shop/Cluster',
    kind: 'cluster',
    admin: { username: 'postgres', credentials: 'password' },
    resourceId: 'cluster-ABCDEFGHIJKL01234',
    account: '111111111111',
    region: 'eu-west-1',
    users: [
      {
        name: 'ada',
        path: 'Shop/IamAuth/Team',
        exclusive: true,
        onRemoval: 'DROP_OR_DISABLE',
        signIns: [
          { principal: { kind: 'role', path: 'Shop/Auditors',
            assumedBy: ['Service ec2.amazonaws.com', 'arn:aws:iam::111111111111:root'] } },
          { principal: { kind: 'role', path: 'Apps/Client' }, at: { kind: 'proxy', path: 'Shop/Proxy' } },
        ],
        memberOf: [{ role: 'readers', through: [] }, { role: 'pg_monitor', through: ['readers'] }],
        privileges: [CONNECT],
      },
      {
        name: 'orders',
        path: 'Shop/IamAuth/orders',
        exclusive: false,
        onRemoval: 'RETAIN',
        signIns: [],
        settings: {
          connectionLimit: 20,
          roleAtLogin: 'Owner',
          parameters: [{ name: 'search_path', value: ['$user', 'app'] }, { name: 'work_mem', value: '<64MB>' }],
        },
        memberOf: [],
        privileges: [CONNECT, { ...IN_PUBLIC, on: 'tables', names: ['Orders'], privileges: ['SELECT', 'INSERT'] }],
      },
    ],
    groups: [
      { name: 'pg_monitor', exclusive: false,
        members: [{ name: 'ada', kind: 'user', through: ['readers'] }, { name: 'readers', kind: 'group', through: [] }],
        memberOf: [], privileges: [] },
      {
        name: 'readers',
        path: 'Shop/IamAuth/readers',
        exclusive: false,
        members: [{ name: 'ada', kind: 'user', through: [] }],
        memberOf: [{ role: 'pg_monitor', through: [] }],
        privileges: [
          { ...IN_PUBLIC, on: 'schema', privileges: ['USAGE'] },
          { ...IN_PUBLIC, on: 'tables', privileges: ['SELECT'], createdBy: ['migrator'] },
        ],
      },
    ],
    signInsByTag: [{ principal: { kind: 'role', path: 'Shop/People' }, tagKey: 'DatabaseUser' }],
    otherSignIns: [{ username: 'legacy', principal: { kind: 'role', path: 'Shop/Old' } }],
  }],
};

/** Names that mean something else where they are not taken for text. */
export const HOSTILE_NAMES = [
  '<script>alert(1)</script>',
  '</script><img src=x onerror=alert(1)>',
  '"><svg onload=alert(1)>',
  "' onmouseover='alert(1)",
  '&lt;b&gt;&amp;',
  '<!--',
  '-->',
  ']]>',
  '{{7*7}}',
  '${7*7}',
  '`|`',
  '|',
  'a\\|b',
  '**bold**',
  '[x](javascript:alert(1))',
  'a\nb\r\nc',
  '\u202egnp.exe',
  '\u0000',
  '<style>*{display:none}</style>',
  '</td></tr></table>',
];
