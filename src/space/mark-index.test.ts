import * as fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { MARK_KINDS, type Mark, type MarkId } from './marks.ts';
import { isExpired, MarkIndex } from './mark-index.ts';
import { projectMark, queryMarks, readMark } from './query.ts';
import { covers, defineScope, type ScopeDefinition } from './scope.ts';
import { effectiveStrength, type StrengthView } from './strength.ts';
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
} from './test-marks.ts';

const SCOPES = ['a', 'a/b', 'a/b/c', 'd', 'ab'] as const;
const VISIBILITY = { a: 'open', 'a/b': 'classified', d: 'protected', ab: 'classified' } as const;

function definitions(): ScopeDefinition[] {
  return Object.entries(VISIBILITY).map(([name, visibility]) => defineScope({ name: scopeName(name), visibility }));
}

function indexOf(marks: readonly Mark[]): MarkIndex {
  const index = new MarkIndex();
  let seq = 0;
  for (const value of definitions())
    index.apply({ seq: (seq += 1), body: { type: 'define', what: 'scope', value: JSON.parse(JSON.stringify(value)) } });
  for (const mark of marks) index.apply(markRecord((seq += 1), mark));
  return index;
}

/** Marks with few names, so that they meet; each may overrule an earlier one. */
const someMarks = fc
  .array(
    fc.record({
      kind: fc.constantFrom(...MARK_KINDS),
      scope: fc.constantFrom(...SCOPES).map(scopeName),
      agent: fc.constantFrom('ann', 'bob').map(agentName),
      name: fc.constantFrom('x', 'y'),
      target: fc.option(fc.nat(), { nil: undefined }),
      failed: fc.boolean(),
      elapsed: fc.nat(1_200_000),
    }),
    { maxLength: 60 },
  )
  .map((drawn) => {
    const marks: Mark[] = [];
    let createdAt = 0;
    for (const [i, { kind, scope, agent, name, target, failed, elapsed }] of drawn.entries()) {
      createdAt += elapsed;
      const earlier = target === undefined || i === 0 ? undefined : marks[target % i]?.id;
      const common = {
        scope,
        agent,
        createdAt,
        ...(earlier === undefined || kind === 'warning' ? {} : { supersedes: earlier }),
      };
      const id = `m${i}`;
      const made: Record<Mark['kind'], Mark> = {
        intent: intentOf(id, { ...common, resource: name }),
        action: actionOf(id, { ...common, resource: name, ...(failed ? { failed: true } : {}) }),
        observation: observationOf(id, { ...common, topic: name }),
        warning: warningOf(id, { ...common, topic: name, ...(earlier === undefined ? {} : { invalidates: earlier }) }),
        need: needOf(id, common),
      };
      marks.push(made[kind]);
    }
    return marks;
  });

const ids = (marks: Iterable<Pick<Mark, 'id'>>): MarkId[] => [...marks].map(({ id }) => id);

describe('the index', () => {
  it('answers every look-up as a walk over all marks would', () => {
    fc.assert(
      fc.property(someMarks, (marks) => {
        const index = indexOf(marks);
        const superseded = (id: MarkId): boolean => marks.some(({ supersedes }) => supersedes === id);
        expect(index.size).toBe(marks.length);
        for (const mark of marks) {
          expect(index.byId(mark.id)).toBe(mark);
          expect(index.isSuperseded(mark.id)).toBe(superseded(mark.id));
          expect(ids(index.invalidators(mark.id))).toEqual(
            ids(marks.filter((m) => m.kind === 'warning' && m.invalidates === mark.id)),
          );
        }
        for (const kind of MARK_KINDS)
          expect(ids(index.byKind(kind).map(({ mark }) => mark))).toEqual(ids(marks.filter((m) => m.kind === kind)));
        for (const scope of SCOPES.map(scopeName)) {
          const here = marks.filter((m) => m.scope === scope);
          expect(ids(index.byScope(scope).map(({ mark }) => mark))).toEqual(ids(here));
          for (const name of ['x', 'y']) {
            expect(ids(index.byTopic(scope, name).map(({ mark }) => mark))).toEqual(
              ids(here.filter((m) => 'topic' in m && m.topic === name)),
            );
            const onResource = here.filter((m) => 'resource' in m && m.resource === name);
            expect(ids(index.byResource(scope, name).map(({ mark }) => mark))).toEqual(ids(onResource));
            expectClaims(index, marks, onResource, scope, name);
          }
        }
      }),
      { numRuns: 150 },
    );
  });

  /** Every live intent and every standing action is a claim. */
  function expectClaims(
    index: MarkIndex,
    marks: readonly Mark[],
    onResource: readonly Mark[],
    scope: Mark['scope'],
    name: string,
  ): void {
    const now = marks.at(-1)?.createdAt ?? 0;
    const ttlMs = index.definitionOf(scope)?.intentTtlMs ?? Infinity;
    const standing = onResource.filter((m) => !index.isSuperseded(m.id) && !(m.kind === 'action' && m.failed === true));
    const claims = [...index.claims(scope, name)];
    const live = claims.filter((claim) => claim.kind === 'intent' && !isExpired(claim, now, ttlMs));
    expect(ids(live)).toEqual(ids(standing.filter((m) => m.kind === 'intent' && now - m.createdAt <= ttlMs)));
    expect(ids(claims.filter(({ kind }) => kind === 'action'))).toEqual(
      ids(standing.filter((m) => m.kind === 'action')),
    );
    expect(claims.every(({ id }) => standing.some((m) => m.id === id))).toBe(true);
  }

  it('takes records in log order only, and each mark once', () => {
    const index = indexOf([observationOf('m')]);
    expect(() => index.apply(markRecord(index.seq, observationOf('n')))).toThrow(RangeError);
    expect(() => index.apply(markRecord(index.seq + 2, observationOf('n')))).toThrow(RangeError);
    expect(() => index.apply(markRecord(index.seq + 1, observationOf('m')))).toThrow(RangeError);
  });

  it('keeps what a resource costs bounded by who is on it, not by how often they were (S13)', () => {
    const marks: Mark[] = [];
    for (let i = 0; i < 2_000; i += 1) {
      const supersedes = i === 0 ? {} : { supersedes: markId(`a${i - 1}`) };
      marks.push(actionOf(`a${i}`, { scope: scopeName('a'), createdAt: i * 10_000_000, ...supersedes }));
      marks.push(intentOf(`i${i}`, { scope: scopeName('a'), createdAt: i * 10_000_000 }));
    }
    expect([...indexOf(marks).claims(scopeName('a'), 'r')]).toHaveLength(2);
  });
});

