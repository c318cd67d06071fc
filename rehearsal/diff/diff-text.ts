import { PRIVILEGES_IN_ORDER } from '../../lib/contract/object-kinds';
import { code, escaped, table } from '../../lib/report/markdown-text';
import { sortedBy, visible } from '../../lib/report/plain-text';
import { AccessChange, AccessDiff, Holder } from './access-diff';

/** Text as it is, or a name. */
type Piece = string | { readonly name: string };

/** What some holders gain or lose, at one place. */
interface Row {
  readonly at?: string;
  readonly who: readonly Holder[];
  readonly lines: readonly (readonly Piece[])[];
}

interface Section {
  readonly title: string;
  readonly sign: '+' | '-' | '=';
  readonly rows: readonly Row[];
}

export const NO_CHANGE = 'No principal gains or loses access.';

/** For a pull request. Names are text in it, whatever they are. */
export function markdownOfDiff(diff: AccessDiff): string {
  const sections = sectionsOf(diff);
  const parts = sections.flatMap(({ title, rows }) => [
    `## ${title}`,
    table(
      ['Where', 'Who', 'What'],
      rows.map(({ at, who, lines }) => [
        at === undefined ? 'everywhere' : code(at),
        who.map(({ kind, name }) => (kind === 'PUBLIC' ? kind : `${kind} ${code(name)}`)).join('<br>'),
        lines
          .map(line => line.map(piece => (typeof piece === 'string' ? escaped(piece) : code(piece.name))).join(''))
          .join('<br>'),
      ]),
    ),
  ]);
  return `${['# Access changes', ...(parts.length === 0 ? [NO_CHANGE] : parts)].join('\n\n')}\n`;
}

/** For a terminal. */
export function linesOfDiff(diff: AccessDiff): { readonly sign: Section['sign']; readonly text: string }[] {
  return sectionsOf(diff).flatMap(({ sign, rows }) =>
    rows.flatMap(({ at, who, lines }) => {
      const names = who.map(({ kind, name }) => (kind === 'PUBLIC' ? kind : `${kind} ${visible(name)}`)).join(', ');
      const whom = `${at === undefined ? '' : `${visible(at)}: `}${names}`;
      return lines.map(line => ({
        sign,
        text: `${whom}: ${line.map(piece => visible(typeof piece === 'string' ? piece : piece.name)).join('')}`,
      }));
    }),
  );
}

function sectionsOf({ gains, losses }: AccessDiff): Section[] {
  const kept = losses.filter(change => change.kept && change.access.kind === 'role');
  const sections: Section[] = [
    { title: 'Gains', sign: '+', rows: rowsOf(gains, true) },
    {
      title: 'Loses',
      sign: '-',
      rows: rowsOf(
        losses.filter(change => !change.kept),
        false,
      ),
    },
    { title: 'Leaves the app and stays in the database', sign: '=', rows: rowsOf(kept, false) },
  ];
  return sections.filter(({ rows }) => rows.length > 0);
}

/** Holders of which the same is said are together. */
function rowsOf(changes: readonly AccessChange[], isGain: boolean): Row[] {
  const byHolder = new Map<string, AccessChange[]>();
  for (const change of changes) {
    const key = JSON.stringify([change.at, change.who.kind, change.who.name]);
    byHolder.set(key, [...(byHolder.get(key) ?? []), change]);
  }
  const rows = new Map<string, Row>();
  for (const [, list] of sortedBy([...byHolder], ([key]) => key)) {
    const [{ at, who }] = list;
    const lines = linesOf(list, isGain);
    const key = JSON.stringify([at, who.kind, lines]);
    const known = rows.get(key);
    rows.set(key, { at, who: [...(known?.who ?? []), who], lines });
  }
  return sortedBy([...rows.values()], ({ at }) => at ?? '');
}

