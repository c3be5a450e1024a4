/** What a run was read from. @see src/trace/importers */
export type TraceFormat = 'native' | 'hyperspace' | 'openevolve' | 'evotrace' | 'shinkaevolve';

export type ProgramLanguage = 'python' | 'typescript' | 'javascript' | 'cpp' | 'rust' | 'other';

/**
 * Why a program that scored next to nothing did: it ran and was wrong, it could not run, its evaluation broke off, the provider was
 * away, or the generation gave no candidate at all.
 */
export type FailureCause = 'wrong-answers' | 'cannot-run' | 'evaluation-broke-off' | 'provider-outage' | 'no-candidate';

/** Higher is better. A score that the source does not give, or gives as NaN or infinite, is absent. */
export interface LoadedScores {
  readonly train?: number;
  readonly validation?: number;
  readonly test?: number;
  /** What the search was given to optimise, where the source tells it from `private`. */
  readonly public?: number;
  readonly private?: number;
}

/** One program of one agent, as the source left it. Its code is text and is never run. */
export interface LoadedGeneration {
  /** Unique in its run. */
  readonly id: string;
  /** Generation (native, hyperspace, ShinkaEvolve) or iteration (the others); several programs of an agent may share one. */
  readonly generation: number;
  /** Ids, the selected parent first; empty for a root. A parent may be missing from the run (its line was bad). */
  readonly parents: readonly string[];
  /** The main program's text exactly as stored; absent: there is none, or it could not be read. */
  readonly code?: string;
  /** Its code was there and could not be read (a Git LFS pointer, a damaged blob): what the program was is not known. */
  readonly unread?: true;
  /** Name of the main program's file, where it has one. */
  readonly mainFile?: string;
  readonly language: ProgramLanguage;
  /** Text of the other own files by path (the meta agent), where there are any. */
  readonly files?: Readonly<Record<string, string>>;
  readonly valid: boolean;
  /** A migrant or unchanged copy: the same program again, not a new one. */
  readonly copy?: true;
  readonly published?: boolean;
  readonly scores: LoadedScores;
  /** Set where the program scored about 0 and the files beside it tell why. */
  readonly cause?: FailureCause;
  /** Model tokens and US dollars spent on this generation, where the source says. */
  readonly tokens?: number;
  readonly usd?: number;
}

export interface LoadedAgent {
  readonly name: string;
  readonly model?: string;
  /** A deterministic program stood in for a language model. */
  readonly scripted?: boolean;
  /** Ascending by `generation`, ties in the source's order. */
  readonly generations: readonly LoadedGeneration[];
}

export interface LoadedRun {
  /**
   * Path relative to the folder that was given, with `/`; the folder's own name when it is a run itself. Where several given folders
   * hold the same, with as many of the folders above in front as tell them apart.
   */
  readonly id: string;
  /** Its folder as skipped things name it. @default the id */
  readonly path?: string;
  readonly format: TraceFormat;
  /** Absolute path, for readers of what is not held here (call logs). */
  readonly folder: string;
  /** `a_vs_b` as the folder says, or `a+b`; one agent: its name. */
  readonly pairing: string;
  readonly task?: string;
  readonly seed?: number;
  readonly arm?: string;
  readonly agents: readonly LoadedAgent[];
}

/**
 * Something that could not be used; the rest was. `path` is relative to the given folder (`.` is the folder itself), or begins with
 * what was given where that was more than one.
 */
export interface Skipped {
  readonly path: string;
  /** 1-based, where one line is to blame. */
  readonly line?: number;
  /** What was left out: `line`, `file`, `run`, `generation`, `code`, `link` ... */
  readonly what: string;
  /** One of few fixed sentences. */
  readonly why: string;
  /** What is particular to this one. */
  readonly detail?: string;
}

export interface LoadedTraces {
  readonly runs: readonly LoadedRun[];
  /** Capped; `skippedBy` counts all. */
  readonly skipped: readonly Skipped[];
  /** Number of things left out, by reason. */
  readonly skippedBy: Readonly<Record<string, number>>;
}
