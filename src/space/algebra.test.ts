import * as fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { MARK_KINDS, type Mark, type MarkId, type ScopeName, SOURCES } from './marks.ts';
import { MarkIndex } from './mark-index.ts';
import { accessOf, projectMark, queryMarks, readMark } from './query.ts';
import { covers, defineScope, parentScope, resolveScope, type ScopeDefinition, VISIBILITIES } from './scope.ts';
import {
  AGGREGATE_CAP,
  aggregateStrength,
  baseStrength,
  decayOf,
  effectiveStrength,
  type TrustWeights,
} from './strength.ts';
import { actionOf, intentOf, markId, markRecord, needOf, observationOf, scopeName, warningOf } from './test-marks.ts';

const LAB = scopeName('lab');
const ms = fc.integer({ min: 1, max: 1e9 });
const age = fc.nat(1e10);
const strength = fc.double({ min: 0, max: 10, noNaN: true });
const definition = fc
  .record({ observationHalfLifeMs: ms, warningHalfLifeMs: ms, intentTtlMs: ms })
  .map((lives) => defineScope({ name: LAB, ...lives }));
const oneOfEach = (rest: Partial<Mark> = {}): Mark[] => {
  const common = rest as Partial<Pick<Mark, 'strength' | 'createdAt'>>;
  return [
    intentOf('i', common),
    actionOf('a', common),
    observationOf('o', common),
    warningOf('w', common),
    needOf('n', common),
  ];
};
const anyMark = fc
  .constantFrom(...MARK_KINDS)
  .map((kind) => oneOfEach().find((mark) => mark.kind === kind) ?? intentOf('i'));

function indexOf(marks: readonly Mark[], scopes: readonly ScopeDefinition[] = [defineScope({ name: LAB })]): MarkIndex {
  const index = new MarkIndex();
  let seq = 0;
  for (const value of scopes)
    index.apply({ seq: (seq += 1), body: { type: 'define', what: 'scope', value: JSON.parse(JSON.stringify(value)) } });
  for (const mark of marks) index.apply(markRecord((seq += 1), mark));
  return index;
}

describe('decay', () => {
  it('is from 0 to 1, never grows, and is 1 at the beginning, in every scope (P1, P4)', () => {
    fc.assert(
      fc.property(anyMark, definition, age, age, (mark, scope, a, b) => {
        const [early, late] = [decayOf(mark, scope, a), decayOf(mark, scope, a + b)];
        expect(decayOf(mark, scope, 0)).toBe(1);
        expect(early).toBeLessThanOrEqual(1);
        expect(late).toBeGreaterThanOrEqual(0);
        expect(late).toBeLessThanOrEqual(early);
      }),
    );
  });

  it('halves what fades with every half-life, and leaves what stays (P2, P3, P5)', () => {
    fc.assert(
      fc.property(definition, age, fc.integer({ min: 0, max: 60 }), (scope, start, lives) => {
        const lived = (mark: Mark, lifeMs: number): readonly [number, number] => [
          decayOf(mark, scope, start + lives * lifeMs),
          decayOf(mark, scope, start) * 2 ** -lives,
        ];
        for (const [after, halved] of [
          lived(observationOf('o'), scope.observationHalfLifeMs),
          lived(warningOf('w'), scope.warningHalfLifeMs),
        ])
          expect(after).toBeCloseTo(halved, 12);
        for (const mark of [actionOf('a'), needOf('n')]) expect(decayOf(mark, scope, start)).toBe(1);
      }),
    );
  });
});

