import * as fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { JsonProblem } from './json-value.ts';
import { parseDraft } from './mark-schema.ts';
import type { Mark } from './marks.ts';
import { parseBody } from './record-body.ts';
import { parseMark } from './stored-mark.ts';
import { actionOf, intentOf, markId, needOf, observationOf, warningOf } from './test-marks.ts';

const MARKS: readonly Mark[] = [
  intentOf('i'),
  actionOf('a', { supersedes: markId('i') }),
  actionOf('f', { failed: true }),
  observationOf('o', { content: { deep: [{ list: [1, null, 'x'] }] } }),
  warningOf('w', { invalidates: markId('o') }),
  needOf('n', { resolvedBy: markId('a') }),
];
const ASSIGNED = ['id', 'agent', 'createdAt', 'kind', 'resolvedBy'];
const FIELDS = [...new Set(MARKS.flatMap((mark) => Object.keys(mark)))].filter((field) => !ASSIGNED.includes(field));

function takes(read: () => unknown): boolean {
  try {
    read();
    return true;
  } catch (error) {
    if (!(error instanceof JsonProblem)) throw error;
    return false;
  }
}

const value = fc.oneof(
  fc.jsonValue({ maxDepth: 2 }),
  fc.constantFrom('', 'lab', 'a/../b', '\ud800', 'x'.repeat(1_025), 'fleet', 'caution', 10, 10.5, -1, 1e300, true),
);
const change = fc.record({
  mark: fc.constantFrom(...MARKS),
  field: fc.constantFrom(...FIELDS, 'extra', '__proto__'),
  value,
});

describe('parseMark()', () => {
  it('is as strict with what an agent wrote as the schema of drafts', () => {
    let refused = 0;
    fc.assert(
      fc.property(change, ({ mark, field, value: changed }) => {
        const text = JSON.stringify({ ...mark, [field === '__proto__' ? 'proto' : field]: changed });
        const source = field === '__proto__' ? text.replace('"proto":', '"__proto__":') : text;
        // oxlint-disable-next-line typescript/no-unsafe-type-assertion -- text made two lines above
        const draft = JSON.parse(source) as Record<string, unknown>;
        for (const assigned of ASSIGNED) delete draft[assigned];
        const isTaken = takes(() => parseMark(JSON.parse(source)));
        expect(isTaken).toBe(parseDraft(draft).ok);
        if (!isTaken) refused += 1;
      }),
      { numRuns: 2_000 },
    );
    expect(refused).toBeGreaterThan(100);
  });

  it.each(
    MARKS.flatMap((mark) => Object.keys(mark).map((field): [string, string, Mark] => [mark.kind, field, mark])),
  )('refuses %s with %s of another type, and without it unless it may lack it', (_, field, mark) => {
    const wrong = { ...mark, [field]: ['result', 'content', 'context'].includes(field) ? undefined : { no: 1 } };
    expect(() => parseMark(JSON.parse(JSON.stringify(wrong)))).toThrow(JsonProblem);
    const without = Object.fromEntries(Object.entries(mark).filter(([name]) => name !== field));
    const isOptional =
      ['supersedes', 'failed', 'invalidates', 'resolvedBy'].includes(field) ||
      (field === 'resource' && mark.kind === 'action');
    expect(takes(() => parseMark(without))).toBe(isOptional);
  });

  it('gives back what was stored, frozen to the bottom (P30)', () => {
    const isFrozen = (item: unknown): boolean =>
      typeof item !== 'object' || item === null || (Object.isFrozen(item) && Object.values(item).every(isFrozen));
    for (const mark of MARKS) {
      const read = parseMark(JSON.parse(JSON.stringify(mark)));
      expect(read).toEqual(mark);
      expect(isFrozen(read)).toBe(true);
    }
  });

  it('refuses keys that reach for a prototype, and more levels than a mark can have', () => {
    const text = (content: string): string =>
      JSON.stringify(observationOf('o', { content: 'HERE' })).replace('"HERE"', content);
    for (const content of ['{"__proto__":1}', '[{"constructor":{}}]', `${'['.repeat(300)}${']'.repeat(300)}`])
      expect(() => parseMark(JSON.parse(text(content)))).toThrow(JsonProblem);
  });
});

describe('parseBody()', () => {
  it.each([
    { type: 'mark', mark: intentOf('i') },
    { type: 'mark', mark: intentOf('i'), call: { verdict: 'allow' } },
    { type: 'decision', decision: { verdict: 'denied' } },
    { type: 'event', event: { what: 'revoked' } },
    { type: 'event', event: null, withdraws: ['i'] },
    { type: 'define', what: 'scope', value: {} },
    { type: 'row', table: 'calls', row: [1] },
  ])('takes $type', (body) => {
    expect(parseBody(JSON.stringify(body))).toEqual(body);
    expect(() => parseBody(JSON.stringify({ ...body, extra: 1 }))).toThrow(JsonProblem);
    const [, second = ''] = Object.keys(body);
    expect(() => parseBody(JSON.stringify({ ...body, [second]: undefined }))).toThrow(JsonProblem);
  });

  it('refuses what is no body', () => {
    for (const text of ['null', '[]', '1', '{}', '{"type":"other"}', '{"type":"row","table":"","row":1}'])
      expect(() => parseBody(text)).toThrow(JsonProblem);
    expect(() => parseBody('{')).toThrow(SyntaxError);
  });
});
