import * as fc from 'fast-check';
import { MARK_KINDS, type MarkKind, SOURCES } from '../space/marks.ts';
import { defineScope, type ScopeDefinition } from '../space/scope.ts';
import { agentName, scopeName } from '../space/test-marks.ts';
import type { Grant } from './grants.ts';

const TTL = 2_000;
const NAMES = ['ann', 'bob', 'cat', 'boss'] as const;
export const AGENTS = NAMES.map(agentName);
const [ANN, BOB, CAT, BOSS] = NAMES.map(agentName) as [Agent, Agent, Agent, Agent];
type Agent = Grant['agent'];

const define = (name: string, rest: Partial<ScopeDefinition> = {}): ScopeDefinition =>
  defineScope({
    name: scopeName(name),
    intentTtlMs: TTL,
    observationHalfLifeMs: 3_000,
    warningHalfLifeMs: 1_000,
    observationTopics: ['*'],
    warningTopics: ['x'],
    intentVerbs: ['sit'],
    ...rest,
  });

export const WORLD: readonly ScopeDefinition[] = [
  define('open'),
  define('pool', { visibility: 'protected', units: { r: 2 }, conflictPolicy: 'highest-confidence' }),
  define('vault', { visibility: 'classified' }),
  define('yield', { conflictPolicy: 'yield-all', units: { s: 2 } }),
  define('wait', {
    deferred: true,
    conflictPolicy: 'highest-confidence',
    units: { r: 2 },
    boundary: { everyMs: 500, expected: 3 },
  }),
  define('busy', { rateLimit: { windowMs: 4_000, perAgent: 3, perFleet: 6 } }),
  define('busy/own', { units: { r: 9 } }),
  define('late', { deferred: true, conflictPolicy: 'yield-all', units: { s: 2 }, boundary: { expected: [ANN, BOB] } }),
];
/** `wait/a` and `open/a` are defined by their parents. */
const PLACES = [
  'open',
  'open/a',
  'pool',
  'vault',
  'yield',
  'wait',
  'wait/a',
  'late',
  'busy',
  'busy/own',
  'nowhere',
] as const;

const rights = (scopes: readonly string[], kinds: readonly MarkKind[] = MARK_KINDS): Grant['write'] =>
  scopes.flatMap((scope) => kinds.map((kind) => ({ kind, scope: scopeName(scope) })));
const EVERYWHERE = WORLD.map(({ name }) => name);
export const GRANTS: readonly Grant[] = [
  { agent: ANN, read: EVERYWHERE, write: rights(EVERYWHERE) },
  { agent: BOB, read: [scopeName('pool')], write: rights(EVERYWHERE) },
  {
    agent: CAT,
    read: [],
    write: [
      ...rights(['wait', 'late', 'pool', 'yield'], ['intent', 'action', 'need']),
      ...rights(['open'], ['observation', 'warning']),
    ],
    sourceCeiling: 'external-verified',
    confidenceCeiling: 0.7,
    budget: { lifetime: { inputTokens: 100 } },
  },
  { agent: BOSS, read: EVERYWHERE, write: rights(EVERYWHERE), principal: true },
];

/** A number that stands for one of what there is at that time. */
export type Pick = number;
export type Tool = 'returns' | 'throws' | 'waits';

export type Call =
  | {
      readonly do: 'write';
      readonly who: number;
      readonly kind: MarkKind;
      readonly scope: string;
      readonly about: string;
      readonly confidence: number;
      readonly strength: number;
      readonly source: (typeof SOURCES)[number];
      readonly over?: Pick;
      readonly failed?: true;
    }
  | {
      readonly do: 'execute';
      readonly who: number;
      readonly scope: string;
      readonly about: string;
      readonly confidence: number;
      readonly tool: Tool;
    }
  | { readonly do: 'retry'; readonly who: number; readonly which: Pick }
  | { readonly do: 'release'; readonly who: number; readonly intent: Pick }
  | { readonly do: 'boundary'; readonly scope: string }
  | { readonly do: 'resolve'; readonly need: Pick; readonly winner?: Pick }
  | { readonly do: 'end-session'; readonly session: Pick }
  | {
      readonly do: 'revoke' | 'require-need' | 'restore';
      readonly scope: string;
      readonly who?: number;
      readonly kind?: MarkKind;
    }
  | { readonly do: 'set-limit'; readonly who: number; readonly tokens: number };

