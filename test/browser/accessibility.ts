import { Browser, Page } from 'playwright-core';
import { CheckList } from '../../rehearsal/check-list';
import { withPage } from './page';

/**
 * Its rules for the Web Content Accessibility Guidelines 2.2. It is injected as it is, so that nothing else depends on
 * it.
 */
const ENGINE = require.resolve('accessibility-checker-engine/ace.js');
const FINDINGS = `new ace.Checker().check(document, ['WCAG_2_2']).then(({ results }) => results
  .filter(({ value: [policy, outcome] }) => policy === 'VIOLATION' && outcome === 'FAIL')
  .map(({ ruleId, message, snippet }) => ruleId + ': ' + message + ' ' + snippet.slice(0, 80)))`;

/** Links that only their colour tells from the text around them, which paper does not have. */
const BARE_LINKS = `[...document.querySelectorAll('a[href]')]
  .filter(link => link.checkVisibility() && getComputedStyle(link).textDecorationLine !== 'underline')
  .map(link => link.textContent)`;

const MODES = ['light', 'dark', 'print'] as const;

/** What keeps people with other eyes and hands from a page: in light, in dark and on paper. */
export async function accessible(
  browser: Browser,
  list: CheckList,
  files: Readonly<Record<string, string>>,
): Promise<void> {
  for (const [name, file] of Object.entries(files)) {
    for (const mode of MODES) {
      const colorScheme = mode === 'dark' ? 'dark' : 'light';
      // The policy of the page refuses what is injected.
      await withPage(browser, list, `${name}, ${mode}, checked`, file, { colorScheme, bypassCSP: true }, async (page) => {
        if (mode === 'print') {
          await page.emulateMedia({ media: 'print' });
          await page.evaluate("dispatchEvent(new Event('beforeprint'))");
        }
        await expectNone(page, list, `${name}, ${mode}: links without a line`, BARE_LINKS);
        await page.addScriptTag({ path: ENGINE });
        await expectNone(page, list, `${name}, ${mode}: violations of WCAG 2.2`, FINDINGS);
      });
    }
  }
}

async function expectNone(page: Page, list: CheckList, name: string, script: string): Promise<void> {
  const found = await page.evaluate<string[]>(script);
  list.check(name, 'none', found.join('; ') || 'none');
}
