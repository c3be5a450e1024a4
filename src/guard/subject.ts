import type { Json, Mark } from '../space/marks.ts';
import type { KindedDraft } from '../space/mark-schema.ts';
import type { DecisionRecord, Denial } from './decision.ts';

const LONGEST_SUBJECT = 256;

/** What of a call's arguments goes into its decision record: short strings and numbers, never content. */
export function subjectOf(fields: Readonly<Record<string, unknown>>): Json {
  const subject: Record<string, Json> = {};
  for (const name of Object.keys(fields)) {
    const value = fields[name];
    if (typeof value === 'string') subject[name] = short(value);
    else if (typeof value === 'number' && Number.isFinite(value)) subject[name] = value;
  }
  return subject;
}

/** Where a mark is and what it is about. */
export function subjectOfMark(mark: Mark | KindedDraft): Json {
  const { kind, scope } = mark;
  if ('topic' in mark) return { kind, scope: short(scope), topic: short(mark.topic) };
  if ('resource' in mark && mark.resource !== undefined)
    return { kind, scope: short(scope), resource: short(mark.resource) };
  return { kind, scope: short(scope) };
}

/** A decision record with what a caller named in a denial cut to a length that a log can bear. */
export function shortened(record: DecisionRecord): DecisionRecord {
  const { denial } = record;
  if (denial === undefined || !Object.values(denial).some(isLong)) return record;
  const cut = Object.entries(denial).map(([name, value]) => [name, isLong(value) ? short(value) : value]);
  // oxlint-disable-next-line typescript/no-unsafe-type-assertion -- the same fields, of the same types
  return { ...record, denial: Object.fromEntries(cut) as Denial };
}

function isLong(value: unknown): value is string {
  return typeof value === 'string' && value.length > LONGEST_SUBJECT;
}

function short(text: string): string {
  return text.length > LONGEST_SUBJECT ? `${text.slice(0, LONGEST_SUBJECT)}...` : text;
}
