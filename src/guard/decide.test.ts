import { describe, expect, it } from 'vitest';
import type { LogRecord } from '../space/log.ts';
import { MarkIndex } from '../space/mark-index.ts';
import { parseDraft } from '../space/mark-schema.ts';
import type { Intent, Mark } from '../space/marks.ts';
import { defineScope, type ScopeDefinition } from '../space/scope.ts';
import { TRUST_WEIGHTS } from '../space/strength.ts';
import {
  actionOf,
  agentName,
  intentOf,
  markId,
  markRecord,
  needOf,
  observationOf,
  scopeName,
  warningOf,
} from '../space/test-marks.ts';
import { decide } from './decide.ts';
import type { Decision } from './decision.ts';
import type { Grant } from './grants.ts';
import { foldRecord } from './parts.ts';
import { winnersOf } from './policies/conflict.ts';
import type { Facts } from './policies/policy.ts';
import { FOLDING, type GuardSettings } from './settings.ts';
import { GuardState } from './state.ts';
import { ANN, BOB, BOSS, EVE, file, GRANTS, LAB, OWN, plan, SCOPES, seen } from './test-space.ts';

const TTL = 1_800_000;
const SETTINGS: GuardSettings = { trust: TRUST_WEIGHTS, folding: FOLDING };
/** Records that only the guard's memory is made of. */
type Remembered = Pick<LogRecord, 'body'>;

/** given marks, when `agent` hands in `draft`, then ... */
function given(
  marks: readonly Mark[],
  scopes: readonly ScopeDefinition[] = SCOPES,
  memories: readonly Remembered[] = [],
) {
  const index = new MarkIndex();
  let seq = 0;
  for (const scope of scopes)
    index.apply({ seq: (seq += 1), body: { type: 'define', what: 'scope', value: JSON.parse(JSON.stringify(scope)) } });
  for (const mark of marks) index.apply(markRecord((seq += 1), mark));
  return {
    when(agent: Grant['agent'] | Grant, draft: Record<string, unknown>, facts: Facts = {}, now = 0): Decision {
      const grant = typeof agent === 'string' ? GRANTS.find((g) => g.agent === agent) : agent;
      const parsed = parseDraft(draft, { maxTextBytes: 1e9, maxBytes: 1e9, maxDepth: 64 });
      if (grant === undefined || !parsed.ok) throw new Error(JSON.stringify(parsed));
      const memory = new GuardState();
      for (const record of memories) foldRecord(memory, record, { view: index, settings: SETTINGS, seq });
      return decide({ view: index, memory, settings: SETTINGS, grant, draft: parsed.draft, facts, now });
    },
  };
}

const denied = (code: string): unknown =>
  expect.objectContaining({ verdict: 'denied', denial: expect.objectContaining({ code }) as unknown });
const allowed = { verdict: 'allow' };
const lab = (rest: Partial<ScopeDefinition>): ScopeDefinition[] => [
  defineScope({ name: LAB, observationTopics: ['*'], warningTopics: ['*'], ...rest }),
];

