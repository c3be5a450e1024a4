import type { LoadedAgent, LoadedGeneration, LoadedRun } from '../trace/loaded-run.ts';
import { codeLanguageOf, visibleVersions } from './adoption-provenance.ts';
import type { AdoptionRecords } from './adoption-records.ts';
import { findRenamed } from './renames.ts';
import { type SourceLine, sourceLines } from './source-lines.ts';

/** A program of one agent: what first held a line. */
export interface Author {
  readonly agent: LoadedAgent;
  readonly generation: LoadedGeneration;
}

/**
 * `own`: the agent had it first; `peer`: it was in a peer's code that the agent could see before it had it; `initial`: in the program it
 * began with; `common`: the agent and a peer came to it without having seen it of each other.
 */
export type Origin = 'own' | 'peer' | 'initial' | 'common';

export interface LineOrigin {
  readonly author: Author;
  /** Whether the line was in the initial program of the author. */
  readonly initial: boolean;
  /** Set where a peer had come to the same line, unseen. */
  readonly common?: Author;
  /** Somewhere on the way its names were changed. */
  readonly renamed: boolean;
}

/** An agent's programs in order, each line known by its first appearance. */
interface AgentHistory {
  readonly agent: LoadedAgent;
  readonly generations: readonly LoadedGeneration[];
  readonly lines: readonly (readonly SourceLine[])[];
  /** Number of the first program that holds a line. */
  readonly first: ReadonlyMap<string, number>;
  /** Lines of a program by what they were called in an earlier one, where they were renamed; by number of the program. */
  readonly renames: Map<number, ReadonlyMap<string, RenamedFrom>>;
  readonly origins: Map<string, LineOrigin>;
}

interface RenamedFrom {
  readonly agent: LoadedAgent;
  readonly key: string;
}

/** Formats in which a program without parents is one that the search was given. */
const WITH_ROOTS: ReadonlySet<string> = new Set(['openevolve', 'evotrace', 'shinkaevolve']);

/** Where every line of one file of a run's programs first stood. Asked questions, it remembers the answers. */
export class LineHistory {
  readonly #run: LoadedRun;
  readonly #records: AdoptionRecords | undefined;
  readonly #textOf: (generation: LoadedGeneration) => string | undefined;
  readonly #histories = new Map<LoadedAgent, AgentHistory>();

  constructor(
    run: LoadedRun,
    textOf: (generation: LoadedGeneration) => string | undefined = ({ code }) => code,
    records?: AdoptionRecords,
  ) {
    this.#run = run;
    this.#textOf = textOf;
    this.#records = records;
  }

  linesOf(generation: LoadedGeneration): readonly SourceLine[] {
    return sourceLines(this.#textOf(generation) ?? '', codeLanguageOf(generation.language));
  }

  /** Where a line that one of the agent's programs holds came from. */
  originOf(agent: LoadedAgent, key: string): LineOrigin | undefined {
    const history = this.#historyOf(agent);
    const known = history.origins.get(key);
    if (known) return known;
    const n = history.first.get(key);
    const generation = n === undefined ? undefined : history.generations[n];
    if (n === undefined || generation === undefined) return undefined;
    const origin = this.#trace(history, n, generation, key);
    history.origins.set(key, origin);
    return origin;
  }

  /** Every step goes to an earlier program, of the agent's own or one that was published before, so this ends. */
  #trace(history: AgentHistory, n: number, generation: LoadedGeneration, key: string): LineOrigin {
    const author = { agent: history.agent, generation };
    const own = { author, initial: false, renamed: false };
    if (isInitial(this.#run, generation)) return { ...own, initial: true };
    const seen = this.#seenBefore(history.agent, generation, key);
    if (seen) return this.originOf(seen, key) ?? own;
    const from = this.#renamesAt(history, n, generation).get(key);
    const older = from && this.originOf(from.agent, from.key);
    if (older) return { ...older, renamed: true };
    const common = this.#heldUnseen(history.agent, generation, key);
    return common ? { ...own, common } : own;
  }

  /** The peer whose visible program held the line first. */
  #seenBefore(agent: LoadedAgent, generation: LoadedGeneration, key: string): LoadedAgent | undefined {
    let first: Author | undefined;
    for (const peer of this.#run.agents) {
      const holder = peer === agent ? undefined : this.#firstHolder(peer, key);
      if (!holder || holder.generation.generation >= generation.generation) continue;
      const visible = this.#visible(agent, peer, generation);
      const shown = visible.some((version) => this.#holds(peer, version, key));
      if (shown && (!first || holder.generation.generation < first.generation.generation)) first = holder;
    }
    return first?.agent;
  }

  /** A peer that held the line by then though the agent had not been shown it. */
  #heldUnseen(agent: LoadedAgent, generation: LoadedGeneration, key: string): Author | undefined {
    return this.#run.agents
      .filter((peer) => peer !== agent)
      .map((peer) => this.#firstHolder(peer, key))
      .find((holder) => holder && holder.generation.generation <= generation.generation);
  }

  #firstHolder(agent: LoadedAgent, key: string): Author | undefined {
    const history = this.#historyOf(agent);
    const generation = history.generations[history.first.get(key) ?? -1];
    return generation && { agent, generation };
  }

  #holds(agent: LoadedAgent, version: LoadedGeneration, key: string): boolean {
    const history = this.#historyOf(agent);
    return history.lines[history.generations.indexOf(version)]?.some((line) => line.key === key) ?? false;
  }

