import { mkdtempSync, rmSync } from 'node:fs';
import { createHash } from 'node:crypto';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, describe, expect, it } from 'vitest';
import { program, runOf } from '../analysis/test-runs.ts';
import { SkipLog } from '../trace/importers/skip-log.ts';
import { analysisHtml } from './analysis-html.ts';
import { collectReport } from './report-data.ts';
import { HOSTILE, HOSTILE_NAME, pairRun, reportOf } from './test-report.ts';

const folder = mkdtempSync(join(tmpdir(), 'hivemark-report-'));
afterAll(() => rmSync(folder, { recursive: true }));

const tagsOf = (page: string): ReadonlyMap<string, number> => {
  const tags = new Map<string, number>();
  const outside = page.replace(/<(script|style)>[^]*?<\/\1>/g, '<$1>');
  for (const [, tag = ''] of outside.matchAll(/<([a-zA-Z!][\w!-]*)/g)) tags.set(tag, (tags.get(tag) ?? 0) + 1);
  return tags;
};

describe('analysisHtml()', () => {
  it('draws an arrow, a badge that links to its row, and a diff for every adoption', async () => {
    const { data, page } = await reportOf([pairRun(folder)]);
    expect(data.totals.events).toBe(2);
    expect(page.match(/class="arrow /g)).toHaveLength(2);
    for (const number of [1, 2]) {
      expect(page).toContain(`href="#adoption-${number}"`);
      expect(page).toContain(`<tbody id="adoption-${number}"`);
    }
    expect(page.match(/class="scroll diff"/g)).toHaveLength(2);
    expect(page).toMatch(/class="k-taken a1"/);
    for (const id of ['scores', 'adoptions', 'origins', 'lineage', 'cost', 'denials', 'tables', 'runs', 'methods'])
      expect(page).toContain(`<section id="${id}"`);
  });

  it('lets no text of a trace become markup, wherever it stands', async () => {
    const harmless = await reportOf([pairRun(folder)], 'a plain sentence');
    const { page } = await reportOf(
      [pairRun(folder, { id: HOSTILE_NAME, name: HOSTILE_NAME, task: HOSTILE, comment: HOSTILE })],
      HOSTILE,
    );
    const [tags, plain] = [tagsOf(page), tagsOf(harmless.page)];
    expect([...tags.keys()].filter((tag) => !plain.has(tag))).toEqual([]);
    expect(tags.get('script')).toBe(1);
    for (const tag of ['img', 'iframe', 'object', 'embed', 'base', 'form', 'link', '!--'])
      expect(tags.has(tag)).toBe(false);
    // Every attribute is one that our templates have: a text that got out of its quotes would bring others.
    const outside = page.replace(/<(script|style)>[^]*?<\/\1>/g, '');
    const attributes = new Set(
      [...outside.matchAll(/<[^>]*>/g)].flatMap(([tag]) =>
        [...tag.replaceAll(/"[^"]*"/g, '""').matchAll(/\s([\w:-]+)/g)].map(([, name]) => name),
      ),
    );
    expect([...attributes].filter((name) => name?.startsWith('on') || name === 'srcdoc' || name === 'src')).toEqual([]);
    // oxlint-disable-next-line no-control-regex -- control characters are what must not be there
    expect(page).not.toMatch(/[\u0000-\u0008\u000b-\u001f\u202a-\u202e\u2066-\u2069]/);
    expect(page).toContain('[U+202E]');
  });

  it('forbids loading anything and running any script but its own', async () => {
    const { page } = await reportOf([pairRun(folder)]);
    const policy = /Content-Security-Policy" content="([^"]*)"/.exec(page)?.[1];
    expect(policy).toContain('default-src &#39;none&#39;');
    const script = /<script>([^]*?)<\/script>/.exec(page)?.[1] ?? '';
    expect(policy).toContain(`script-src &#39;sha256-${createHash('sha256').update(script).digest('base64')}&#39;`);
    expect(page).not.toMatch(/(?:src|href)="(?!#)[^"]*"/);
    expect(page).not.toMatch(/url\(|@import/);
  });

  it('shows the figures of the one question that was asked, and says so where there was nobody to adopt from', async () => {
    const alone = runOf(
      [{ name: 'solo', generations: [0.1, 0.5].map((score, g) => program('solo', g, { code: `x = ${g}`, score })) }],
      { folder },
    );
    const data = await collectReport([alone], { skips: new SkipLog() });
    const traces = { runs: [alone], skipped: [], skippedBy: {} };
    const lineage = analysisHtml([{ name: 'lineage', answers: 'how deep', tables: [] }], traces, data);
    expect(lineage).toContain('<section id="lineage"');
    expect(lineage).not.toContain('<section id="origins"');
    const { page } = await reportOf([alone]);
    expect(page).toContain('nobody to adopt from');
    expect(page).not.toContain('<section id="adoptions"');
  });

  it('draws runs without scores, without code, with one program, with no agent that has any', async () => {
    const runs = [
      runOf(
        [
          { name: 'a', generations: [program('a', 0)] },
          { name: 'b', generations: [] },
        ],
        { id: 'bare', folder },
      ),
      runOf([{ name: 'a', generations: [] }], { id: 'empty', folder }),
      runOf(
        [
          {
            name: 'a',
            generations: [program('a', 0, { code: '', score: -3 }), program('a', 1, { code: '', score: 1e9 })],
          },
        ],
        { id: 'odd', folder },
      ),
    ];
    const { page } = await reportOf(runs);
    expect(page).not.toMatch(/NaN|Infinity|undefined/);
  });

  it('stays small with many runs: diffs show changes only', { timeout: 120_000 }, async () => {
    const runs = Array.from({ length: 40 }, (_, n) => pairRun(folder, { id: `a_vs_b/seed${n + 1}`, seed: n + 1 }));
    const { data, page } = await reportOf(runs);
    expect(data.totals.events).toBeGreaterThan(60);
    expect(page.length).toBeLessThan(2_000_000);
    expect(page.match(/<details class="run"/g)?.length).toBeGreaterThanOrEqual(160);
    expect(page).toContain('data-print="folded"');
  });
});