describe('decide(): authorization', () => {
  it('allows what is granted and denies what is not, in undefined scopes as in forbidden ones (P19)', () => {
    const space = given([]);
    expect(space.when(ANN, seen('t'))).toEqual(allowed);
    expect(space.when(EVE, seen('t'))).toEqual({
      verdict: 'denied',
      denial: { code: 'no-right', check: 'authorization', kind: 'observation', scope: 'lab' },
    });
    const nowhere = { ...seen('t'), scope: 'nowhere' };
    const hidden = { ...seen('t'), scope: 'hidden' };
    expect([space.when(ANN, nowhere), space.when(ANN, hidden)]).toEqual([denied('no-right'), denied('no-right')]);
    expect(
      space.when({ agent: ANN, read: [], write: [{ kind: 'observation', scope: scopeName('nowhere') }] }, nowhere),
    ).toEqual(denied('no-right'));
  });

  it('a right on a scope covers its descendants, never a neighbour, and one kind only (P23)', () => {
    const grant: Grant = { agent: ANN, read: [], write: [{ kind: 'observation', scope: LAB }] };
    const scopes = [...SCOPES, defineScope({ name: scopeName('labx'), observationTopics: ['*'] })];
    expect(given([], scopes).when(grant, { ...seen('t'), scope: 'lab/deep/er' })).toEqual(allowed);
    expect(given([], scopes).when(grant, { ...seen('t'), scope: 'labx' })).toEqual(denied('no-right'));
    expect(given([], scopes).when(grant, plan('r'))).toEqual(denied('no-right'));
  });

  it("holds verbs and topics to the scope's lists: none listed is any verb and no topic", () => {
    const scopes = lab({ intentVerbs: ['do'], observationTopics: ['a'], warningTopics: [] });
    expect(given([], scopes).when(ANN, plan('r'))).toEqual(allowed);
    expect(given([], scopes).when(ANN, plan('r', { action: 'undo' }))).toEqual(denied('verb-not-allowed'));
    expect(given([], scopes).when(ANN, { scope: 'lab', action: 'anything', result: null })).toEqual(allowed);
    expect(given([], scopes).when(ANN, seen('a'))).toEqual(allowed);
    expect(given([], scopes).when(ANN, seen('b'))).toEqual(denied('topic-not-allowed'));
    expect(given([], scopes).when(ANN, { scope: 'lab', topic: 'a', reason: 'x', severity: 'info' })).toEqual(
      denied('topic-not-allowed'),
    );
  });

  it("holds topics to the grant's list too, and sources below its ceiling", () => {
    const grant: Grant = {
      agent: ANN,
      read: [],
      write: [{ kind: 'observation', scope: LAB, topics: ['a'] }],
      sourceCeiling: 'external-verified',
    };
    const from = (source: string, topic = 'a'): Decision => given([]).when(grant, { ...seen(topic), source });
    expect([
      from('fleet'),
      from('external-verified'),
      from('external-unverified'),
      from('external-verified', 'b'),
    ]).toEqual([denied('source-not-allowed'), allowed, allowed, denied('topic-not-allowed')]);
  });

  it("lets nobody overrule a mark without rights where it is; others' claims and needs take the principal (S3, S9)", () => {
    const bobs = { agent: BOB, scope: LAB };
    const space = given([
      actionOf('act', bobs),
      intentOf('int', bobs),
      observationOf('obs', bobs),
      needOf('need', bobs),
      needOf('boss-need', { ...bobs, agent: BOSS }),
      observationOf('secret', { agent: BOSS, scope: scopeName('hidden') }),
      actionOf('own', { agent: ANN, scope: LAB }),
    ]);
    const over = (agent: Grant['agent'], target: string): Decision =>
      space.when(agent, { ...seen('t'), supersedes: target });
    expect(['act', 'int', 'need', 'secret', 'missing'].map((target) => over(ANN, target))).toEqual(
      Array.from({ length: 5 }, () => denied('target-not-yours')),
    );
    expect(['obs', 'own'].map((target) => over(ANN, target))).toEqual([allowed, allowed]);
    expect(['act', 'int', 'need', 'secret'].map((target) => over(BOSS, target))).toEqual([
      allowed,
      allowed,
      allowed,
      allowed,
    ]);
    expect([over(BOB, 'need'), over(BOSS, 'boss-need')]).toEqual([
      denied('target-not-yours'),
      denied('target-not-yours'),
    ]);
    const warn = (agent: Grant['agent'], target: string): Decision =>
      space.when(agent, { scope: 'lab', topic: 't', reason: 'x', severity: 'info', invalidates: target });
    expect([warn(ANN, 'act'), warn(ANN, 'secret'), warn(ANN, 'missing'), warn(ANN, 'obs'), warn(BOSS, 'act')]).toEqual([
      ...Array.from({ length: 3 }, () => denied('target-not-yours')),
      allowed,
      allowed,
    ]);
  });
});

