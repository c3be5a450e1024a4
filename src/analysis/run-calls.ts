import { readRunFile } from '../trace/run-folder.ts';
import { forEachCall } from '../trace/importers/calls.ts';
import { asRecord, numberIn, recordIn } from '../trace/importers/fields.ts';
import { badLine, pathInRun, SkipLog, WHY } from '../trace/importers/skip-log.ts';
import type { LoadedRun } from '../trace/loaded-run.ts';
import { type BadLine, readTable } from '../trace/trace-reader.ts';
import { createCallFold, type GenerationCalls } from './call-fold.ts';
import type { Opening } from './neglect.ts';

/** What the call log of a run comes to. */
export interface RunCalls {
  readonly calls: readonly GenerationCalls[];
  /** Files that were opened, where the run's own table says so (runs of ours). */
  readonly openings: readonly Opening[];
  /** Tool calls that a generation was allowed, where the run says so. */
  readonly toolBudget?: number;
}

/** Logs can be large: each is read once, whatever asks for it. */
const known = new WeakMap<LoadedRun, Promise<RunCalls>>();

/** Reads a run's call log (streamed) and folds it. Lines that cannot be used are noted in `skips`, the first time it is asked for. */
export function readRunCalls(run: LoadedRun, skips: SkipLog, signal?: AbortSignal): Promise<RunCalls> {
  const before = known.get(run);
  if (before !== undefined) return before;
  const found = foldCalls(run, skips, signal);
  known.set(run, found);
  // Aborted for one who asked, it is read again for the next.
  found.catch(() => known.delete(run));
  return found;
}

async function foldCalls(run: LoadedRun, skips: SkipLog, signal: AbortSignal | undefined): Promise<RunCalls> {
  const fold = createCallFold();
  const own = new SkipLog((skipped) => skips.note({ ...skipped, path: pathInRun(run, skipped.path) }));
  await forEachCall(
    run,
    (call) => {
      signal?.throwIfAborted();
      fold.add(call);
    },
    { skips: own },
  );
  const calls = fold.finish();
  if (run.format !== 'native') return { calls, openings: [] };
  const toolBudget = numberIn(
    recordIn(asRecord((await readRunFile(run.folder)).config), 'budget'),
    'toolCallsPerGeneration',
  );
  return { calls, openings: await openingsOf(run, own), ...(toolBudget === undefined ? {} : { toolBudget }) };
}

/** The `reads` table; a run that has none opened nothing that is known. */
async function openingsOf(run: LoadedRun, skips: SkipLog): Promise<readonly Opening[]> {
  const openings: Opening[] = [];
  const onBadLine = (bad: BadLine): void => skips.note(badLine(bad.file, bad));
  try {
    for await (const { agent, generation, path } of readTable(run.folder, 'reads', { onBadLine })) {
      openings.push({ agent, generation, path });
    }
  } catch (error) {
    if (!(error instanceof Error && 'code' in error && error.code === 'missing-table')) throw error;
    skips.note({ path: 'trace/reads.jsonl', what: 'file', why: WHY.gone });
  }
  return openings;
}
