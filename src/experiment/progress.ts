/** What a run tells while it works. Only events: printing is the command line's business. */
export type RunEvent =
  | {
      readonly type: 'run-started';
      readonly run: string;
      readonly dir: string;
      readonly generations: number;
      /** First round still to do; above 1 when a run is resumed. */
      readonly fromRound: number;
      readonly agents: readonly { readonly name: string; readonly model: string; readonly scripted: boolean }[];
    }
  | { readonly type: 'round-started'; readonly run: string; readonly round: number }
  | {
      readonly type: 'phase';
      readonly run: string;
      readonly agent: string;
      readonly generation: number;
      readonly phase: 'thinking' | 'checking' | 'evaluating';
    }
  /** The round waits for an external agent. `closesAt`: epoch milliseconds at which it goes on without. */
  | {
      readonly type: 'awaiting';
      readonly run: string;
      readonly agent: string;
      readonly generation: number;
      readonly closesAt: number;
    }
  | ({ readonly type: 'generation-done'; readonly run: string } & GenerationReport)
  | { readonly type: 'notice'; readonly run: string; readonly text: string }
  | { readonly type: 'run-ended'; readonly run: string; readonly status: string };

/** One agent's generation in figures. */
export interface GenerationReport {
  readonly agent: string;
  readonly generation: number;
  readonly status: string;
  /** Validation score of this candidate; 0 when invalid. */
  readonly score: number;
  /** Best validation score so far. */
  readonly best: number;
  /** Totals of the run so far. */
  readonly tokens: number;
  readonly usd: number;
  readonly denials: number;
  readonly adoptions: number;
  readonly published: boolean;
  readonly adopted: readonly { readonly peer: string; readonly peerGeneration: number; readonly reuse: number }[];
  readonly reason?: string;
  /** Milliseconds by who used them; `harness` is the rest. */
  readonly timing: { readonly total: number; readonly model: number; readonly sandbox: number; readonly guard: number };
}

export type OnEvent = (event: RunEvent) => void;