describe('decide(): the edit scope', () => {
  const ann = (draft: Record<string, unknown>, facts: Facts = {}): Decision => given([]).when(ANN, draft, facts);

  it('takes whole texts of editable files and nothing else', () => {
    expect(ann(file('task.ts', 'x'))).toEqual(allowed);
    for (const path of ['other.ts', 'TASK.ts', './task.ts', 'task.ts ', 'evals/task.ts'])
      expect(ann(file(path, 'x'))).toEqual(denied('not-editable'));
    for (const content of [{ text: 1 }, { text: 'x', mode: 'rwx' }, 'x', ['x'], {}]) {
      expect(ann({ ...file('task.ts', ''), content })).toEqual(denied('malformed'));
    }
    expect(ann({ ...file('task.ts', 'x'), scope: `${OWN}/deeper` })).toEqual(denied('not-editable'));
  });

  it('lets files be deleted, required ones not', () => {
    expect(ann(file('notes.md', null))).toEqual(allowed);
    expect(ann(file('task.ts', null))).toEqual({
      verdict: 'denied',
      denial: { code: 'required-file', check: 'edit-scope', path: 'task.ts' },
    });
  });

  it('counts bytes, not characters', () => {
    expect(ann(file('task.ts', 'é'.repeat(50_000)))).toEqual(allowed);
    expect(ann(file('task.ts', 'é'.repeat(50_001)))).toEqual({
      verdict: 'denied',
      denial: { code: 'file-too-large', check: 'size', path: 'task.ts', bytes: 100_002, maxBytes: 100_000 },
    });
  });

  it('refuses what was found not to parse, after everything that needs no facts', () => {
    const facts = { syntax: { path: 'task.ts', problem: 'line 3: unexpected }' } };
    expect(ann(file('task.ts', '}'), facts)).toEqual({
      verdict: 'denied',
      denial: { code: 'syntax', check: 'syntax', ...facts.syntax },
    });
    expect(ann(file('other.ts', '}'), facts)).toEqual(denied('not-editable'));
  });
});

