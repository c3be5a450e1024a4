import type { LoadedAgent, LoadedGeneration, LoadedRun } from '../trace/loaded-run.ts';
import type { AdoptionRecords } from './adoption-records.ts';
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
  readonly file: string;
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
const MAIN_NAME = 'task_agent';

/**
 * Attributes every line of a program to the agent and generation that first wrote it: through moves and re-indentation, for lines
 * are compared by their tokens wherever they stand, and through renames where enough else agrees. A line that the agent had
 * before a peer's was visible to it is its own, however often the peer has it.
 *
 * @throws BlameError when the run has no such agent, generation or file
 */
export function blame(run: LoadedRun, agentName: string, generation: number, options: BlameOptions = {}): Blame {
  const agent = run.agents.find(({ name }) => name === agentName);
  if (!agent) {
    const names = run.agents.map(({ name }) => name).join(', ');
    throw new BlameError('no-agent', `run ${run.id} has no agent ${JSON.stringify(agentName)}; it has ${names}`);
  }
  const candidates = agent.generations.filter((one) => one.generation === generation);
  const program = candidates.find(({ copy }) => !copy) ?? candidates[0];
  if (!program) throw new BlameError('no-generation', `${agentName} has no generation ${generation}; ${spanOf(agent)}`);
  const file = options.file ?? MAIN_NAME;
  const textOf = textReader(agent, file);
  if (textOf(program) === undefined) {
    const files = Object.keys(program.files ?? {});
    const others = files.length > 0 ? `; it has ${files.join(', ')}` : '';
    throw new BlameError(
      program.code === undefined ? 'no-code' : 'no-file',
      `generation ${generation} of ${agentName} has no ${file}${others}`,
    );
  }
  return blameProgram(new LineHistory(run, textOf, recordsFor(options.records, file)), run, agent, program, file);
}

/** `blame` over a history that is made once and asked about many programs. */
export function blameProgram(
  history: LineHistory,
  run: LoadedRun,
  agent: LoadedAgent,
  program: LoadedGeneration,
  file = MAIN_NAME,
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

function textReader(agent: LoadedAgent, file: string): (generation: LoadedGeneration) => string | undefined {
  const named = agent.generations.some(({ files }) => files !== undefined && Object.hasOwn(files, file));
  if (!named && MAIN_FILE.test(file)) return ({ code }) => code;
  return ({ files }) => (files !== undefined && Object.hasOwn(files, file) ? files[file] : undefined);
}

/** Of what was shown only this file: a peer's meta agent is not known from its program. */
function recordsFor(records: AdoptionRecords | undefined, file: string): AdoptionRecords | undefined {
  if (!records || MAIN_FILE.test(file)) return records;
  return { ...records, exposures: records.exposures.filter((row) => row.file.endsWith(`/${file}`)) };
}

function spanOf({ name, generations }: LoadedAgent): string {
  const [first, last] = [generations[0], generations.at(-1)];
  if (!first || !last) return `${name} has none at all`;
  return `${name} has ${generations.length}, from ${first.generation} to ${last.generation}`;
}