describe('trust', () => {
  const weights = fc
    .tuple(
      fc.double({ min: 0, max: 1, noNaN: true }),
      fc.double({ min: 0, max: 1, noNaN: true }),
      fc.double({ min: 0, max: 1, noNaN: true }),
    )
    .map((three): TrustWeights => {
      const [low = 0, middle = 0, high = 0] = [...three].sort((a, b) => a - b);
      return { fleet: high, 'external-verified': middle, 'external-unverified': low };
    });

  it('orders marks as it orders their sources, and amplifies none (P6, P7)', () => {
    fc.assert(
      fc.property(weights, strength, age, (trust, written, now) => {
        const view = indexOf([]);
        const strengths = SOURCES.map((source) =>
          baseStrength(view, observationOf('o', { source, strength: written }), now, trust),
        );
        expect([...strengths].sort((a, b) => b - a)).toEqual(strengths);
        for (const one of strengths) expect(one).toBeLessThanOrEqual(written);
        for (const mark of oneOfEach({ strength: written }))
          expect(effectiveStrength(view, mark, now, trust)).toBeLessThanOrEqual(written);
      }),
    );
  });
});

describe('reinforcement', () => {
  const list = fc.array(strength, { maxLength: 40 });

  it('is at least the strongest, at most the sum and the bound, whatever the order (P8, P9, P10)', () => {
    fc.assert(
      fc.property(list, fc.nat(), (strengths, turn) => {
        const whole = aggregateStrength(strengths);
        const sum = strengths.reduce((a, b) => a + b, 0);
        expect(whole).toBeGreaterThanOrEqual(Math.max(0, ...strengths) - 1e-9);
        expect(whole).toBeLessThanOrEqual(Math.min(AGGREGATE_CAP, sum) + 1e-9);
        const at = strengths.length === 0 ? 0 : turn % strengths.length;
        expect(aggregateStrength([...strengths.slice(at), ...strengths.slice(0, at)])).toBeCloseTo(whole, 9);
      }),
    );
  });
});

describe('suppression', () => {
  /** Warnings on an action and on each other. */
  const warned = fc
    .array(fc.record({ target: fc.nat(), strength, createdAt: fc.nat(1e7), over: fc.boolean() }), { maxLength: 12 })
    .map((drawn) => {
      const marks: Mark[] = [actionOf('m0', { strength: 5 })];
      for (const [i, { target, over, ...rest }] of drawn.entries()) {
        const id = markId(`m${target % (i + 1)}`);
        marks.push(
          warningOf(`m${i + 1}`, {
            ...rest,
            ...(over && target % (i + 1) > 0 ? { supersedes: id } : { invalidates: id }),
          }),
        );
      }
      return marks;
    });

  it('never makes a mark negative, nor stronger than it is without warnings (P34)', () => {
    fc.assert(
      fc.property(warned, fc.nat(1e8), (marks, now) => {
        const index = indexOf(marks);
        for (const mark of marks) {
          const left = effectiveStrength(index, mark, now);
          expect(left).toBeGreaterThanOrEqual(0);
          expect(left).toBeLessThanOrEqual(baseStrength(index, mark, now));
        }
      }),
    );
  });

  it('of what does not fade itself only ever recedes, to nothing (P35)', () => {
    const direct = fc.array(fc.record({ strength, life: ms }), { maxLength: 8 });
    fc.assert(
      fc.property(direct, age, age, (warnings, a, b) => {
        const scopes = warnings.map(({ life }, i) =>
          defineScope({ name: scopeName(`s${i}`), warningHalfLifeMs: life }),
        );
        const target = actionOf('target', { strength: 5 });
        const index = indexOf(
          [
            target,
            ...warnings.map((one, i) =>
              warningOf(`w${i}`, { scope: scopeName(`s${i}`), strength: one.strength, invalidates: target.id }),
            ),
          ],
          [defineScope({ name: LAB }), ...scopes],
        );
        const at = (now: number): number => effectiveStrength(index, target, now);
        expect(at(a + b)).toBeGreaterThanOrEqual(at(a) - 1e-9);
        expect(at(1e15)).toBeCloseTo(5, 6);
      }),
    );
  });

  it('another warning never makes a mark stronger that has none on its warnings (P34)', () => {
    fc.assert(
      fc.property(fc.array(strength, { maxLength: 8 }), strength, fc.nat(1e8), (strengths, more, now) => {
        const target = actionOf('target', { strength: 5 });
        const warn = (one: number, i: number): Mark => warningOf(`w${i}`, { strength: one, invalidates: target.id });
        const before = effectiveStrength(indexOf([target, ...strengths.map(warn)]), target, now);
        const after = effectiveStrength(indexOf([target, ...[...strengths, more].map(warn)]), target, now);
        expect(after).toBeLessThanOrEqual(before + 1e-9);
      }),
    );
  });
});

