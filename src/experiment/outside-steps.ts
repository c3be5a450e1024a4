import { isRecord } from '../space/json-value.ts';
import type { LogRecord } from '../space/log.ts';
import type { Json, Mark } from '../space/marks.ts';
import { ROW_SCHEMAS } from '../trace/row-schema.ts';
import { notesScope, ownScope } from './run-context.ts';
import { submissionSchema } from './submission.ts';
import type { Step } from './think.ts';

/** Characters of a note that can be a stated reason. */
const WORDS = 2_000;

interface Doings {
  steps: Step[];
  /** How many of them came before the last submission. */
  submitted: number;
  /** Generation -> the highest number of a tool call that opened something. */
  readonly toolCalls: Map<number, number>;
}

/**
 * What each external agent has done since its last program was evaluated, in the order of the log: what it opened, what it changed, what it
 * said in its notes. From the log alone, so that a restart loses none of it.
 */
export class OutsideSteps {
  readonly #agents: ReadonlyMap<string, Doings>;

  constructor(agents: readonly string[]) {
    this.#agents = new Map(agents.map((agent) => [agent, { steps: [], submitted: 0, toolCalls: new Map() }]));
  }

  /** What came before its last submission. */
  of(agent: string): readonly Step[] {
    const doings = this.#agents.get(agent);
    return doings?.steps.slice(0, doings.submitted) ?? [];
  }

  /** The highest number of a tool call that opened something for this generation; 0: none did. */
  lastToolCall(agent: string, generation: number): number {
    return this.#agents.get(agent)?.toolCalls.get(generation) ?? 0;
  }

  /** Takes each record of the log once, in order. */
  apply({ body }: LogRecord): void {
    if (body.type === 'mark') {
      const step = stepOf(body.mark);
      if (step !== undefined) this.#agents.get(body.mark.agent)?.steps.push(step);
    } else if (body.type === 'row') {
      const agent = isRecord(body.row) ? body.row['agent'] : undefined;
      const doings = typeof agent === 'string' ? this.#agents.get(agent) : undefined;
      if (doings !== undefined) applyRow(doings, body.table, body.row);
    }
  }
}

function applyRow(doings: Doings, table: string, row: Json): void {
  if (table === 'submissions') {
    // The files were taken before the row was written: what was done in between is for the next program.
    const marks = new Set<string>(Object.values(submissionSchema.parse(row).marks));
    const last = doings.steps.findLastIndex(
      (step) => step.type === 'wrote' && step.mark !== undefined && marks.has(step.mark),
    );
    doings.submitted = last + 1;
  } else if (table === 'candidates') {
    // What came after the submission is for the next program.
    doings.steps = doings.steps.slice(doings.submitted);
    doings.submitted = 0;
  } else if (table === 'reads') {
    const { id, generation, path, toolCall } = ROW_SCHEMAS.reads.parse(row);
    doings.steps.push({ type: 'read', id, path });
    doings.toolCalls.set(generation, Math.max(toolCall, doings.toolCalls.get(generation) ?? 0));
  }
}

function stepOf(mark: Mark): Step | undefined {
  if (mark.scope === ownScope(mark.agent)) return { type: 'wrote', mark: mark.id };
  if (mark.scope !== notesScope(mark.agent)) return undefined;
  return { type: 'said', call: mark.id, text: wordsOf(mark).slice(0, WORDS) };
}

function wordsOf(mark: Mark): string {
  switch (mark.kind) {
    case 'observation':
      return `${mark.topic}: ${typeof mark.content === 'string' ? mark.content : JSON.stringify(mark.content)}`;
    case 'warning':
      return `${mark.topic}: ${mark.reason}`;
    case 'need':
      return mark.question;
    case 'intent':
    case 'action':
      break;
  }
  return '';
}
