import { z } from 'zod';
import type { MarkId } from '../space/marks.ts';
import type { LogRecord } from '../space/log.ts';
import { ROW_SCHEMAS } from '../trace/row-schema.ts';
import type { AdoptionRow, CallRow, CandidateRow, EvaluationRow } from '../trace/schema.ts';
import { type Submission, submissionSchema, withdrawalSchema } from './submission.ts';

/** Where one agent stands after a round; all a following round needs to know of it. */
export interface AgentStanding {
  /** Candidate whose files the agent has. */
  readonly head: string;
  /** Path -> the mark that holds the file now. */
  readonly files: Readonly<Record<string, MarkId>>;
  /** sha256 of the last `meta_agent.ts` that loaded and ran. */
  readonly goodMeta: string;
  readonly published: { readonly mark: MarkId; readonly generation: number; readonly score: number } | null;
  /** Evaluation marks, oldest first: what becomes `evals/`. */
  readonly evals: readonly MarkId[];
}

/** Table `rounds`: closes a round. Resuming starts from the last one, so a round counts whole or not at all. */
export interface RoundRow {
  readonly round: number;
  readonly agents: Readonly<Record<string, AgentStanding>>;
  /** Wall milliseconds of the run up to here, over all its sessions. */
  readonly wallMs: number;
  /** External agents that submitted nothing before the round went on without them. */
  readonly absent?: readonly string[];
}

const markId = z.custom<MarkId>((value) => typeof value === 'string' && value !== '');
const roundSchema = z.object({
  round: z.int().nonnegative(),
  agents: z.record(
    z.string(),
    z.object({
      head: z.string(),
      files: z.record(z.string(), markId),
      goodMeta: z.string(),
      published: z.object({ mark: markId, generation: z.int(), score: z.number() }).nullable(),
      evals: z.array(markId),
    }),
  ),
  wallMs: z.number().nonnegative(),
  absent: z.array(z.string()).exactOptional(),
});

/** Input and output tokens together, USD, number of calls. */
export interface Usage {
  readonly tokens: number;
  readonly usd: number;
  readonly calls: number;
}

/** What a run's log says so far; mutated by `applyRecord` alone. */
export interface RunState {
  /** Rows by table and key, for the tables a running experiment looks at. */
  readonly candidates: Map<string, CandidateRow>;
  /** The same by agent, in the order of their generations. */
  readonly lineages: Map<string, CandidateRow[]>;
  /** By `<candidate>/<split>`. */
  readonly evaluations: Map<string, EvaluationRow>;
  readonly adoptions: Map<string, AdoptionRow>;
  /** By `<agent>/<generation>/<n>`. */
  readonly calls: Map<string, CallRow>;
  /** Totals of the calls by agent. */
  readonly usage: Map<string, Usage>;
  /** The last submission of an external agent by `<agent>/<generation>`. */
  readonly submissions: Map<string, Submission>;
  /** Denied decisions per agent. */
  readonly denials: Map<string, number>;
  /** The last closed round; undefined before the initial programs are scored. */
  last: RoundRow | undefined;
}

export function createRunState(): RunState {
  return {
    candidates: new Map(),
    lineages: new Map(),
    evaluations: new Map(),
    adoptions: new Map(),
    calls: new Map(),
    usage: new Map(),
    submissions: new Map(),
    denials: new Map(),
    last: undefined,
  };
}

const verdictSchema = z.object({ agent: z.string(), verdict: z.string(), count: z.int().min(1).default(1) });

/** Folds one log record in. @throws {z.ZodError} for a row of another version that does not fit any more */
export function applyRecord(state: RunState, record: LogRecord): void {
  const { body } = record;
  if (body.type === 'decision') {
    const { agent, verdict, count } = verdictSchema.parse(body.decision);
    if (verdict === 'denied') state.denials.set(agent, (state.denials.get(agent) ?? 0) + count);
    return;
  }
  if (body.type !== 'row') return;
  if (body.table === 'candidates') {
    const candidate = ROW_SCHEMAS.candidates.parse(body.row);
    state.candidates.set(candidate.id, candidate);
    const lineage = state.lineages.get(candidate.agent);
    if (lineage === undefined) state.lineages.set(candidate.agent, [candidate]);
    else lineage.push(candidate);
  } else if (body.table === 'evaluations') {
    const evaluation = ROW_SCHEMAS.evaluations.parse(body.row);
    state.evaluations.set(`${evaluation.candidate}/${evaluation.split}`, evaluation);
  } else if (body.table === 'adoptions') {
    const adoption = ROW_SCHEMAS.adoptions.parse(body.row);
    state.adoptions.set(adoption.id, adoption);
  } else if (body.table === 'calls') {
    const call = ROW_SCHEMAS.calls.parse(body.row);
    state.calls.set(call.id, call);
    const { tokens, usd, calls } = usageOf(state, call.agent);
    state.usage.set(call.agent, {
      tokens: tokens + call.inputTokens + call.outputTokens,
      usd: usd + call.usd,
      calls: calls + 1,
    });
  } else if (body.table === 'submissions') {
    const row = submissionSchema.parse(body.row);
    state.submissions.set(`${row.agent}/${row.generation}`, { row, withdrawn: false });
  } else if (body.table === 'withdrawals') {
    const { agent, generation, n } = withdrawalSchema.parse(body.row);
    const last = state.submissions.get(`${agent}/${generation}`);
    if (last?.row.n === n) state.submissions.set(`${agent}/${generation}`, { ...last, withdrawn: true });
  } else if (body.table === 'rounds') {
    state.last = roundSchema.parse(body.row);
  }
}

/** Totals of an agent's model calls. */
export function usageOf(state: RunState, agent: string): Usage {
  return state.usage.get(agent) ?? { tokens: 0, usd: 0, calls: 0 };
}

/** Candidates of one agent, oldest first. */
export function candidatesOf(state: RunState, agent: string): readonly CandidateRow[] {
  return state.lineages.get(agent) ?? [];
}

/** The agent's best valid candidate by validation score, of generations below `before`; the earliest of equals. */
export function bestOf(state: RunState, agent: string, before = Infinity): EvaluationRow | undefined {
  let best: EvaluationRow | undefined;
  for (const row of candidatesOf(state, agent)) {
    const validation = state.evaluations.get(`${row.id}/validation`);
    if (row.generation >= before || row.status === 'failed' || validation?.valid !== true) continue;
    if (best === undefined || validation.score > best.score) best = validation;
  }
  return best;
}
