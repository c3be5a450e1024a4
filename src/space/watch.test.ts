import * as fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { MarkIndex, type MarkView, type PlacedMark } from './mark-index.ts';
import { MARK_KINDS, type Mark } from './marks.ts';
import { mergeTails, tailAfter } from './merge-tails.ts';
import { readMark } from './query.ts';
import { covers, defineScope, type ScopeDefinition } from './scope.ts';
import {
  actionOf,
  agentName,
  intentOf,
  markRecord,
  needOf,
  observationOf,
  scopeName,
  warningOf,
} from './test-marks.ts';
import { marksAfter, matchesPattern, parsePattern, type WatchPattern } from './watch.ts';

const SCOPES = ['a', 'a/b', 'a/b/c', 'd', 'ab', 'unknown'] as const;
const DEFINITIONS = [
  defineScope({ name: scopeName('a') }),
  defineScope({ name: scopeName('a/b'), visibility: 'classified' }),
  defineScope({ name: scopeName('d'), visibility: 'protected' }),
  defineScope({ name: scopeName('ab'), visibility: 'classified' }),
];

function indexOf(marks: readonly Mark[], definitions: readonly ScopeDefinition[] = DEFINITIONS): MarkIndex {
  const index = new MarkIndex();
  let seq = 0;
  for (const value of definitions)
    index.apply({ seq: (seq += 1), body: { type: 'define', what: 'scope', value: JSON.parse(JSON.stringify(value)) } });
  for (const mark of marks) index.apply(markRecord((seq += 1), mark));
  return index;
}

const drawnMark = fc.record({
  kind: fc.constantFrom(...MARK_KINDS),
  scope: fc.constantFrom(...SCOPES).map(scopeName),
  agent: fc.constantFrom('ann', 'bob').map(agentName),
  name: fc.constantFrom('x', 'y'),
});

const someMarks = (maxLength: number): fc.Arbitrary<readonly Mark[]> =>
  fc.array(drawnMark, { maxLength, size: 'max' }).map((drawn) =>
    drawn.map(({ kind, scope, agent, name }, i): Mark => {
      const common = { scope, agent, createdAt: i };
      const id = `m${i}`;
      if (kind === 'intent') return intentOf(id, { ...common, resource: name });
      if (kind === 'action') return actionOf(id, { ...common, resource: name });
      if (kind === 'observation') return observationOf(id, { ...common, topic: name });
      if (kind === 'warning') return warningOf(id, { ...common, topic: name });
      return needOf(id, common);
    }),
  );

const orAbsent = <Value>(value: fc.Arbitrary<Value>): fc.Arbitrary<Value | undefined> =>
  fc.option(value, { nil: undefined, freq: 2 });

const somePattern: fc.Arbitrary<WatchPattern> = fc
  .record({
    scope: orAbsent(fc.constantFrom(...SCOPES).map(scopeName)),
    under: orAbsent(fc.constantFrom(...SCOPES).map(scopeName)),
    kind: orAbsent(fc.constantFrom(...MARK_KINDS)),
    topic: orAbsent(fc.constantFrom('x', 'y', 'z')),
    resource: orAbsent(fc.constantFrom('x', 'y', 'z')),
    agent: orAbsent(fc.constantFrom('ann', 'bob', 'eve').map(agentName)),
  })
  .map((drawn) => Object.fromEntries(Object.entries(drawn).filter(([, value]) => value !== undefined)));

const someReader = fc.option(
  fc.record({ read: fc.uniqueArray(fc.constantFrom(...SCOPES).map(scopeName), { maxLength: 3 }) }),
  { nil: undefined },
);

/** What the protocol says, read off word by word. */
function obviousMatch(pattern: WatchPattern, mark: Mark): boolean {
  const flat: Readonly<Record<string, unknown>> = { ...mark };
  return Object.entries(pattern).every(([field, value]) =>
    field === 'under' ? covers(scopeName(String(value)), mark.scope) : flat[field] === value,
  );
}

describe('matchesPattern()', () => {
  it('narrows by each field that is there, and by nothing else (P50)', () => {
    const mark = observationOf('m', { scope: scopeName('a/b'), topic: 'x', agent: agentName('bob') });
    expect(matchesPattern({}, mark)).toBe(true);
    expect(matchesPattern({ scope: scopeName('a/b'), kind: 'observation', topic: 'x' }, mark)).toBe(true);
    expect(matchesPattern({ under: scopeName('a'), agent: agentName('bob') }, mark)).toBe(true);
    expect(matchesPattern({ scope: scopeName('a') }, mark)).toBe(false);
    expect(matchesPattern({ under: scopeName('a/bb') }, mark)).toBe(false);
    expect(matchesPattern({ kind: 'warning' }, mark)).toBe(false);
    expect(matchesPattern({ topic: 'y' }, mark)).toBe(false);
    expect(matchesPattern({ resource: 'x' }, mark)).toBe(false);
    expect(matchesPattern({ agent: agentName('ann') }, mark)).toBe(false);
    expect(matchesPattern({ topic: 'x' }, intentOf('i', { resource: 'x' }))).toBe(false);
  });

  it('says the same of the same pattern and mark, and changes neither (P55)', () => {
    fc.assert(
      fc.property(somePattern, someMarks(10), (pattern, marks) => {
        const frozen = Object.freeze({ ...pattern });
        for (const mark of marks) {
          const kept = Object.freeze({ ...mark });
          expect(matchesPattern(frozen, kept)).toBe(obviousMatch(pattern, mark));
          expect(matchesPattern(frozen, kept)).toBe(matchesPattern({ ...pattern }, mark));
        }
      }),
    );
  });
});

