import { z } from 'zod';
import { cutAt } from '../materialize/numbered-lines.ts';
import { isRecord, utf8Bytes } from '../space/json-value.ts';
import type { Json, Mark, ProjectedMark } from '../space/marks.ts';
import { MARK_KINDS, SEVERITIES, SOURCES } from '../space/marks.ts';

/** A mark as tools and resources give it. */
export const markShape = z.object({
  id: z.string(),
  kind: z.enum(MARK_KINDS),
  agent: z.string(),
  scope: z.string(),
  createdAt: z.number().describe('Epoch milliseconds.'),
  strength: z.number().describe('As it was written; 0..10.'),
  supersedes: z.string().exactOptional(),
  projected: z.literal(true).exactOptional().describe('You see that it is there, not what it says.'),
  resource: z.string().exactOptional(),
  action: z.string().exactOptional(),
  result: z.unknown().exactOptional(),
  failed: z.literal(true).exactOptional(),
  topic: z.string().exactOptional(),
  content: z.unknown().exactOptional(),
  confidence: z.number().exactOptional(),
  source: z.enum(SOURCES).exactOptional(),
  reason: z.string().exactOptional(),
  severity: z.enum(SEVERITIES).exactOptional(),
  invalidates: z.string().exactOptional(),
  question: z.string().exactOptional(),
  context: z.unknown().exactOptional(),
  priority: z.number().exactOptional(),
  blocking: z.boolean().exactOptional(),
  resolvedBy: z.string().exactOptional(),
  clipped: z
    .array(z.object({ field: z.string(), chars: z.int().min(0) }))
    .exactOptional()
    .describe('Fields that were too long for this answer, and how long they are as text; JSON is left out whole.'),
});

/** @see markShape */
export type MarkJson = Readonly<z.output<typeof markShape>>;

/** Characters of one field of a mark: in a list of marks, and of one mark alone. */
export const FIELD_CHARS = { listed: 2_000, alone: 100_000 } as const;

const LONG_FIELDS = ['content', 'result', 'context', 'reason', 'question'] as const;

/**
 * A mark for an agent's eyes. Marks that hold files are shown with the sizes of their files: programs and evaluations are read as files,
 * where each read is on record, and never by way of the mark that they are a view of.
 */
export function markJson(mark: Mark | ProjectedMark, maxFieldChars: number = Infinity): MarkJson {
  const shown: Record<string, unknown> = { ...mark, ...('content' in mark ? { content: contentOf(mark) } : {}) };
  const clipped: { readonly field: string; readonly chars: number }[] = [];
  for (const field of LONG_FIELDS) {
    const value = shown[field];
    if (value === undefined || value === null) continue;
    const text = typeof value === 'string' ? value : JSON.stringify(value);
    if (text.length <= maxFieldChars) continue;
    clipped.push({ field, chars: text.length });
    shown[field] = typeof value === 'string' ? cutAt(value, maxFieldChars) : null;
  }
  // oxlint-disable-next-line typescript/no-unsafe-type-assertion -- the fields of a mark; a test holds them to the schema
  return { ...shown, ...(clipped.length === 0 ? {} : { clipped }) } as unknown as MarkJson;
}

const FILE_SCOPES: readonly string[] = ['agents', 'evaluations', 'strategies'];

function contentOf({ scope, content }: { readonly scope: string; readonly content: Json }): Json {
  if (!FILE_SCOPES.includes(scope.split('/')[0] ?? '') || !isRecord(content)) return content;
  const { text, files, ...rest } = content;
  const sizes = isRecord(files)
    ? { files: Object.fromEntries(Object.entries(files).map(([name, file]) => [name, sizeOf(file)])) }
    : {};
  return {
    ...(rest as Readonly<Record<string, Json>>),
    ...(text === undefined ? {} : { text: sizeOf(text) }),
    ...sizes,
  };
}

function sizeOf(text: unknown): Json {
  return { bytes: typeof text === 'string' ? utf8Bytes(text) : 0 };
}
