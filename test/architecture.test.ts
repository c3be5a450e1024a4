import { globSync, readFileSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import { describe, expect, test } from 'vitest';
import { type Exception, IMPORT_TABLE, isTestFile, offencesIn, PURE_FILES } from './architecture-rules.ts';
import { readSource } from './source-code.ts';

/** Where the house breaks its own rules, each with the reason. */
const EXCEPTIONS: readonly Exception[] = [];

const root = fileURLToPath(new URL('..', import.meta.url));
const sources = new Map(
  globSync('src/**/*.ts', { cwd: root })
    .map((file) => file.replaceAll('\\', '/'))
    .filter((file) => !isTestFile(file))
    .map((file) => [file, readFileSync(`${root}${file}`, 'utf8')] as const),
);

test('there is a house to look at', () => {
  expect(sources.size).toBeGreaterThan(50);
  const folders = new Set([...sources.keys()].map((file) => file.split('/')[1]));
  for (const folder of [
    'space',
    'guard',
    'materialize',
    'sandbox',
    'agents',
    'evaluate',
    'experiment',
    'trace',
    'analysis',
  ]) {
    expect(folders).toContain(folder);
  }
});

test('every file of src keeps to the import table, the purity list and the language rules', () => {
  expect(offencesIn(sources, EXCEPTIONS)).toEqual([]);
});

test('every source is long enough to see and its imports were found', () => {
  const imports = [...sources.values()].flatMap((source) => readSource(source).imports);
  // A scanner that lost its way in a string would find few: compare with lines that plainly are imports.
  const plain = [...sources.values()].join('\n').match(/^(?:import|export) [^\n]*\bfrom '[^']+';$/gm);
  expect(imports.length).toBeGreaterThanOrEqual((plain ?? []).length * 0.95);
});

describe('offencesIn() sees', () => {
  const pure = new Map(PURE_FILES.map((rule) => [rule.replace('*', 'one.ts'), 'export const x = 1;\n']));
  const offences = (file: string, source: string, exceptions: readonly Exception[] = []): readonly string[] =>
    offencesIn(new Map([...pure, [file, source]]), exceptions);

  test('nothing wrong where nothing is', () => {
    expect(
      offences('src/guard/x.ts', "import type { Mark } from '../space/marks.ts';\nimport { y } from './y.ts';\n"),
    ).toEqual([]);
    expect(offences('src/cli/run.ts', "import { x } from '../mcp/x.ts';\nimport { y } from './y.ts';\n")).toEqual([]);
    expect(offences('src/cli.ts', "import { x } from './cli/x.ts';\n")).toEqual([]);
    expect(offences('src/cli/bench.ts', "import { x } from '../bench/x.ts';\n")).toEqual([]);
    expect(offences('src/bench/x.ts', "import { y } from './y.ts';\n")).toEqual([]);
    expect(offences('src/trace/x.ts', "import { x } from '../version.ts';\n")).toEqual([]);
    expect(offences('src/cli.ts', "import { x } from './mcp/x.ts';\nimport { y } from './report/y.ts';\n")).toEqual([]);
  });

  test.each<[string, string, string]>([
    ['src/space/x.ts', "import { decide } from '../guard/decide.ts';", 'imports src/guard/decide.ts'],
    ['src/space/x.ts', "import type { D } from '../guard/decide.ts';", 'imports src/guard/decide.ts'],
    ['src/agents/x.ts', "export { y } from '../evaluate/y.ts';", 'imports src/evaluate/y.ts'],
    ['src/agents/x.ts', "const y = await import('../evaluate/y.ts');", 'imports src/evaluate/y.ts'],
    ['src/analysis/x.ts', "import '../experiment/y.ts';", 'imports src/experiment/y.ts'],
    ['src/trace/x.ts', "import { y } from '../space/y.ts';", 'imports more than types from src/space/y.ts'],
    ['src/experiment/x.ts', "import { y } from '../cli.ts';", 'imports src/cli.ts'],
    ['src/experiment/x.ts', "import { y } from '../cli/y.ts';", 'imports src/cli/y.ts'],
    ['src/bench/x.ts', "import { y } from '../cli/y.ts';", 'imports src/cli/y.ts'],
    ['src/version.ts', "import { y } from './space/y.ts';", 'imports src/space/y.ts'],
    ['src/cli.ts', "import { y } from './index.ts';", 'imports src/index.ts'],
    ['src/experiment/x.ts', "import { y } from '../bench/y.ts';", 'imports src/bench/y.ts'],
    ['src/guard/x.ts', "import { y } from './policies/index.ts';", 'imports src/guard/policies/index.ts'],
    ['src/guard/x.ts', "import { y } from './y';", 'imports ./y without the extension .ts'],
    ['src/guard/x.ts', "import { y } from './y.js';", 'imports ./y.js without the extension .ts'],
    ['src/guard/x.ts', "import { y } from './test-y.ts';", 'imports the test file src/guard/test-y.ts'],
    ['src/guard/x.ts', "import { y } from '../../test/y.ts';", 'imports test/y.ts from outside src'],
    ['src/attic/x.ts', 'export const y = 1;', 'is in no folder of the import table'],
    ['src/guard/x.ts', 'export default 1;', 'has a default export'],
    ['src/guard/x.ts', 'export enum Colour { Red }', 'has an enum'],
    ['src/guard/x.ts', 'export const y = (z: any): string => z;', 'has any'],
    ['src/guard/x.ts', 'export const y = z as any;', 'has any'],
    ['src/space/strength.ts', "import { x } from 'node:fs';", 'is pure and imports node:fs'],
    ['src/space/strength.ts', 'export const now = () => Date.now();', 'is pure and has Date'],
    ['src/space/strength.ts', 'export const x = `${Math.random()}`;', 'is pure and has Math.random'],
    ['src/space/strength.ts', 'export const x = performance.now();', 'is pure and has performance'],
    ['src/space/strength.ts', 'export async function x() {}', 'is pure and has async'],
    ['src/space/strength.ts', 'export const x = await y;', 'is pure and has await'],
    ['src/space/strength.ts', 'export const x = process.env;', 'is pure and has process'],
    ['src/space/strength.ts', 'setTimeout(() => undefined, 1);', 'is pure and has a timer'],
    ['src/guard/policies/two.ts', 'export const now = () => new Date();', 'is pure and has Date'],
  ])('in %s: %s', (file, source, what) => {
    expect(offences(file, source)).toContain(`${file}: ${what}`);
  });

  test('impurity behind an import by value, and none behind an import of types', () => {
    const impure = ['src/space/clock.ts', 'export const now = () => Date.now();'] as const;
    const over = (line: string): readonly string[] =>
      offencesIn(new Map([...pure, impure, ['src/space/scope.ts', line]]));
    expect(over("import { now } from './clock.ts';")).toEqual(['src/space/clock.ts: is pure and has Date']);
    expect(over("import type { Now } from './clock.ts';")).toEqual([]);
  });

  test('a pure file that is gone, a folder that is empty', () => {
    expect(offencesIn(new Map())).toContain('src/guard/decide.ts: is a pure file that is not there');
  });

  test('no code in comments, strings, templates and regular expressions', () => {
    const text = [
      "// import { x } from '../mcp/x.ts'; any Date",
      "/* export default any */ const a = 'export default any';",
      'const b = `await Date ${`import x from "../mcp/x.ts" ${"Date"}`} export default`;',
      "const c = [/['\"`]/g, 1 / 2, /[/]Date/]; const d = 'Date';",
      'const e = AbortSignal.any([]); const f = z.enum([]);',
    ].join('\n');
    expect(offences('src/space/strength.ts', text)).toEqual([]);
    // ... and goes on seeing after them.
    expect(offences('src/space/strength.ts', `${text}\nDate.now();`)).toHaveLength(1);
  });

  test('an exception: it excuses its offence, and is one itself once nothing needs it', () => {
    const exception = { file: 'src/guard/x.ts', offence: 'has any', reason: 'for the test' };
    expect(offences('src/guard/x.ts', 'let y: any;', [exception])).toEqual([]);
    expect(offences('src/guard/x.ts', 'let y: 1;', [exception])).toEqual([
      'src/guard/x.ts: has any (an exception nothing needs)',
    ]);
  });
});

test('the import table names only folders of its own, and has no circle', () => {
  const depth = (folder: string, path: readonly string[] = []): number => {
    expect(path).not.toContain(folder);
    const rights = IMPORT_TABLE[folder];
    expect(Object.keys(IMPORT_TABLE)).toContain(folder);
    return 1 + Math.max(0, ...Object.keys(rights ?? {}).map((other) => depth(other, [...path, folder])));
  };
  for (const folder of Object.keys(IMPORT_TABLE)) expect(depth(folder)).toBeGreaterThan(0);
});
