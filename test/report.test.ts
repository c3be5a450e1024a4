import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { createRequire } from 'node:module';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { pathToFileURL } from 'node:url';
import type { Browser, BrowserContextOptions, Page } from 'playwright-core';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { HOSTILE, HOSTILE_NAME, pairRun, reportOf } from '../src/report/test-report.ts';
import { findChromium, launchChromium } from './chromium.ts';

const chromium = findChromium();
const AXE = readFileSync(createRequire(import.meta.url).resolve('axe-core/axe.min.js'), 'utf8');

if (chromium === undefined)
  console.warn('no Chromium on this machine: the tests of the report in a browser are skipped');

describe.skipIf(chromium === undefined)('the report in Chromium', () => {
  const folder = mkdtempSync(join(tmpdir(), 'hivemark-page-'));
  let browser: Browser;

  beforeAll(async () => {
    browser = await launchChromium(chromium ?? '');
    const plain = await reportOf(
      [pairRun(folder, { comment: `# ${'a line without an end '.repeat(20)}` })],
      'It scores more than mine. I take it over.',
    );
    const hostile = await reportOf(
      [pairRun(folder, { id: HOSTILE_NAME, name: HOSTILE_NAME, task: HOSTILE, comment: HOSTILE })],
      HOSTILE,
    );
    const many = await reportOf(
      Array.from({ length: 8 }, (_, n) => pairRun(folder, { id: `pair/seed${n + 1}`, seed: n + 1 })),
    );
    writeFileSync(join(folder, 'plain.html'), plain.page);
    writeFileSync(join(folder, 'hostile.html'), hostile.page);
    writeFileSync(join(folder, 'many.html'), many.page);
  }, 60_000);
  afterAll(async () => {
    await browser?.close();
    rmSync(folder, { recursive: true });
  });

  /** A page in a context of its own, with everything it says and asks for. */
  async function open(
    name: 'plain' | 'hostile' | 'many',
    options: BrowserContextOptions = {},
    hash = '',
  ): Promise<{ readonly page: Page; readonly said: string[] }> {
    const context = await browser.newContext({ viewport: { width: 1200, height: 900 }, ...options });
    context.setDefaultTimeout(20_000);
    const page = await context.newPage();
    const said: string[] = [];
    page.on('console', (message) => said.push(`console: ${message.text()}`));
    page.on('pageerror', (error) => said.push(`error: ${error.message}`));
    page.on('dialog', (dialog) => said.push(`dialog: ${dialog.message()}`));
    page.on('request', (request) => {
      if (!request.url().startsWith('file:') || request.resourceType() !== 'document')
        said.push(`request: ${request.url()}`);
    });
    await page.goto(`${pathToFileURL(join(folder, `${name}.html`)).href}${hash}`);
    return { page, said };
  }

  const overflow = (page: Page): Promise<number> =>
    page.evaluate('document.documentElement.scrollWidth - document.documentElement.clientWidth');

  test.each([
    'plain',
    'hostile',
    'many',
  ] as const)('%s: draws without a message, a request or an error', async (name) => {
    const { page, said } = await open(name);
    expect(await page.locator('svg').count()).toBeGreaterThan(3);
    expect(await page.locator('.arrow').count()).toBeGreaterThanOrEqual(2);
    const box = await page.locator('#scores svg').first().boundingBox();
    expect(box?.width).toBeGreaterThan(600);
    expect(box?.height).toBeGreaterThan(200);
    expect(await overflow(page)).toBe(0);
    await page.evaluate("for (const details of document.querySelectorAll('details')) details.open = true");
    expect(await overflow(page)).toBe(0);
    expect(said).toEqual([]);
  });

  test('an arrow begins at the program of the peer and ends at the one that took from it', async () => {
    const { page } = await open('plain');
    const ends = await page.evaluate(`(() => {
        const path = document.querySelector('.arrow .shaft');
        const at = path.getPointAtLength(0);
        const head = document.querySelector('.arrow .head').getBBox();
        const marks = [...document.querySelectorAll('#scores .marks path')].map((mark) => ({
          text: mark.textContent,
          at: /translate\\(([-\\d.]+),([-\\d.]+)\\)/.exec(mark.getAttribute('transform') ?? '')?.slice(1).map(Number),
        })).filter((mark) => mark.at);
        const near = (x, y) => marks.toSorted((p, q) => Math.hypot(p.at[0] - x, p.at[1] - y) - Math.hypot(q.at[0] - x, q.at[1] - y))[0].text;
        return [near(at.x, at.y), near(head.x + head.width / 2, head.y + head.height / 2)];
      })()`);
    expect(ends).toEqual([expect.stringMatching(/^b 3: /), expect.stringMatching(/^a 4: /)]);
  });

  test('a row unfolds by a click to the reason and the three-way diff', async () => {
    const { page } = await open('plain');
    const row = page.locator('#adoption-1');
    const diff = row.locator('.diff');
    expect(await diff.isVisible()).toBe(false);
    await row.locator('summary').first().click();
    expect(await diff.isVisible()).toBe(true);
    expect(await row.locator('blockquote').innerText()).toContain('I take it over.');
    expect(await diff.locator('thead th').allInnerTexts()).toEqual(['lines', 'a 3', 'b 3', 'a 4', 'code']);
    expect(await diff.locator('tr.k-taken').count()).toBeGreaterThan(0);
    expect(await diff.locator('tr.k-dropped').count()).toBeGreaterThan(0);
  });

  test('a badge leads to its row and unfolds it; so does a link with its name', async () => {
    const { page } = await open('plain');
    await page.locator('#scores a.badge').nth(1).click();
    await page.locator('#adoption-2 .diff').waitFor();
    expect(await page.locator('#adoption-1 .diff').isVisible()).toBe(false);
    const linked = await open('plain', {}, '#adoption-1');
    await linked.page.locator('#adoption-1 .diff').waitFor();
  });

  test('rows are filtered by who took, and the folded runs without one go', async () => {
    const { page } = await open('many');
    const rows = page.locator('tbody[data-adoption]:not([hidden])');
    const all = await rows.count();
    await page.locator('select[data-filter="run"]').selectOption('pair/seed7');
    expect(await rows.count()).toBe(2);
    expect(await page.locator('#adoptions details.run:not([hidden])').count()).toBe(1);
    expect(await rows.first().isVisible()).toBe(true);
    expect(await page.locator('[data-shown]').innerText()).toBe(`2 of ${all} shown`);
    await page.locator('select[data-filter="run"]').selectOption('');
    expect(await rows.count()).toBe(all);
  });

  test('all of it is there without script, and unfolds', async () => {
    const { page, said } = await open('plain', { javaScriptEnabled: false });
    expect(await page.locator('.controls').isVisible()).toBe(false);
    await page.locator('#adoption-1 summary').first().click();
    expect(await page.locator('#adoption-1 .diff').isVisible()).toBe(true);
    expect(said).toEqual([]);
  });

  test.each([
    ['with script', true],
    ['without script', false],
  ])('print shows the diffs, the tables and no controls, %s', async (_, javaScriptEnabled) => {
    const { page } = await open('plain', { javaScriptEnabled });
    await page.emulateMedia({ media: 'print' });
    expect(await page.locator('#adoption-1 .diff').isVisible()).toBe(true);
    expect(await page.locator('#tables details').first().locator('table').first().isVisible()).toBe(true);
    expect(await page.locator('nav').isVisible()).toBe(false);
    expect(await page.locator('.controls').isVisible()).toBe(false);
    expect((await page.pdf({ format: 'A4' })).length).toBeGreaterThan(20_000);
  });

  test.each(['plain', 'hostile', 'many'] as const)('%s: fits a phone, unfolded too', async (name) => {
    const { page } = await open(name, { viewport: { width: 390, height: 844 } });
    expect(await overflow(page)).toBe(0);
    await page.evaluate("for (const details of document.querySelectorAll('details')) details.open = true");
    expect(await overflow(page)).toBe(0);
    // The chart scrolls in its own box and its text stays readable.
    const size = await page.evaluate(`(() => {
        const text = document.querySelector('#scores svg .axes text');
        return parseFloat(getComputedStyle(text).fontSize) * text.getScreenCTM().a;
      })()`);
    expect(size).toBeGreaterThan(8);
  });

  test('no text of a trace runs, makes an element or is lost', async () => {
    const { page, said } = await open('hostile');
    await page.evaluate("for (const details of document.querySelectorAll('details')) details.open = true");
    await page.mouse.move(300, 400);
    await page.locator('.badge').first().hover();
    expect(await page.evaluate('globalThis.pwned ?? null')).toBeNull();
    expect(await page.locator('img, iframe, object, embed, form, script:not(body > script)').count()).toBe(0);
    expect(await page.locator('script').count()).toBe(1);
    expect(await page.locator('#adoption-1 blockquote').innerText()).toContain(
      '</script><script>globalThis.pwned = 1</script>',
    );
    expect(await page.locator('#adoption-1 .diff').innerText()).toContain('<iframe srcdoc=');
    expect(said).toEqual([]);
  });

  test('the policy stops what escaping would have let through', async () => {
    const { page, said } = await open('plain');
    await page.evaluate(`document.body.insertAdjacentHTML('beforeend',
        '<img src="file:///etc/hostname" onerror="globalThis.pwned = 1"><a id="bait" href="javascript:globalThis.pwned = 2">x</a>')`);
    await page.locator('#bait').click();
    await page.waitForTimeout(200);
    expect(await page.evaluate('globalThis.pwned ?? null')).toBeNull();
    // A browser says so when it comes to it.
    await expect.poll(() => said.join('\n'), { timeout: 20_000 }).toContain('Content Security Policy');
  });

  test.each(['plain', 'many'] as const)('%s: axe finds nothing to object to', async (name) => {
    const { page } = await open(name);
    await page.evaluate("for (const details of document.querySelectorAll('details')) details.open = true");
    await page.evaluate(AXE);
    const violations = await page.evaluate(
      `axe.run(document, { resultTypes: ['violations'] }).then(({ violations }) => violations.map(({ id, nodes }) => id + ': ' + nodes.slice(0, 3).map(({ html }) => html.slice(0, 160)).join(' | ')))`,
    );
    expect(violations).toEqual([]);
  }, 60_000);

  test('has a language, a title, one first heading, headings in order, headers in every table and a name for every figure', async () => {
    const { page } = await open('plain');
    const facts = await page.evaluate(`(() => ({
        lang: document.documentElement.lang,
        title: document.title,
        h1: document.querySelectorAll('h1').length,
        levels: [...document.querySelectorAll('h1,h2,h3,h4')].map((heading) => Number(heading.tagName[1])),
        bareTables: [...document.querySelectorAll('table')].filter((table) => !table.querySelector('th[scope]')).length,
        bareFigures: [...document.querySelectorAll('svg')].filter((svg) => !svg.getAttribute('aria-label') && svg.getAttribute('aria-hidden') !== 'true').length,
      }))()`);
    expect(facts).toMatchObject({
      lang: 'en',
      title: expect.stringContaining('hivemark'),
      h1: 1,
      bareTables: 0,
      bareFigures: 0,
    });
  });
});
