import { array, assert, constantFrom, jsonValue, property, string, tuple } from 'fast-check';
import { describe, expect, test } from 'vitest';
import { parseTolerantJson } from './tolerant-json.ts';

describe('parseTolerantJson()', () => {
  test('reads NaN, Infinity and -Infinity where a value may stand', () => {
    expect(parseTolerantJson('{"a": NaN, "b": [Infinity, -Infinity,NaN], "c":-Infinity}')).toEqual({
      a: null,
      b: [Infinity, -Infinity, null],
      c: -Infinity,
    });
    expect(parseTolerantJson(' NaN ')).toBeNull();
  });

  test('touches nothing inside strings, whatever they end in', () => {
    const text = String.raw`{"NaN": "NaN -Infinity \" NaN", "path\\": "Infinity\\", "x": NaN}`;
    expect(parseTolerantJson(text)).toEqual({ NaN: 'NaN -Infinity " NaN', 'path\\': 'Infinity\\', x: null });
  });

  test.each([
    '{"a": NaN',
    '{"a": nan}',
    '[NaNs]',
    '[+Infinity]',
    '[Infinity 1]',
    '{"a": "NaN}',
    '',
    "{'a': NaN}",
  ])('refuses %s', (text) => {
    expect(() => parseTolerantJson(text)).toThrow(SyntaxError);
  });

  test('is JSON.parse for everything that is JSON', () => {
    assert(
      property(jsonValue(), (value) => {
        const text = JSON.stringify(value);
        expect(parseTolerantJson(text)).toEqual(JSON.parse(text));
      }),
    );
  });

  test('reads what a Python writer makes of values among any strings', () => {
    assert(
      property(array(tuple(string({ unit: 'binary' }), constantFrom('NaN', 'Infinity', '-Infinity'))), (pairs) => {
        const text = `[${pairs.map(([name, number]) => `[${JSON.stringify(name)}, ${number}]`).join(',')}]`;
        const numbers = { NaN: null, Infinity, '-Infinity': -Infinity };
        expect(parseTolerantJson(text)).toEqual(
          pairs.map(([name, number]) => [JSON.parse(JSON.stringify(name)), numbers[number]]),
        );
      }),
    );
  });

  test('takes time in proportion to a string of many backslashes and quotes', () => {
    const text = `["${'\\"'.repeat(300_000)}", NaN]`;
    expect(parseTolerantJson(text)).toEqual(['"'.repeat(300_000), null]);
  });
});
