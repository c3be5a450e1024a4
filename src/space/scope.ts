import type { AgentName, ScopeName } from './marks.ts';

export const VISIBILITIES = ['open', 'protected', 'classified'] as const;
/** open: everyone reads everything; protected: others see the structure; classified: others see nothing at all. */
export type Visibility = (typeof VISIBILITIES)[number];
export const CONFLICT_POLICIES = ['first-writer', 'highest-confidence', 'yield-all'] as const;
export type ConflictPolicy = (typeof CONFLICT_POLICIES)[number];

/** How many writes a window of a scope takes. Windows tumble: they start at multiples of `windowMs` since the epoch. */
export interface RateLimit {
  readonly windowMs: number;
  /** Of one agent. @default no limit */
  readonly perAgent?: number;
  /** Of all agents together. @default no limit */
  readonly perFleet?: number;
}

/** What brings a deferred scope's boundary about, besides being asked for. */
export interface BoundaryRule {
  /** At most this long after the first intent that waits, in milliseconds. */
  readonly everyMs?: number;
  /** As soon as each of these has an intent waiting, or that many different agents have. */
  readonly expected?: readonly AgentName[] | number;
}

/** What holds in a scope. A descendant without a definition of its own inherits its nearest ancestor's. */
export interface ScopeDefinition {
  readonly name: ScopeName;
  readonly visibility: Visibility;
  /** Verbs an intent may name; none listed: any. */
  readonly intentVerbs: readonly string[];
  /** Verbs an action may name; none listed: any. */
  readonly actionVerbs: readonly string[];
  /** Topics of observations; `*`: any, none listed: none. */
  readonly observationTopics: readonly string[];
  /** Topics of warnings; `*`: any, none listed: none. */
  readonly warningTopics: readonly string[];
  readonly observationHalfLifeMs: number;
  readonly warningHalfLifeMs: number;
  readonly intentTtlMs: number;
  readonly conflictPolicy: ConflictPolicy;
  /** Intents are collected and settled at a boundary. */
  readonly deferred: boolean;
  readonly boundary?: BoundaryRule;
  /** Counted for the definition that carries it, descendants' writes included. */
  readonly rateLimit?: RateLimit;
  /** Resources of several equal units, each of which one agent may hold. @default 1 of everything */
  readonly units?: Readonly<Record<string, number>>;
}

const HOUR_MS = 3_600_000;

/** Every field of a definition but its name, with the protocol's defaults. Topics are closed until they are listed. */
export const SCOPE_DEFAULTS = {
  visibility: 'open',
  intentVerbs: [],
  actionVerbs: [],
  observationTopics: [],
  warningTopics: [],
  observationHalfLifeMs: 6 * HOUR_MS,
  warningHalfLifeMs: 2 * HOUR_MS,
  intentTtlMs: HOUR_MS / 2,
  conflictPolicy: 'first-writer',
  deferred: false,
} as const satisfies Omit<ScopeDefinition, 'name'>;

/** A name that cannot be a scope's or an agent's. */
export class InvalidNameError extends Error {
  override readonly name = 'InvalidNameError';
  readonly code = 'invalid-name';
  readonly value: string;
  constructor(what: 'scope' | 'agent', value: string, problem: string) {
    super(
      `${JSON.stringify(value.slice(0, 80))} is not the name of ${what === 'agent' ? 'an agent' : 'a scope'}: ${problem}`,
    );
    this.value = value;
  }
}

const AGENT_NAME = /^[a-z0-9][a-z0-9._-]{0,63}$/u;
const LONGEST_SCOPE = 512;
// oxlint-disable-next-line no-control-regex -- control characters are what it looks for
const UNPRINTABLE = /[\u0000-\u001f\u007f-\u009f\u2028\u2029\u{d800}-\u{dfff}\\]/u;