describe('parsePattern()', () => {
  it('reads a pattern, and an empty one', () => {
    const pattern = { under: 'a', kind: 'observation', topic: 'x', agent: 'ann' };
    expect(parsePattern(pattern)).toEqual({ ok: true, pattern });
    expect(parsePattern({})).toEqual({ ok: true, pattern: {} });
  });

  it.each([
    ['an unknown field', { topics: 'x' }, 'topics', 'is not a field of a watch pattern'],
    ['no object', 'a', '(pattern)', 'is not an object'],
    ['a scope that is none', { scope: 'a//b' }, 'scope', 'is not the name of a scope'],
    ['an agent that is none', { agent: 'Ann!' }, 'agent', 'is not the name of an agent'],
    ['a kind that is none', { kind: 'rumour' }, 'kind', ''],
    ['a topic of intents', { kind: 'intent', topic: 'x' }, '(pattern)', 'of a kind of mark that has none'],
    ['a topic and a resource', { topic: 'x', resource: 'y' }, '(pattern)', 'of a kind of mark that has none'],
    ['a scope beside the one it should be under', { scope: 'b', under: 'a' }, 'scope', 'is not below `under`'],
    ['a topic without end', { topic: 'x'.repeat(1_000_000) }, 'topic', 'is longer than'],
    ['depth', { topic: { a: { b: { c: 1 } } } }, 'topic.a', ''],
    [
      'a getter that throws',
      Object.defineProperty({}, 'topic', {
        enumerable: true,
        get: () => {
          throw new Error('trap');
        },
      }),
      '(pattern)',
      'could not be read',
    ],
  ])('refuses %s', (_, input, field, problem) => {
    const parsed = parsePattern(input);
    expect(parsed).toMatchObject({ ok: false, problem: { field } });
    expect(parsed.ok ? '' : parsed.problem.problem).toContain(problem);
  });
});

