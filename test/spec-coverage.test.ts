import { existsSync, readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { type Citation, citationsIn, titlesIn } from './spec-citations.ts';
import { specText } from './spec-document.ts';
import { RULES } from './spec-rules.ts';

const ROOT = join(import.meta.dirname, '..');
const FOLDERS = ['src', 'test', 'experiments'];

function testFiles(): readonly string[] {
  return FOLDERS.flatMap((folder) =>
    readdirSync(join(ROOT, folder), { recursive: true, encoding: 'utf8' })
      .filter((path) => path.endsWith('.test.ts'))
      .map((path) => `${folder}/${path.replaceAll('\\', '/')}`),
  ).sort();
}

/** Of this repository's tests; those about citations cite for show. */
function allCitations(): readonly Citation[] {
  return testFiles()
    .filter((file) => file !== 'test/spec-coverage.test.ts')
    .flatMap((file) => citationsIn(file, readFileSync(join(ROOT, file), 'utf8')));
}

describe('the rules of the protocol', () => {
  it('are seventy of the specification and fifteen of ours, each once and in order', () => {
    const ids = [
      ...Array.from({ length: 70 }, (_, i) => `P${i + 1}`),
      ...Array.from({ length: 15 }, (_, i) => `S${i + 1}`),
    ];
    expect(RULES.map(({ id }) => id)).toEqual(ids);
  });

  it('are each a sentence and enforced somewhere that is there', () => {
    for (const { id, text, files } of RULES) {
      expect(text, id).toMatch(/^[A-Zn].*\.$/);
      expect(files.length, id).toBeGreaterThan(0);
    }
    const missing = RULES.flatMap(({ id, files }) =>
      files.filter((file) => !existsSync(join(ROOT, 'src', file))).map((file) => `${id}: src/${file}`),
    );
    expect(missing).toEqual([]);
  });

  it('are each cited by a test', () => {
    const cited = new Set(allCitations().map(({ id }) => id));
    expect(RULES.map(({ id }) => id).filter((id) => !cited.has(id))).toEqual([]);
  });

  it('are the only ones that tests cite', () => {
    const known = new Set(RULES.map(({ id }) => id));
    expect(allCitations().filter(({ id }) => !known.has(id))).toEqual([]);
  });

  it('and SPEC.md says which test proves which: `vitest run test/spec-coverage.test.ts -u` writes it anew', async () => {
    await expect(specText(allCitations())).toMatchFileSnapshot(join(ROOT, 'SPEC.md'));
  });
});

describe('citationsIn()', () => {
  const cite = (source: string): string[] => citationsIn('x.test.ts', source).map(({ id }) => id);

  it('finds ids and ranges of ids, at the end of a title and inside it', () => {
    expect(cite(`it('lasts (P44), as it should (S9, P1-P3)', () => {});`)).toEqual(['P44', 'S9', 'P1', 'P2', 'P3']);
    expect(cite('it.each([[1, "(P9)"], [2, ")"]])("of %i (S1)", (n) => n);')).toEqual(['S1']);
    expect(cite('test.skipIf(slow && (a || b))(`over ${n} rounds (P5)`, run);')).toEqual(['P5']);
  });

  it('finds none in comments, groups, code, skipped tests, and brackets with anything else in them', () => {
    const source = `
      // it('a (P1)', f)
      describe('b (P2)', () => { f('(P3)'); it('c (see P4)', f); it('d (P5 and P6)', f); });
      it.skip('e (P7)', f); it.todo('f (P8)'); test.skip.each([1])('g (P9)', f); const s = "it('h (P10)', f)"; await(x);
    `;
    expect(cite(source)).toEqual([]);
    expect(titlesIn(source)).toEqual(['c (see P4)', 'd (P5 and P6)']);
  });
});
