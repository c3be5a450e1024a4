import { z } from 'zod';
import type { EntryBody } from './log.ts';
import { parseMark } from './mark-schema.ts';
import type { Json } from './marks.ts';

const json = z.custom<Json>((value) => value !== undefined);
const bodySchema = z.discriminatedUnion('type', [
  z.strictObject({ type: z.literal('mark'), mark: json }),
  z.strictObject({ type: z.literal('decision'), decision: json }),
  z.strictObject({ type: z.literal('define'), what: z.enum(['scope', 'grant']), value: json }),
  z.strictObject({ type: z.literal('row'), table: z.string().min(1), row: json }),
]);

/** Reads the body of a stored record; a mark comes back deeply frozen. @throws when the text is not the JSON of a body. */
export function parseBody(text: string): EntryBody {
  const body = bodySchema.parse(JSON.parse(text));
  return body.type === 'mark' ? { type: 'mark', mark: parseMark(body.mark) } : body;
}
