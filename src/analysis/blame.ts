import type { LoadedAgent, LoadedGeneration, LoadedRun } from '../trace/loaded-run.ts';
import type { AdoptionRecords } from './adoption-records.ts';
import { hasCode } from './published-bests.ts';
import { bestOf, scoredGenerations } from './scores.ts';
import { LineHistory, type LineOrigin, type Origin, originFor } from './line-history.ts';
import type { LineKind, SourceLine } from './source-lines.ts';

export const ORIGINS = ['own', 'peer', 'initial', 'common'] as const satisfies readonly Origin[];

/** One line and who first wrote it. */
export interface BlamedLine {
  /** 1-based. */
  readonly number: number;
  readonly text: string;
  /** Only `code` counts in shares. A blank or trivial line goes with the line above it. */
  readonly kind: LineKind;
  readonly origin: Origin;
  readonly agent: string;
  readonly generation: number;
  /** Its names were changed since. */
  readonly renamed?: true;
  /** Of a common line: the peer that came to it as well, and when. */
  readonly alsoBy?: { readonly agent: string; readonly generation: number };
}

export type OriginShares = Readonly<Record<Origin, number>>;

export interface Blame {
  readonly run: string;
  readonly agent: string;
  readonly generation: number;
  /** Id of the program. */
  readonly program: string;
  /** Name of the file, or `program` where the trace has no name for it. */
  readonly file: string;
  /** Set where what was asked for is not the only one of its kind: which one this is, and why. */
  readonly note?: string;
  readonly lines: readonly BlamedLine[];
  /** Lines of code that are not trivial: what the shares are of. */
  readonly counted: number;
  /** Shares of the counted lines by origin, which add up to 1 (all 0 if nothing counts). */
  readonly shares: OriginShares;
  /** Counted lines by who first wrote them, most first. */
  readonly authors: readonly {
    readonly agent: string;
    readonly generation: number;
    readonly origin: Origin;
    readonly lines: number;
  }[];
}

export type BlameErrorCode = 'no-agent' | 'no-generation' | 'no-code' | 'no-file';

/** There is no such program in the run. The message says what there is. */
export class BlameError extends Error {
  override readonly name = 'BlameError';
  readonly code: BlameErrorCode;
  constructor(code: BlameErrorCode, message: string) {
    super(message);
    this.code = code;
  }
}

export interface BlameOptions {
  /** Path of one of the agent's files. @default the main program */
  readonly file?: string;
  /** What is on record about who saw what (runs of ours). */
  readonly records?: AdoptionRecords;
}

/** Names by which the main program can be asked for, whatever it was called. */
const MAIN_FILE = /^(?:task_agent|program|main)(?:\.[^./]+)?$/;
const MAIN_NAME = 'program';

/** Which program of an agent: a generation, the id of a program, or the one that scored best. */
export type ProgramChoice = number | string;
export const BEST = 'best';

/**
 * Attributes every line of a program to the agent and generation that first wrote it: through moves and re-indentation, for lines
 * are compared by their tokens wherever they stand, and through renames where enough else agrees. A line that the agent had
 * before a peer's was visible to it is its own, however often the peer has it. Where several programs share a generation (in a
 * search) the best-scored of them is taken, and the note says so.
 *
 * @throws BlameError when the run has no such agent, generation or file
 */
export function blame(run: LoadedRun, agentName: string, which: ProgramChoice, options: BlameOptions = {}): Blame {
  const agent = run.agents.find(({ name }) => name === agentName);
  if (!agent) {
    const names = run.agents.map(({ name }) => name).join(', ');
    throw new BlameError('no-agent', `run ${run.id} has no agent ${JSON.stringify(agentName)}; it has ${names}`);
  }
  const { program, note } = programOf(agent, which);
  const main = program.mainFile ?? MAIN_NAME;
  const isMain = options.file === undefined || options.file === main || isMainName(agent, options.file);
  const file = isMain ? main : (options.file ?? main);
  const textOf = ({ code, files }: LoadedGeneration): string | undefined => {
    if (isMain) return code;
    return files !== undefined && Object.hasOwn(files, file) ? files[file] : undefined;
  };
  if (textOf(program) === undefined) {
    const there = [...(program.code === undefined ? [] : [main]), ...Object.keys(program.files ?? {})];
    const others = there.length > 0 ? `; it has ${there.join(', ')}` : '';
    const problem = isMain && program.unread ? `a ${file} that could not be read` : `no ${file}`;
    throw new BlameError(
      program.code === undefined ? 'no-code' : 'no-file',
      `generation ${program.generation} of ${agentName} has ${problem}${others}`,
    );
  }
  const records = isMain ? options.records : recordsFor(options.records, file);
  const found = blameProgram(new LineHistory(run, textOf, records), run, agent, program, file);
  return note === undefined ? found : { ...found, note };
}

