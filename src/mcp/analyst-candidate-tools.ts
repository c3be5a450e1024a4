import { z } from 'zod';
import { scoreOf } from '../analysis/scores.ts';
import { sha256 } from '../trace/blob-store.ts';
import {
  agentIn,
  type Candidate,
  candidateIn,
  candidateShape,
  candidatesOf,
  type CandidateView,
  STATUSES,
  textIn,
  viewOf,
} from './analyst-candidate.ts';
import { stateIn } from './analyst-cursor.ts';
import { sourcesOf } from './analyst-imported.ts';
import { clip, MAX_ANSWER_BYTES, PAGE_ARGS, pageOf, pageShape, partOf, type Step } from './analyst-page.ts';
import type { OpenRun } from './analyst-results.ts';
import { AGENT_ARG, analystTool, CANDIDATE_ARG, nameArg, RUN_ARG } from './analyst-tool.ts';

export const OFFSET_ARG = z
  .int()
  .min(0)
  .default(0)
  .describe('Characters of the text to leave out: nextOffset of the answer before.');

/** A text that may be longer than an answer. */
export const textShape = {
  text: z.string(),
  characters: z.int().describe('Of the whole text.'),
  nextOffset: z.int().optional().describe('There is more: pass it as offset. Absent: this was the end.'),
};

/** Answers and their text say a text twice. */
export function textPart(text: string, offset: number): z.output<z.ZodObject<typeof textShape>> {
  const { part, next } = partOf(text, Math.min(offset, text.length), MAX_ANSWER_BYTES);
  return { text: part, characters: text.length, ...(next !== undefined && { nextOffset: next }) };
}

const ORDERS = ['oldest', 'newest', 'best', 'worst'] as const;
const afterCandidate = z.strictObject({ key: z.tuple([z.number(), z.number()]) });

export const listCandidates = analystTool({
  name: 'list_candidates',
  title: 'List programs',
  description:
    'The programs of a run with their scores and what became of each, oldest first unless another order is asked for. Scores are validation scores; a program without one matches no bound of min_score and max_score and comes last by score.',
  input: {
    run: RUN_ARG,
    agent: AGENT_ARG.describe('Only programs of this agent.'),
    status: z
      .enum(STATUSES)
      .optional()
      .describe('accepted: became the head; rejected: evaluated, not kept; failed: invalid; copy: as its parent.'),
    published: z.boolean().optional().describe('Only what peers were shown, or only the others.'),
    min_score: z.number().optional(),
    max_score: z.number().optional(),
    from_generation: z.int().min(0).optional(),
    to_generation: z.int().min(0).optional(),
    order: z.enum(ORDERS).default('oldest'),
    ...PAGE_ARGS,
  },
  output: pageShape(z.strictObject(candidateShape)),
  run: async (results, args) => {
    const after = stateIn('list_candidates', args, afterCandidate)?.key;
    const open = await results.open(args.run);
    if (args.agent !== undefined) agentIn(open, args.agent);
    const matching = candidatesOf(open)
      .map((candidate, n) => ({ candidate, key: keyOf(candidate, n, args.order) }))
      .filter(({ candidate }) => matches(open, candidate, args))
      .sort((a, b) => compareKeys(a.key, b.key));
    function* steps(): Generator<Step<CandidateView, z.output<typeof afterCandidate>>> {
      for (const { candidate, key } of matching) {
        if (after === undefined || compareKeys(key, after) > 0) yield { row: viewOf(open, candidate), after: { key } };
      }
    }
    return { value: await pageOf({ tool: 'list_candidates', args, total: matching.length }, steps()) };
  },
});

interface CandidateFilter {
  readonly agent?: string | undefined;
  readonly status?: string | undefined;
  readonly published?: boolean | undefined;
  readonly min_score?: number | undefined;
  readonly max_score?: number | undefined;
  readonly from_generation?: number | undefined;
  readonly to_generation?: number | undefined;
}

function matches(open: OpenRun, candidate: Candidate, filter: CandidateFilter): boolean {
  const { agent, program } = candidate;
  const score = scoreOf(program) ?? Number.NaN;
  return (
    (filter.agent === undefined || agent.name === filter.agent) &&
    (filter.published === undefined || (program.published ?? false) === filter.published) &&
    (filter.from_generation === undefined || program.generation >= filter.from_generation) &&
    (filter.to_generation === undefined || program.generation <= filter.to_generation) &&
    (filter.min_score === undefined || score >= filter.min_score) &&
    (filter.max_score === undefined || score <= filter.max_score) &&
    (filter.status === undefined || viewOf(open, candidate).status === filter.status)
  );
}

