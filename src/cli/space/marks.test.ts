import { describe, expect, test } from 'vitest';
import { UsageError } from '../output.ts';
import { parseKind, parseSince } from './marks.ts';

const NOW = Date.parse('2026-11-21T12:00:00Z');

describe('parseSince()', () => {
  test.each([
    ['2h', NOW - 7_200_000],
    ['90s', NOW - 90_000],
    ['1.5d', NOW - 129_600_000],
    ['250ms', NOW - 250],
    ['0s', NOW],
    ['2026-11-21T11:00:00Z', NOW - 3_600_000],
    ['2026-11-21', Date.parse('2026-11-21')],
    [String(NOW - 5), NOW - 5],
  ])('reads %s', (text, at) => expect(parseSince(text, NOW)).toBe(at));

  test.each(['', 'yesterday', '2', '2 h', '-2h', '2y', '2026-13-40', 'Infinity', '1e9'])('refuses %j', (text) =>
    expect(() => parseSince(text, NOW)).toThrow(UsageError));
});

test('parseKind() names the nearest kind', () => {
  expect(parseKind('need')).toBe('need');
  expect(() => parseKind('observaton')).toThrow('Did you mean observation?');
});
