import { decisionIn } from '../../guard/decided.ts';
import { isRecord } from '../../space/json-value.ts';
import type { LogRecord } from '../../space/log.ts';
import type { Json } from '../../space/marks.ts';

/**
 * One thing that a log holds, as a row; no name is a word of SQL's. A record of an allowed write holds two, the mark and the decision that let it in.
 */
export interface ExportRow {
  /** Position of its record in the log. */
  readonly seq: number;
  readonly type: 'mark' | 'decision' | 'event';
  /** Epoch milliseconds. */
  readonly at_ms: number | null;
  readonly id: string;
  readonly agent: string | null;
  /** Of a mark, or of the mark that a call asked for. */
  readonly kind: string | null;
  readonly scope: string | null;
  readonly topic: string | null;
  readonly resource: string | null;
  /** Of a decision: what was called. Of an event: what happened. */
  readonly what: string | null;
  readonly verdict: string | null;
  /** Which check refused, and the denial's code. */
  readonly denial_check: string | null;
  readonly denial_code: string | null;
  /** How many equal refusals a decision stands for. */
  readonly count: number | null;
  /** The mark, decision or event, whole. */
  readonly body: Json;
}

/** The columns of a table of rows, in order. */
export const EXPORT_COLUMNS = {
  seq: 'BIGINT',
  type: 'VARCHAR',
  at_ms: 'DOUBLE',
  id: 'VARCHAR',
  agent: 'VARCHAR',
  kind: 'VARCHAR',
  scope: 'VARCHAR',
  topic: 'VARCHAR',
  resource: 'VARCHAR',
  what: 'VARCHAR',
  verdict: 'VARCHAR',
  denial_check: 'VARCHAR',
  denial_code: 'VARCHAR',
  count: 'BIGINT',
  body: 'VARCHAR',
} as const satisfies Record<keyof ExportRow, 'BIGINT' | 'DOUBLE' | 'VARCHAR'>;

const EMPTY = {
  at_ms: null,
  agent: null,
  kind: null,
  scope: null,
  topic: null,
  resource: null,
  what: null,
  verdict: null,
  denial_check: null,
  denial_code: null,
  count: null,
} as const;

/** What of a record is exported: marks, decisions and events; definitions and rows of trace tables are not. */
export function* exportRows({ seq, key, body }: LogRecord): Iterable<ExportRow> {
  if (body.type === 'mark') {
    const { mark } = body;
    const { id, agent, kind, scope, createdAt } = mark;
    const about = aboutOf(mark);
    // oxlint-disable-next-line typescript/no-unsafe-type-assertion -- a mark is plain JSON
    const whole = mark as unknown as Json;
    yield { ...EMPTY, seq, type: 'mark', at_ms: createdAt, id, agent, kind, scope, ...about, body: whole };
  }
  const decision = decisionIn(body);
  if (decision !== undefined) {
    const { id, at, agent, call, verdict, denial, subject, count = 1 } = decision;
    const { kind, scope } = isRecord(subject) ? subject : {};
    yield {
      ...EMPTY,
      seq,
      type: 'decision',
      at_ms: at,
      id,
      agent,
      kind: textOf(kind),
      scope: textOf(scope),
      ...aboutOf(subject),
      what: call,
      verdict,
      denial_check: denial?.check ?? null,
      denial_code: denial?.code ?? null,
      count,
      // oxlint-disable-next-line typescript/no-unsafe-type-assertion -- a decision record is plain JSON
      body: decision as unknown as Json,
    };
  }
  if (body.type === 'event') {
    const { event } = body;
    const { at, what, agent, scope } = isRecord(event) ? event : {};
    const time = typeof at === 'number' ? at : null;
    const named = { agent: textOf(agent), scope: textOf(scope), what: textOf(what) };
    yield { ...EMPTY, seq, type: 'event', at_ms: time, id: key, ...named, ...aboutOf(event), body: event };
  }
}

function aboutOf(of: unknown): { readonly topic: string | null; readonly resource: string | null } {
  const { topic, resource } = isRecord(of) ? of : {};
  return { topic: textOf(topic), resource: textOf(resource) };
}

function textOf(value: unknown): string | null {
  return typeof value === 'string' ? value : null;
}