type Key = readonly [first: number, n: number];

/** A place in an order that stays when programs are added: by generation or score, then as they came. */
function keyOf({ program }: Candidate, n: number, order: (typeof ORDERS)[number]): [number, number] {
  const score = scoreOf(program);
  switch (order) {
    case 'oldest':
      return [program.generation, n];
    case 'newest':
      return [-program.generation, n];
    case 'best':
      return [score === undefined ? Number.MAX_VALUE : -score, n];
    case 'worst':
      return [score ?? Number.MAX_VALUE, n];
  }
}

function compareKeys(a: Key, b: Key): number {
  return a[0] - b[0] || a[1] - b[1];
}

const evaluationShape = z.strictObject({
  split: z.string(),
  score: z.number(),
  valid: z.boolean(),
  cases: z.int().nullable(),
  statuses: z.record(z.string(), z.number()).nullable().describe('Number of cases per status.'),
  metrics: z.record(z.string(), z.number()).nullable(),
  stagePassed: z.boolean().nullable(),
  feedback: z.string().nullable(),
  wallMs: z.number().nullable(),
});

export const getCandidate = analystTool({
  name: 'get_candidate',
  title: 'Show a program',
  description:
    'One program: how every split scored, what it was made from, what was made from it and which files it has. With file: that file instead, its text alone in one block. What the hidden cases were is never shown.',
  input: {
    run: RUN_ARG,
    candidate: CANDIDATE_ARG,
    file: nameArg('Path of one of its files, for its text.').optional(),
    offset: OFFSET_ARG,
  },
  output: {
    ...candidateShape,
    evaluations: z.array(evaluationShape),
    children: z.array(z.string()).describe('Programs made from it.'),
    sources: z.array(z.strictObject({ path: z.string(), bytes: z.int(), lines: z.int(), sha256: z.string() })),
    file: z.strictObject({ path: z.string(), ...textShape }).optional(),
  },
  run: async (results, { run, candidate: id, file, offset }) => {
    const open = await results.open(run);
    const found = candidateIn(open, id);
    const { program } = found;
    const asked = file === undefined ? undefined : textIn(program, file);
    const part = asked && { path: asked.file, ...textPart(asked.text, offset) };
    const described = {
      ...viewOf(open, found),
      evaluations: evaluationsOf(open, found),
      children: open.edges.filter(({ from, kind }) => kind === 'parent' && from === program.id).map(({ to }) => to),
      sources: Object.entries(sourcesOf(program)).map(([path, text]) => ({
        path,
        bytes: Buffer.byteLength(text),
        lines: text.split('\n').length - (text.endsWith('\n') ? 1 : 0),
        sha256: sha256(text),
      })),
    };
    const value = clip(described, part ? 1_000 : MAX_ANSWER_BYTES / 8).value;
    return part ? { value: { ...value, file: part }, text: part.text, notes: moreNote(part) } : { value };
  },
});

/** Said beside a text that goes on. */
export function moreNote(part: z.output<z.ZodObject<typeof textShape>>): readonly string[] {
  if (part.nextOffset === undefined) return [];
  return [`[${part.nextOffset} of ${part.characters} characters; ask again with offset ${part.nextOffset} for more]`];
}

function evaluationsOf(open: OpenRun, { program }: Candidate): z.output<typeof evaluationShape>[] {
  const recorded = open.evaluations.get(program.id);
  if (recorded !== undefined) {
    return recorded.map(({ split, score, valid, cases, statuses, metrics, stagePassed, feedback, wallMs }) => ({
      split,
      score,
      valid,
      cases,
      statuses: { ...statuses },
      metrics: { ...metrics },
      stagePassed,
      feedback,
      wallMs,
    }));
  }
  return Object.entries(program.scores).map(([split, score]) => ({
    split,
    score,
    valid: program.valid,
    cases: null,
    statuses: null,
    metrics: null,
    stagePassed: null,
    feedback: null,
    wallMs: null,
  }));
}