describe('decide(): conflicts', () => {
  const bobs = { agent: BOB, scope: LAB };
  const held = (holder: string, agent = 'bob'): unknown => ({ verdict: 'conflict', holder, holderAgent: agent });

  it('the first live intent holds the resource until its TTL is over (P13), whatever the confidence of the next (S1)', () => {
    for (const conflictPolicy of ['first-writer', 'highest-confidence'] as const) {
      const space = given([intentOf('b', { ...bobs, confidence: 0.1 })], lab({ conflictPolicy }));
      expect(space.when(ANN, plan('r', { confidence: 1 }), {}, TTL)).toEqual(held('b'));
      expect(space.when(ANN, plan('r'), {}, TTL + 1)).toEqual(allowed);
      expect(space.when(ANN, plan('other'))).toEqual(allowed);
    }
  });

  it('a released intent holds nothing', () => {
    const marks = [intentOf('b', bobs), observationOf('o', { ...bobs, supersedes: markId('b') })];
    expect(given(marks).when(ANN, plan('r'))).toEqual(allowed);
  });

  it('a finished action beats new intents of others, for ever and under warnings (P39); a failed one claims nothing', () => {
    const done = actionOf('b', bobs);
    expect(given([done]).when(ANN, plan('r'), {}, 1e12)).toEqual(held('b'));
    expect(
      given([done, warningOf('w', { ...bobs, strength: 10, invalidates: markId('b') })]).when(ANN, plan('r')),
    ).toEqual(held('b'));
    expect(given([actionOf('b', { ...bobs, failed: true })]).when(ANN, plan('r'))).toEqual(allowed);
    expect(given([done]).when(BOSS, plan('r', { supersedes: 'b' }))).toEqual(allowed);
  });

  it('nobody books twice: an own action stands in the way until it is superseded (S1)', () => {
    const space = given([actionOf('b', bobs)]);
    expect(space.when(BOB, plan('r'))).toEqual(held('b'));
    expect(space.when(BOB, plan('r', { supersedes: 'b' }))).toEqual(allowed);
  });

  it("an agent does not book twice without releasing (S1), may act on its own booking, not on another's", () => {
    const space = given([intentOf('b', bobs)]);
    expect(space.when(BOB, plan('r'))).toEqual(held('b'));
    expect(space.when(BOB, plan('r', { supersedes: 'b' }))).toEqual(allowed);
    const act = { scope: 'lab', resource: 'r', action: 'do', result: null };
    expect(space.when(BOB, act)).toEqual(allowed);
    expect(space.when(ANN, act)).toEqual(held('b'));
    expect(space.when(ANN, { ...act, failed: true })).toEqual(allowed);
  });

  it('a lease holds against everybody, its own agent too, but not against itself', () => {
    const intent = intentOf('run/bob/e/m1', bobs);
    const leased: Remembered = { body: { type: 'mark', mark: intent, call: -1 } };
    const space = given([intent], SCOPES, [leased]);
    expect(space.when(ANN, plan('r'), {}, TTL * 100)).toEqual(held(intent.id));
    expect(space.when(BOB, plan('r', { supersedes: intent.id }))).toEqual(held(intent.id));
    expect(space.when(BOB, plan('r'), { self: intent.id })).toEqual(allowed);
  });

  it('under yield-all contenders wait for the principal', () => {
    const space = given([intentOf('b', bobs)], lab({ conflictPolicy: 'yield-all' }));
    expect(space.when(ANN, plan('r'))).toEqual({ verdict: 'blocked', reason: 'awaiting-principal' });
    expect(space.when(ANN, plan('other'))).toEqual(allowed);
  });

  it('a deferred scope collects intents, whoever else has one, but a finished action beats them', () => {
    const pending = { verdict: 'blocked', reason: 'pending-boundary' };
    const scopes = lab({ deferred: true });
    expect(given([], scopes).when(ANN, plan('r'))).toEqual(pending);
    expect(given([intentOf('b', bobs)], scopes).when(ANN, plan('r'))).toEqual(pending);
    expect(given([intentOf('b', bobs)], scopes).when(BOB, plan('r'))).toEqual(held('b'));
    expect(given([actionOf('b', bobs)], scopes).when(ANN, plan('r'))).toEqual(held('b'));
  });

  it('does not tell who holds a resource in a scope the caller may not see (S4)', () => {
    const hidden = scopeName('hidden');
    const space = given([intentOf('x', { agent: BOSS, scope: hidden })]);
    expect(space.when(BOB, plan('r', { scope: 'hidden' }))).toEqual({ verdict: 'blocked', reason: 'busy' });
    expect(space.when(BOSS, plan('r', { scope: 'hidden' }))).toEqual(held('x', 'boss'));
  });

  it('is a function: the same input gives the same verdict (P36), and the view is as before', () => {
    const space = given([intentOf('b', bobs), actionOf('c', { ...bobs, resource: 's' })]);
    const drafts = [plan('r'), plan('s'), plan('t'), seen('x')];
    const once = drafts.map((draft) => space.when(ANN, draft));
    expect(drafts.map((draft) => space.when(ANN, draft))).toEqual(once);
  });
});

describe('winnersOf()', () => {
  const contenders: Intent[] = [
    intentOf('late', { createdAt: 2, confidence: 0.9 }),
    intentOf('early', { createdAt: 1, confidence: 0.5, agent: agentName('bob') }),
    intentOf('tied', { createdAt: 2, confidence: 0.9 }),
  ];
  const ids = (marks: readonly Mark[]): string[] => marks.map(({ id }) => id);
  const seqOf = (id: string): number => ['early', 'late', 'tied'].indexOf(id);
  const orders = [
    contenders,
    [...contenders].reverse(),
    [contenders[1], contenders[2], contenders[0]].filter((c) => c !== undefined),
  ];

  it('names the same winner in any order (P11, P15), the earliest of equals', () => {
    for (const order of orders) {
      expect(ids(winnersOf('first-writer', order, 1, seqOf))).toEqual(['early']);
      expect(ids(winnersOf('highest-confidence', order, 1, seqOf))).toEqual(['late']);
      expect(winnersOf('yield-all', order, 1, seqOf)).toEqual([]);
    }
    expect(ids(winnersOf('yield-all', contenders.slice(0, 1), 1, seqOf))).toEqual(['late']);
    expect(winnersOf('first-writer', [], 1, seqOf)).toEqual([]);
  });
});
