import { readFile, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { describe, expect, test } from 'vitest';
import { makeTestFolder } from '../trace/test-folder.ts';
import { hyperspaceAgent, openEvolveProgram, pythonProgram, writeTree } from '../trace/importers/test-sources.ts';
import { DIAGNOSTICS } from '../analysis/registry.ts';
import { type AnalyzeFlags, analyzeCommand } from './analyze-command.ts';
import type { ExitCode } from './output.ts';
import { UsageError } from './output.ts';

interface Ran {
  readonly code: ExitCode;
  readonly out: string;
  readonly err: string;
}

async function analyze(
  kind: string | undefined,
  paths: readonly string[],
  flags: AnalyzeFlags = {},
  cwd = process.cwd(),
): Promise<Ran> {
  let [out, err] = ['', ''];
  const code = await analyzeCommand(kind, paths, flags, {
    output: {
      out: (text) => void (out += text),
      err: (text) => void (err += text),
      interactive: false,
      columns: 100,
    },
    env: {},
    cwd,
    signal: new AbortController().signal,
  });
  return { code, out, err };
}

/** Two agents, one of which copies the other in generation 2; one search; something broken. */
async function traces(): Promise<string> {
  const root = await makeTestFolder();
  const step = (n: number, score: number): { code: string; metadata: unknown } => ({
    code: pythonProgram(n).repeat(4),
    metadata: { valid: true, train_score: score, val_score: score },
  });
  await writeTree(root, {
    ...hyperspaceAgent('a_vs_b/seed1/a', 'a', 1, [step(0, 0), step(1, 0.5), step(2, 0.6), step(3, 0.7)]),
    ...hyperspaceAgent('a_vs_b/seed1/b', 'b', 1, [step(0, 0), step(11, 0.1), step(1, 0.5), step(13, 0.2)]),
    'search/programs.jsonl': `${[0, 1, 2].map((n) => JSON.stringify(openEvolveProgram(n, n, n === 0 ? null : n - 1))).join('\n')}\n{"half`,
  });
  return root;
}

const refusal = (kind: string, flags: AnalyzeFlags, paths = ['.']): Promise<Ran> => analyze(kind, paths, flags);

describe('hivemark analyze', () => {
  test('without a kind lists them, each with what it answers', async () => {
    const { code, out } = await analyze(undefined, []);
    expect(code).toBe(0);
    for (const { name, answers } of DIAGNOSTICS)
      expect(out).toMatch(new RegExp(`^${name} .*${answers.slice(0, 20)}`, 'm'));
    const json: unknown = JSON.parse((await analyze(undefined, [], { json: true })).out);
    expect(json).toEqual({ kinds: DIAGNOSTICS.map(({ name, answers, rules }) => ({ name, answers, rules })) });
  });

  test.each(DIAGNOSTICS.map(({ name }) => name))('%s: a table, a JSON document, CSV, a page', async (kind) => {
    const root = await traces();
    const { code, out, err } = await analyze(kind, [root]);
    expect(code).toBe(0);
    expect(out.split('\n').length).toBeGreaterThan(1);
    expect(err).toContain('read 2 runs (evotrace, hyperspace)');
    expect(err).toContain('search/programs.jsonl:4: line left out, not JSON');

    const document: unknown = JSON.parse((await analyze(kind, [root], { json: true })).out);
    expect(document).toMatchObject({ skipped: [{ path: 'search/programs.jsonl', line: 4 }] });

    const csv = (await analyze(kind, [root], { csv: true })).out;
    expect(csv).toMatch(/^[^\r\n]+\r\n/);

    const file = join(root, 'page.html');
    expect((await analyze(kind, [root], { html: 'page.html' }, root)).code).toBe(0);
    expect(await readFile(file, 'utf8')).toMatch(/^<!doctype html>/i);
  });

  test('adoption --json --pairs has the documented shape', async () => {
    const root = await traces();
    const { out } = await analyze('adoption', [root], { rule: 'visible', json: true, pairs: true });
    const document: unknown = JSON.parse(out);
    const event = {
      agent: 'b',
      peer: 'a',
      generation: 2,
      peerGeneration: 1,
      dOwn: expect.any(Number),
      dPeer: 0,
      share: 0,
      before: 0.1,
      after: 0.5,
    };
    const counts = {
      lenA: expect.any(Number),
      lenB: expect.any(Number),
      matched: expect.any(Number),
      popular: expect.any(Number),
    };
    expect(document).toMatchObject({
      rule: 'visible',
      runs: [
        {
          id: 'a_vs_b/seed1',
          pairing: 'a_vs_b',
          seed: 1,
          agents: ['a', 'b'],
          events: [event],
          pairs: expect.arrayContaining([
            expect.objectContaining({
              ...event,
              previousGeneration: 1,
              adoption: true,
              own: expect.objectContaining(counts),
              vsPeer: expect.objectContaining(counts),
            }),
          ]),
        },
        { id: 'search', seed: null, events: [], pairs: [] },
      ],
      totals: { runs: 2, events: 1, improving: 1, degrading: 0, neutral: 0, meanGain: 0.4, meanLoss: null },
      skipped: [{ path: 'search/programs.jsonl', line: 4 }],
    });
    expect((await analyze('adoption', [root], { rule: 'visible', json: true })).out).not.toContain('"pairs"');
  });

  test('names what call logs lack only when they are read', async () => {
    const root = await traces();
    const pointer = 'version https://git-lfs.github.com/spec/v1\noid sha256:a3\nsize 9\n';
    await writeTree(root, { 'a_vs_b/seed1/a/gen_1/llm_calls.jsonl': pointer });
    const path = 'a_vs_b/seed1/a/gen_1/llm_calls.jsonl';
    const { out, err } = await analyze('neglect', [root], { json: true });
    expect(JSON.parse(out)).toMatchObject({
      skipped: [{ line: 4 }, { path, why: expect.stringContaining('Git LFS') }],
    });
    expect(err).toContain(`call logs read; left out:\n  ${path}`);
    expect((await analyze('cycling', [root], { json: true })).out).not.toContain('llm_calls');
  });

  test('counts a defect once, whoever meets it', async () => {
    const root = await traces();
    const { out } = await analyze('all', [root, join(root, 'search')], { json: true });
    const { skipped, skippedBy } = JSON.parse(out) as { skipped: object[]; skippedBy: Record<string, number> };
    expect(Object.values(skippedBy).reduce((sum, n) => sum + n, 0)).toBe(skipped.length);
    expect(new Set(skipped.map((one) => JSON.stringify(one))).size).toBe(skipped.length);
  });

  test('all answers every question in one document', async () => {
    const { out } = await analyze('all', [await traces()], { json: true });
    expect(JSON.parse(out)).toMatchObject({ analyses: Object.fromEntries(DIAGNOSTICS.map(({ name }) => [name, {}])) });
  });

  test('gives each rule a different name in its answer', async () => {
    const root = await traces();
    for (const { name, rules } of DIAGNOSTICS) {
      for (const rule of rules) {
        const { out } = await analyze(name, [root], { rule, json: true });
        expect(JSON.parse(out), `${name} --rule ${rule}`).toMatchObject({ rule });
      }
    }
  });

  test.each<[string, string, AnalyzeFlags, string]>([
    ['an unknown kind', 'cyclng', {}, 'Did you mean cycling?'],
    ['an unknown rule', 'crashes', { rule: 'mine' }, 'causes, published-25, published-6, published-4'],
    ['a rule where there are none', 'cycling', { rule: 'visible' }, 'has no rules'],
    ['two ways to print', 'cycling', { json: true, csv: true }, 'exclude each other'],
    ['pairs of what has none', 'cycling', { pairs: true }, 'adoption only'],
    ['one table of everything', 'all', { csv: true }, 'name one analysis'],
  ])('refuses %s', async (_, kind, flags, hint) => {
    await expect(refusal(kind, flags)).rejects.toThrow(UsageError);
    await expect(refusal(kind, flags)).rejects.toThrow(hint);
  });

  test('refuses to read nothing, and a page where none can be written', async () => {
    await expect(analyze('cycling', [])).rejects.toThrow('name a folder of traces');
    const root = await traces();
    await expect(analyze('cycling', [root], { html: join(root, 'no', 'x.html') })).rejects.toThrow(
      /cannot write .*ENOENT/,
    );
  });

  test('exits 1 only when nothing could be read, and says what was wrong', async () => {
    const root = await makeTestFolder();
    await writeFile(join(root, 'x.txt'), 'x');
    const nothing = await analyze('cycling', [root, join(root, 'nowhere')], { json: true });
    expect(nothing.code).toBe(1);
    expect(JSON.parse(nothing.out)).toMatchObject({
      runs: [],
      skipped: [{ path: root }, { path: join(root, 'nowhere') }],
      skippedBy: { 'no such file or folder': 1 },
    });
    for (const { name } of DIAGNOSTICS) {
      const { code, out } = await analyze(name, [root], { json: true });
      expect([code, JSON.parse(out)]).toMatchObject([1, { skipped: [{ path: root }] }]);
    }
    expect((await analyze('cycling', [root])).out).toBe('');
    expect(nothing.err).toContain('no run of a known format in it');
    expect(nothing.err).toContain('no such file or folder');
    expect((await analyze('cycling', [root, await traces()])).code).toBe(0);
  });

  test("shows strangers' names without their control characters, and escaped in the page", async () => {
    const root = await makeTestFolder();
    const name = '\u001b[31m<b>=x';
    await writeTree(root, { [`${name}/programs.jsonl`]: JSON.stringify(openEvolveProgram(0, 0, null)) });
    const { out } = await analyze('cycling', [root]);
    expect(out).toContain('\ufffd[31m<b>=x');
    expect(out).not.toContain('\u001b');
    await analyze('cycling', [root], { html: join(root, 'x.html') });
    const page = await readFile(join(root, 'x.html'), 'utf8');
    expect(page).toContain('&lt;b&gt;=x');
    expect(page).not.toContain('<b>');
  });
});
