import { resolve } from 'node:path';
import { readAdoptionRecords } from '../analysis/adoption-records.ts';
import { type Blame, BlameError, blame } from '../analysis/blame.ts';
import { blameHtml } from '../report/blame-html.ts';
import { blameText } from '../report/blame-text.ts';
import { SkipLog } from '../trace/importers/skip-log.ts';
import type { LoadedRun } from '../trace/loaded-run.ts';
import { printable, readTraces, writePage } from './analyze-command.ts';
import type { ExitCode, Surroundings } from './output.ts';
import { EXIT, UsageError } from './output.ts';

export interface BlameFlags {
  readonly json?: boolean;
  readonly html?: string;
}

/** Runs named when a folder holds several. */
const NAMED_RUNS = 20;

/**
 * `hivemark blame <run> <agent> <generation> [file]`: who first wrote each line of a program.
 *
 * @param file - path of one of the agent's own files; undefined: its program
 */
export async function blameCommand(
  path: string,
  agent: string,
  generation: number,
  file: string | undefined,
  flags: BlameFlags,
  { output, cwd, signal }: Surroundings,
): Promise<ExitCode> {
  if (flags.json === true && flags.html !== undefined) throw new UsageError('--json and --html exclude each other');
  const { runs } = await readTraces([resolve(cwd, path)], output, signal);
  const [run] = runs;
  if (run === undefined) {
    output.err('hivemark: nothing could be read there\n');
    return EXIT.failed;
  }
  if (runs.length > 1) throw new UsageError(severalText(path, runs));
  const skips = new SkipLog();
  const records = (await readAdoptionRecords([run], skips, signal)).get(run);
  for (const skipped of skips.named)
    output.err(`  ${printable(`${skipped.path}:${skipped.line ?? 0}: ${skipped.why}`)}\n`);
  const found = blamed(run, agent, generation, { ...(file !== undefined && { file }), ...(records && { records }) });
  if (flags.json === true) output.out(`${JSON.stringify(found)}\n`);
  else if (flags.html !== undefined) {
    await writePage(resolve(cwd, flags.html), blameHtml(found));
    output.err(`hivemark: wrote ${flags.html}\n`);
  } else {
    output.out(`${blameText(found, { colour: output.colour === true })}\n`);
  }
  return EXIT.done;
}

function blamed(...[run, agent, generation, options]: Parameters<typeof blame>): Blame {
  try {
    return blame(run, agent, generation, options);
  } catch (error) {
    if (error instanceof BlameError) throw new UsageError(printable(error.message), { cause: error });
    throw error;
  }
}

function severalText(path: string, runs: readonly LoadedRun[]): string {
  const names = runs.slice(0, NAMED_RUNS).map(({ id }) => `\n  ${printable(id)}`);
  const more = runs.length > NAMED_RUNS ? `\n  ... ${runs.length} in all` : '';
  return `${path} holds ${runs.length} runs; name the folder of one of them:${names.join('')}${more}`;
}
