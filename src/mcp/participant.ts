import type { Outcome } from '../guard/decision.ts';
import type { EditorCommand } from '../materialize/editor.ts';
import type { Mark, ProjectedMark } from '../space/marks.ts';
import type { MarkQuery } from '../space/query.ts';

/** One file of an agent's view. */
export interface FileEntry {
  readonly path: string;
  /** UTF-8 bytes. */
  readonly bytes: number;
  /** Of the text, hex. */
  readonly sha256: string;
  readonly kind: 'own' | 'evaluation' | 'strategy';
  /** The guard lets the agent change it. */
  readonly editable: boolean;
  /** Whose published program it belongs to. */
  readonly peer?: { readonly agent: string; readonly generation: number };
}

/** Why something was not done: `code` for machines (a denial's code, or `no-such-file`, `conflict`, `tool` ...), `message` in words. */
export interface Refused {
  readonly ok: false;
  readonly code: string;
  readonly message: string;
}

/** What an editor command or a shell command gave. `text` is for the agent's eyes, one string whatever is in it. */
export interface ToolAnswer {
  readonly ok: true;
  readonly text: string;
  /** Files of the agent's own that are different now, as they are now; durable in the space. */
  readonly wrote: readonly FileEntry[];
}

/** How a submitted program did; what is in it is what the disclosure policy lets the agent know. */
export interface SubmitAnswer {
  readonly ok: true;
  readonly generation: number;
  readonly status: 'accepted' | 'rejected' | 'failed' | 'copy';
  /** Validation score, where it is disclosed. */
  readonly score: number | null;
  readonly best: number | null;
  /** It is its agent's best so far: the peers see it from the next round on. */
  readonly published: boolean;
  readonly reason?: string;
  /** Folder of the view with the disclosed evaluation: `evals/gen_<n>`. */
  readonly evaluation: string;
  /** Peers whose code the program was found to have taken from. */
  readonly adopted: readonly { readonly peer: string; readonly peerGeneration: number; readonly reuse: number }[];
}

/** Where a submission is: `done` of `total` steps, the cases of the train split first. Steps tell nothing about scores. */
export interface SubmitProgress {
  readonly step: 'queued' | 'evaluating' | 'validating' | 'recording';
  readonly done: number;
  readonly total: number;
}

/** Where an agent stands in its run, or in a space without one (`run` is null then). */
export interface Standing {
  readonly agent: string;
  readonly run: {
    readonly id: string;
    readonly experiment: string;
    readonly task: string;
    /** The round that is open, 1..generations; `generations` when the run is over. */
    readonly round: number;
    readonly generations: number;
    /**
     * `starting`: the initial programs are being scored. `open`: submit when you are ready. `evaluating`: your program is. `waiting`: it was,
     * for others. `over`: all rounds are played. `stopped`: the run is not being played now.
     */
    readonly phase: 'starting' | 'open' | 'evaluating' | 'waiting' | 'over' | 'stopped';
    /** Epoch milliseconds at which the round goes on without who has not submitted; null: never. */
    readonly closesAt: number | null;
    /** Agents that have not ended their part of the round. */
    readonly waitingFor: readonly string[];
  } | null;
  /** Best program by validation score. */
  readonly best: { readonly generation: number; readonly score: number | null } | null;
  readonly published: { readonly generation: number } | null;
  /** What peers have published, as this agent sees it. */
  readonly peers: readonly {
    readonly agent: string;
    readonly generation: number;
    readonly score: number;
    readonly model?: string;
  }[];
  readonly budget: {
    readonly roundsLeft: number | null;
    /** Of this round; null: no limit. */
    readonly toolCallsLeft: number | null;
    readonly wallMinutesLeft: number | null;
  };
  /** Tool calls of this round so far, and refusals over the whole run, on record. */
  readonly toolCalls: number;
  readonly denials: number;
  /** Whether what this agent reads can be seen and counts as evidence of adoption; not with a folder on disk. */
  readonly readsObserved: boolean;
}

/** What became different. Told after the commit; several changes may be told as one. */
export interface Change {
  /** Paths of the view that came, went or have another text. */
  readonly files: readonly string[];
  /** New marks that the agent may see. */
  readonly marks: boolean;
  readonly standing: boolean;
}

/**
 * What one outside agent may do in a space: the one door for every way in (MCP, folder). It acts through a guarded session; nothing said to
 * it can change whose it is. All connections of an agent in one process share it; calls run one after the other, submissions beside them.
 * Every call leaves one decision on record. Expected refusals are values; it throws only when the space cannot be used any more
 * ({GateClosedError}), and an aborted signal's reason.
 */
export interface Participant {
  readonly agent: string;
  /** How it was declared: through tools that see what it reads, or a folder whose reads nobody sees. */
  readonly external: 'mcp' | 'folder';
  /** The task in words, for the agent: what to improve, the contract of `forward`, limits, how to take part. Markdown. */
  readonly briefing: string;
  standing(): Standing;
  /** All files of the view, sorted by path. By itself not on record. @see look */
  files(): readonly FileEntry[];
  /** The text of one file, on record as a read by `tool`. The same answer for what is not there and what may not be seen. */
  read(
    path: string,
    tool: string,
  ): Promise<{ readonly ok: true; readonly file: FileEntry; readonly text: string } | Refused>;
  /** The editor: view, create, str_replace, insert, undo_edit. */
  edit(command: EditorCommand): Promise<ToolAnswer | Refused>;
  /**
   * Makes one file have this text, or be gone (null), if it still has the text with `expected` (sha256, or null: is not there); `conflict`
   * when it has another, with what it is now.
   */
  put(
    path: string,
    text: string | null,
    expected: string | null,
  ): Promise<
    | { readonly ok: true; readonly file: FileEntry | null }
    | (Refused & { readonly now?: { readonly sha256: string; readonly text: string } | null })
  >;
  /** One shell command over a copy of the view; what it leaves changed in editable files is kept, as the guard decides. */
  shell(command: string, signal?: AbortSignal): Promise<ToolAnswer | Refused>;
  /**
   * Hands in the program as it is now for this round's evaluation and waits for the result. Aborting withdraws it, until it is run on hidden
   * cases: nothing of it counts, and the agent may submit again. Editing may go on meanwhile; it is for the next round. Without a run, or while one is under way: refused.
   */
  submit(options: {
    /** Why, in the agent's own words; kept with the adoption evidence. At most 2000 characters. */
    readonly reason?: string;
    readonly signal?: AbortSignal;
    readonly onProgress?: (progress: SubmitProgress) => void;
  }): Promise<SubmitAnswer | Refused>;
  /** Where its own marks go: its notes. */
  readonly notes: string;
  /** Leaves an observation, warning or need in its notes; the draft comes from anywhere and is checked by the guard. */
  leave(draft: unknown): Promise<Outcome>;
  /** Marks it may see, in log order. */
  marks(query?: MarkQuery): readonly (Mark | ProjectedMark)[];
  mark(id: string): Mark | ProjectedMark | undefined;
  /** Puts a call on record that only looked: at a list, its standing, marks. */
  look(tool: string): Promise<void>;
  /** Puts a call on record that was refused before it got here (unknown tool, arguments of the wrong shape). */
  refuse(tool: string, problem: string): Promise<void>;
  /** Tells of changes until the returned function is called. */
  watch(listener: (change: Change) => void): () => void;
}