function programOf(
  agent: LoadedAgent,
  which: ProgramChoice,
): { readonly program: LoadedGeneration; readonly note?: string } {
  const byId = agent.generations.find(({ id }) => id === which);
  if (byId) return { program: byId };
  const candidates = typeof which === 'number' ? agent.generations.filter((one) => one.generation === which) : [];
  const originals = candidates.filter(({ copy }) => !copy);
  const scored = scoredGenerations(which === BEST ? agent : { ...agent, generations: candidates });
  const program = bestOf(scored)?.program ?? originals.find(hasCode) ?? originals[0] ?? candidates[0];
  if (program) {
    const several = originals.length > 1;
    const note = `${originals.length} programs share generation ${which}; this is the best-scored of them, ${program.id}. Name another by its id`;
    return several ? { program, note } : { program };
  }
  if (which === BEST)
    throw new BlameError('no-generation', `no program of ${agent.name} has a score; ${spanOf(agent)}`);
  const what = typeof which === 'number' ? `generation ${which}` : `program with the id ${JSON.stringify(which)}`;
  throw new BlameError('no-generation', `${agent.name} has no ${what}; ${spanOf(agent)}`);
}

/** `blame` over a history that is made once and asked about many programs. */
export function blameProgram(
  history: LineHistory,
  run: LoadedRun,
  agent: LoadedAgent,
  program: LoadedGeneration,
  file = program.mainFile ?? MAIN_NAME,
): Blame {
  const source = history.linesOf(program);
  const lines = attribute(source, agent, program, history);
  const counts = new Map<string, { agent: string; generation: number; origin: Origin; lines: number }>();
  const totals: Record<Origin, number> = { own: 0, peer: 0, initial: 0, common: 0 };
  for (const { kind, origin, agent: author, generation } of lines) {
    if (kind !== 'code') continue;
    totals[origin]++;
    const key = JSON.stringify([author, generation, origin]);
    const count = counts.get(key) ?? { agent: author, generation, origin, lines: 0 };
    counts.set(key, { ...count, lines: count.lines + 1 });
  }
  const counted = lines.filter(({ kind }) => kind === 'code').length;
  const shareOf = (origin: Origin): number => (counted === 0 ? 0 : totals[origin] / counted);
  return {
    run: run.id,
    agent: agent.name,
    generation: program.generation,
    program: program.id,
    file,
    lines,
    counted,
    shares: { own: shareOf('own'), peer: shareOf('peer'), initial: shareOf('initial'), common: shareOf('common') },
    authors: [...counts.values()].sort((a, b) => b.lines - a.lines || a.generation - b.generation),
  };
}

function attribute(
  source: readonly SourceLine[],
  agent: LoadedAgent,
  program: LoadedGeneration,
  history: LineHistory,
): readonly BlamedLine[] {
  const itself: LineOrigin = { author: { agent, generation: program }, initial: false, renamed: false };
  const telling = source.map(({ kind, key }) =>
    kind === 'code' || kind === 'comment' ? (history.originOf(agent, key) ?? itself) : undefined,
  );
  // A line that tells nothing by itself goes with what stands above it, at the top with what comes first.
  let above = telling.find((origin) => origin !== undefined) ?? itself;
  return source.map(({ text, kind }, n) => {
    above = telling[n] ?? above;
    const { author, renamed, common } = above;
    const isOwn = telling[n] !== undefined;
    return {
      number: n + 1,
      text,
      kind,
      origin: originFor(agent, above),
      agent: author.agent.name,
      generation: author.generation.generation,
      ...(isOwn && renamed ? { renamed: true as const } : {}),
      ...(isOwn && common && author.agent === agent
        ? { alsoBy: { agent: common.agent.name, generation: common.generation.generation } }
        : {}),
    };
  });
}

/** Whether a name means the main program: one of its usual names, and of none of the other files. */
function isMainName({ generations }: LoadedAgent, name: string): boolean {
  if (generations.some(({ mainFile }) => mainFile === name)) return true;
  return MAIN_FILE.test(name) && !generations.some(({ files }) => files !== undefined && Object.hasOwn(files, name));
}

/** Of what was shown only this file: a peer's meta agent is not known from its program. */
function recordsFor(records: AdoptionRecords | undefined, file: string): AdoptionRecords | undefined {
  if (!records) return records;
  return { ...records, exposures: records.exposures.filter((row) => row.file.endsWith(`/${file}`)) };
}

function spanOf({ name, generations }: LoadedAgent): string {
  const [first, last] = [generations[0], generations.at(-1)];
  if (!first || !last) return `${name} has none at all`;
  return `${name} has ${generations.length}, from ${first.generation} to ${last.generation}`;
}
