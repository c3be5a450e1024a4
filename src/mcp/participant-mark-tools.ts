import { z } from 'zod';
import { MARK_KINDS, SEVERITIES } from '../space/marks.ts';
import type { MarkQuery } from '../space/query.ts';
import { isAgentName, isScopeName } from '../space/scope.ts';
import type { AgentName, ScopeName } from '../space/marks.ts';
import type { Outcome } from '../guard/decision.ts';
import { markPage } from './mark-pages.ts';
import { FIELD_CHARS, markJson, markShape, type MarkJson } from './marks-json.ts';
import type { Participant } from './participant.ts';
import { refuseHere } from './participant-file-tools.ts';
import { wellFormed } from './participant-shapes.ts';
import { quoted } from './protocol-handlers.ts';
import { refusalIn } from './seat.ts';
import { defineTool, type Denied, type Given, type Tool } from './tool.ts';

const share = z.number().min(0).max(1);
const topic = wellFormed.min(1).max(1024);
/** Arguments are JSON and bounded before their schema is asked. */
const anyJson = z.unknown().refine((value) => value !== undefined, 'is missing');
const written = { mark: markShape.exactOptional() };
/** Confidence and priority where nothing is said: neither for nor against. */
const UNSAID = 0.5;

const writeObservation = defineTool({
  name: 'write_observation',
  title: 'Write an observation',
  description: 'Leaves "I saw content about topic" in your notes, for whoever may read them. Confidence ranks nothing.',
  input: { topic, content: anyJson.describe('Text, or any JSON.'), confidence: share.default(UNSAID) },
  output: written,
  hints: { readOnly: false },
  async run(participant: Participant, { topic, content, confidence }) {
    return leave(participant, { topic, content, confidence, source: 'fleet' });
  },
});

const writeWarning = defineTool({
  name: 'write_warning',
  title: 'Write a warning',
  description:
    'Leaves "reason: what was said on topic no longer holds" in your notes; it may name the mark it invalidates.',
  input: { topic, reason: wellFormed, severity: z.enum(SEVERITIES), invalidates: z.string().exactOptional() },
  output: written,
  hints: { readOnly: false },
  run: (participant: Participant, args) => leave(participant, args),
});

const writeNeed = defineTool({
  name: 'write_need',
  title: 'Ask the person in charge',
  description:
    'Leaves "a person must decide question" in your notes; the answer shows as resolvedBy of the mark. Also for changes that you may not make yourself.',
  input: {
    question: wellFormed,
    context: z.unknown().default(null).describe('Text, or any JSON: the evidence.'),
    priority: share.default(UNSAID),
    blocking: z.boolean().default(false).describe('You cannot go on without the answer.'),
  },
  output: written,
  hints: { readOnly: false },
  run: (participant: Participant, args) => leave(participant, args),
});

const readMarks = defineTool({
  name: 'read_marks',
  title: 'Read marks',
  description:
    'Lists the marks that you may see, newest first, a page at a time. Long fields are clipped; read_mark gives one mark. Programs are read as files.',
  input: {
    scope: z.string().exactOptional().describe('This scope and all below it.'),
    kind: z.enum(MARK_KINDS).exactOptional(),
    topic: topic.exactOptional(),
    agent: z.string().exactOptional().describe('Only marks that this agent wrote.'),
    live: z.boolean().default(false).describe('Leave out what was superseded.'),
    limit: z.int().min(1).max(200).default(50),
    cursor: z.string().exactOptional().describe('nextCursor of the page before, with the same filters.'),
  },
  output: { marks: z.array(markShape), nextCursor: z.string().exactOptional() },
  hints: { readOnly: true },
  async run(participant: Participant, { scope, kind, topic, agent, live, limit, cursor }) {
    if (scope !== undefined && !isScopeName(scope)) {
      return refuseHere(participant, 'read_marks', `argument "scope": ${quoted(scope)} is not the name of a scope`);
    }
    if (agent !== undefined && !isAgentName(agent)) {
      return refuseHere(participant, 'read_marks', `argument "agent": ${quoted(agent)} is not the name of an agent`);
    }
    const page = markPage(participant, queryOf({ scope, kind, topic, agent, live }), limit, cursor);
    if (page === undefined) {
      return refuseHere(participant, 'read_marks', 'argument "cursor" is none that it gave for these filters');
    }
    const { marks, ...next } = page;
    return { ok: true, value: { marks: marks.map((mark) => markJson(mark, FIELD_CHARS.listed)), ...next } };
  },
});

const readMark = defineTool({
  name: 'read_mark',
  title: 'Read one mark',
  description: 'Gives one mark that you may see, by its id.',
  input: { id: z.string().min(1).max(1024) },
  output: { mark: markShape },
  hints: { readOnly: true },
  async run(participant: Participant, { id }) {
    const mark = participant.mark(id);
    if (mark !== undefined) return { ok: true, value: { mark: markJson(mark, FIELD_CHARS.alone) } };
    return {
      ...(await refuseHere(participant, 'read_mark', `there is no mark ${quoted(id)} that you may see`)),
      code: 'no-such-mark',
    };
  },
});

/** Tools over the marks of the space. */
export const MARK_TOOLS: readonly Tool<Participant>[] = [
  writeObservation,
  writeWarning,
  writeNeed,
  readMarks,
  readMark,
];

async function leave(
  participant: Participant,
  draft: Readonly<Record<string, unknown>>,
): Promise<Given<{ readonly mark?: MarkJson }> | Denied> {
  const outcome: Outcome = await participant.leave({ scope: participant.notes, ...draft });
  if (outcome.verdict !== 'allow') return refusalIn(outcome);
  return { ok: true, value: outcome.mark === undefined ? {} : { mark: markJson(outcome.mark, FIELD_CHARS.listed) } };
}

function queryOf(filters: {
  readonly scope: ScopeName | undefined;
  readonly kind: MarkQuery['kind'] | undefined;
  readonly topic: string | undefined;
  readonly agent: AgentName | undefined;
  readonly live: boolean;
}): Omit<MarkQuery, 'last'> {
  const { scope, kind, topic, agent, live } = filters;
  return {
    ...(scope === undefined ? {} : { under: scope }),
    ...(kind === undefined ? {} : { kind }),
    ...(topic === undefined ? {} : { topic }),
    ...(agent === undefined ? {} : { agent }),
    ...(live ? { live } : {}),
  };
}
