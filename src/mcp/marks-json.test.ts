import { describe, expect, test } from 'vitest';
import { z } from 'zod';
import type { Mark } from '../space/marks.ts';
import { projectMark } from '../space/query.ts';
import { FIELD_CHARS, markJson, markShape } from './marks-json.ts';

const strict = z.strictObject(markShape.shape);
const base = { id: 'r/ann/e/m1', agent: 'ann', scope: 'lab', createdAt: 5, strength: 1 };
/** A mark of every kind with every field it may have. */
const MARKS = [
  { ...base, kind: 'intent', resource: 'r', action: 'a', confidence: 1 },
  { ...base, kind: 'action', resource: 'r', action: 'a', result: { x: [1] }, failed: true, supersedes: 'm0' },
  { ...base, kind: 'observation', topic: 't', content: null, confidence: 0, source: 'external-verified' },
  { ...base, kind: 'warning', topic: 't', reason: 'r', severity: 'info', invalidates: 'm0' },
  { ...base, kind: 'need', question: 'q', context: null, priority: 1, blocking: true, resolvedBy: 'm2' },
] as unknown as readonly Mark[];

test.each(MARKS)('a mark of kind $kind fits the schema, whole and projected', (mark) => {
  expect(strict.parse(markJson(mark))).toEqual(mark);
  expect(strict.parse(markJson(projectMark(mark)))).toEqual(projectMark(mark));
});

describe('long fields', () => {
  const observation = (content: unknown) => ({ ...MARKS[2], content }) as unknown as Mark;

  test('are cut when they are text and left out when they are JSON; what is missing is said', () => {
    const text = markJson(observation('x'.repeat(5000)), FIELD_CHARS.listed);
    expect(text).toMatchObject({ content: 'x'.repeat(2000), clipped: [{ field: 'content', chars: 5000 }] });
    const json = markJson(observation(['x'.repeat(5000)]), FIELD_CHARS.listed);
    expect(json).toMatchObject({ content: null, clipped: [{ field: 'content', chars: 5004 }] });
    expect(strict.safeParse(json).success).toBe(true);
    expect(markJson(observation('x'.repeat(5000)))).not.toHaveProperty('clipped');
  });

  test('are never cut inside a character', () => {
    const { content } = markJson(observation(`${'x'.repeat(1999)}\u{1f600}`), FIELD_CHARS.listed);
    expect(content).toBe('x'.repeat(1999));
  });
});

describe('marks that hold files', () => {
  const held = (scope: string, content: unknown) => markJson({ ...MARKS[2], scope, content } as unknown as Mark);

  test('say how large the files are and never what is in them', () => {
    const content = { generation: 1, score: 1, files: { 'a.ts': 'é', __proto__: null } };
    expect(held('strategies', content)).toMatchObject({ content: { generation: 1, files: { 'a.ts': { bytes: 2 } } } });
    expect(held('evaluations/ann', { files: { 'train.json': '1' } }).content).toEqual({
      files: { 'train.json': { bytes: 1 } },
    });
    expect(held('agents/ann', { text: 'code' }).content).toEqual({ text: { bytes: 4 } });
    expect(held('agents/ann', null).content).toBe(null);
  });

  test('are told from notes by their scope', () => {
    expect(held('notes/ann', { text: 'words', files: { a: 'b' } }).content).toEqual({
      text: 'words',
      files: { a: 'b' },
    });
    expect(held('strategies-of-mine', { text: 'words' }).content).toEqual({ text: 'words' });
  });
});