describe('marksAfter()', () => {
  it('pages through exactly what matches and may be seen, each once, in log order (P50, P51, P52, S4, S8)', () => {
    fc.assert(
      fc.property(
        someMarks(200),
        somePattern,
        someReader,
        fc.nat(210),
        fc.array(fc.integer({ min: 1, max: 40 }), { minLength: 1, maxLength: 8 }),
        (marks, pattern, reader, start, limits) => {
          const view = indexOf(marks);
          const expected = marks
            .filter((mark) => (view.seqOf(mark.id) ?? 0) > start && obviousMatch(pattern, mark))
            .map((mark) => readMark(view, reader, mark.id))
            .filter((mark) => mark !== undefined);
          const found: Mark[] = [];
          let seq = start;
          for (let turn = 0; ; turn += 1) {
            const limit = limits[turn % limits.length] ?? 1;
            const page = marksAfter(view, reader, pattern, seq, limit);
            expect(page.marks.length).toBeLessThanOrEqual(limit);
            expect(page.seq).toBeGreaterThanOrEqual(seq);
            found.push(...page.marks);
            seq = page.seq;
            if (page.marks.length < limit) break;
          }
          expect(found).toEqual(expected);
          expect(seq).toBe(Math.max(start, view.seq));
        },
      ),
    );
  });

  it('gives the same whether or not there are marks that the reader may not see (S4, P22)', () => {
    fc.assert(
      fc.property(someMarks(150), somePattern, fc.integer({ min: 1, max: 50 }), (marks, pattern, limit) => {
        const reader = { read: [scopeName('a/b/c')] };
        const full = indexOf(marks);
        const seen = marks.filter(({ id }) => readMark(full, reader, id) !== undefined);
        const page = marksAfter(full, reader, pattern, 0, limit);
        expect(page.marks).toEqual(marksAfter(indexOf(seen), reader, pattern, 0, limit).marks);
      }),
    );
  });

  it('projects marks of a protected scope and tells nothing of a classified one (S4, P24, P25)', () => {
    const view = indexOf([
      observationOf('m1', { scope: scopeName('d'), content: 'secret' }),
      observationOf('m2', { scope: scopeName('ab'), content: 'secret' }),
    ]);
    const { marks } = marksAfter(view, { read: [] }, { topic: 't' }, 0, 10);
    expect(marks).toMatchObject([{ id: 'm1', topic: 't', content: null, projected: true }]);
    expect(marksAfter(view, undefined, { topic: 't' }, 0, 10).marks.map(({ id }) => id)).toEqual(['m1', 'm2']);
  });

  it('looks at nothing twice: what it skipped stays skipped, whatever the size of the space (S13)', () => {
    for (const size of [100, 10_000]) {
      const marks = Array.from({ length: size }, (_, i) =>
        observationOf(`m${i}`, { scope: scopeName('a'), agent: agentName('bob'), topic: `t${i % 7}` }),
      );
      const index = indexOf(marks);
      const { view, looks } = counting(index);
      const pattern = { agent: agentName('ann') };
      const first = marksAfter(view, { read: [] }, pattern, 0, 10);
      expect(first).toEqual({ marks: [], seq: index.seq });
      expect(looks()).toBeGreaterThan(size);
      const before = looks();
      marksAfter(view, { read: [] }, pattern, first.seq, 10);
      expect(looks() - before).toBe(0);
      index.apply(markRecord(index.seq + 1, observationOf('new', { scope: scopeName('a'), agent: agentName('ann') })));
      expect(marksAfter(view, { read: [] }, pattern, first.seq, 10).marks.map(({ id }) => id)).toEqual(['new']);
      expect(looks() - before).toBeLessThan(100);
    }
  });

  it('asks few new marks rather than many scopes, and leaves hidden scopes unread (S13, S4)', () => {
    const scopes = Array.from({ length: 2_000 }, (_, i) => scopeName(`a/s${i}`));
    const index = indexOf(scopes.map((scope, i) => observationOf(`m${i}`, { scope })));
    const { view, looks } = counting(index);
    const seq = index.seq - 3;
    expect(marksAfter(view, { read: [] }, { topic: 't' }, seq, 10).marks).toHaveLength(3);
    expect(looks()).toBeLessThan(100);

    const hidden = Array.from({ length: 2_000 }, (_, i) => observationOf(`m${i}`, { scope: scopeName('ab') }));
    const other = counting(indexOf(hidden));
    expect(marksAfter(other.view, { read: [] }, {}, 0, 10).marks).toEqual([]);
    expect(other.looks()).toBeLessThan(100);
  });

  it('a page costs its marks and the lists it merges, not the marks before and after it (S13)', () => {
    const looked = [1_000, 20_000].map((size) => {
      const marks = Array.from({ length: size }, (_, i) =>
        observationOf(`m${i}`, { scope: scopeName(i % 2 === 0 ? 'a' : 'd'), topic: i % (size / 50) < 1 ? 'x' : 'y' }),
      );
      const index = indexOf(marks);
      const { view, looks } = counting(index);
      expect(marksAfter(view, { read: [] }, { topic: 'x' }, index.seq / 2, 20).marks).toHaveLength(20);
      return looks();
    });
    expect(looked[1]).toBeLessThan((looked[0] ?? 0) + 40);
  });
});

describe('mergeTails()', () => {
  it('is the sort of all that is left of its lists (P52)', () => {
    fc.assert(
      fc.property(fc.array(fc.nat(12), { maxLength: 120 }), fc.nat(130), (owners, after) => {
        const lists: PlacedMark[][] = Array.from({ length: 13 }, () => []);
        for (const [i, owner] of owners.entries()) lists[owner]?.push({ seq: i + 1, mark: needOf(`m${i}`) });
        const merged = [...mergeTails(lists.map((list) => tailAfter(list, after)))].map(({ seq }) => seq);
        expect(merged).toEqual([...owners.keys()].map((i) => i + 1).filter((seq) => seq > after));
      }),
    );
  });
});

/** A view that counts how often an element of its lists is looked at. */
function counting(index: MarkIndex): { readonly view: MarkView; readonly looks: () => number } {
  let looks = 0;
  const counted = (list: readonly PlacedMark[]): readonly PlacedMark[] =>
    new Proxy(list, {
      get: (target, key) => {
        if (typeof key === 'string' && /^\d+$/u.test(key)) looks += 1;
        const value: unknown = Reflect.get(target, key);
        return value;
      },
    });
  const view = new Proxy<MarkView>(index, {
    get: (_, key) => {
      if (key === 'byScope') return (...args: Parameters<MarkView['byScope']>) => counted(index.byScope(...args));
      if (key === 'byTopic') return (...args: Parameters<MarkView['byTopic']>) => counted(index.byTopic(...args));
      if (key === 'byKind') return (...args: Parameters<MarkView['byKind']>) => counted(index.byKind(...args));
      const value: unknown = Reflect.get(index, key, index);
      return typeof value === 'function' ? value.bind(index) : value;
    },
  });
  return { view, looks: () => looks };
}
