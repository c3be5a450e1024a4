import { posix } from 'node:path';
import { readSource } from './source-code.ts';

/** Sources by their path in the repository (`src/space/marks.ts`), tests left out. */
export type Sources = ReadonlyMap<string, string>;

/** What of a folder may be imported: everything, or its types only. */
type Right = 'all' | 'types';

/** The import table: a folder of `src` -> the folders it may import from. */
export const IMPORT_TABLE: Readonly<Record<string, Readonly<Record<string, Right>>>> = {
  space: {},
  sandbox: {},
  guard: { space: 'all' },
  materialize: { space: 'all', guard: 'all' },
  agents: { space: 'all', guard: 'all', materialize: 'all', sandbox: 'all' },
  evaluate: { sandbox: 'all' },
  trace: { space: 'types' },
  analysis: { trace: 'all' },
  experiment: {
    space: 'all',
    guard: 'all',
    materialize: 'all',
    sandbox: 'all',
    agents: 'all',
    evaluate: 'all',
    trace: 'all',
    analysis: 'all',
  },
  report: { analysis: 'all', trace: 'all' },
  mcp: { space: 'all', guard: 'all', materialize: 'all', analysis: 'all', trace: 'all' },
};

/** May import anything; only the command line may import them. `src/cli` holds the commands that `cli.ts` puts together. */
export const TOPS: readonly string[] = ['src/cli.ts', 'src/cli', 'src/index.ts', 'src/bench'];

/** Single files that belong to no folder and that every folder may import; they import nothing of `src` themselves. */
export const SHARED: readonly { readonly file: string; readonly reason: string }[] = [
  {
    file: 'src/version.ts',
    reason: 'the version of the package, one constant that records and the command line both state',
  },
];

/** Deciding files: the same input gives the same output. With everything they import by value. */
export const PURE_FILES: readonly string[] = [
  'src/space/marks.ts',
  'src/space/strength.ts',
  'src/space/scope.ts',
  'src/space/mark-index.ts',
  'src/space/query.ts',
  'src/space/watch.ts',
  'src/space/merge-tails.ts',
  'src/space/needs.ts',
  'src/guard/decide.ts',
  'src/guard/boundary.ts',
  'src/guard/state.ts',
  'src/guard/manifest.ts',
  'src/guard/pipeline.ts',
  'src/guard/pipeline-cycles.ts',
  'src/guard/policies/*',
  'src/guard/parts/*',
  'src/materialize/tree.ts',
  'src/materialize/paths.ts',
  'src/materialize/mirror-plan.ts',
  'src/materialize/disk-names.ts',
  'src/mcp/marks-after.ts',
  'src/experiment/outside-steps.ts',
  'src/analysis/diff.ts',
  'src/analysis/difflib.ts',
  'src/analysis/matching-blocks.ts',
  'src/analysis/statistics.ts',
  'src/analysis/statistics/*',
  ...[
    'adoption',
    'adoption-defects',
    'adoption-outcomes',
    'adoption-provenance',
    'adoption-report',
    'adoption-rules',
    'behaviour',
    'blame',
    'call-fold',
    'code-size',
    'crashes',
    'cycling',
    'cycling-lines',
    'cycling-measure',
    'efficiency',
    'line-history',
    'lineage',
    'literals',
    'neglect',
    'overfit',
    'paired-against-solo',
    'placebo',
    'provenance-shares',
    'published-bests',
    'renames',
    'scores',
    'source-lines',
  ].map((name) => `src/analysis/${name}.ts`),
];

/** Pure files that come with later work: not missed while they are not there. */
export const PURE_LATER: readonly string[] = [];

/** What a pure file may import from outside `src`. */
export const PURE_PACKAGES: readonly string[] = ['zod', 'diff'];

