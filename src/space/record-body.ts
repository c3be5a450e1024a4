import { isRecord, JsonProblem } from './json-value.ts';
import type { EntryBody } from './log.ts';
import type { Json } from './marks.ts';
import { isMarkId, parseMark } from './stored-mark.ts';

/** Reads the body of a stored record; a mark comes back deeply frozen. @throws when the text is not the JSON of a body. */
export function parseBody(text: string): EntryBody {
  const body: unknown = JSON.parse(text);
  if (!isRecord(body)) throw new JsonProblem('', 'is not an object');
  switch (body['type']) {
    case 'mark': {
      const mark = parseMark(body['mark']);
      const call = body['call'];
      if (call === undefined) return only(body, 2, { type: 'mark', mark });
      return only(body, 3, { type: 'mark', mark, call: jsonOf(body, 'call') });
    }
    case 'decision':
      return only(body, 2, { type: 'decision', decision: jsonOf(body, 'decision') });
    case 'event': {
      const event = jsonOf(body, 'event');
      const { withdraws } = body;
      if (withdraws === undefined) return only(body, 2, { type: 'event', event });
      if (!Array.isArray(withdraws) || !withdraws.every(isMarkId))
        throw new JsonProblem('withdraws', 'is no list of ids');
      return only(body, 3, { type: 'event', event, withdraws });
    }
    case 'define': {
      const { what } = body;
      if (what !== 'scope' && what !== 'grant') throw new JsonProblem('what', 'is neither scope nor grant');
      return only(body, 3, { type: 'define', what, value: jsonOf(body, 'value') });
    }
    case 'row': {
      const { table } = body;
      if (typeof table !== 'string' || table === '') throw new JsonProblem('table', 'is not a name');
      return only(body, 3, { type: 'row', table, row: jsonOf(body, 'row') });
    }
    default:
      throw new JsonProblem('type', 'is not a type of record');
  }
}

/** `read`, when the body it was read from has exactly `fields` members. */
function only(body: object, fields: number, read: EntryBody): EntryBody {
  if (Object.keys(body).length !== fields) throw new JsonProblem('', 'has a field that does not belong to its type');
  return read;
}

function jsonOf(body: Readonly<Record<string, unknown>>, field: string): Json {
  const value = body[field];
  if (value === undefined) throw new JsonProblem(field, 'is missing');
  // oxlint-disable-next-line typescript/no-unsafe-type-assertion -- a member of what JSON.parse returned
  return value as Json;
}