describe('scopes', () => {
  const segments = fc.array(fc.constantFrom('a', 'b', 'ab', 'a b'), { minLength: 1, maxLength: 4 });
  const scope = segments.map((parts) => scopeName(parts.join('/')));

  it('covering is by whole segments: a partial order (P23)', () => {
    fc.assert(
      fc.property(segments, segments, scope, (above, below, other) => {
        const [a, b] = [scopeName(above.join('/')), scopeName(below.join('/'))];
        const isPrefix = above.every((part, i) => below[i] === part);
        expect(covers(a, b)).toBe(isPrefix);
        expect(covers(a, a)).toBe(true);
        expect(covers(a, b) && covers(b, a)).toBe(a === b);
        expect(covers(a, b) && covers(b, other) && !covers(a, other)).toBe(false);
        expect(covers(parentScope(b) ?? b, b)).toBe(true);
      }),
    );
  });

  it('each has the longest definition that covers it, and its visibility (P26)', () => {
    const definitions = fc.uniqueArray(fc.record({ name: scope, visibility: fc.constantFrom(...VISIBILITIES) }), {
      selector: ({ name }) => name,
      maxLength: 6,
    });
    fc.assert(
      fc.property(definitions, scope, (defined, name) => {
        const all = new Map(defined.map((one) => [one.name, defineScope(one)]));
        const [nearest] = defined.filter((one) => covers(one.name, name)).sort((a, b) => b.name.length - a.name.length);
        expect(resolveScope(all, name)).toEqual(nearest === undefined ? undefined : all.get(nearest.name));
        const access = accessOf({ definitionOf: (of: ScopeName) => resolveScope(all, of) }, { read: [] }, name);
        const expected = { open: 'full', protected: 'projected', classified: 'none' } as const;
        expect(access).toBe(nearest === undefined ? 'none' : expected[nearest.visibility]);
      }),
    );
  });
});

describe('projection', () => {
  const CONTENT = ['result', 'content', 'reason', 'question', 'context'];
  const secret = fc.constantFrom('secret', 'geheim');
  const mark = fc.tuple(fc.constantFrom(...MARK_KINDS), secret).map(([kind, text]): Mark => {
    const all: Record<Mark['kind'], Mark> = {
      intent: intentOf('m'),
      action: actionOf('m', { result: { text } }),
      observation: observationOf('m', { content: [text] }),
      warning: warningOf('m', { reason: text, invalidates: markId('x') }),
      need: needOf('m', { question: text, context: { deep: { text } } }),
    };
    return all[kind];
  });

  it('takes all of the content and nothing else, and projecting again changes nothing (P21, P24)', () => {
    fc.assert(
      fc.property(mark, (whole) => {
        const projected = projectMark(whole);
        expect(JSON.stringify(projected)).not.toMatch(/secret|geheim/u);
        const structure = (of: Mark): object =>
          Object.fromEntries(Object.entries(of).filter(([field]) => !CONTENT.includes(field) && field !== 'projected'));
        expect(structure(projected)).toEqual(structure(whole));
        expect(Object.keys(projected).sort()).toEqual([...Object.keys(whole), 'projected'].sort());
        expect(projectMark(projected)).toEqual(projected);
      }),
    );
  });

  it('is what a protected scope gives without the right; a classified one gives nothing at all (P21, P22, P25)', () => {
    fc.assert(
      fc.property(mark, fc.constantFrom(...VISIBILITIES), fc.boolean(), (whole, visibility, right) => {
        const index = indexOf([whole], [defineScope({ name: LAB, visibility })]);
        const reader = { read: right ? [LAB] : [] };
        const seen = readMark(index, reader, whole.id);
        const expected = { open: whole, protected: projectMark(whole), classified: undefined };
        expect(seen).toEqual(right ? whole : expected[visibility]);
        expect(queryMarks(index, reader, {}, 0)).toEqual(seen === undefined ? [] : [seen]);
      }),
    );
  });
});

