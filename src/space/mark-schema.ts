import { z } from 'zod';
import { copyFields, copyJson, type JsonBounds, UNBOUNDED, problemIn } from './json-value.ts';
import type { AgentName, Json, Mark, MarkId, MarkKind, ScopeName } from './marks.ts';
import { MAX_STRENGTH, SEVERITIES, SOURCES } from './marks.ts';
import { fitsDraft } from './stored-mark.ts';
import { CONFLICT_POLICIES, isAgentName, isScopeName, type ScopeDefinition, VISIBILITIES } from './scope.ts';

export { MAX_STRENGTH };
export const DEFAULT_STRENGTH = 1;

/** How large a draft may be. */
export type DraftBounds = JsonBounds;

/** 64 KiB per text, 1 MiB per mark, 64 levels. @see protocol rule S5 */
export const DRAFT_BOUNDS: DraftBounds = { maxTextBytes: 65_536, maxBytes: 1_048_576, maxDepth: 64 };

type KindedOf<M extends Mark> = M extends Mark ? Omit<M, 'id' | 'agent' | 'createdAt' | 'resolvedBy'> : never;
/** A draft whose kind was read off its shape and whose strength is set: all of a mark that a caller may say. Deeply frozen. */
export type KindedDraft = KindedOf<Mark>;

export interface DraftProblem {
  readonly field: string;
  readonly problem: string;
}

const LONGEST_FIELD = 64;

const json = z.custom<Json>((value) => value !== undefined, 'is required');
const scope = z.custom<ScopeName>(
  (value) => typeof value === 'string' && isScopeName(value),
  'is not the name of a scope',
);
const agent = z.custom<AgentName>(
  (value) => typeof value === 'string' && isAgentName(value),
  'is not the name of an agent',
);
const markIdSchema = z.custom<MarkId>(
  (value) => typeof value === 'string' && value.length > 0 && value.length <= 1024,
  'is not a mark id',
);
const name = z
  .string()
  .min(1)
  .max(1024)
  .refine((text) => text.isWellFormed(), 'contains an unpaired surrogate');
const share = z.number().min(0).max(1);

const common = {
  scope,
  strength: z.number().min(0).max(MAX_STRENGTH).default(DEFAULT_STRENGTH),
  supersedes: markIdSchema.exactOptional(),
};
const fields = {
  intent: { resource: name, action: name, confidence: share },
  action: { resource: name.exactOptional(), action: name, result: json, failed: z.literal(true).exactOptional() },
  observation: { topic: name, content: json, confidence: share, source: z.enum(SOURCES) },
  warning: { topic: name, reason: z.string(), severity: z.enum(SEVERITIES), invalidates: markIdSchema.exactOptional() },
  need: { question: z.string(), context: json, priority: share, blocking: z.boolean() },
} as const;

const draftSchema = z.discriminatedUnion('kind', [
  z.strictObject({ kind: z.literal('intent'), ...common, ...fields.intent }),
  z.strictObject({ kind: z.literal('action'), ...common, ...fields.action }),
  z.strictObject({ kind: z.literal('observation'), ...common, ...fields.observation }),
  z.strictObject({ kind: z.literal('warning'), ...common, ...fields.warning }),
  z.strictObject({ kind: z.literal('need'), ...common, ...fields.need }),
]);

const scopeSchema = z.strictObject({
  name: scope,
  visibility: z.enum(VISIBILITIES),
  intentVerbs: z.array(z.string()),
  actionVerbs: z.array(z.string()),
  observationTopics: z.array(z.string()),
  warningTopics: z.array(z.string()),
  observationHalfLifeMs: z.number().positive(),
  warningHalfLifeMs: z.number().positive(),
  intentTtlMs: z.number().positive(),
  conflictPolicy: z.enum(CONFLICT_POLICIES),
  deferred: z.boolean(),
  boundary: z
    .strictObject({
      everyMs: z.number().positive().exactOptional(),
      expected: z.union([z.array(agent), z.number().int().min(1)]).exactOptional(),
    })
    .exactOptional(),
  rateLimit: z
    .strictObject({
      windowMs: z.number().positive(),
      perAgent: z.number().int().min(0).exactOptional(),
      perFleet: z.number().int().min(0).exactOptional(),
    })
    .exactOptional(),
  units: z.record(z.string(), z.number().int().min(1)).exactOptional(),
});

/** Which kind a draft has, by the fields only that kind has; undefined when it has none of them. */
function kindOf(draft: Readonly<Record<string, unknown>>): MarkKind | undefined {
  // Read one by one, which is compiled to plain loads; of its own, because a prototype may have grown fields.
  const { question, reason, severity, invalidates, content, source, result, action, resource, confidence } = draft;
  const has = (value: unknown, field: string): boolean => value !== undefined && Object.hasOwn(draft, field);
  if (has(question, 'question')) return 'need';
  if (has(reason, 'reason') || has(severity, 'severity') || has(invalidates, 'invalidates')) return 'warning';
  if (has(content, 'content') || has(source, 'source')) return 'observation';
  if (has(result, 'result')) return 'action';
  if (has(action, 'action') && (has(resource, 'resource') || has(confidence, 'confidence'))) return 'intent';
  return undefined;
}

/**
 * Reads a draft from a caller who is not trusted. The kind follows from the shape; every field that is unknown or assigned by
 * the gate (`kind`, `id`, `agent`, `createdAt`, `resolvedBy`, `projected` ...) is refused, as is whatever JSON cannot carry.
 */
export function parseDraft(
  input: unknown,
  bounds: DraftBounds = DRAFT_BOUNDS,
): { readonly ok: true; readonly draft: KindedDraft } | { readonly ok: false; readonly problem: DraftProblem } {
  let fields: Record<string, Json>;
  try {
    fields = copyFields(input, bounds);
  } catch (error) {
    // A getter or proxy of the caller's may throw anything.
    const known = problemIn(error);
    return problemOf(known.path, known.problem);
  }
  if (Object.hasOwn(fields, 'kind')) return problemOf('kind', 'is not a field that a draft may have');
  const kind = kindOf(fields);
  if (kind === undefined) return problemOf('', 'has the shape of no kind of mark');
  // The schema is the law and words every problem; what passes it passes the rules of stored marks too, which are quicker to ask.
  if (fitsDraft(kind, fields)) {
    fields['strength'] ??= DEFAULT_STRENGTH;
    fields['kind'] = kind;
    // oxlint-disable-next-line typescript/no-unsafe-type-assertion -- every field of its kind was checked
    return { ok: true, draft: Object.freeze(fields) as unknown as KindedDraft };
  }
  const parsed = draftSchema.safeParse({ ...fields, kind });
  if (parsed.success) return { ok: true, draft: Object.freeze(parsed.data) };
  const issue = parsed.error.issues[0];
  if (issue?.code === 'unrecognized_keys')
    return problemOf(issue.keys[0] ?? '', 'is not a field that a draft may have');
  return problemOf(issue?.path.join('.') ?? '', issue?.message ?? 'is malformed');
}

function problemOf(field: string, problem: string): { readonly ok: false; readonly problem: DraftProblem } {
  return { ok: false, problem: { field: (field === '' ? '(draft)' : field).slice(0, LONGEST_FIELD), problem } };
}

/** Reads a scope's definition from a stored record or a config. @throws {z.ZodError} when it is not one. */
export function parseScopeDefinition(input: unknown): ScopeDefinition {
  return Object.freeze(scopeSchema.parse(copyJson(input, UNBOUNDED)));
}
