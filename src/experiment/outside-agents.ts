import type { MarkId } from '../space/marks.ts';
import type { AdoptionRow, CandidateStatus } from '../trace/schema.ts';
import type { RunContext } from './run-context.ts';
import { candidateId } from './run-context.ts';
import { rowOf } from './recorder.ts';
import { bestOf } from './run-state.ts';
import type { Submission, SubmissionRow } from './submission.ts';

/** Submissions an agent may take back in one round, since evaluations cost processor time; the one after them counts. */
const WITHDRAWALS_PER_ROUND = 10;
/** Between two tellings of how far an evaluation is. */
const PROGRESS_MS = 100;
/** Characters of a submission's reason. */
const REASON = 2_000;

/** Where the evaluation of a submission is. Counts of cases that its agent may know, never anything of their outcome. */
export interface EvaluationProgress {
  readonly step: 'queued' | 'evaluating' | 'validating' | 'recording';
  readonly done: number;
  readonly total: number;
}

/** What an external agent hands in: path -> its text and the mark that holds it. */
export type SubmittedFiles = Readonly<Record<string, { readonly text: string; readonly mark: MarkId }>>;

export interface SubmitOptions {
  readonly reason?: string;
  /** Aborting takes the submission back, until it is run on the hidden cases. */
  readonly signal?: AbortSignal;
  readonly onProgress?: (progress: EvaluationProgress) => void;
}

/** What became of a submission, as far as its agent may know. */
export interface SubmitResult {
  readonly ok: true;
  readonly generation: number;
  readonly status: CandidateStatus;
  /** Validation score and the agent's best one, as disclosed. */
  readonly score: number | null;
  readonly best: number | null;
  readonly published: boolean;
  readonly reason?: string;
  readonly evaluation: string;
  readonly adopted: readonly Pick<AdoptionRow, 'peer' | 'peerGeneration' | 'reuse'>[];
}

export interface SubmitRefused {
  readonly ok: false;
  readonly code: string;
  readonly message: string;
}

export type OutsidePhase = 'starting' | 'open' | 'evaluating' | 'waiting' | 'over' | 'stopped';

/** How long the open round waits for whom. */
export interface Waiting {
  /** Epoch milliseconds at which it goes on without who has not submitted. */
  readonly closesAt: number;
  readonly agents: readonly string[];
  /** Who has not submitted is not waited for any longer. */
  readonly closed: boolean;
}

/**
 * The external agents of a run that is open, as whoever serves them meets it. A submission is a row of the log and its result too; only
 * progress is told from process to process alone.
 */
export class OutsideAgents {
  readonly #context: Omit<RunContext, 'outside'>;
  readonly #submitting = new Set<string>();
  /** `<agent>/<generation>/<n>` of submissions that are being taken back, and of those that cannot be any more. */
  readonly #taken = new Set<string>();
  readonly #claimed = new Set<string>();
  readonly #progress = new Map<string, EvaluationProgress>();
  #waiting: Waiting | undefined;
  #playing = false;

  constructor(context: Omit<RunContext, 'outside'>) {
    this.#context = context;
  }

  /** Whether the run is being played here, now. */
  play(on: boolean): void {
    this.#playing = on;
    this.#context.news.tell();
  }

  wait(waiting: Waiting | undefined): void {
    this.#waiting = waiting;
    this.#context.news.tell();
  }

  get waiting(): Waiting | undefined {
    return this.#waiting;
  }

  progress(agent: string, progress: EvaluationProgress | undefined): void {
    if (progress === undefined) this.#progress.delete(agent);
    else this.#progress.set(agent, progress);
    this.#context.news.tell();
  }

  /** The round that is open, 1..generations; the last one once all are played. */
  get round(): number {
    const { state, config } = this.#context;
    return Math.min((state.last?.round ?? 0) + 1, config.generations);
  }

  /** The generation that what an agent does now is for: once it has submitted, the next. */
  generation(agent: string): number {
    const { round } = this;
    const { state } = this.#context;
    const isDone = state.candidates.has(candidateId(agent, round)) || this.submission(agent, round) !== undefined;
    return isDone ? round + 1 : round;
  }

  phase(agent: string): OutsidePhase {
    const { state, config } = this.#context;
    if ((state.last?.round ?? 0) >= config.generations) return 'over';
    if (!this.#playing) return 'stopped';
    if (state.last === undefined) return 'starting';
    if (state.candidates.has(candidateId(agent, this.round))) return 'waiting';
    if (this.submission(agent, this.round) !== undefined) return 'evaluating';
    return this.#waiting?.closed === true ? 'waiting' : 'open';
  }

  /** What stands to be evaluated. */
  submission(agent: string, generation: number): SubmissionRow | undefined {
    const last = this.#last(agent, generation);
    return last === undefined || last.withdrawn || this.#taken.has(keyOf(last.row)) ? undefined : last.row;
  }

  /** From now on the submission counts, whatever its agent does; false where it has been taken back. */
  claim(row: SubmissionRow): boolean {
    if (this.submission(row.agent, row.generation)?.n !== row.n) return false;
    this.#claimed.add(keyOf(row));
    return true;
  }

  #last(agent: string, generation: number): Submission | undefined {
    return this.#context.state.submissions.get(candidateId(agent, generation));
  }