describe('order and supersession', () => {
  /** Marks of which each may supersede an earlier one. */
  const chain = fc.array(fc.option(fc.nat(), { nil: undefined }), { minLength: 1, maxLength: 25 }).map((drawn) =>
    drawn.map((over, i): Mark => {
      const supersedes = over === undefined || i === 0 ? {} : { supersedes: markId(`m${over % i}`) };
      return actionOf(`m${i}`, { createdAt: i, ...supersedes });
    }),
  );

  it('of marks that supersede each other only those at the ends count, and all stay in the log (P47)', () => {
    fc.assert(
      fc.property(chain, (marks) => {
        const index = indexOf(marks);
        const isOver = (id: MarkId): boolean => marks.some(({ supersedes }) => supersedes === id);
        for (const mark of marks) {
          expect(effectiveStrength(index, mark, 1e6)).toBe(isOver(mark.id) ? 0 : 1);
          expect(index.byId(mark.id)).toBe(mark);
        }
        // What a mark superseded stays over, also when the mark itself is over.
        const overruled = marks.flatMap(({ supersedes }) => supersedes ?? []);
        expect(overruled.every((id) => index.isSuperseded(id))).toBe(true);
        expect([...index.claims(LAB, 'r')].map(({ id }) => id)).toEqual(
          marks.filter(({ id }) => !isOver(id)).map(({ id }) => id),
        );
      }),
    );
  });

  it('a reader who asks for what is live gets all that nothing superseded, and nothing else (P47)', () => {
    fc.assert(
      fc.property(chain, (marks) => {
        const standing = marks.filter(({ id }) => !marks.some(({ supersedes }) => supersedes === id));
        expect(queryMarks(indexOf(marks), undefined, { live: true }, 1e6)).toEqual(standing);
        expect(queryMarks(indexOf(marks), undefined, { minStrength: 0.5 }, 1e6)).toEqual(standing);
      }),
    );
  });

  it('marks of one moment are listed as they were written, and the same log gives the same listing (P32, S8)', () => {
    fc.assert(
      fc.property(fc.array(fc.constantFrom('lab', 'lab/a', 'lab/b/c', 'other'), { maxLength: 30 }), (scopes) => {
        const marks = scopes.map((name, i) => observationOf(`m${i}`, { scope: scopeName(name), createdAt: 7 }));
        const definitions = ['lab', 'other'].map((name) => defineScope({ name: scopeName(name) }));
        const listed = (): (string | undefined)[] =>
          queryMarks(indexOf(marks, definitions), undefined, {}, 7).map(({ id }) => id);
        expect(listed()).toEqual(marks.map(({ id }) => id));
        expect(listed()).toEqual(listed());
      }),
    );
  });

  it('reading is repeatable: any queries in any order change nothing that is read after them (P28)', () => {
    fc.assert(
      fc.property(chain, fc.array(fc.constantFrom(...MARK_KINDS), { maxLength: 10 }), (marks, kinds) => {
        const index = indexOf(marks);
        const before = queryMarks(index, { read: [] }, {}, 9);
        for (const kind of kinds) queryMarks(index, { read: [] }, { kind, minStrength: 0.1, last: 2 }, 9);
        expect(queryMarks(index, { read: [] }, {}, 9)).toEqual(before);
        expect([index.seq, index.size]).toEqual([marks.length + 1, marks.length]);
      }),
    );
  });
});
