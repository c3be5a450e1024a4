import { describe, expect, it } from 'vitest';
import {
  covers,
  defineScope,
  InvalidNameError,
  isAgentName,
  parentScope,
  parseAgentName,
  parseScopeName,
  resolveScope,
} from './scope.ts';
import { scopeName } from './test-marks.ts';

describe('scopes', () => {
  it.each(['a', 'agents/a', 'a b/ü', 'x/.hidden', 'a/...'])('parseScopeName() takes %j', (name) => {
    expect(parseScopeName(name)).toBe(name);
  });

  it.each([
    '',
    '/',
    'a/',
    '/a',
    'a//b',
    'a/../b',
    '.',
    'a/./b',
    'a\0b',
    'a\nb',
    'a\\b',
    ' a',
    'a/ b',
    'e\u0301',
    '\ud800',
    'x'.repeat(513),
  ])('parseScopeName() refuses %j', (name) => {
    expect(() => parseScopeName(name)).toThrow(InvalidNameError);
  });

  it('parseAgentName() takes 1 to 64 of its characters and nothing else', () => {
    expect(parseAgentName('a')).toBe('a');
    expect(parseAgentName('0._-a'.padEnd(64, 'x'))).toHaveLength(64);
    for (const name of ['', 'A', '-a', 'a/b', 'a b', 'a\n', 'é', 'x'.repeat(65)]) {
      expect([name, isAgentName(name)]).toEqual([name, false]);
      expect(() => parseAgentName(name)).toThrow(InvalidNameError);
    }
  });

  it('a right on a scope covers it and its descendants, by segments (P23)', () => {
    expect(covers(scopeName('a'), scopeName('a'))).toBe(true);
    expect(covers(scopeName('a'), scopeName('a/b/c'))).toBe(true);
    expect(covers(scopeName('a'), scopeName('ab'))).toBe(false);
    expect(covers(scopeName('a/b'), scopeName('a'))).toBe(false);
    expect(covers(scopeName('a'), scopeName('b'))).toBe(false);
  });

  it("a child without a definition has its nearest ancestor's, visibility included (P26)", () => {
    const top = defineScope({ name: scopeName('a'), visibility: 'classified' });
    const middle = defineScope({ name: scopeName('a/b'), visibility: 'protected' });
    const all = new Map([top, middle].map((definition) => [definition.name, definition]));
    expect(resolveScope(all, scopeName('a'))).toBe(top);
    expect(resolveScope(all, scopeName('a/x/y'))).toBe(top);
    expect(resolveScope(all, scopeName('a/b/c'))).toBe(middle);
    expect(resolveScope(all, scopeName('ab'))).toBeUndefined();
    expect(parentScope(scopeName('a/b/c'))).toBe('a/b');
  });

  it("defineScope() fills in the protocol's defaults and freezes what it makes", () => {
    const definition = defineScope({ name: scopeName('a') });
    expect(definition).toMatchObject({
      visibility: 'open',
      observationHalfLifeMs: 21_600_000,
      warningHalfLifeMs: 7_200_000,
      intentTtlMs: 1_800_000,
    });
    expect(definition.observationTopics).toEqual([]);
    expect(Object.isFrozen(definition) && Object.isFrozen(definition.intentVerbs)).toBe(true);
  });
});
