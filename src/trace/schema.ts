import type { Json } from '../space/marks.ts';

/** Version of the tables below; in `run.json`. Readers accept every earlier one. */
export const TRACE_SCHEMA_VERSION = 1;

/** One run of one pair (or one agent). */
export interface RunRow {
  readonly id: string;
  readonly task: string;
  readonly seed: number;
  readonly arm: string;
  readonly agents: readonly { readonly name: string; readonly model: string; readonly scripted: boolean }[];
  readonly generations: number;
  readonly startedAt: number;
}

export type CandidateStatus = 'accepted' | 'rejected' | 'failed' | 'copy';

/** One program of one agent. Generation 0 is the initial program. */
export interface CandidateRow {
  /** `<agent>/<generation>`. */
  readonly id: string;
  readonly agent: string;
  readonly generation: number;
  /** Candidate ids it was made from (the selected parent first). */
  readonly parents: readonly string[];
  /**
   * accepted: became the head; rejected: evaluated but not kept as head (or its files were refused);
   * failed: invalid (did not load, threw, or its meta agent broke); copy: same source as its parent.
   */
  readonly status: CandidateStatus;
  /** Path -> sha256 of the full source (a blob). */
  readonly sources: Readonly<Record<string, string>>;
  readonly createdAt: number;
  readonly published: boolean;
  /** Why a failed or rejected candidate is that. */
  readonly reason?: string;
}

export interface EvaluationRow {
  readonly candidate: string;
  readonly agent: string;
  readonly generation: number;
  readonly split: 'train' | 'validation' | 'test';
  readonly valid: boolean;
  readonly score: number;
  readonly metrics: Readonly<Record<string, number>>;
  readonly stagePassed: boolean;
  readonly cases: number;
  /** Number of cases per status. */
  readonly statuses: Readonly<Record<string, number>>;
  readonly feedback: string;
  readonly wallMs: number;
  /** sha256 of the blob with the full evaluation, cases and all. Never placed in the space. */
  readonly detail: string;
}

/** `kind` parent: the program a candidate was edited from; adoption: code taken from a peer's candidate. */
export interface EdgeRow {
  readonly from: string;
  readonly to: string;
  readonly kind: 'parent' | 'adoption';
}

/** What an agent was given to work from in one generation. */
export interface ContextRow {
  readonly agent: string;
  readonly generation: number;
  readonly parent: string;
  readonly strategies: readonly string[];
  readonly evals: readonly string[];
  readonly metaAgentSha256: string;
  readonly instructionSha256?: string;
}

/** Where and with what the run was made. */
export interface EnvironmentRow {
  readonly hivemark: string;
  readonly node: string;
  readonly platform: string;
  readonly cpus: number;
  readonly memoryMb: number;
  readonly limits: Json;
}

/** Peer code was put where the agent could see it. */
export interface ExposureRow {
  readonly id: string;
  readonly agent: string;
  readonly round: number;
  readonly peer: string;
  readonly peerGeneration: number;
  /** Path inside the agent's view, e.g. `strategies/b_gen3/task_agent.ts`. */
  readonly file: string;
  readonly sha256: string;
}

/** A tool call opened a file. */
export interface ReadRow {
  readonly id: string;
  readonly agent: string;
  readonly generation: number;
  /** 1-based number of the tool call within the generation (0: the meta agent's own `ctx.read`). */
  readonly toolCall: number;
  readonly tool: string;
  readonly path: string;
  readonly sha256: string;
}

export type EvidenceLevel = 'similar' | 'exposed' | 'read' | 'stated';

/** The evidence ladder of one adoption; ids refer to rows of `exposures` and `reads`. */
export interface Evidence {
  readonly level: EvidenceLevel;
  readonly exposures: readonly string[];
  readonly reads: readonly string[];
  /** What the agent opened could not be seen (it works in a folder on disk): that there are no reads says nothing. @default true */
  readonly readsObserved?: false;
  /** The agent's own words nearest before its first edit after the read, and the call row they are in. */
  readonly statement?: { readonly call: string; readonly text: string };
}

export interface ReuseMeasure {
  /** Share of the novel lines (absent from all the agent's own past, comments, blank and trivial lines apart) found in the peer's code. */
  readonly lines: number;
  /** The same over tokens, by k-gram fingerprints. */
  readonly tokens: number;
  readonly novelLines: number;
  readonly novelTokens: number;
  /** Longest common run of tokens between the novel part and the peer's code. */
  readonly longestRun: number;
}

/** An agent's new code took from a peer's code that it had been shown. */
export interface AdoptionRow {
  readonly id: string;
  readonly agent: string;
  readonly generation: number;
  readonly peer: string;
  readonly peerGeneration: number;
  readonly evidence: Evidence;
  /** Share of the novel code found in the peer's, 0..1: the larger of `reuseDetail.lines` and `.tokens`. */
  readonly reuse: number;
  readonly reuseDetail: ReuseMeasure;
  /** d_peer / (d_own + d_peer) of the published rule, on the peer version that was visible; null when both distances are 0. */
  readonly share: number | null;
  /** Validation score of the parent and of the new candidate, at the same evaluation. */
  readonly before: number;
  readonly after: number;
}

/** A guard verdict; see `DecisionRecord`. */
export interface DecisionRow {
  readonly id: string;
  readonly agent: string;
  readonly epoch: string;
  readonly at: number;
  readonly call: string;
  readonly verdict: string;
  readonly subject: Json;
  readonly code?: string;
  readonly denial?: Json;
  /** How many equal refusals the row stands for. @default 1 */
  readonly count?: number;
}

/** One call of a model. */
export interface CallRow {
  /** `<agent>/<generation>/<n>`, n from 1. */
  readonly id: string;
  readonly agent: string;
  readonly generation: number;
  readonly provider: string;
  readonly model: string;
  readonly scripted: boolean;
  /** sha256 of the canonical JSON of messages and tools sent: what a replay checks. */
  readonly requestSha256: string;
  /** Blob with the canonical JSON of the reply: what a replay answers. */
  readonly replySha256: string;
  readonly inputTokens: number;
  readonly outputTokens: number;
  readonly cachedInputTokens: number;
  readonly usd: number;
  readonly ms: number;
  readonly attempts: number;
  readonly stopReason: string;
  readonly toolCalls: number;
  readonly error?: string;
}

export interface TraceTables {
  readonly runs: RunRow;
  readonly candidates: CandidateRow;
  readonly evaluations: EvaluationRow;
  readonly edges: EdgeRow;
  readonly contexts: ContextRow;
  readonly environments: EnvironmentRow;
  readonly exposures: ExposureRow;
  readonly reads: ReadRow;
  readonly adoptions: AdoptionRow;
  readonly decisions: DecisionRow;
  readonly calls: CallRow;
}

export const TRACE_TABLES = [
  'runs',
  'candidates',
  'evaluations',
  'edges',
  'contexts',
  'environments',
  'exposures',
  'reads',
  'adoptions',
  'decisions',
  'calls',
] as const satisfies readonly (keyof TraceTables)[];
