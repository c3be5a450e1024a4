import { describe, expect, it } from 'vitest';
import { parseForeignJson } from './json-text.ts';

describe('parseForeignJson()', () => {
  it('gives plain values', () => {
    expect(parseForeignJson('{"a":[1,null,"x",true,{"b":-0}]}', 10)).toEqual({ a: [1, null, 'x', true, { b: -0 }] });
    expect(parseForeignJson('null', 10)).toBeNull();
  });

  it.each([
    ['an own __proto__ key', '{"a":{"__proto__":{"polluted":1}}}'],
    ['a constructor key', '[{"constructor":{}}]'],
    ['a number that overflows', '[1e309]'],
    ['text that is not JSON', '{"score":1}{"score":1}'],
    ['nothing', ''],
  ])('refuses %s', (_, text) => {
    expect(parseForeignJson(text, 10)).toBeUndefined();
  });

  it('refuses nesting beyond the limit without recursing into it', () => {
    expect(parseForeignJson('[[[1]]]', 3)).toEqual([[[1]]]);
    expect(parseForeignJson('[[[[1]]]]', 3)).toBeUndefined();
    expect(parseForeignJson('['.repeat(200_000) + ']'.repeat(200_000), 100)).toBeUndefined();
  });
});
