import { stat } from 'node:fs/promises';
import { join } from 'node:path';
import { DIAGNOSTICS } from '../analysis/registry.ts';
import { analysisHtml } from '../report/analysis-html.ts';
import { collectReport } from '../report/report-data.ts';
import { writeFileAtomic } from '../trace/atomic-file.ts';
import { loadTraces } from '../trace/importers/load-traces.ts';
import { SkipLog } from '../trace/importers/skip-log.ts';
import type { LoadedTraces } from '../trace/loaded-run.ts';
import type { Surroundings } from './output.ts';

/** The report in a run's folder. */
export const REPORT_FILE = 'report.html';

/**
 * Leaves a report in every folder of `dirs` whose run has changed since the last one. A report is made from what the run left and
 * adds nothing to it: when it cannot be made, that is told on standard error, and the run is what it was. Stops without a word
 * when the signal is aborted.
 */
export async function writeRunReports(dirs: readonly string[], { output, signal }: Surroundings): Promise<void> {
  for (const dir of dirs) {
    if (signal.aborted) return;
    try {
      if (await isFresh(dir)) continue;
      const traces = await loadTraces([dir], { signal });
      if (traces.runs.length === 0) throw new Error('there is nothing in it that can be read');
      await writeFileAtomic(join(dir, REPORT_FILE), await wholeReport(traces, signal));
    } catch (error) {
      if (signal.aborted) return;
      const why = error instanceof Error ? error.message : String(error);
      output.err(
        `hivemark: ${dir} has no ${REPORT_FILE} (${why}); try: hivemark analyze all ${dir} --html ${join(dir, REPORT_FILE)}\n`,
      );
    }
  }
}

/** Every diagnostic of some traces on one page. */
async function wholeReport(traces: LoadedTraces, signal: AbortSignal): Promise<string> {
  const skips = new SkipLog();
  const sections = [];
  for (const { name, answers, run } of DIAGNOSTICS) {
    const { tables } = await run(traces.runs, { pairs: false, skips, signal });
    sections.push({ name, answers, tables });
  }
  const data = await collectReport(traces.runs, { skips, signal });
  return analysisHtml(sections, traces, data);
}

/** Whether the report is not older than the run's summary, which is written last. */
async function isFresh(dir: string): Promise<boolean> {
  const timeOf = async (file: string): Promise<number | undefined> =>
    (await stat(join(dir, file)).catch(() => undefined))?.mtimeMs;
  const [report, summary] = [await timeOf(REPORT_FILE), await timeOf('summary.json')];
  return report !== undefined && summary !== undefined && report >= summary;
}
