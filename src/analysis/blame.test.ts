import { array, assert, constantFrom, integer, property, shuffledSubarray } from 'fast-check';
import { describe, expect, it } from 'vitest';
import type { LoadedAgent } from '../trace/loaded-run.ts';
import { blame, type BlamedLine, ORIGINS } from './blame.ts';
import { provenanceShares } from './provenance-shares.ts';
import { program, runOf } from './test-runs.ts';
import { growing, routine, START } from './test-synthetic.ts';

/** An agent with these programs, generation 0 first, every one of them better than the one before. */
function agentOf(name: string, ...codes: readonly string[]): LoadedAgent {
  return { name, generations: codes.map((code, g) => program(name, g, { code, score: g / 10 })) };
}

const OWN = routine(1);
const PEERS = routine(2);
const shape = ({ origin, agent, generation }: BlamedLine) => `${origin} ${agent}/${generation}`;
/** Origins of the lines of code of a program, in order of appearance. */
const originsIn = (lines: readonly BlamedLine[], within: string) =>
  new Set(lines.filter(({ kind, text }) => kind === 'code' && within.includes(text.trim())).map(shape));

describe('blame()', () => {
  const b = agentOf('b', START, `${START}\n${PEERS}`);

  it('tells own lines, those of a peer that were visible before, and those of the initial program', () => {
    const a = agentOf('a', START, `${START}\n${OWN}`, `${START}\n${OWN}\n${PEERS}`);
    const { lines, shares, counted, authors } = blame(runOf([a, b]), 'a', 2);
    expect(lines.map(({ text }) => text).join('\n')).toBe(`${START}\n${OWN}\n${PEERS}`.trimEnd());
    expect(lines.map(({ number }) => number)).toEqual(lines.map((_, n) => n + 1));
    expect(originsIn(lines, START)).toEqual(new Set(['initial a/0']));
    expect(originsIn(lines, OWN)).toEqual(new Set(['own a/1']));
    expect(originsIn(lines, PEERS)).toEqual(new Set(['peer b/1']));
    expect(authors.map(({ agent, generation }) => `${agent}/${generation}`).sort()).toEqual(['a/0', 'a/1', 'b/1']);
    expect(shares.own + shares.peer + shares.initial + shares.common).toBeCloseTo(1);
    expect(Math.round(shares.peer * counted)).toBe(authors.find(({ agent }) => agent === 'b')?.lines);
  });

  it('follows lines that were moved and indented, and comments', () => {
    const moved = PEERS.trimEnd()
      .split('\n')
      .reverse()
      .map((line) => `\t\t${line.trim()}   `)
      .join('\r\n');
    const a = agentOf('a', START, START, `${moved}\n# of my own, long enough\n${START}`);
    const { lines } = blame(runOf([a, b]), 'a', 2);
    expect(originsIn(lines, PEERS)).toEqual(new Set(['peer b/1']));
    expect(lines.find(({ kind }) => kind === 'comment')).toMatchObject({ origin: 'own', agent: 'a', generation: 2 });
  });

  it('leaves a line with the agent that had it first, however often the peer has it, taken away and brought back', () => {
    const a = agentOf('a', START, `${START}\n${OWN}`, START, `${START}\n${OWN}`);
    const taker = agentOf('b', START, START, `${START}\n${OWN}${OWN}`, `${OWN}${OWN}\n${START}`);
    expect(originsIn(blame(runOf([a, taker]), 'a', 3).lines, OWN)).toEqual(new Set(['own a/1']));
    expect(originsIn(blame(runOf([a, taker]), 'b', 3).lines, OWN)).toEqual(new Set(['peer a/1']));
  });

  it('calls common what both came to without having seen it of each other', () => {
    const a = agentOf('a', START, `${START}\n${PEERS}`);
    const { lines, shares } = blame(runOf([a, b]), 'a', 1);
    expect(originsIn(lines, PEERS)).toEqual(new Set(['common a/1']));
    expect(lines.find(({ origin }) => origin === 'common')?.alsoBy).toEqual({ agent: 'b', generation: 1 });
    expect(shares.common).toBeGreaterThan(0.5);
  });

  it('does not take what a peer never published for seen', () => {
    const secret = agentOf('b', START, `${START}\n${PEERS}`);
    const hidden = { ...secret, generations: secret.generations.map((one) => ({ ...one, published: false })) };
    const a = agentOf('a', START, START, `${START}\n${PEERS}`);
    expect(originsIn(blame(runOf([a, hidden]), 'a', 2).lines, PEERS)).toEqual(new Set(['common a/2']));
  });

  it('goes by the exposures on record where there are any', () => {
    const a = agentOf('a', START, START, START, `${START}\n${PEERS}`);
    const shown = (round: number) => ({
      adoptions: [],
      exposures: [
        {
          id: 'e',
          agent: 'a',
          round,
          peer: 'b',
          peerGeneration: 1,
          file: 'strategies/b_gen1/task_agent.ts',
          sha256: '',
        },
      ],
    });
    const run = runOf([a, b]);
    expect(originsIn(blame(run, 'a', 3, { records: shown(3) }).lines, PEERS)).toEqual(new Set(['peer b/1']));
    expect(originsIn(blame(run, 'a', 3, { records: shown(4) }).lines, PEERS)).toEqual(new Set(['common a/3']));
  });

  it('finds who wrote a line first where it came over several agents', () => {
    const a = agentOf('a', START, `${START}\n${OWN}`);
    const middle = agentOf('b', START, START, `${START}\n${OWN}`);
    const last = agentOf('c', START, START, START, `${START}\n${OWN}`);
    const only = { ...a, generations: a.generations.map((one) => ({ ...one, published: one.generation === 1 })) };
    expect(originsIn(blame(runOf([only, middle, last]), 'c', 3).lines, OWN)).toEqual(new Set(['peer a/1']));
  });

  it('follows names that were changed throughout where the rest agrees, own and of a peer', () => {
    const names = [...new Set(PEERS.match(/[a-z]+_[a-z]+\d+/g))].slice(0, 2);
    const renamed = names.reduce((code, name, n) => code.replaceAll(name, `brand_new${n}`), PEERS);
    const a = agentOf(
      'a',
      START,
      START,
      `${START}\n${renamed}`,
      `${START}\n${renamed.replaceAll('brand_new0', 'newest')}`,
    );
    const taken = blame(runOf([a, b]), 'a', 2).lines.filter(
      ({ text, kind }) => kind === 'code' && renamed.includes(text),
    );
    expect(new Set(taken.map(shape))).toEqual(new Set(['peer b/1']));
    expect(taken.filter((line) => line.renamed)).toHaveLength(
      taken.filter(({ text }) => text.includes('brand_new')).length,
    );
    const again = blame(runOf([a, b]), 'a', 3).lines.filter(({ text }) => text.includes('newest'));
    expect(new Set(again.map(shape))).toEqual(new Set(['peer b/1']));
  });

  it('does not take an accident of shape for a rename', () => {
    const one = 'def f(x):\n    alpha = beta + gamma\n    return alpha\n';
    const other = 'def g(y):\n    delta = mass + light\n    return delta\n';
    const lone = agentOf('b', START, one);
    const a = agentOf('a', START, START, other);
    expect(blame(runOf([a, lone]), 'a', 2).lines.filter((line) => line.renamed)).toEqual([]);
  });

  it('leaves copies (migrants) out: they hold nothing new and their date is not that of the program', () => {
    const original = program('s', 7, { code: `${START}\n${OWN}`, parents: ['s/0'] });
    const migrant = program('s', 0, { id: 'copy', code: `${START}\n${OWN}`, parents: [], copy: true });
    const only = { name: 's', generations: [program('s', 0, { code: START }), migrant, original] };
    const { lines } = blame(runOf([only], { format: 'openevolve' }), 's', 7);
    expect(originsIn(lines, OWN)).toEqual(new Set(['own s/7']));
  });

  it('reads another of the own files', () => {
    const meta = 'def improve(ctx, budget):\n    plan = ctx.think(budget, "small steps")\n';
    const a = {
      name: 'a',
      generations: [0, 1].map((g) => program('a', g, { code: START, files: { 'meta_agent.py': g === 0 ? '' : meta } })),
    };
    const found = blame(runOf([a]), 'a', 1, { file: 'meta_agent.py' });
    expect(found.file).toBe('meta_agent.py');
    expect(originsIn(found.lines, meta)).toEqual(new Set(['own a/1']));
  });

  it.each([
    ['no-agent', 'c', 1, undefined, 'it has a, b'],
    ['no-generation', 'a', 9, undefined, 'a has 2, from 0 to 1'],
    ['no-file', 'a', 1, 'notes.md', 'generation 1 of a has no notes.md'],
  ] as const)('refuses with %s what is not there, and says what is', (code, agent, generation, file, says) => {
    const run = runOf([agentOf('a', START, START), b]);
    const ask = () => blame(run, agent, generation, { ...(file && { file }) });
    expect(ask).toThrow(says);
    expect(ask).toThrow(expect.objectContaining({ name: 'BlameError', code }));
  });

  it('takes a generation without code and an empty program', () => {
    const a = { name: 'a', generations: [program('a', 0, { code: '' }), program('a', 1)] };
    expect(blame(runOf([a]), 'a', 0)).toMatchObject({ lines: [], counted: 0, shares: { own: 0, peer: 0 } });
    expect(() => blame(runOf([a]), 'a', 1)).toThrow(expect.objectContaining({ code: 'no-code' }));
  });

  it('attributes every line of any programs, to an agent and generation that hold it, no later than its own', () => {
    const pool = Array.from({ length: 8 }, (_, n) => routine(n, 4));
    const codes = array(shuffledSubarray(pool), { minLength: 1, maxLength: 5 });
    assert(
      property(codes, codes, integer({ min: 0, max: 4 }), constantFrom('\n', '\r\n'), (ofA, ofB, g, end) => {
        const join = (parts: readonly string[]) => `${START}${parts.join('\n')}`.replaceAll('\n', end);
        const a = agentOf('a', START, ...ofA.map(join));
        const other = agentOf('b', START, ...ofB.map(join));
        const run = runOf([a, other]);
        const generation = Math.min(g, ofA.length);
        const { lines, counted, shares } = blame(run, 'a', generation);
        for (const line of lines) {
          expect(line.generation).toBeLessThanOrEqual(generation);
          const author = run.agents.find(({ name }) => name === line.agent);
          const held = author?.generations.find((one) => one.generation === line.generation)?.code ?? '';
          expect(line.kind !== 'code' || line.renamed || held.includes(line.text)).toBe(true);
        }
        const sum = ORIGINS.reduce((total, origin) => total + shares[origin], 0);
        expect(sum).toBeCloseTo(counted === 0 ? 0 : 1);
      }),
      { numRuns: 60 },
    );
  });
});

describe('provenanceShares()', () => {
  it('gives the origin of every program, and how much of each is new', () => {
    const run = runOf([growing('a', 1, 3), growing('b', 2, 3)]);
    const shares = provenanceShares(run);
    expect(shares.map(({ agent, generation }) => `${agent}/${generation}`)).toEqual(
      ['a', 'b'].flatMap((agent) => [0, 1, 2, 3].map((g) => `${agent}/${g}`)),
    );
    expect(shares[0]).toMatchObject({ shares: { initial: 1 }, score: 0, newLines: 0 });
    expect(shares[3]?.shares.own).toBeGreaterThan(0.8);
    expect(shares[3]?.newLines).toBeGreaterThan(5);
    expect(shares[3]?.newLines).toBeLessThan(20);
  });
});
