/**
 * Remakes what `results/hyperspace-4runs` holds of the four published runs: every table as CSV (numbers and names of runs and agents,
 * nothing of their programs or words), `agreement.csv` where a truth file is given, and the report, which shows their programs and is
 * therefore not committed.
 *
 * npm run published -- <folder of the unpacked runs> [truth.json]
 */
import { mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { analyzeAdoption } from '../src/analysis/adoption-diagnostic.ts';
import type { AdoptionPair, AdoptionRunReport } from '../src/analysis/adoption-report.ts';
import { type CrashRule, crashes } from '../src/analysis/crashes.ts';
import { DIAGNOSTICS } from '../src/analysis/registry.ts';
import type { Cell, Table } from '../src/analysis/table.ts';
import { analysisHtml } from '../src/report/analysis-html.ts';
import { csvOf } from '../src/report/csv.ts';
import { collectReport } from '../src/report/report-data.ts';
import { loadTraces } from '../src/trace/importers/load-traces.ts';
import { SkipLog } from '../src/trace/importers/skip-log.ts';
import type { LoadedRun } from '../src/trace/loaded-run.ts';

const OUT = fileURLToPath(new URL('../results/hyperspace-4runs/', import.meta.url));

const [folder, truthFile] = process.argv.slice(2);
if (folder === undefined) {
  console.error('give the folder of the unpacked runs: npm run published -- <folder> [truth.json]');
  process.exit(2);
}
const traces = await loadTraces([folder]);
const runs = traces.runs.filter(({ format }) => format === 'hyperspace');
if (runs.length === 0) {
  console.error(`there is no hyperspace run in ${folder}`);
  process.exit(1);
}
mkdirSync(OUT, { recursive: true });
const skips = new SkipLog();
const left = new Set<string>();
const sections = [];
for (const { name, answers, rules, run } of DIAGNOSTICS) {
  // These runs have no records of ours, so rule provenance has their code alone to go by.
  for (const rule of rules.length === 0 ? [undefined] : rules) {
    const { tables } = await run(runs, { pairs: false, skips, ...(rule !== undefined && { rule }) });
    for (const { title, table } of tables) {
      const words = title.replace(/\(rule [^)]*\)/, '').toLowerCase();
      const slug = words.trim().replaceAll(/[^a-z0-9]+/g, '-');
      leave(
        `${[name, rule, ...(slug === name ? [] : [slug])].filter((part) => part !== undefined).join('.')}.csv`,
        table,
      );
    }
  }
  sections.push({ name, answers, tables: (await run(runs, { pairs: false, skips })).tables });
}
const shown = { ...traces, runs };
writeFileSync(join(OUT, 'report.html'), analysisHtml(sections, shown, await collectReport(runs, { skips })));
if (truthFile !== undefined)
  leave('agreement.csv', await agreement(runs, JSON.parse(readFileSync(truthFile, 'utf8')), folder));
console.log(`${runs.length} runs: tables and report.html are in ${OUT}`);

/** A table that does not depend on the rule is left once. */
function leave(file: string, table: Table): void {
  const text = csvOf(table);
  if (left.has(text)) return;
  left.add(text);
  writeFileSync(join(OUT, file), text);
}

interface Counts {
  readonly len_a: number;
  readonly len_b: number;
  readonly matched: number;
  readonly blocks: number;
  readonly popular: number;
}

interface Truth {
  readonly runs: readonly {
    readonly pairing: string;
    readonly seed: string;
    readonly pairs: readonly {
      readonly agent: string;
      readonly peer: string;
      readonly gen: number;
      readonly prev_gen: number;
      readonly peer_best_gen: number;
      readonly d_own: number;
      readonly d_peer: number;
      readonly ratio: number;
      readonly adoption: boolean;
      readonly own: Counts;
      readonly vs_peer: Counts;
      readonly visible_only: {
        readonly peer_best_gen: number | null;
        readonly d_peer: number | null;
        readonly ratio: number | null;
        readonly adoption: boolean;
      };
    }[];
    readonly adoptions: readonly unknown[];
    readonly crash_variants: Readonly<Record<string, readonly unknown[]>>;
  }[];
  readonly skipped_after_invalid: readonly {
    readonly pairing: string;
    readonly seed: string;
    readonly agent: string;
    readonly gen: number;
    readonly ratio: number;
  }[];
}

