import { z } from 'zod';
import type { AgentName, MarkKind, ScopeName, Source } from '../space/marks.ts';
import { MARK_KINDS, SOURCES } from '../space/marks.ts';
import { covers, isAgentName, isScopeName } from '../space/scope.ts';
import type { EditScope } from './decision.ts';

/** A right to write marks of one kind into a scope and all below it. */
export interface WriteRight {
  readonly kind: MarkKind;
  readonly scope: ScopeName;
  /** Topics of observations and warnings it is limited to. @default as the scope allows */
  readonly topics?: readonly string[];
}

/** Tokens an agent may use; absent dimensions are not limited. Counted by whoever runs the agent (`gate.spend`). */
export interface TokenBudget {
  /** Over the agent's life in the space. */
  readonly lifetime?: { readonly inputTokens?: number; readonly outputTokens?: number };
  /** In one round. */
  readonly round?: { readonly inputTokens?: number; readonly outputTokens?: number };
}

/** What one agent may do. Everything not granted is refused. */
export interface Grant {
  readonly agent: AgentName;
  /** Scopes, with all below them, whose content it may read whatever their visibility. */
  readonly read: readonly ScopeName[];
  readonly write: readonly WriteRight[];
  /** The most trusted source its observations may claim. @default 'fleet' */
  readonly sourceCeiling?: Source;
  /** The highest confidence its intents may claim. @default 1 */
  readonly confidenceCeiling?: number;
  readonly budget?: TokenBudget;
  /** Its own files: observations in `edit.scope` follow the edit scope. */
  readonly edit?: EditScope;
  /** Speaks for the person in charge: may supersede others' intents and actions, and settle needs. */
  readonly principal?: boolean;
}

export const agentSchema = z.custom<AgentName>(
  (value) => typeof value === 'string' && isAgentName(value),
  'is not the name of an agent',
);
export const scopeSchema = z.custom<ScopeName>(
  (value) => typeof value === 'string' && isScopeName(value),
  'is not the name of a scope',
);
const dimensions = z
  .strictObject({
    inputTokens: z.number().min(0).exactOptional(),
    outputTokens: z.number().min(0).exactOptional(),
  })
  .exactOptional();
/** @see TokenBudget */
export const tokenBudgetSchema = z.strictObject({ lifetime: dimensions, round: dimensions });

const grantSchema = z.strictObject({
  agent: agentSchema,
  read: z.array(scopeSchema),
  write: z.array(
    z.strictObject({ kind: z.enum(MARK_KINDS), scope: scopeSchema, topics: z.array(z.string()).exactOptional() }),
  ),
  sourceCeiling: z.enum(SOURCES).exactOptional(),
  confidenceCeiling: z.number().min(0).max(1).exactOptional(),
  budget: tokenBudgetSchema.exactOptional(),
  edit: z
    .strictObject({
      scope: scopeSchema,
      editable: z.array(z.string()),
      required: z.array(z.string()),
      maxFileBytes: z.number().int().min(0),
    })
    .exactOptional(),
  principal: z.boolean().exactOptional(),
});

/** Reads a grant from a stored record or a config. @throws {z.ZodError} when it is not one. */
export function parseGrant(input: unknown): Grant {
  return grantSchema.parse(input);
}

/** What was found for a grant lately: an agent writes the same kinds into the same scopes again and again. */
const FOUND = new WeakMap<Grant, Map<ScopeName, Partial<Record<MarkKind, readonly WriteRight[]>>>>();
const MOST_FOUND = 1024;

/** The grant's rights to write marks of `kind` into `target`. The grant must not change any more. */
export function rightsFor(grant: Grant, kind: MarkKind, target: ScopeName): readonly WriteRight[] {
  let found = FOUND.get(grant);
  if (found === undefined) FOUND.set(grant, (found = new Map()));
  let kinds = found.get(target);
  if (kinds === undefined) {
    if (found.size >= MOST_FOUND) found.clear();
    found.set(target, (kinds = {}));
  }
  return (kinds[kind] ??= grant.write.filter((right) => right.kind === kind && covers(right.scope, target)));
}

/** Whether the grant lets its agent claim `source`: sources are ordered by trust, and none above the ceiling is allowed. */
export function mayClaimSource(grant: Grant, source: Source): boolean {
  return SOURCES.indexOf(source) >= SOURCES.indexOf(grant.sourceCeiling ?? 'fleet');
}
