import { describe, expect, it } from 'vitest';
import { type AdoptionQuestion, assessAdoption, isAdoption, type PeerCode } from './evidence.ts';
import { HEXAGONAL, INITIAL, PEER, TUNING } from './test-programs.ts';

const statement = { call: 'a/4/2', text: 'I take the hexagonal rows of b.' };
const shown: PeerCode = {
  peer: 'b',
  peerGeneration: 3,
  code: PEER,
  exposures: ['a/4/b/3'],
  reads: ['a/4/1', 'a/4/2'],
  readBeforeEdit: true,
  statement,
};

const assess = (question: Partial<AdoptionQuestion>) =>
  assessAdoption({
    agent: 'a',
    generation: 4,
    code: INITIAL + HEXAGONAL,
    parentCode: INITIAL,
    ownPast: [INITIAL],
    peers: [shown],
    before: 0.4,
    after: 0.7,
    ...question,
  });

describe('assessAdoption()', () => {
  it('records who took what from whom, with the whole evidence', () => {
    const [row, ...others] = assess({});
    expect(others).toEqual([]);
    expect(row).toMatchObject({
      id: 'a/4<b/3',
      agent: 'a',
      generation: 4,
      peer: 'b',
      peerGeneration: 3,
      evidence: { level: 'stated', exposures: ['a/4/b/3'], reads: ['a/4/1', 'a/4/2'], statement },
      reuse: 1,
      before: 0.4,
      after: 0.7,
    });
    expect(row?.share).toBeLessThan(0.4);
  });

  it('counts a partial adoption', () => {
    const [row] = assess({ code: INITIAL + HEXAGONAL + TUNING });
    expect(row?.reuse).toBeGreaterThan(0.3);
    expect(row?.reuse).toBeLessThan(0.7);
  });

  it('climbs the ladder no higher than the evidence goes', () => {
    const levelOf = (change: Partial<PeerCode>) => assess({ peers: [{ ...shown, ...change }] })[0]?.evidence;
    expect(levelOf({ statement: { call: 'c', text: ' \n' } })).toMatchObject({ level: 'read' });
    expect(levelOf({ reads: [] })).toEqual({ level: 'exposed', exposures: ['a/4/b/3'], reads: [] });
    expect(levelOf({ readBeforeEdit: false })).toEqual({ level: 'exposed', exposures: ['a/4/b/3'], reads: [] });
    expect(levelOf({ exposures: [], reads: [] })).toEqual({ level: 'similar', exposures: [], reads: [] });
  });

  it('does not take three equal lines for adoption', () => {
    const three = HEXAGONAL.trim().split('\n').slice(0, 3).join('\n');
    const own =
      'const margin = input.width - 2 * padding;\nconst left = margin / 2 + offset;\nlayout.sort((a, b) => a.x - b.x);\n';
    expect(assess({ code: INITIAL + three })).toEqual([]);
    expect(assess({ code: `${INITIAL}${three}\n${own}` })).toEqual([]);
    const fourth = HEXAGONAL.trim().split('\n').slice(0, 5).join('\n');
    expect(assess({ code: `${INITIAL}${fourth}\n${own}` })).toHaveLength(1);
  });

  it("does not take code of one's own that comes back by way of the peer for adoption", () => {
    expect(assess({ ownPast: [INITIAL, INITIAL + HEXAGONAL, INITIAL + TUNING], parentCode: INITIAL + TUNING })).toEqual(
      [],
    );
  });

  it('sees nothing in white space, comments, and code put in another order', () => {
    const noisy = (INITIAL + HEXAGONAL).replaceAll('\n', ' // better\n\n');
    expect(assess({ code: noisy, parentCode: INITIAL + HEXAGONAL })).toEqual([]);
    expect(assess({ code: HEXAGONAL + INITIAL, parentCode: INITIAL + HEXAGONAL })).toEqual([]);
    expect(assess({ code: INITIAL, parentCode: INITIAL })).toEqual([]);
  });

  it("counts the parent as the agent's own past even where the caller leaves it out", () => {
    expect(assess({ parentCode: INITIAL + HEXAGONAL, ownPast: [], code: `${INITIAL}${HEXAGONAL};` })).toEqual([]);
  });

  it('finds an adoption that is reordered or wrapped differently', () => {
    expect(assess({ code: HEXAGONAL + INITIAL })).toHaveLength(1);
    expect(
      assess({ code: INITIAL + HEXAGONAL.replaceAll('\n', ' ').replaceAll('; ', ';\n\n').replaceAll('{', '{\n') }),
    ).toHaveLength(1);
  });

  it('takes no blame for a peer whose code is different', () => {
    const rows = assess({ peers: [{ ...shown, peer: 'c', code: INITIAL + TUNING }, shown] });
    expect(rows.map(({ peer }) => peer)).toEqual(['b']);
  });

  it('gives one row per peer: most reuse, then stronger evidence, then the older version', () => {
    const part = { ...shown, peerGeneration: 1, code: INITIAL + HEXAGONAL.slice(0, 250) };
    const unread = { ...shown, peerGeneration: 2, reads: [] };
    const later = { ...shown, peerGeneration: 5 };
    expect(assess({ peers: [part, unread, later, shown] }).map((row) => row.peerGeneration)).toEqual([3]);
    expect(assess({ peers: [shown, { ...shown, peer: 'c' }] }).map(({ peer }) => peer)).toEqual(['b', 'c']);
  });
});

describe('isAdoption()', () => {
  const reuse = { lines: 0.5, tokens: 0.4, novelLines: 8, novelTokens: 90, longestRun: 30 };

  it.each([
    [{}, true],
    [{ lines: 0.24, tokens: 0.24 }, false],
    [{ lines: 1, novelLines: 3 }, false],
    [{ novelTokens: 39 }, false],
    [{ longestRun: 19 }, false],
    [{ lines: 3 / 8 }, false],
    [{ lines: 0, tokens: 0.9, longestRun: 79 }, false],
    [{ lines: 0, tokens: 0.9, longestRun: 80 }, true],
  ])('with %j is %s', (change, expected) => {
    expect(isAdoption({ ...reuse, ...change })).toBe(expected);
  });
});
