import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { pathToFileURL } from 'node:url';
import { Browser } from 'playwright-core';
import { CheckList } from '../../rehearsal/check-list';
import { HOSTILE_NAMES } from '../lib/report/report';
import { contrastOf, luminanceOf } from './color';
import { picture, SCREENSHOTS, widerThanScreen, withPage } from './page';

const WIDE = { width: 1280, height: 900 };
const NARROW = { width: 390, height: 844 };
/** What A4 has between its margins. */
const PAPER = { width: 688, height: 1000 };

/** Light, dark, narrow, and with many users. */
export async function look(browser: Browser, list: CheckList, small: string, large: string): Promise<void> {
  for (const colorScheme of ['light', 'dark'] as const) {
    await withPage(browser, list, `20 users, ${colorScheme}`, small, { viewport: WIDE, colorScheme }, async (page) => {
      await picture(page, `20-users-${colorScheme}`, true);
      const [text, background] = await page.evaluate<[string, string]>(
        '[getComputedStyle(document.body).color, getComputedStyle(document.body).backgroundColor]',
      );
      const contrast = contrastOf(text, background);
      list.check(
        `20 users, ${colorScheme}: contrast of text`,
        'at least 7',
        contrast >= 7 ? `at least 7 (${contrast.toFixed(1)})` : contrast.toFixed(1),
      );
      list.check(`20 users, ${colorScheme}: page`, colorScheme, luminanceOf(background) > 0.5 ? 'light' : 'dark');
    });
  }
  await withPage(browser, list, '20 users, narrow', small, { viewport: NARROW }, async (page) => {
    await picture(page, '20-users-narrow', true);
    list.check('narrow: wider than the screen', 'no', await widerThanScreen(page));
  });
  await withPage(browser, list, '500 users', large, { viewport: WIDE }, async (page) => {
    await picture(page, '500-users');
    list.check(
      '500 users: size of the page',
      'below 1 MB',
      readFileSync(large).length < 1_000_000 ? 'below 1 MB' : `${readFileSync(large).length} bytes`,
    );
    list.check('500 users: wider than the screen', 'no', await widerThanScreen(page));
    await page.mouse.wheel(0, 20_000);
    await page.waitForFunction('scrollY > 10000');
    await picture(page, '500-users-scrolled');
    const [tools, header] = await Promise.all(
      ['#tools', '.users thead th >> nth=0'].map(selector => page.locator(selector).boundingBox()),
    );
    list.check('500 users, scrolled: tools', 'at the top', tools?.y === 0 ? 'at the top' : `${tools?.y} px`);
    list.check(
      '500 users, scrolled: head of the table',
      'below the tools',
      Math.abs((header?.y ?? 0) - (tools?.height ?? 0)) <= 2
        ? 'below the tools'
        : `${header?.y} px, tools end at ${tools?.height} px`,
    );
  });
}

