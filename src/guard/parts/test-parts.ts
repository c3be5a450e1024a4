import { MarkIndex } from '../../space/mark-index.ts';
import type { KindedDraft } from '../../space/mark-schema.ts';
import type { AgentName, Mark, MarkKind, ScopeName } from '../../space/marks.ts';
import { defineScope, type ScopeDefinition } from '../../space/scope.ts';
import { TRUST_WEIGHTS } from '../../space/strength.ts';
import { agentName, markId, scopeName } from '../../space/test-marks.ts';
import type { Decision } from '../decision.ts';
import type { Grant } from '../grants.ts';
import type { GuardEvent } from '../guard-event.ts';
import type { GuardPart, Happened } from '../happened.ts';
import type { Facts, Policy } from '../policies/policy.ts';
import { FOLDING, type GuardSettings } from '../settings.ts';
import { GuardState } from '../state.ts';

export const ANN = agentName('ann');
export const BOB = agentName('bob');
export const BOSS = agentName('boss');
export const LAB = scopeName('lab');
export const DEEP = scopeName('lab/deep');
export const OFFICE = scopeName('office');

export type Call = Extract<Happened, { type: 'call' }>;

/** A call of ann's that was allowed and left an observation in `lab`. */
export function callOf(rest: Partial<Call> = {}): Call {
  return {
    type: 'call',
    at: 0,
    agent: ANN,
    epoch: 'e',
    call: 'write',
    verdict: 'allow',
    kind: 'observation',
    scope: LAB,
    topic: 't',
    mark: markId('m'),
    count: 1,
    ...rest,
  };
}

/** A call that `check` refused. */
export function refusedBy(check: NonNullable<Call['check']>, rest: Partial<Call> = {}): Call {
  return callOf({ verdict: 'denied', check, mark: undefined, ...rest });
}

export function draftOf(kind: MarkKind, scope: ScopeName): KindedDraft {
  const base = { scope, strength: 1 };
  switch (kind) {
    case 'intent':
      return { ...base, kind, resource: 'r', action: 'do', confidence: 0.5 };
    case 'action':
      return { ...base, kind, action: 'do', result: null };
    case 'observation':
      return { ...base, kind, topic: 't', content: null, confidence: 1, source: 'fleet' };
    case 'warning':
      return { ...base, kind, topic: 't', reason: 'because', severity: 'info' };
    case 'need':
      return { ...base, kind, question: 'which?', context: null, priority: 0.5, blocking: false };
  }
}

/** What a test asks a policy. */
export interface Asked {
  readonly agent?: AgentName;
  readonly kind?: MarkKind;
  readonly scope?: ScopeName;
  readonly now?: number;
  readonly grant?: Partial<Grant>;
  readonly facts?: Facts;
}

/** One part with its policy, over a log of its own: `fold` what happened, then ask. Every fold is a batch that was kept. */
export class PartTest {
  readonly state = new GuardState();
  readonly view: MarkIndex = new MarkIndex();
  readonly settings: GuardSettings;
  readonly #part: GuardPart;
  readonly #policy: Policy;

  constructor(
    part: GuardPart,
    policy: Policy,
    {
      settings = {},
      scopes = SCOPES,
    }: { readonly settings?: Partial<GuardSettings>; readonly scopes?: readonly ScopeDefinition[] } = {},
  ) {
    this.#part = part;
    this.#policy = policy;
    this.settings = { trust: TRUST_WEIGHTS, folding: FOLDING, ...settings };
    for (const scope of scopes) this.define(scope);
  }

  define(scope: ScopeDefinition): void {
    const value = JSON.parse(JSON.stringify(scope)) as never;
    this.view.apply({ seq: this.view.seq + 1, body: { type: 'define', what: 'scope', value } });
  }

  fold(...all: readonly Happened[]): this {
    for (const one of all) this.stage(one);
    this.state.keep();
    return this;
  }

  /** Folds without keeping. */
  stage(happened: Happened): this {
    if (happened.type === 'mark')
      this.view.apply({ seq: this.view.seq + 1, body: { type: 'mark', mark: happened.mark } });
    this.#part.fold(this.state, happened, { view: this.view, settings: this.settings });
    return this;
  }

  event(event: GuardEvent, at = 0): this {
    return this.fold({ type: 'event', at, event });
  }

  mark(mark: Mark): this {
    return this.fold({ type: 'mark', mark });
  }

  ask({
    agent = ANN,
    kind = 'observation',
    scope = LAB,
    now = 0,
    grant,
    facts = {},
  }: Asked = {}): Decision | undefined {
    return this.#policy({
      view: this.view,
      memory: this.state,
      settings: this.settings,
      grant: { agent, read: [], write: [], ...grant },
      draft: draftOf(kind, scope),
      facts,
      now,
    });
  }
}

export const SCOPES: readonly ScopeDefinition[] = [
  defineScope({ name: LAB, observationTopics: ['*'], warningTopics: ['*'] }),
  defineScope({ name: OFFICE, observationTopics: ['*'], warningTopics: ['*'] }),
];
