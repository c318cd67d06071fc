import { join } from 'node:path';
import { pathToFileURL } from 'node:url';
import { Browser, BrowserContextOptions, Page } from 'playwright-core';
import { CheckList } from '../../rehearsal/check-list';

/** Where the pictures go. */
export const SCREENSHOTS = join(__dirname, 'screenshots');

/** Opens a page, and checks in the end that it was quiet: nothing in the console, nothing asked for. */
export async function withPage(
  browser: Browser,
  list: CheckList,
  name: string,
  file: string,
  options: BrowserContextOptions,
  work: (page: Page) => Promise<void>,
): Promise<void> {
  const context = await browser.newContext(options);
  try {
    const page = await context.newPage();
    const said: string[] = [];
    const requests: string[] = [];
    page.on('console', message => said.push(message.text()));
    page.on('pageerror', error => said.push(error.message));
    page.on('dialog', (dialog) => {
      said.push(`dialog: ${dialog.message()}`);
      void dialog.dismiss();
    });
    page.on('request', request => requests.push(request.url()));
    await page.goto(pathToFileURL(file).href);
    await work(page);
    list.check(`${name}: console`, 'silent', said.join('; ') || 'silent');
    list.check(
      `${name}: requests`,
      'the page alone',
      requests.length === 1 ? 'the page alone' : requests.slice(1).join(', '),
    );
  } finally {
    await context.close();
  }
}

export async function picture(page: Page, name: string, fullPage = false): Promise<void> {
  await page.screenshot({ path: join(SCREENSHOTS, `${name}.png`), fullPage });
}

/** Small: it is in the repository. */
export async function pictureForDocs(browser: Browser, file: string): Promise<void> {
  const page = await browser.newPage({ viewport: { width: 1100, height: 640 } });
  await page.goto(pathToFileURL(file).href);
  await page.evaluate("document.querySelector('.users').scrollIntoView(); scrollBy(0, -110)");
  await page.screenshot({ path: join(__dirname, '../../docs/access-report.jpg'), type: 'jpeg', quality: 55 });
  await page.close();
}

/** Whether one has to scroll sideways. */
export async function widerThanScreen(page: Page): Promise<string> {
  const pixels = await page.evaluate<number>(
    'document.documentElement.scrollWidth - document.documentElement.clientWidth',
  );
  return pixels > 0 ? `by ${pixels} px` : 'no';
}
