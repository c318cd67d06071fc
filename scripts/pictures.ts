/**
 * Writes the pictures of the pages to docs/images/, but for the recording of the demo: `npx projen pictures`. They are
 * SVG with a title, light and dark, because neither npm nor Construct Hub renders diagrams that are text.
 */
import { mkdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';

const FOLDER = join(__dirname, '../docs/images');

/** Colors follow the settings of the reader, also inside of an `<img>`. */
const STYLE = `
  text { font: 14px -apple-system, "Segoe UI", Helvetica, Arial, sans-serif; fill: #1f2328; }
  .small { font-size: 12px; fill: #57606a; }
  .strong { font-weight: 600; }
  .page { fill: #ffffff; }
  .box { fill: #f6f8fa; stroke: #8c959f; }
  .zone { fill: none; stroke: #8c959f; stroke-dasharray: 5 4; }
  .accent { fill: #ddf4ff; stroke: #0969da; }
  .alert { fill: #fff1e5; stroke: #bc4c00; }
  .arrow { fill: none; stroke: #57606a; stroke-width: 1.5; }
  .head { fill: #57606a; }
  @media (prefers-color-scheme: dark) {
    text { fill: #e6edf3; }
    .small { fill: #9198a1; }
    .page { fill: #0d1117; }
    .box { fill: #161b22; stroke: #6e7681; }
    .zone { stroke: #6e7681; }
    .accent { fill: #121d2f; stroke: #4493f8; }
    .alert { fill: #221a0f; stroke: #db6d28; }
    .arrow { stroke: #9198a1; }
    .head { fill: #9198a1; }
  }`;

type Kind = 'box' | 'accent' | 'alert';
type Point = [x: number, y: number];

interface Box {
  readonly at: Point;
  readonly size: Point;
  /** The first line is strong, the others are small. */
  readonly lines: string[];
  readonly kind?: Kind;
}

interface Arrow {
  readonly points: Point[];
  readonly label?: string;
  readonly labelAt?: Point;
}

interface Picture {
  readonly name: string;
  readonly title: string;
  readonly size: Point;
  readonly zones?: { at: Point; size: Point; label: string }[];
  readonly boxes: Box[];
  readonly arrows: Arrow[];
}

const escaped = (text: string) => text.replaceAll('&', '&amp;').replaceAll('<', '&lt;').replaceAll('>', '&gt;');

function boxOf({ at: [x, y], size: [width, height], lines, kind = 'box' }: Box): string {
  const top = y + height / 2 - (lines.length - 1) * 9 + 5;
  return [
    `<rect class="${kind}" x="${x}" y="${y}" width="${width}" height="${height}" rx="6"/>`,
    ...lines.map((line, index) =>
      `<text class="${index === 0 ? 'strong' : 'small'}" x="${x + width / 2}" y="${top + index * 18}" `
      + `text-anchor="middle">${escaped(line)}</text>`),
  ].join('\n');
}

function arrowOf({ points, label, labelAt }: Arrow): string {
  const [from, to] = points.slice(-2);
  const [x, y] = labelAt ?? [(from[0] + to[0]) / 2, (from[1] + to[1]) / 2 - 6];
  return [
    `<polyline class="arrow" marker-end="url(#head)" points="${points.map(point => point.join(',')).join(' ')}"/>`,
    ...(label === undefined
      ? []
      : [`<text class="small" x="${x}" y="${y}" text-anchor="middle">${escaped(label)}</text>`]),
  ].join('\n');
}

export function svgOf({ title, size: [width, height], zones = [], boxes, arrows }: Picture): string {
  return [
    `<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 ${width} ${height}" width="${width}" height="${height}" `
    + 'role="img" aria-labelledby="title">',
    `<title id="title">${escaped(title)}</title>`,
    `<style>${STYLE}\n</style>`,
    '<defs><marker id="head" viewBox="0 0 8 8" refX="7" refY="4" markerWidth="8" markerHeight="8" orient="auto">'
    + '<path class="head" d="M0,0 L8,4 L0,8 z"/></marker></defs>',
    `<rect class="page" width="${width}" height="${height}"/>`,
    ...zones.map(({ at: [x, y], size: [w, h], label }) =>
      `<rect class="zone" x="${x}" y="${y}" width="${w}" height="${h}" rx="8"/>\n`
      + `<text class="small" x="${x + 12}" y="${y + 20}">${escaped(label)}</text>`),
    ...arrows.map(arrowOf),
    ...boxes.map(boxOf),
    '</svg>',
    '',
  ].join('\n');
}

export const PICTURES: Picture[] = [
  {
    name: 'privileges',
    title:
      'The app declares roles. The user migrator creates tables and owns them. The user orders reads and writes them. '
      + 'The users ada and grace are members of the group role readers, which reads them. '
      + 'Default privileges of migrator cover the tables that it creates later.',
    size: [860, 230],
    zones: [{ at: [10, 10], size: [840, 210], label: 'database shop' }],
    boxes: [
      { at: [30, 80], size: [150, 60], lines: ['migrator', 'createObjects'] },
      {
        at: [280, 60],
        size: [180, 100],
        lines: ['tables of schema public', 'belong to migrator;', 'later ones: default', 'privileges of migrator'],
        kind: 'accent',
      },
      { at: [560, 50], size: [130, 50], lines: ['orders', 'readWrite'] },
      { at: [560, 140], size: [130, 50], lines: ['readers', 'readOnly, no login'] },
      { at: [750, 120], size: [80, 36], lines: ['ada'] },
      { at: [750, 172], size: [80, 36], lines: ['grace'] },
    ],
    arrows: [
      { points: [[180, 110], [278, 110]], label: 'creates' },
      { points: [[560, 75], [462, 75]], label: 'reads, writes' },
      { points: [[560, 150], [462, 150]], label: 'reads' },
      { points: [[750, 138], [720, 138], [720, 158], [692, 158]] },
      { points: [[750, 190], [720, 190], [720, 172], [692, 172]], label: 'members', labelAt: [720, 132] },
    ],
  },
  {
    name: 'trust',
    title:
      'Trust boundaries. An IAM principal with rds-db:connect signs in as one PostgreSQL user, which is a member of group '
      + 'roles. A principal that may change the stack acts through CloudFormation, the framework and the provisioner as the '
      + 'admin, which creates, grants to and removes users.',
    size: [860, 330],
    zones: [
      { at: [10, 10], size: [400, 310], label: 'AWS account: IAM decides' },
      { at: [430, 10], size: [420, 310], label: 'database: PostgreSQL decides' },
    ],
    boxes: [
      { at: [30, 50], size: [160, 60], lines: ['IAM principal', 'with a grant'] },
      { at: [30, 150], size: [160, 60], lines: ['principal that may', 'change the stack'], kind: 'alert' },
      { at: [230, 150], size: [160, 60], lines: ['CloudFormation', 'and framework'] },
      { at: [230, 240], size: [160, 60], lines: ['provisioner', 'one secret, one host'], kind: 'alert' },
      { at: [460, 50], size: [160, 60], lines: ['user', 'member of rds_iam'], kind: 'accent' },
      { at: [680, 50], size: [150, 60], lines: ['group roles', 'no login'], kind: 'accent' },
      { at: [460, 240], size: [160, 60], lines: ['admin', 'not in rds_iam'], kind: 'alert' },
    ],
    arrows: [
      { points: [[190, 80], [458, 80]], label: 'rds-db:connect, as this one user', labelAt: [315, 74] },
      { points: [[620, 80], [678, 80]], label: 'member', labelAt: [650, 74] },
      { points: [[190, 180], [228, 180]] },
      { points: [[310, 210], [310, 238]], label: 'invokes', labelAt: [345, 229] },
      { points: [[390, 270], [458, 270]], label: 'signs in', labelAt: [424, 264] },
      { points: [[540, 240], [540, 112]], label: 'creates, grants, removes', labelAt: [630, 180] },
    ],
  },
  {
    name: 'deployment',
    title:
      'A deployment. CloudFormation calls the provider framework outside of the VPC. The framework calls the handler '
      + 'inside of the VPC. The handler reads the secret of the admin from Secrets Manager and signs in to the database. '
      + 'Clients sign in with tokens that IAM checks.',
    size: [880, 320],
    zones: [{ at: [430, 10], size: [440, 300], label: 'VPC' }],
    boxes: [
      { at: [20, 50], size: [150, 60], lines: ['CloudFormation', 'one event for a user'] },
      { at: [240, 50], size: [150, 60], lines: ['framework', 'answers, waits'] },
      { at: [460, 50], size: [150, 60], lines: ['handler', 'executes the SQL'], kind: 'accent' },
      { at: [460, 220], size: [150, 60], lines: ['client', 'function, task, person'] },
      { at: [690, 120], size: [160, 70], lines: ['database', 'roles, privileges,', 'registry'], kind: 'accent' },
      { at: [240, 150], size: [150, 60], lines: ['Secrets Manager', 'secret of the admin'] },
      { at: [20, 220], size: [150, 60], lines: ['IAM', 'rds-db:connect'] },
    ],
    arrows: [
      { points: [[170, 80], [238, 80]], label: 'invokes', labelAt: [204, 74] },
      { points: [[390, 80], [458, 80]], label: 'invokes', labelAt: [424, 74] },
      { points: [[500, 110], [500, 180], [392, 180]], label: 'reads', labelAt: [450, 174] },
      { points: [[610, 80], [770, 80], [770, 118]], label: 'TLS, as the admin', labelAt: [690, 74] },
      { points: [[610, 250], [770, 250], [770, 192]], label: 'TLS, with a token', labelAt: [690, 244] },
      { points: [[170, 250], [458, 250]], label: 'policy of the role that signs the token', labelAt: [314, 244] },
    ],
  },
  {
    name: 'event',
    title:
      'The flow of an event: it is decoded, takes the lock, reads registry and catalogs, decides what is wanted, compares it, '
      + 'executes the difference, and reads the catalogs again. Then CloudFormation is answered. '
      + 'If a step fails for good, what was committed is taken back.',
    size: [880, 210],
    boxes: [
      ['decode', 'or refuse'],
      ['lock', 'one at a time'],
      ['read', 'registry, catalogs'],
      ['decide', 'what is wanted'],
      ['compare', 'the difference'],
      ['execute', 'login last'],
      ['verify', 'nothing is left'],
    ].map((lines, index): Box => ({
      at: [10 + index * 124, 30],
      size: [114, 56],
      lines,
      kind: index < 5 ? 'box' : 'accent',
    })),
    arrows: [
      ...Array.from({ length: 6 }, (_, index): Arrow => ({
        points: [[124 + index * 124, 58], [132 + index * 124, 58]],
      })),
      {
        points: [[687, 86], [687, 150], [310, 150]],
        label: 'fails for good: what was committed is taken back, last first',
        labelAt: [500, 143],
      },
      { points: [[811, 86], [811, 180], [310, 180]], label: 'nothing is left to do: success', labelAt: [560, 197] },
    ],
  },
];

/** The box where both ends of an event come together. */
const ANSWER: Box = { at: [158, 136], size: [150, 60], lines: ['answer', 'reason, log'] };

export function pictureFiles(): Map<string, string> {
  return new Map(PICTURES.map(picture => [
    `${picture.name}.svg`,
    svgOf(picture.name === 'event' ? { ...picture, boxes: [...picture.boxes, ANSWER] } : picture),
  ]));
}

if (require.main === module) {
  mkdirSync(FOLDER, { recursive: true });
  pictureFiles().forEach((svg, name) => writeFileSync(join(FOLDER, name), svg));
}
