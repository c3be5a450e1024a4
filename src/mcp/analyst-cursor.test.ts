import { describe, expect, test } from 'vitest';
import { z } from 'zod';
import { cursorOf, stateIn } from './analyst-cursor.ts';

const schema = z.strictObject({ n: z.int().min(0) });
const args = { run: 'r', where: [{ column: 'a' }], limit: 3 };
const cursor = cursorOf('query', args, { n: 7 });
const codeOf = (ask: () => unknown): unknown => {
  try {
    return ask();
  } catch (error) {
    return (error as { code?: string }).code;
  }
};

describe('a cursor', () => {
  test('gives its place back to the same question, whatever the limit', () => {
    expect(stateIn('query', { ...args, limit: 99, cursor }, schema)).toEqual({ n: 7 });
    expect(stateIn('query', args, schema)).toBeUndefined();
  });

  test('is refused by another question or another tool, saying so', () => {
    expect(() => stateIn('query', { ...args, run: 's', cursor }, schema)).toThrow(/other arguments/);
    expect(() => stateIn('list_calls', { ...args, cursor }, schema)).toThrow(/other arguments/);
  });

  test.each([
    '',
    'x',
    '../../etc/passwd',
    `${cursor}A`,
    cursor.slice(1),
    'A'.repeat(8_000),
    Buffer.from('{"v":1}').toString('base64url'),
    Buffer.from('[1]').toString('base64url'),
  ])('is refused when it is none of ours: %.20s', (forged) => {
    expect(codeOf(() => stateIn('query', { ...args, cursor: forged }, schema))).toBe('bad-cursor');
  });

  test('is refused when its place was changed, or is none that the tool has', () => {
    const opened = JSON.parse(Buffer.from(cursor, 'base64url').toString()) as Record<string, unknown>;
    const changed = Buffer.from(JSON.stringify({ ...opened, s: { n: 8 } })).toString('base64url');
    expect(codeOf(() => stateIn('query', { ...args, cursor: changed }, schema))).toBe('bad-cursor');
    const wrong = cursorOf('query', args, { n: -1, __proto__: null });
    expect(codeOf(() => stateIn('query', { ...args, cursor: wrong }, schema))).toBe('bad-cursor');
  });
});