export type Step =
  /** Calls made in the same moment, `after` ms by the clock (which may go backwards). */
  | { readonly after: number; readonly calls: readonly Call[] }
  /** One of the tools that wait comes back. */
  | { readonly finish: Pick; readonly throws: boolean }
  | { readonly spend: number; readonly tokens: number }
  /** The infrastructure takes away a session; its agent gets another. */
  | { readonly revoke: number }
  /** The gate is closed and opened again; everybody comes back with a new session. */
  | { readonly reopen: true };

const scope = fc.constantFrom(...PLACES, 'open', 'yield', 'wait', 'pool');
const who = fc.nat(NAMES.length - 1);
const about = fc.constantFrom('r', 'r', 's', 'x');
const confidence = fc.constantFrom(0, 0.5, 0.5, 0.7, 1);
const nat = fc.nat(40);
const write = fc.record(
  {
    do: fc.constant('write' as const),
    who,
    kind: fc.constantFrom(...MARK_KINDS, 'intent' as const, 'intent' as const),
    scope,
    about,
    confidence,
    strength: fc.constantFrom(1, 1, 0.4, 10, 0),
    source: fc.constantFrom(...SOURCES),
    over: nat,
    failed: fc.constant(true as const),
  },
  { requiredKeys: ['do', 'who', 'kind', 'scope', 'about', 'confidence', 'strength', 'source'] },
);
const execute = fc.record({
  do: fc.constant('execute' as const),
  who,
  scope,
  about,
  confidence,
  tool: fc.constantFrom<Tool>('returns', 'throws', 'waits', 'waits'),
});
const call: fc.Arbitrary<Call> = fc.oneof(
  { weight: 6, arbitrary: write },
  { weight: 6, arbitrary: execute },
  { weight: 1, arbitrary: fc.record({ do: fc.constant('retry' as const), who, which: nat }) },
  { weight: 2, arbitrary: fc.record({ do: fc.constant('release' as const), who, intent: nat }) },
  { weight: 1, arbitrary: fc.record({ do: fc.constant('boundary' as const), scope }) },
  {
    weight: 2,
    arbitrary: fc.record(
      { do: fc.constant('resolve' as const), need: nat, winner: nat },
      { requiredKeys: ['do', 'need'] },
    ),
  },
  { weight: 1, arbitrary: fc.record({ do: fc.constant('end-session' as const), session: nat }) },
  {
    weight: 2,
    arbitrary: fc.record(
      {
        do: fc.constantFrom('revoke' as const, 'require-need' as const, 'restore' as const, 'restore' as const),
        scope,
        who,
        kind: fc.constantFrom(...MARK_KINDS),
      },
      { requiredKeys: ['do', 'scope'] },
    ),
  },
  {
    weight: 1,
    arbitrary: fc.record({ do: fc.constant('set-limit' as const), who, tokens: fc.constantFrom(50, 100, 200) }),
  },
);
const step: fc.Arbitrary<Step> = fc.oneof(
  {
    weight: 12,
    arbitrary: fc.record({
      after: fc.oneof(
        fc.constantFrom(0, 0, 1, 499, 500, TTL, TTL + 1, -5_000),
        fc.integer({ min: -3_000, max: 3_000 }),
      ),
      calls: fc.oneof(
        { weight: 3, arbitrary: fc.array(call, { minLength: 1, maxLength: 1 }) },
        { weight: 1, arbitrary: fc.array(call, { maxLength: 5 }) },
      ),
    }),
  },
  { weight: 3, arbitrary: fc.record({ finish: nat, throws: fc.boolean() }) },
  { weight: 1, arbitrary: fc.record({ revoke: who }) },
  { weight: 1, arbitrary: fc.record({ spend: who, tokens: fc.constantFrom(0, 40, 90) }) },
  { weight: 1, arbitrary: fc.constant({ reopen: true as const }) },
);
export const histories: fc.Arbitrary<readonly Step[]> = fc.array(step, { minLength: 1, maxLength: 30, size: 'max' });
