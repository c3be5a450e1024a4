/** Any value that JSON can carry. */
export type Json = null | boolean | number | string | readonly Json[] | { readonly [key: string]: Json };

declare const brand: unique symbol;
type Branded<Name extends string> = string & { readonly [brand]: Name };

/** Made by a session's library from run, agent and counter; never from a body an agent wrote. */
export type MarkId = Branded<'MarkId'>;
/** 1..64 characters of `[a-z0-9][a-z0-9._-]*`; bound by a session, never read from a draft. */
export type AgentName = Branded<'AgentName'>;
/** Non-empty segments joined by `/`, no `.` or `..`; see `scope.ts`. */
export type ScopeName = Branded<'ScopeName'>;

export const MARK_KINDS = ['intent', 'action', 'observation', 'warning', 'need'] as const;
export type MarkKind = (typeof MARK_KINDS)[number];
export const SOURCES = ['fleet', 'external-verified', 'external-unverified'] as const;
export type Source = (typeof SOURCES)[number];
export const SEVERITIES = ['info', 'caution', 'critical'] as const;
export type Severity = (typeof SEVERITIES)[number];

/** @see protocol rule S5 */
export const MAX_STRENGTH = 10;

interface MarkBase {
  readonly id: MarkId;
  readonly agent: AgentName;
  readonly scope: ScopeName;
  /** Epoch milliseconds, assigned by the gate; never runs backwards in the log. */
  readonly createdAt: number;
  /** Initial strength, 0..10; what is left of it is computed when read. */
  readonly strength: number;
  readonly supersedes?: MarkId;
}

/** "I plan to do `action` to `resource`." Full strength until the scope's TTL, then 0. */
export interface Intent extends MarkBase {
  readonly kind: 'intent';
  readonly resource: string;
  readonly action: string;
  /** 0..1; ranks intents under `highest-confidence`, never part of strength. */
  readonly confidence: number;
}

/** "I did `action` to `resource`, with `result`." Constant for ever; 0 once superseded. */
export interface Action extends MarkBase {
  readonly kind: 'action';
  readonly resource?: string;
  readonly action: string;
  readonly result: Json;
  /** The tool threw: on record, but claims nothing. */
  readonly failed?: true;
}

/** "I saw `content` about `topic`." Halves every `observationHalfLifeMs`. */
export interface Observation extends MarkBase {
  readonly kind: 'observation';
  readonly topic: string;
  readonly content: Json;
  readonly confidence: number;
  readonly source: Source;
}

/** "`reason`: what was said on `topic` no longer holds." Halves every `warningHalfLifeMs`. */
export interface Warning extends MarkBase {
  readonly kind: 'warning';
  readonly topic: string;
  readonly reason: string;
  readonly severity: Severity;
  readonly invalidates?: MarkId;
}

/** "A person must decide `question`." Full strength until resolved, then 0. */
export interface Need extends MarkBase {
  readonly kind: 'need';
  readonly question: string;
  readonly context: Json;
  readonly priority: number;
  readonly blocking: boolean;
  /** The action mark that resolved it. */
  readonly resolvedBy?: MarkId;
}

/** A mark as stored: deeply immutable. */
export type Mark = Intent | Action | Observation | Warning | Need;

/** What a reader without the right to a protected scope gets: structure kept, content fields null. */
export type ProjectedMark = Mark & { readonly projected: true };

type Assigned = 'id' | 'agent' | 'createdAt' | 'resolvedBy';
type DraftOf<M extends Mark> = M extends Mark
  ? Omit<M, Assigned | 'strength' | 'kind'> & { readonly strength?: number }
  : never;

/** What a caller hands to the gate. `kind` follows from the shape; everything assigned is refused. */
export type Draft = DraftOf<Mark>;

export function isMarkKind(value: unknown): value is MarkKind {
  return (MARK_KINDS as readonly unknown[]).includes(value);
}