function scopeProblem(name: string): string | undefined {
  if (name.length > LONGEST_SCOPE) return `longer than ${LONGEST_SCOPE} characters`;
  if (UNPRINTABLE.test(name)) return 'a control character, a backslash or an unpaired surrogate';
  if (name.normalize('NFC') !== name) return 'not in Unicode normal form C';
  for (const segment of name.split('/')) {
    if (segment === '') return 'an empty segment';
    if (segment === '.' || segment === '..') return `a segment ${segment}`;
    if (segment.trim() !== segment) return 'a segment that starts or ends with white space';
  }
  return undefined;
}

/** Names that were found good lately: a space has few scopes and checks them with every mark. */
const GOOD_NAMES = new Set<string>();
const MOST_GOOD_NAMES = 4096;

export function isScopeName(name: string): name is ScopeName {
  if (GOOD_NAMES.has(name)) return true;
  if (scopeProblem(name) !== undefined) return false;
  if (GOOD_NAMES.size >= MOST_GOOD_NAMES) GOOD_NAMES.clear();
  GOOD_NAMES.add(name);
  return true;
}

/** @throws {InvalidNameError} */
export function parseScopeName(name: string): ScopeName {
  if (!isScopeName(name)) throw new InvalidNameError('scope', name, scopeProblem(name) ?? 'malformed');
  return name;
}

export function isAgentName(name: string): name is AgentName {
  return AGENT_NAME.test(name);
}

/** @throws {InvalidNameError} */
export function parseAgentName(name: string): AgentName {
  if (!isAgentName(name))
    throw new InvalidNameError('agent', name, 'must be 1 to 64 of a-z 0-9 . _ -, first a letter or digit');
  return name;
}

/** Whether a right on `scope` reaches `other`: itself and its descendants, by segments (`a` covers `a/b`, never `ab`). */
export function covers(scope: ScopeName, other: ScopeName): boolean {
  return other.length === scope.length ? other === scope : other.startsWith(scope) && other[scope.length] === '/';
}

export function coversAny(scopes: readonly ScopeName[], other: ScopeName): boolean {
  return scopes.some((scope) => covers(scope, other));
}

/** Where the last `/` of `text` before `end` is; -1: there is none. By hand, because `lastIndexOf` leaves compiled code for every call. */
export function lastSlash(text: string, end = text.length): number {
  for (let i = end - 1; i >= 0; i -= 1) if (text.charCodeAt(i) === SLASH) return i;
  return -1;
}

const SLASH = 0x2f;

/** The scope one level up; undefined at the top. */
export function parentScope(name: ScopeName): ScopeName | undefined {
  const slash = lastSlash(name);
  // oxlint-disable-next-line typescript/no-unsafe-type-assertion -- a prefix of whole segments is a scope's name; checked on every look-up
  return slash < 0 ? undefined : (name.slice(0, slash) as ScopeName);
}

/** A full, frozen definition from a name and what differs from the defaults. */
export function defineScope(input: Pick<ScopeDefinition, 'name'> & Partial<ScopeDefinition>): ScopeDefinition {
  const merged: ScopeDefinition = { ...SCOPE_DEFAULTS, ...input };
  return Object.freeze({
    ...merged,
    intentVerbs: Object.freeze([...merged.intentVerbs]),
    actionVerbs: Object.freeze([...merged.actionVerbs]),
    observationTopics: Object.freeze([...merged.observationTopics]),
    warningTopics: Object.freeze([...merged.warningTopics]),
  });
}

/** The definition that holds for `name`: its own or its nearest ancestor's; undefined where nobody defined anything. */
export function resolveScope(
  definitions: ReadonlyMap<ScopeName, ScopeDefinition>,
  name: ScopeName,
): ScopeDefinition | undefined {
  for (let scope: ScopeName | undefined = name; scope !== undefined; scope = parentScope(scope)) {
    const found = definitions.get(scope);
    if (found !== undefined) return found;
  }
  return undefined;
}

/** Whether a list of topics lets `topic` through. */
export function allowsTopic(topics: readonly string[], topic: string): boolean {
  return topics.includes('*') || topics.includes(topic);
}

/** Whether a list of verbs lets `verb` through. */
export function allowsVerb(verbs: readonly string[], verb: string): boolean {
  return verbs.length === 0 || verbs.includes(verb);
}
