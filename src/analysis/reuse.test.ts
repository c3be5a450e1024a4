import { describe, expect, it } from 'vitest';
import { measureReuse } from './reuse.ts';
import { HEXAGONAL, INITIAL, PEER, TUNING } from './test-programs.ts';
import { tokenize } from './tokens.ts';

const ownPast = [INITIAL];

describe('measureReuse()', () => {
  it("finds all of what is new in the peer when the new part is the peer's", () => {
    const reuse = measureReuse({ code: INITIAL + HEXAGONAL, ownPast, peer: PEER });
    expect(reuse).toMatchObject({ lines: 1, tokens: 1 });
    expect(reuse.novelLines).toBe(7);
  });

  it("gives the length of the longest common run, idiom of the agent's own in it or not", () => {
    const { longestRun, novelTokens } = measureReuse({ code: INITIAL + HEXAGONAL, ownPast, peer: PEER });
    expect(longestRun).toBeGreaterThan(novelTokens);
    expect(longestRun).toBeLessThanOrEqual(tokenize(HEXAGONAL).texts.length);
    const numbers = 'f(a, b, 1); g(c, d, 2); h(e, f, 3); rest(x, y, z);';
    const tuned = measureReuse({ code: numbers.replace(/\d/g, '9'), ownPast: [numbers], peer: numbers });
    expect(tuned).toMatchObject({ lines: 0, tokens: 0, novelTokens: 3 });
    expect(tuned.longestRun).toBeLessThan(9);
  });

  it('finds nothing in a peer that shares only what both began with', () => {
    const reuse = measureReuse({ code: INITIAL + TUNING, ownPast, peer: PEER });
    expect(reuse).toMatchObject({ lines: 0, tokens: 0 });
    expect(reuse.novelTokens).toBeGreaterThan(100);
  });

  it("gives the share when only a part is the peer's", () => {
    const { lines, tokens } = measureReuse({ code: INITIAL + HEXAGONAL + TUNING, ownPast, peer: PEER });
    expect(lines).toBeCloseTo(7 / 16, 1);
    expect(tokens).toBeGreaterThan(0.3);
    expect(tokens).toBeLessThan(0.6);
  });

  it('is blind to comments, white space and quotes', () => {
    const noisy = (INITIAL + HEXAGONAL).replaceAll('\n', '  // a remark of my own\r\n\n').replaceAll('  ', '\t');
    const reuse = measureReuse({ code: noisy, ownPast, peer: PEER });
    expect(reuse).toEqual(measureReuse({ code: INITIAL + HEXAGONAL, ownPast, peer: PEER }));
    expect(measureReuse({ code: noisy, ownPast: [INITIAL + HEXAGONAL], peer: PEER })).toEqual({
      lines: 0,
      tokens: 0,
      novelLines: 0,
      novelTokens: 0,
      longestRun: 0,
    });
  });

  it('survives reordering', () => {
    const [head = '', ...rest] = HEXAGONAL.trim().split('\n  ');
    const code = `${INITIAL}${[head, ...rest.toReversed()].join('\n  ')}`;
    expect(measureReuse({ code, ownPast, peer: PEER }).lines).toBe(1);
    expect(measureReuse({ code: HEXAGONAL + INITIAL, ownPast, peer: PEER })).toMatchObject({ lines: 1, tokens: 1 });
  });

  it('finds code that is wrapped differently by its tokens', () => {
    const code = `${INITIAL}${HEXAGONAL.replaceAll('\n', ' ').replaceAll('(', '(\n')}`;
    const reuse = measureReuse({ code, ownPast, peer: PEER });
    expect(reuse.lines).toBe(0);
    expect(reuse.tokens).toBe(1);
  });

  it('does not count what the agent had in any of its earlier programs, though not in its last', () => {
    const reuse = measureReuse({
      code: INITIAL + HEXAGONAL,
      ownPast: [INITIAL + HEXAGONAL, INITIAL + TUNING],
      peer: PEER,
    });
    expect(reuse).toMatchObject({ lines: 0, tokens: 0, novelLines: 0 });
  });

  it('takes a changed number for novel but for no reuse', () => {
    const reuse = measureReuse({ code: PEER.replace('0.75', '0.8'), ownPast: [PEER], peer: INITIAL });
    expect(reuse).toEqual({ lines: 0, tokens: 0, novelLines: 1, novelTokens: 1, longestRun: 0 });
  });

  it('reads Python when told so', () => {
    const past = 'def forward(x):\n    return x  # as given\n';
    const helper = 'def scale(values, factor):\n    # a helper\n    return [value * factor for value in values]\n';
    const reuse = measureReuse({ code: past + helper, ownPast: [past], peer: helper, language: 'python' });
    expect(reuse).toMatchObject({ lines: 1, tokens: 1, novelLines: 2 });
  });

  it('takes empty programs', () => {
    expect(measureReuse({ code: '', ownPast: [], peer: '' })).toMatchObject({ lines: 0, tokens: 0, novelTokens: 0 });
    expect(measureReuse({ code: PEER, ownPast: [], peer: '' })).toMatchObject({ lines: 0, tokens: 0, longestRun: 0 });
  });
});
