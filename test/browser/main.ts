/**
 * `npm run test:browser`: the access report in a real browser, Debian's Chromium. It leaves what it saw as pictures in
 * test/browser/screenshots/. `-- --no-install` leaves the machine's packages as they are, `-- --docs` makes the picture
 * in docs/ anew. Without a browser it says so, and skips everything.
 */
import { existsSync, mkdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { styleText } from 'node:util';
import { chromium } from 'playwright-core';
import { htmlOf } from '../../lib/report/html';
import { CheckList } from '../../rehearsal/check-list';
import { RunFolder } from '../../rehearsal/run-folder';
import { Timeline } from '../../rehearsal/timeline';
import { install } from '../clients/debian';
import { HOSTILE_NAMES, REPORT } from '../lib/report/report';
import { accessible } from './accessibility';
import { attack, inject, look, print, search } from './checks';
import { synthesizeCompany } from './company';
import { pictureForDocs, SCREENSHOTS } from './page';

process.env.CDK_VALIDATION = 'false';

const CHROMIUM = '/usr/bin/chromium';

const list = new CheckList(console.log);
const timeline = new Timeline(console.log);

/** @returns why there is no browser */
async function missingBrowser(): Promise<string | undefined> {
  if (existsSync(CHROMIUM)) {
    return undefined;
  }
  if (process.argv.includes('--no-install')) {
    return `there is no ${CHROMIUM}, and --no-install was given`;
  }
  timeline.step('install chromium');
  const hindrance = await install(['chromium']);
  return hindrance === undefined ? undefined : `there is no ${CHROMIUM}: ${hindrance}`;
}

async function main(): Promise<void> {
  const reason = await missingBrowser();
  if (reason !== undefined) {
    console.log(styleText('yellow', `skipped, all of it: ${reason}`));
    return;
  }
  mkdirSync(SCREENSHOTS, { recursive: true });
  timeline.step('synthesize an app with 20 users, and one with 500');
  const [small, large] = [20, 500].map((users) => {
    const folder = RunFolder.open().newPath('cdk.out');
    synthesizeCompany(folder, users);
    return join(folder, 'Shop.access.html');
  });
  const hostile = join(RunFolder.open().newFolder('hostile'), 'Hostile.access.html');
  writeFileSync(hostile, htmlOf(hostileReport()));
  const browser = await chromium.launch({
    executablePath: CHROMIUM,
    args: process.getuid?.() === 0 ? ['--no-sandbox'] : [],
  });
  try {
    timeline.step(`Chromium ${browser.version()}`);
    await look(browser, list, small, large);
    if (process.argv.includes('--docs')) {
      await pictureForDocs(browser, small);
    }
    await search(browser, list, large);
    await print(browser, list, small);
    await accessible(browser, list, { '20 users': small, 'hostile names': hostile });
    await attack(browser, list, hostile);
    await inject(browser, list, hostile);
  } finally {
    await browser.close();
  }
  list.table();
}

function hostileReport(): typeof REPORT {
  const [server] = REPORT.servers;
  const [user] = server.users;
  return {
    ...REPORT,
    stack: '</script><script>alert(1)</script>',
    servers: [{
      ...server,
      users: HOSTILE_NAMES.map(name => ({
        ...user,
        name,
        path: name,
        signIns: [{ principal: { kind: 'role' as const, path: name, arn: name } }],
      })),
      groups: server.groups.map(group => ({
        ...group,
        members: HOSTILE_NAMES.map(name => ({ name, kind: 'user' as const, through: [name] })),
      })),
    }],
  };
}

main().then(() => {
  if (list.failed > 0) {
    console.log(`\n${list.failed} not as expected.`);
    process.exitCode = 1;
  }
}, (error: Error) => {
  console.error(styleText('red', `test:browser: ${error.message}`));
  process.exitCode = 1;
});
