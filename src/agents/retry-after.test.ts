import { expect, test } from 'vitest';
import { retryAfterMs } from './retry-after.ts';

const from = (headers: Record<string, string>, now = 0) => retryAfterMs(new Headers(headers), () => now);

test('reads seconds, milliseconds and dates', () => {
  expect(from({ 'retry-after': '2' })).toBe(2000);
  expect(from({ 'retry-after': '0.5' })).toBe(500);
  expect(from({ 'retry-after-ms': '150', 'retry-after': '9' })).toBe(150);
  expect(from({ 'retry-after': 'Thu, 01 Jan 1970 00:00:10 GMT' }, 4000)).toBe(6000);
});

test('measures a date against the server clock, so a wrong local clock does no harm', () => {
  const headers = { 'retry-after': 'Sat, 21 Nov 2026 10:00:05 GMT', date: 'Sat, 21 Nov 2026 10:00:00 GMT' };
  for (const now of [0, Date.parse('2036-01-01'), Date.parse('2026-11-21')]) expect(from(headers, now)).toBe(5000);
});

test('a date in the past means now; nonsense means nothing', () => {
  expect(from({ 'retry-after': 'Thu, 01 Jan 1970 00:00:10 GMT' }, 60_000)).toBe(0);
  for (const value of ['', '-5', 'soon', 'NaN', '1e99', '0x10']) expect(from({ 'retry-after': value })).toBeUndefined();
  expect(from({})).toBeUndefined();
});
