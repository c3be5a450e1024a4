import { resolve } from 'node:path';
import { readAdoptionRecords } from '../analysis/adoption-records.ts';
import { type Blame, BlameError, blame, type ProgramChoice } from '../analysis/blame.ts';
import { blameHtml } from '../report/blame-html.ts';
import { blameText } from '../report/blame-text.ts';
import { SkipLog } from '../trace/importers/skip-log.ts';
import type { LoadedRun } from '../trace/loaded-run.ts';
import { printable, readTraces, skippedLine, writePage } from './analyze-command.ts';
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
 * @param which - a generation, the id of a program, or `best`
 * @param file - path of one of the agent's own files; undefined: its program
 */
export async function blameCommand(
  path: string,
  agent: string,
  which: string,
  file: string | undefined,
  flags: BlameFlags,
  world: Surroundings,
): Promise<ExitCode> {
  const { output, cwd, signal } = world;
  if (flags.json === true && flags.html !== undefined) throw new UsageError('--json and --html exclude each other');
  const skips = new SkipLog();
  const { runs } = await readTraces([path], skips, world);
  const [run] = runs;
  if (run === undefined) {
    output.err('hivemark: nothing could be read there\n');
    if (flags.json === true) output.out(`${JSON.stringify({ skipped: skips.named, skippedBy: skips.counts })}\n`);
    return EXIT.failed;
  }
  if (runs.length > 1) throw new UsageError(severalText(path, runs));
  const before = skips.named.length;
  const records = (await readAdoptionRecords([run], skips, signal)).get(run);
  for (const skipped of skips.named.slice(before)) output.err(`  ${skippedLine(skipped)}\n`);
  const found = blamed(run, agent, choiceOf(run, agent, which), {
    ...(file !== undefined && { file }),
    ...(records && { records }),
  });
  if (found.note !== undefined) output.err(`hivemark: ${printable(found.note)}\n`);
  if (flags.json === true) output.out(`${JSON.stringify(found)}\n`);
  else if (flags.html !== undefined) {
    await writePage(resolve(cwd, flags.html), blameHtml(found));
    output.err(`hivemark: wrote ${flags.html}\n`);
  } else {
    output.out(`${blameText(found, { colour: output.colour === true })}\n`);
  }
  return EXIT.done;
}

/** A number means a generation, unless a program has it for its id and no program is of that generation. */
function choiceOf({ agents }: LoadedRun, agent: string, which: string): ProgramChoice {
  const number = Number(which);
  if (!/^\d{1,15}$/u.test(which)) return which;
  const generations = agents.find(({ name }) => name === agent)?.generations ?? [];
  const isGeneration = generations.some(({ generation }) => generation === number);
  return !isGeneration && generations.some(({ id }) => id === which) ? which : number;
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