/** Search, filters and links. */
export async function search(browser: Browser, list: CheckList, file: string): Promise<void> {
  await withPage(browser, list, 'search', file, { viewport: WIDE, colorScheme: 'dark' }, async (page) => {
    const count = () => page.locator('#count').textContent();
    const shown = () => page.locator('.users tbody:visible').count();
    const report = async (name: string, expected: string) =>
      list.check(name, expected, `${await count()}, ${await shown()} shown`);
    await report('search: nothing', '500 users, 500 shown');
    await page.keyboard.press('/');
    await page.keyboard.type('auditor');
    await report('search: auditor', '1 of 500 users, 1 shown');
    await page.fill('#search', 'GRACE15@ laptop');
    await report('search: two words, in capitals', '1 of 500 users, 1 shown');
    list.check('search: identities, too', '1', String(await page.locator('.who tbody:visible').count()));
    await picture(page, '500-users-search');
    await page.fill('#search', 'no such thing');
    await report('search: what is not there', '0 of 500 users, 0 shown');
    list.check(
      'search: what is not there',
      'Nothing fits.',
      (await page.locator('.nothing:visible').first().textContent()) ?? '',
    );
    await page.keyboard.press('Escape');
    await report('search: Escape', '500 users, 500 shown');
    await page.selectOption('#kind', { label: 'No sign-in' });
    const withoutSignIn = await shown();
    list.check(
      'filter: no sign-in',
      String(withoutSignIn),
      String(await page.locator('.users tbody:visible .signs', { hasText: 'no identity in this app' }).count()),
    );
    await page.selectOption('#database', { label: 'crm' });
    await page.selectOption('#kind', { label: 'May change data or create objects' });
    await report('filter: changes data in a database that is only read', '0 of 500 users');
    await page.selectOption('#kind', { label: 'All users' });
    const readers = await shown();
    list.check(
      'filter: a database',
      String(readers),
      String(await page.locator('.users tbody:visible', { hasText: 'analysts' }).count()),
    );
    await page.keyboard.press('Escape');
    await page.locator('.users a', { hasText: 'readers' }).first().click();
    const { y: top = -1 } = await page.locator('tbody:target').boundingBox() ?? {};
    list.check('link: a group', 'in view', top >= 0 && top < 900 ? 'in view' : `${top} px`);
  });
}

/** On paper. */
export async function print(browser: Browser, list: CheckList, file: string): Promise<void> {
  await withPage(browser, list, 'print', file, { viewport: PAPER, colorScheme: 'dark' }, async (page) => {
    await page.pdf({ path: join(SCREENSHOTS, '20-users.pdf'), format: 'A4' });
    await page.emulateMedia({ media: 'print' });
    await page.evaluate("dispatchEvent(new Event('beforeprint'))");
    await picture(page, '20-users-print', true);
    const background = await page.evaluate<string>('getComputedStyle(document.body).backgroundColor');
    list.check('print: paper', 'white', background === 'rgb(255, 255, 255)' ? 'white' : background);
    list.check('print: tools', 'hidden', await page.locator('#tools').isVisible() ? 'there' : 'hidden');
    list.check(
      'print: members of groups',
      'all there',
      (await page.locator('details:not([open])').count()) === 0 ? 'all there' : 'behind a click',
    );
    list.check('print: wider than the paper', 'no', await widerThanScreen(page));
  });
}

/** Names that would be something else if they were not taken for text. */
export async function attack(browser: Browser, list: CheckList, file: string): Promise<void> {
  await withPage(browser, list, 'hostile names', file, { viewport: WIDE }, async (page) => {
    await picture(page, 'hostile-names');
    list.check(
      'hostile names: elements that a name made',
      '0',
      String(await page.locator('img, svg, body script ~ *, td script, th script, code *').count()),
    );
    const names = await page.locator('.users tbody th code').allTextContents();
    const hidden = /[\p{C}\p{Zl}\p{Zp}]/u;
    const missing = HOSTILE_NAMES.filter(name => !hidden.test(name) && !names.includes(name));
    list.check('hostile names: shown as they are', 'all', missing.length === 0 ? 'all' : missing.join(' '));
    list.check(
      'hostile names: characters that nobody sees',
      'none',
      names.some(name => hidden.test(name)) ? 'some' : 'none',
    );
  });
}

/** A script that got in after all does not run: the browser complains in the console, as it should. */
export async function inject(browser: Browser, list: CheckList, file: string): Promise<void> {
  const page = await browser.newPage();
  await page.goto(pathToFileURL(file).href);
  const outcome = await page.evaluate<string>(`new Promise((resolve) => {
    document.addEventListener('securitypolicyviolation', event => resolve('refused by ' + event.effectiveDirective));
    const script = document.createElement('script');
    script.textContent = 'window.injected = true';
    document.body.append(script);
    setTimeout(() => resolve(window.injected ? 'ran' : 'nothing happened'), 1000);
  })`);
  list.check('a script that is not of the page', 'refused by script-src', outcome);
  await page.close();
}
