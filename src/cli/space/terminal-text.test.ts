import { expect, test } from 'vitest';
import { oneLine, timeText } from './terminal-text.ts';

test('nothing that a terminal acts on gets through oneLine()', () => {
  const hostile = 'a\u001b[2J\u0007b\r\nc\u202ed\u2028e\u200bf\u009bg\ud800h\u{e0041}i\u00adj';
  const shown = oneLine(hostile);
  expect(shown).not.toMatch(/[\p{Cc}\p{Cf}\p{Zl}\p{Zp}\p{Cs}]/u);
  expect(shown).toBe('a\\u{1b}[2J\\u{7}b\\r\\nc\\u{202e}d\\u{2028}e\\u{200b}f\\u{9b}g\\u{d800}h\\u{e0041}i\\u{ad}j');
});

test('oneLine() leaves plain text of all languages as it is', () => {
  expect(oneLine('Ärger · 二進数 · مرحبا · 👍')).toBe('Ärger · 二進数 · مرحبا · 👍');
});

test('oneLine() cuts what is too long, never through a character', () => {
  expect(oneLine('abcdefghij', 10)).toBe('abcdefghij');
  expect(oneLine('abcdefghijk', 10)).toBe('abcdefg...');
  expect(oneLine('abcdef👍👍👍', 10).isWellFormed()).toBe(true);
  expect(oneLine('\u001b'.repeat(1_000_000), 10)).toHaveLength(10);
});

test('timeText() knows times that no calendar has', () => {
  expect(timeText(0)).toBe('1970-01-01T00:00:00.000Z');
  expect(timeText(1e300)).toBe('1e+300');
});