  #visible(agent: LoadedAgent, peer: LoadedAgent, generation: LoadedGeneration): readonly LoadedGeneration[] {
    return visibleVersions(agent, peer, generation.generation, this.#records);
  }

  /** Lines of a program that are renamed ones of the program it was made from, or of what a peer was showing. */
  #renamesAt(history: AgentHistory, n: number, generation: LoadedGeneration): ReadonlyMap<string, RenamedFrom> {
    const known = history.renames.get(n);
    if (known) return known;
    const found = new Map<string, RenamedFrom>();
    const isNovel = ({ key }: SourceLine): boolean => history.first.get(key) === n && !found.has(key);
    const lines = history.lines[n] ?? [];
    const parent = history.generations.findIndex(({ id }) => id === generation.parents[0]);
    const previous = parent >= 0 && parent < n ? parent : n - 1;
    const sources = [{ agent: history.agent, lines: history.lines[previous] ?? [] }];
    for (const peer of this.#run.agents) {
      const shown = peer === history.agent ? undefined : this.#visible(history.agent, peer, generation).at(-1);
      const of = shown && this.#historyOf(peer);
      if (shown && of) sources.push({ agent: peer, lines: of.lines[of.generations.indexOf(shown)] ?? [] });
    }
    for (const { agent, lines: source } of sources) {
      for (const [key, from] of findRenamed(lines, source, isNovel)) found.set(key, { agent, key: from });
    }
    history.renames.set(n, found);
    return found;
  }

  #historyOf(agent: LoadedAgent): AgentHistory {
    const known = this.#histories.get(agent);
    if (known) return known;
    // A copy holds nothing that the program it copies does not hold; a migrant's date would be wrong.
    const coded = agent.generations.filter((generation) => this.#textOf(generation) !== undefined);
    const originals = new Set(coded.filter(({ copy }) => !copy).map(this.#textOf));
    const generations = coded.filter((one) => !one.copy || !originals.has(this.#textOf(one)));
    const lines = generations.map((generation) => this.linesOf(generation));
    const first = new Map<string, number>();
    for (const [n, own] of lines.entries()) {
      for (const { key } of own) if (!first.has(key)) first.set(key, n);
    }
    const history = { agent, generations, lines, first, renames: new Map(), origins: new Map() };
    this.#histories.set(agent, history);
    return history;
  }
}

function isInitial(run: LoadedRun, { generation, parents }: LoadedGeneration): boolean {
  return generation === 0 || (parents.length === 0 && WITH_ROOTS.has(run.format));
}

/** What a line's origin is to one agent. */
export function originFor(agent: LoadedAgent, { author, initial, common }: LineOrigin): Origin {
  if (author.agent !== agent) return 'peer';
  if (initial) return 'initial';
  return common ? 'common' : 'own';
}
