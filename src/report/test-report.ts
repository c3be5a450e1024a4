import { program, runOf } from '../analysis/test-runs.ts';
import { routine, START } from '../analysis/test-synthetic.ts';
import { DIAGNOSTICS } from '../analysis/registry.ts';
import { SkipLog } from '../trace/importers/skip-log.ts';
import type { LoadedRun, LoadedTraces } from '../trace/loaded-run.ts';
import { analysisHtml } from './analysis-html.ts';
import { collectReport, type ReportData } from './report-data.ts';

/** Text that tries to be more than text. */
export const HOSTILE = [
  '</script><script>globalThis.pwned = 1</script>',
  '"><img src=x onerror="globalThis.pwned = 2">',
  "' onmouseover='globalThis.pwned = 3' x='",
  '</style></svg></table></details><iframe srcdoc="<script>parent.pwned = 4</script>"></iframe>',
  '<!-- <a href="javascript:globalThis.pwned = 5">',
  ']]>&lt;script&gt;${globalThis.pwned = 6}`',
  'nul \u0000 override \u202E gnihton \u2066 \u200B',
].join('\n');

/** Names that are one line, as agents and folders have. */
export const HOSTILE_NAME = '"><img src=x onerror=globalThis.pwned=7>\u202E';

/** A run of two agents: each takes the other's whole program once; `name` and `comment` stand wherever a trace can put text. */
export function pairRun(
  folder: string,
  {
    id = 'a_vs_b/seed1',
    seed = 1,
    name = 'b',
    task = 'made-up',
    comment = '',
  }: {
    readonly id?: string;
    readonly seed?: number;
    readonly name?: string;
    readonly task?: string;
    readonly comment?: string;
  } = {},
): LoadedRun {
  const texts: Record<'a' | 'b', string[]> = { a: [START], b: [START] };
  for (let g = 1; g <= 8; g++) {
    const [a, b] = [texts.a[g - 1] ?? '', texts.b[g - 1] ?? ''];
    texts.a.push(g === 4 ? `${b}\n# taken over\n${comment}\n` : `${a}\n${routine(seed * 100 + g)}`);
    texts.b.push(g === 6 ? `${a}\n${comment}\n` : `${b}\n${routine(seed * 100 + 50 + g)}`);
  }
  const agent = (own: 'a' | 'b', agentName: string): LoadedRun['agents'][number] => ({
    name: agentName,
    model: `model of ${agentName}`,
    generations: texts[own].map((code, g) =>
      g === 7
        ? program(agentName, g, { code, score: 0, valid: false, cause: 'cannot-run' })
        : program(agentName, g, { code, score: 0.3 + g * 0.05 + (own === 'a' ? 0.02 : 0), tokens: 1000 }),
    ),
  });
  return runOf([agent('a', 'a'), agent('b', name)], { id, seed, folder, task });
}

/** What a report is made of, with the evidence of a run of ours added to every adoption. */
export async function reportOf(
  runs: readonly LoadedRun[],
  statement?: string,
): Promise<{ readonly data: ReportData; readonly page: string }> {
  const skips = new SkipLog();
  const sections = [];
  for (const { name, answers, run } of DIAGNOSTICS) {
    sections.push({ name, answers, tables: (await run(runs, { pairs: false, skips })).tables });
  }
  const collected = await collectReport(runs, { skips });
  const data: ReportData =
    statement === undefined
      ? collected
      : {
          ...collected,
          runs: collected.runs.map((one) => ({
            ...one,
            denials: [{ agent: statement, code: statement, count: 3, generations: [1, 2] as const }],
            adoptions: one.adoptions.map((adoption) => ({
              ...adoption,
              evidence: {
                level: 'stated' as const,
                exposures: [statement],
                reads: [statement],
                statement: { call: statement, text: statement },
              },
            })),
          })),
        };
  const traces: LoadedTraces = {
    runs,
    skipped: statement === undefined ? [] : [{ path: statement, what: statement, why: statement, line: 3 }],
    skippedBy: statement === undefined ? {} : { [statement]: 1 },
  };
  return { data, page: analysisHtml(sections, traces, data) };
}
