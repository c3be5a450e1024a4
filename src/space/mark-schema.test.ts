import { describe, expect, it } from 'vitest';
import { copyJson, equalJson, JsonProblem, UNBOUNDED, utf8Bytes } from './json-value.ts';
import { DRAFT_BOUNDS, parseDraft } from './mark-schema.ts';
import * as fc from 'fast-check';

const observation = { scope: 'lab', topic: 't', content: { text: 'x' }, confidence: 1, source: 'fleet' };

function problemOf(draft: unknown): { field: string; problem: string } | undefined {
  const parsed = parseDraft(draft);
  return parsed.ok ? undefined : parsed.problem;
}

describe('parseDraft()', () => {
  it('tells the kind from the shape (S5)', () => {
    const drafts = {
      intent: { scope: 'lab', resource: 'r', action: 'do', confidence: 0.5 },
      action: { scope: 'lab', action: 'do', result: null },
      observation,
      warning: { scope: 'lab', topic: 't', reason: 'r', severity: 'critical' },
      need: { scope: 'lab', question: 'q', context: {}, priority: 1, blocking: true },
    };
    for (const [kind, draft] of Object.entries(drafts)) {
      expect(parseDraft(draft)).toEqual({ ok: true, draft: { ...draft, kind, strength: 1 } });
    }
  });

  it.each([
    'kind',
    'id',
    'agent',
    'createdAt',
    'created_at',
    'seq',
    'projected',
    'resolvedBy',
    'author',
    'val_score',
    'prototype',
  ])('refuses a draft with a field %s (S5)', (field) => {
    for (const value of ['x', 0, true]) expect(problemOf({ ...observation, [field]: value })?.field).toBe(field);
    expect(
      problemOf({ scope: 'lab', question: 'q', context: {}, priority: 1, blocking: true, [field]: 'x' })?.field,
    ).toBe(field);
  });

  it.each([
    ['a number', 7],
    ['a list', []],
    ['nothing known', { scope: 'lab' }],
    ['no scope', { ...observation, scope: undefined }],
    ['a bad scope', { ...observation, scope: 'a/../b' }],
    ['an empty topic', { ...observation, topic: '' }],
    ['confidence above 1', { ...observation, confidence: 1.01 }],
    ['confidence that is no number', { ...observation, confidence: Number.NaN }],
    ['another source', { ...observation, source: 'FLEET' }],
    ['strength above 10', { ...observation, strength: 10.5 }],
    ['negative strength', { ...observation, strength: -1 }],
    ['endless strength', { ...observation, strength: Infinity }],
    ['a date', { ...observation, content: new Date(0) }],
    ['a function', { ...observation, content: () => 1 }],
    ['a bigint', { ...observation, content: 1n }],
    ['fields of two kinds', { ...observation, reason: 'x' }],
    [
      'a getter that throws',
      {
        ...observation,
        get content(): never {
          throw new Error('trap');
        },
      },
    ],
  ])('refuses %s', (_, draft) => {
    expect(problemOf(draft)).toBeDefined();
  });

  it('refuses keys that reach for a prototype, at any depth', () => {
    for (const key of ['__proto__', 'constructor']) {
      const content: unknown = JSON.parse(`{"a":[{"${key}":{"x":1}}]}`);
      expect(problemOf({ ...observation, content })?.problem).toBe('is a refused key');
    }
  });

  it('bounds text, whole and depth, in bytes (S5)', () => {
    const text = (length: number): unknown => ({ ...observation, content: { text: 'é'.repeat(length / 2) } });
    expect(problemOf(text(DRAFT_BOUNDS.maxTextBytes))).toBeUndefined();
    expect(problemOf(text(DRAFT_BOUNDS.maxTextBytes + 2))?.field).toBe('content.text');
    const lists = (count: number): unknown => ({
      ...observation,
      content: Array.from({ length: count }, () => 'x'.repeat(65_000)),
    });
    expect(problemOf(lists(15))).toBeUndefined();
    expect(problemOf(lists(17))?.problem).toMatch(/larger than 1048576 bytes/u);
    const nested = (depth: number): unknown => ({
      ...observation,
      content: JSON.parse('['.repeat(depth) + ']'.repeat(depth)) as unknown,
    });
    expect(problemOf(nested(63))).toBeUndefined();
    expect(problemOf(nested(64))?.problem).toMatch(/deeper than 64/u);
    const cycle: { self?: unknown } = {};
    cycle.self = cycle;
    expect(problemOf({ ...observation, content: cycle })?.problem).toMatch(/deeper than 64/u);
  });

  it('keeps a copy that nobody can change, read once', () => {
    let reads = 0;
    const content = {
      list: [1],
      get text(): string {
        return `read ${(reads += 1)}`;
      },
    };
    const parsed = parseDraft({ ...observation, content });
    content.list.push(2);
    expect(parsed).toMatchObject({ ok: true, draft: { content: { list: [1], text: 'read 1' } } });
    expect(reads).toBe(1);
    const draft = parsed.ok && parsed.draft.kind === 'observation' ? parsed.draft : undefined;
    expect([Object.isFrozen(draft), Object.isFrozen(draft?.content)]).toEqual([true, true]);
    expect(draft).toBeDefined();
  });
});

describe('JSON values', () => {
  it('copyJson() gives one string its own bound, wherever its path is and nowhere else', () => {
    const bounds = { maxTextBytes: 7, maxBytes: 1000, maxDepth: 9, exempt: { path: 'content.text', maxTextBytes: 9 } };
    const fits = (value: unknown): boolean => {
      try {
        return equalJson(copyJson(value, bounds), value);
      } catch {
        return false;
      }
    };
    const long = 'x'.repeat(9);
    expect(fits({ content: { text: long } })).toBe(true);
    expect(fits({ content: { text: `${long}x` } })).toBe(false);
    const elsewhere = [{ text: long }, { a: { content: { text: long } } }, { content: { text: { text: long } } }];
    for (const value of [long, [long], ...elsewhere, { content: { a: long } }, { content: [long] }])
      expect(fits(value)).toBe(false);
  });

  it('copyJson() keeps any JSON and equalJson() sees it', () => {
    fc.assert(
      fc.property(fc.jsonValue({ depthSize: 'medium' }), (value) => {
        const text = JSON.stringify(value);
        if (text.includes('__proto__') || text.includes('constructor')) return;
        const copy = copyJson(JSON.parse(text), UNBOUNDED);
        expect(JSON.stringify(copy)).toBe(text);
        expect(equalJson(copy, JSON.parse(text))).toBe(true);
      }),
    );
    expect(equalJson({ a: 1, b: [2] }, { b: [2], a: 1 })).toBe(true);
    expect(equalJson({ a: 1 }, { a: 1, b: 2 })).toBe(false);
    expect(equalJson([1], { 0: 1 })).toBe(false);
    expect(() => copyJson({ a: { b: undefined, c: Number.NaN } }, UNBOUNDED)).toThrow(JsonProblem);
  });

  it('utf8Bytes() agrees with the platform', () => {
    fc.assert(fc.property(fc.string({ unit: 'binary' }), (text) => utf8Bytes(text) === Buffer.byteLength(text)));
    expect(utf8Bytes('\ud800')).toBe(3);
  });
});