/** What the publication says of these runs beside what hivemark finds, figure by figure. */
async function agreement(all: readonly LoadedRun[], truth: Truth, from: string): Promise<Table> {
  const rows: Cell[][] = [];
  const row = (what: string, run: string, published: Cell, found: Cell): void => {
    rows.push([what, run, published, found, published === found]);
  };
  const reportOf = async (rule: 'published' | 'visible'): Promise<readonly AdoptionRunReport[]> => {
    const { json } = await analyzeAdoption(all, { rule, pairs: true, skips, maxDraws: 0 });
    // oxlint-disable-next-line typescript/no-unsafe-type-assertion -- our own document, whose shape `adoptionReport` gives
    return json['runs'] as readonly AdoptionRunReport[];
  };
  const published = await reportOf('published');
  const visible = await reportOf('visible');
  const find = (reports: readonly AdoptionRunReport[], run: string, key: string): AdoptionPair | undefined =>
    reports
      .find(({ id }) => id === run)
      ?.pairs?.find((pair) => `${pair.agent} ${pair.peer} ${pair.generation}` === key);
  for (const { pairing, seed, pairs, adoptions, crash_variants: variants } of truth.runs) {
    const run = `${pairing}/${seed}`;
    const sameCounts = (a: Counts, b: AdoptionPair['vsPeer']): boolean =>
      b !== null &&
      a.len_a === b.lenA &&
      a.len_b === b.lenB &&
      a.matched === b.matched &&
      a.blocks === b.blocks &&
      a.popular === b.popular;
    const same = pairs.filter((pair) => {
      const ours = find(published, run, `${pair.agent} ${pair.peer} ${pair.gen}`);
      return (
        ours !== undefined &&
        ours.previousGeneration === pair.prev_gen &&
        ours.peerGeneration === pair.peer_best_gen &&
        ours.dOwn === pair.d_own &&
        ours.dPeer === pair.d_peer &&
        ours.share === pair.ratio &&
        ours.adoption === pair.adoption &&
        sameCounts(pair.own, ours.own) &&
        sameCounts(pair.vs_peer, ours.vsPeer)
      );
    });
    row('comparisons equal in every integer and float (rule published)', run, pairs.length, same.length);
    const seen = pairs.filter((pair) => {
      const ours = find(visible, run, `${pair.agent} ${pair.peer} ${pair.gen}`);
      const { peer_best_gen: best, d_peer: distance, ratio, adoption } = pair.visible_only;
      return (
        ours?.peerGeneration === best && ours.dPeer === distance && ours.share === ratio && ours.adoption === adoption
      );
    });
    row('the same with only what was visible (rule visible)', run, pairs.length, seen.length);
    row(
      'adoptions (rule published)',
      run,
      adoptions.length,
      published.find(({ id }) => id === run)?.events.length ?? 0,
    );
    row(
      'adoptions: published rule against rule visible',
      run,
      adoptions.length,
      visible.find(({ id }) => id === run)?.events.length ?? 0,
    );
    for (const [rule, name] of [
      ['published-25', 'published_output_txt_25'],
      ['published-6', 'findings_md_6'],
      ['published-4', 'current_code_4'],
    ] as const satisfies readonly (readonly [CrashRule, string])[]) {
      const found = crashes(
        all.filter(({ id }) => id === run),
        rule,
      );
      row(`crashes and recoveries (rule ${rule})`, run, variants[name]?.length ?? 0, found.length);
    }
    row(
      'crashes and recoveries: published code against rule causes',
      run,
      variants['current_code_4']?.length ?? 0,
      crashes(
        all.filter(({ id }) => id === run),
        'causes',
      ).length,
    );
    for (const agent of all.find(({ id }) => id === run)?.agents ?? []) {
      const summary: { readonly best_val: number; readonly archive_size: number } = JSON.parse(
        readFileSync(join(from, pairing, seed, agent.name, 'summary.json'), 'utf8'),
      );
      const scores = agent.generations.flatMap(({ scores: { validation } }) => validation ?? []);
      row(`best validation score of ${agent.name}`, run, summary.best_val, Math.max(...scores));
      row(
        `programs in the archive of ${agent.name}`,
        run,
        summary.archive_size,
        agent.generations.filter(({ code }) => code !== undefined).length,
      );
    }
  }
  const skipped = truth.skipped_after_invalid.filter(({ pairing, seed, agent, gen, ratio }) => {
    const peers = all.find(({ id }) => id === `${pairing}/${seed}`)?.agents.filter(({ name }) => name !== agent);
    const ours = find(visible, `${pairing}/${seed}`, `${agent} ${peers?.[0]?.name} ${gen}`);
    return ours?.share === ratio;
  });
  row(
    'generations never judged as published, by rule visible',
    'all',
    truth.skipped_after_invalid.length,
    skipped.length,
  );
  return { columns: ['what', 'run', 'published', 'hivemark', 'agrees'], rows, notes: [] };
}
