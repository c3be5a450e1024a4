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

/** What one agent may do. Everything not granted is refused. */
export interface Grant {
  readonly agent: AgentName;
  /** Scopes, with all below them, whose content it may read whatever their visibility. */
  readonly read: readonly ScopeName[];
  readonly write: readonly WriteRight[];
  /** The most trusted source its observations may claim. @default 'fleet' */
  readonly sourceCeiling?: Source;
  /** Its own files: observations in `edit.scope` follow the edit scope. */
  readonly edit?: EditScope;
  /** Speaks for the person in charge: may supersede others' intents and actions, and settle needs. */
  readonly principal?: boolean;
}

const agent = z.custom<AgentName>(
  (value) => typeof value === 'string' && isAgentName(value),
  'is not the name of an agent',
);
const scope = z.custom<ScopeName>(
  (value) => typeof value === 'string' && isScopeName(value),
  'is not the name of a scope',
);
const grantSchema = z.strictObject({
  agent,
  read: z.array(scope),
  write: z.array(z.strictObject({ kind: z.enum(MARK_KINDS), scope, topics: z.array(z.string()).exactOptional() })),
  sourceCeiling: z.enum(SOURCES).exactOptional(),
  edit: z
    .strictObject({
      scope,
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

/** The grant's rights to write marks of `kind` into `target`. */
export function rightsFor(grant: Grant, kind: MarkKind, target: ScopeName): readonly WriteRight[] {
  return grant.write.filter((right) => right.kind === kind && covers(right.scope, target));
}

/** Whether the grant lets its agent claim `source`: sources are ordered by trust, and none above the ceiling is allowed. */
export function mayClaimSource(grant: Grant, source: Source): boolean {
  return SOURCES.indexOf(source) >= SOURCES.indexOf(grant.sourceCeiling ?? 'fleet');
}