  /**
   * Hands in a program for the round that is open, and waits for what comes of it.
   *
   * @throws the signal's reason when it was taken back
   */
  async submit(agent: string, files: SubmittedFiles, options: SubmitOptions): Promise<SubmitResult | SubmitRefused> {
    options.signal?.throwIfAborted();
    const refusal = this.#refusal(agent, options.reason);
    if (refusal !== undefined) return refusal;
    this.#submitting.add(agent);
    try {
      return await this.#submitted(agent, this.round, files, options);
    } finally {
      this.#submitting.delete(agent);
    }
  }

  #refusal(agent: string, reason: string | undefined): SubmitRefused | undefined {
    const { round } = this;
    const { config } = this.#context;
    if ((reason?.length ?? 0) > REASON)
      return refused('malformed', `the reason has ${reason?.length} characters; at most ${REASON}`);
    const phase = this.#submitting.has(agent) ? 'evaluating' : this.phase(agent);
    switch (phase) {
      case 'evaluating':
        return refused(
          'evaluation-running',
          `your program of round ${round} is being evaluated; wait for its result, or cancel it`,
        );
      case 'waiting':
        return refused(
          'round-done',
          `your part of round ${round} is over, and the round goes on; submit once round ${round + 1} is open (standing says when)`,
        );
      case 'starting':
        return refused(
          'not-open',
          'the initial programs are being scored; submit once round 1 is open (standing says when)',
        );
      case 'over':
        return refused('run-over', `all ${config.generations} rounds are played; nothing more can be submitted`);
      case 'stopped':
        return refused('run-stopped', 'the run is not being played now; start it again with hivemark resume');
      case 'open':
        break;
      default:
        return phase satisfies never;
    }
    return undefined;
  }

  async #submitted(
    agent: string,
    generation: number,
    files: SubmittedFiles,
    { reason, signal, onProgress }: SubmitOptions,
  ): Promise<SubmitResult | SubmitRefused> {
    const { recorder, blobs, news, clock, state, signal: stop } = this.#context;
    const entries = Object.entries(files);
    const stored = await Promise.all(entries.map(async ([path, { text }]) => [path, await blobs.write(text)] as const));
    const n = (this.#last(agent, generation)?.row.n ?? 0) + 1;
    const row: SubmissionRow = {
      agent,
      generation,
      n,
      sources: Object.fromEntries(stored),
      marks: Object.fromEntries(entries.map(([path, { mark }]) => [path, mark])),
      ...(reason === undefined || reason.trim() === '' ? {} : { reason }),
      at: clock(),
    };
    signal?.throwIfAborted();
    await recorder.record([rowOf('submissions', keyOf(row), row)]);
    onProgress?.({ step: 'queued', done: 0, total: 0 });
    const id = candidateId(agent, generation);
    const ended = (): true | undefined =>
      state.candidates.has(id) || (state.last?.round ?? 0) >= generation || undefined;
    const unwatch = onProgress === undefined ? () => undefined : this.#onProgress(agent, onProgress);
    try {
      await news.until(ended, signal === undefined ? stop : AbortSignal.any([stop, signal])).catch((error: unknown) => {
        const isLate = this.#claimed.has(keyOf(row)) || n > WITHDRAWALS_PER_ROUND;
        if (stop.aborted || !isLate) throw error;
        // It cannot be taken back any more.
        return news.until(ended, stop);
      });
      return this.#result(agent, generation);
    } catch (error) {
      if (stop.aborted)
        return refused(
          'run-stopped',
          'the run was stopped; your submission is kept, and counts once it goes on (hivemark resume)',
        );
      this.#taken.add(keyOf(row));
      news.tell();
      await recorder.record([rowOf('withdrawals', keyOf(row), { agent, generation, n })]);
      throw error;
    } finally {
      unwatch();
    }
  }

  #onProgress(agent: string, tell: (progress: EvaluationProgress) => void): () => void {
    let told: EvaluationProgress | undefined;
    let toldAt = -Infinity;
    return this.#context.news.on(() => {
      const progress = this.#progress.get(agent);
      if (progress === undefined || progress === told) return;
      if (progress.step === told?.step && performance.now() - toldAt < PROGRESS_MS) return;
      told = progress;
      toldAt = performance.now();
      tell(progress);
    });
  }

  #result(agent: string, generation: number): SubmitResult | SubmitRefused {
    const { state } = this.#context;
    const id = candidateId(agent, generation);
    const candidate = state.candidates.get(id);
    if (candidate === undefined)
      return refused(
        'round-closed',
        `round ${generation} had gone on without this submission; your files are as they were: submit again`,
      );
    const best = bestOf(state, agent);
    return {
      ok: true,
      generation,
      status: candidate.status,
      score: this.disclosed(state.evaluations.get(`${id}/validation`)?.score),
      best: this.disclosed(best?.score),
      published: candidate.published,
      ...(candidate.reason === undefined ? {} : { reason: candidate.reason }),
      evaluation: `evals/gen_${generation}`,
      adopted: [...state.adoptions.values()]
        .filter((row) => row.agent === agent && row.generation === generation)
        .map(({ peer, peerGeneration, reuse }) => ({ peer, peerGeneration, reuse })),
    };
  }

  /** A validation score as the disclosure policy tells it. */
  disclosed(score: number | undefined): number | null {
    const { validation } = this.#context.config.disclosure;
    if (score === undefined || validation === 'none') return null;
    return validation === 'coarse' ? Math.round(score * 100) / 100 : score;
  }
}

function keyOf({ agent, generation, n }: SubmissionRow): string {
  return `${agent}/${generation}/${n}`;
}

function refused(code: string, message: string): SubmitRefused {
  return { ok: false, code, message };
}