describe('reading', () => {
  const readers = fc.uniqueArray(fc.constantFrom(...SCOPES).map(scopeName), { maxLength: 3 });
  const query = fc.record(
    {
      scope: fc.constantFrom(...SCOPES).map(scopeName),
      under: fc.constantFrom(...SCOPES).map(scopeName),
      kind: fc.constantFrom(...MARK_KINDS),
      topic: fc.constantFrom('x', 'y'),
      resource: fc.constantFrom('x', 'y'),
      agent: fc.constantFrom('ann', 'bob').map(agentName),
      minStrength: fc.double({ min: 0, max: 1, noNaN: true }),
      live: fc.boolean(),
      last: fc.nat(5),
    },
    { requiredKeys: [] },
  );

  it('gives each reader what a filter over all marks and their visibility would, in log order (P20-P25, S4, S8)', () => {
    fc.assert(
      fc.property(someMarks, readers, query, (marks, read, q) => {
        const index = indexOf(marks);
        const now = (marks.at(-1)?.createdAt ?? 0) + 1_000;
        const mayRead = (mark: Mark): boolean => read.some((scope) => covers(scope, mark.scope));
        const isSeen = (mark: Mark): boolean =>
          mayRead(mark) || index.definitionOf(mark.scope)?.visibility !== 'classified';
        // Warnings that a reader may not see weaken nothing that it sees.
        const asSeen: StrengthView = {
          isSuperseded: (id) => index.isSuperseded(id),
          definitionOf: (scope) => index.definitionOf(scope),
          invalidators: (id) => index.invalidators(id).filter(isSeen),
        };
        const expected = marks.flatMap((mark) => {
          const right = mayRead(mark);
          const visibility = index.definitionOf(mark.scope)?.visibility;
          if (!isSeen(mark)) return [];
          if (q.scope !== undefined && mark.scope !== q.scope) return [];
          if (q.under !== undefined && !covers(q.under, mark.scope)) return [];
          if (q.kind !== undefined && mark.kind !== q.kind) return [];
          if (q.topic !== undefined && !('topic' in mark && mark.topic === q.topic)) return [];
          if (q.resource !== undefined && !('resource' in mark && mark.resource === q.resource)) return [];
          if (q.agent !== undefined && mark.agent !== q.agent) return [];
          if (q.live === true && index.isSuperseded(mark.id)) return [];
          if (q.minStrength !== undefined && effectiveStrength(asSeen, mark, now) < q.minStrength) return [];
          // A need says what resolved it, to who may see that.
          const by = marks.findLast((other) => mark.kind === 'need' && other.supersedes === mark.id);
          const shown: Mark =
            mark.kind === 'need' && by !== undefined && isSeen(by) ? { ...mark, resolvedBy: by.id } : mark;
          return [right || visibility === 'open' ? shown : projectMark(shown)];
        });
        const newest = q.last === undefined ? expected : expected.slice(Math.max(0, expected.length - q.last));
        expect(queryMarks(index, { read }, q, now)).toEqual(newest);
      }),
      { numRuns: 300 },
    );
  });

  it('shows infrastructure everything (P20), and changes nothing (P28)', () => {
    const marks = SCOPES.map((scope, i) => observationOf(`m${i}`, { scope: scopeName(scope) }));
    const index = indexOf(marks);
    const before = index.seq;
    expect(queryMarks(index, undefined, {}, 0)).toEqual(marks);
    expect(index.seq).toBe(before);
  });

  it('inherits visibility: a child of a classified scope is classified (P22, P26), a right on the parent opens it (P23)', () => {
    const index = indexOf([observationOf('m', { scope: scopeName('a/b/c') })]);
    expect(readMark(index, { read: [] }, markId('m'))).toBeUndefined();
    expect(readMark(index, { read: [scopeName('a/b')] }, markId('m'))).toMatchObject({ content: { text: 'x' } });
    expect(readMark(index, { read: [scopeName('ab')] }, markId('m'))).toBeUndefined();
    expect(readMark(index, { read: [] }, markId('missing'))).toBeUndefined();
  });

  it('projection keeps every structural field and empties every content field (P24)', () => {
    const content = { result: null, content: null, reason: '', question: '', context: null };
    for (const mark of [
      intentOf('i'),
      actionOf('a'),
      observationOf('o'),
      warningOf('w', { invalidates: markId('x') }),
      needOf('n'),
    ]) {
      const projected = projectMark(mark);
      expect(projected.projected).toBe(true);
      const emptied = Object.entries(content).filter(([field]) => field in mark);
      expect(projected).toEqual({ ...mark, ...Object.fromEntries(emptied), projected: true });
    }
  });
});