function linesOf(changes: readonly AccessChange[], isGain: boolean): Piece[][] {
  const lines = new Map<string, { pieces: Piece[]; undecided?: string }>();
  const privileges = new Map<string, { readonly changes: AccessChange[] }>();
  for (const change of changes) {
    const { access, undecided } = change;
    if (access.kind === 'privilege') {
      const key = JSON.stringify([access.database, access.through, undecided]);
      const group = privileges.get(key) ?? { changes: [] };
      privileges.set(key, group);
      group.changes.push(change);
      lines.set(`privilege ${key}`, { pieces: [], undecided });
    } else {
      const pieces = change.kept ? ['keeps its login and its privileges (RETAIN)'] : piecesOf(change, isGain);
      lines.set(JSON.stringify([access.kind, pieces]), { pieces, undecided });
    }
  }
  return sortedBy(
    [...lines],
    ([key]) => `${ORDER.findIndex(kind => key.startsWith(`["${kind}"`))}`.padStart(3) + key,
  ).map(([key, { pieces, undecided }]) => {
    const group = privileges.get(key.replace(/^privilege /, ''));
    const line = key.startsWith('privilege ') && group ? privilegePieces(group.changes) : pieces;
    return undecided === undefined ? line : [...line, ` (perhaps: ${undecided})`];
  });
}

const ORDER = ['role', 'signIn', 'assume', 'tagSession', 'membership', 'roleAtLogin'];

/** `shop: USAGE on schema public; SELECT, INSERT on all tables of schema public, through readers` */
function privilegePieces(changes: readonly AccessChange[]): Piece[] {
  const things = new Map<string, string[]>();
  let through: readonly string[] = [];
  let database = '';
  for (const { access } of changes) {
    if (access.kind === 'privilege') {
      things.set(access.on, [...(things.get(access.on) ?? []), access.privilege]);
      ({ through, database } = access);
    }
  }
  const inOrder = (list: string[]) =>
    sortedBy([...new Set(list)], privilege => `${PRIVILEGES_IN_ORDER.indexOf(privilege)}`.padStart(3)).join(', ');
  return [
    { name: database },
    `: ${[...things].map(([on, list]) => `${inOrder(list)} on ${on}`).join('; ')}`,
    ...throughPieces(through),
  ];
}

function piecesOf({ access, who }: AccessChange, isGain: boolean): Piece[] {
  switch (access.kind) {
    case 'role':
      return [isGain ? 'is created' : 'is removed'];
    case 'signIn':
      return [
        ...SIGN_IN[access.user],
        { name: access.as },
        ...(access.user === 'other' ? [', a user that the app does not create there'] : []),
      ];
    case 'assume':
      return [
        'may assume ',
        { name: access.role },
        ...(access.conditions === undefined ? [] : [', under the conditions ', { name: access.conditions }]),
      ];
    case 'tagSession':
      return [
        'may say by a tag as whom ',
        { name: access.role },
        ' signs in',
        ...(access.conditions === undefined ? [] : [', under the conditions ', { name: access.conditions }]),
      ];
    case 'membership':
      return [
        'membership in ',
        { name: access.group },
        ...throughPieces(access.through),
        ...(access.strong !== undefined
          ? [`, a strong role: its members ${access.strong}`]
          : access.managedElsewhere
            ? [', which is not managed by the app: what it may do is not known here']
            : []),
      ];
    case 'roleAtLogin':
      return ['acts as ', { name: access.role }, ' from its sign-in on'];
    case 'removal':
      return 'owned' in access
        ? ['what ', { name: access.owned }, ' owns, as soon as that is removed']
        : ['its login and privileges also when it leaves the app (RETAIN)'];
    case 'byHand':
      return ['what is granted by hand (it is not exclusive)'];
    case 'time':
      return access.memberOf === undefined
        ? timePieces('access', access, ': it cannot sign in')
        : ['membership in ', { name: access.memberOf }, ...timePieces('', access, ': it is no member')];
    case 'unknown':
      return [access.text];
    case 'privilege':
      return [who.name];
  }
}

const SIGN_IN = {
  declared: ['signs in as '],
  other: ['signs in as '],
  pattern: ['signs in as any user that matches '],
  tag: ['signs in as the user in its tag '],
};

function timePieces(
  what: string,
  { until, expired }: { readonly until?: string; readonly expired?: true },
  consequence: string,
): Piece[] {
  return until === undefined
    ? [`${what} without end`]
    : [`${what} until ${until.replace('.000Z', 'Z')}`, ...(expired ? [`, which has passed${consequence}`] : [])];
}

function throughPieces(through: readonly string[]): Piece[] {
  return through.flatMap((name, index) => [index === 0 ? ', through ' : ' of ', { name }]);
}