const IMPURE: readonly (readonly [name: string, pattern: RegExp])[] = [
  ['Date', /(?<![.\w$])Date\b/],
  ['Math.random', /\bMath\s*\.\s*random\b/],
  ['performance', /(?<![.\w$])performance\b/],
  ['process', /(?<![.\w$])process\s*\./],
  ['await', /(?<![.\w$])await\b/],
  ['async', /(?<![.\w$])async\b(?!\s*[:?])/],
  ['a timer', /(?<![.\w$])(?:setTimeout|setInterval|setImmediate|queueMicrotask)\b/],
  ['crypto', /(?<![.\w$])crypto\s*\./],
  ['fetch', /(?<![.\w$])fetch\s*\(/],
  ['console', /(?<![.\w$])console\s*\./],
  ['globalThis', /(?<![.\w$])globalThis\b/],
];

const BANNED: readonly (readonly [name: string, pattern: RegExp])[] = [
  ['a default export', /\bexport\s+default\b|\bexport\s*\{[^}]*\bas\s+default\b/],
  ['an enum', /(?<![.\w$])enum\s+[\w$]+\s*\{/],
  ['any', /(?<![.\w$])any\b(?!\s*[(:?=])/],
];

/** A rule that one file may break, and why. An exception that nothing needs is itself an offence. */
export interface Exception {
  readonly file: string;
  readonly offence: string;
  readonly reason: string;
}

/** All offences, as `<file>: <what>`, sorted; empty for a house in order. */
export function offencesIn(sources: Sources, exceptions: readonly Exception[] = []): readonly string[] {
  const found = [
    ...[...sources].flatMap(([file, source]) => [...importOffences(file, source), ...languageOffences(file, source)]),
    ...purityOffences(sources),
  ];
  const excused = new Set(exceptions.map(({ file, offence }) => `${file}: ${offence}`));
  const unneeded = [...excused]
    .filter((line) => !found.includes(line))
    .map((line) => `${line} (an exception nothing needs)`);
  return [...new Set([...found.filter((line) => !excused.has(line)), ...unneeded])].sort();
}

function importOffences(file: string, source: string): readonly string[] {
  const folder = folderOf(file);
  const rights = folder === undefined ? undefined : IMPORT_TABLE[folder];
  const isTop = isOf(file, TOPS);
  const isShared = SHARED.some((shared) => shared.file === file);
  if (!isTop && !isShared && rights === undefined) return [`${file}: is in no folder of the import table`];
  const offences: string[] = [];
  for (const { specifier, typeOnly } of readSource(source).imports) {
    if (!specifier.startsWith('.')) continue;
    if (!specifier.endsWith('.ts')) offences.push(`${file}: imports ${specifier} without the extension .ts`);
    const target = posix.join(posix.dirname(file), specifier);
    const other = folderOf(target);
    const toTop = isOf(target, TOPS) && !(isTop && mayImportTop(topOf(file), topOf(target)));
    if (toTop || posix.basename(target) === 'index.ts') offences.push(`${file}: imports ${target}`);
    else if (isTestFile(target)) offences.push(`${file}: imports the test file ${target}`);
    else if (!target.startsWith('src/')) offences.push(`${file}: imports ${target} from outside src`);
    else if (!isShared && SHARED.some((shared) => shared.file === target)) continue;
    else if (!isTop && (isShared || other !== folder)) {
      const right = other === undefined ? undefined : rights?.[other];
      if (right === undefined) offences.push(`${file}: imports ${target}`);
      else if (right === 'types' && !typeOnly) offences.push(`${file}: imports more than types from ${target}`);
    }
  }
  return offences;
}

function languageOffences(file: string, source: string): readonly string[] {
  const { code } = readSource(source);
  return BANNED.filter(([, pattern]) => pattern.test(code)).map(([name]) => `${file}: has ${name}`);
}

function purityOffences(sources: Sources): readonly string[] {
  const offences: string[] = [];
  const waiting: string[] = [];
  for (const rule of PURE_FILES) {
    const files = [...sources.keys()].filter((file) =>
      rule.endsWith('*') ? file.startsWith(rule.slice(0, -1)) : file === rule,
    );
    if (files.length === 0 && !PURE_LATER.includes(rule)) offences.push(`${rule}: is a pure file that is not there`);
    waiting.push(...files);
  }
  const seen = new Set(waiting);
  // `seen` grows while it is walked: what a pure file imports by value has to be pure as well.
  for (const file of seen) {
    const source = sources.get(file);
    if (source === undefined) continue;
    const { code, imports } = readSource(source);
    for (const [name, pattern] of IMPURE) if (pattern.test(code)) offences.push(`${file}: is pure and has ${name}`);
    for (const { specifier, typeOnly } of imports) {
      if (typeOnly) continue;
      if (specifier.startsWith('.')) seen.add(posix.join(posix.dirname(file), specifier));
      else if (!PURE_PACKAGES.includes(specifier)) offences.push(`${file}: is pure and imports ${specifier}`);
    }
  }
  return offences;
}

/** Is this a test, or a helper of tests? Neither is part of the build. */
export function isTestFile(file: string): boolean {
  return /\.(?:test|bench)\.ts$|(?:^|\/)test-[^/]*\.ts$/.test(file);
}

function folderOf(file: string): string | undefined {
  return /^src\/([^/]+)\//.exec(file)?.[1];
}

/** `cli` for the command line's one file and its folder alike. */
function topOf(file: string): string | undefined {
  return /^src\/([^/.]+)/.exec(file)?.[1];
}

/** The command line is of one piece, and so are the benchmarks, which only it may start. */
function mayImportTop(from: string | undefined, to: string | undefined): boolean {
  return from === to ? from === 'cli' || from === 'bench' : from === 'cli' && to === 'bench';
}

function isOf(file: string, roots: readonly string[]): boolean {
  return roots.some((root) => file === root || file.startsWith(`${root}/`));
}
