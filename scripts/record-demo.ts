/**
 * Runs the demo and writes what it prints to docs/images/demo.svg, line after line, as in a terminal:
 * `npx projen record`. Reasons in brackets and the table at the end are left out, and the host is shortened: the
 * picture is for a first look.
 */
import { spawn } from 'node:child_process';
import { mkdirSync, writeFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { stripVTControlCharacters } from 'node:util';

const ROOT = join(__dirname, '..');
export const RECORDING = join(ROOT, 'docs/images/demo.svg');

const TITLE = 'Recording of npm run demo, which deploys examples/quick-start to a local PostgreSQL';
const COLUMNS = 92;
const [CHARACTER, LINE, PADDING] = [8.4, 20, 16];
/** Seconds between lines; a step waits longer. Real times are in front of the steps. */
const [LINE_DELAY, STEP_DELAY] = [0.5, 1.2];

const STYLE = `
  .window { fill: #ffffff; stroke: #d0d7de; }
  text { font: 14px ui-monospace, SFMono-Regular, Menlo, Consolas, "DejaVu Sans Mono", monospace; fill: #1f2328; white-space: pre; }
  .step { font-weight: 600; }
  .ok { fill: #1a7f37; }
  .refused { fill: #9a6700; }
  .line { animation: appear 0.2s both; }
  @keyframes appear { from { opacity: 0; } to { opacity: 1; } }
  @media (prefers-color-scheme: dark) {
    .window { fill: #0d1117; stroke: #30363d; }
    text { fill: #e6edf3; }
    .ok { fill: #3fb950; }
    .refused { fill: #d29922; }
  }
  @media (prefers-reduced-motion: reduce) { .line { animation: none; } }
  @media print { .line { animation: none; } }`;

const escaped = (text: string) => text.replaceAll('&', '&amp;').replaceAll('<', '&lt;').replaceAll('>', '&gt;');

/** What the picture shows of what the demo has printed. */
export function shownOf(output: string): string[] {
  const printed = stripVTControlCharacters(output).split('\n');
  const lines = printed.filter(line => /^ *[\d.]+ s {2}|^ +[✓✗] |^All as expected|not as expected\.$/.test(line));
  return ['$ npm run demo', ...lines.map(line => shortened(line
    .replace(/ \([^)]*\)$/, '')
    .replace(/[\w-]+\.cluster-\w+\.([\w-]+)\.rds/, 'quickstart.cluster-….$1.rds')))];
}

function shortened(line: string): string {
  return line.length <= COLUMNS ? line : `${line.slice(0, COLUMNS - 1)}…`;
}

const isStep = (line: string) => /^ *[\d.]+ s/.test(line);
const classOf = (line: string) => isStep(line) || line.startsWith('$') ? ' step' : '';

export function recordingOf(lines: string[]): string {
  const [width, height] = [Math.ceil(COLUMNS * CHARACTER + 2 * PADDING), lines.length * LINE + 2 * PADDING];
  let at = 0;
  const texts = lines.map((line, index) => {
    at += index === 0 ? 0 : isStep(line) || index === lines.length - 1 ? STEP_DELAY : LINE_DELAY;
    const text = escaped(line)
      .replace('✓', '<tspan class="ok">✓</tspan>')
      .replace(/(refused: .*)$/, '<tspan class="refused">$1</tspan>')
      .replace(/(signed in as .*|gone|All as expected\.)$/, '<tspan class="ok">$1</tspan>');
    return `<text class="line${classOf(line)}" style="animation-delay: ${at.toFixed(1)}s" x="${PADDING}" `
      + `y="${PADDING + (index + 1) * LINE - 5}" xml:space="preserve">${text}</text>`;
  });
  return [
    `<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 ${width} ${height}" width="${width}" height="${height}" `
    + 'role="img" aria-labelledby="title description">',
    `<title id="title">${TITLE}</title>`,
    `<desc id="description">${escaped(lines.map(line => line.trim()).join('. '))}</desc>`,
    `<style>${STYLE}\n</style>`,
    `<rect class="window" x="0.5" y="0.5" width="${width - 1}" height="${height - 1}" rx="8"/>`,
    ...texts,
    '</svg>',
    '',
  ].join('\n');
}

/** Resolves with all that the demo has printed. */
function demo(): Promise<string> {
  return new Promise((resolve, reject) => {
    const child = spawn(process.execPath, ['--import', 'tsx', 'rehearsal/demo.ts'], {
      cwd: ROOT,
      env: { ...process.env, NO_COLOR: '1' },
    });
    let output = '';
    child.stdout.setEncoding('utf8').on('data', (text: string) => {
      output += text;
    });
    child.stderr.pipe(process.stderr);
    child
      .on('error', reject)
      .on('close', code => (code === 0 ? resolve(output) : reject(new Error(`the demo ended with ${code}`))));
  });
}

if (require.main === module) {
  void demo().then((output) => {
    mkdirSync(dirname(RECORDING), { recursive: true });
    writeFileSync(RECORDING, recordingOf(shownOf(output)));
  });
}
