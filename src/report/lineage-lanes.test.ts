import { fc, test } from '@fast-check/vitest';
import { describe, expect, it } from 'vitest';
import type { LoadedGeneration } from '../trace/loaded-run.ts';
import { lineageLanes } from './lineage-lanes.ts';

function programs(parents: readonly (number | null)[]): readonly LoadedGeneration[] {
  return parents.map((parent, n) => ({
    id: `p${n}`,
    generation: n,
    parents: parent === null ? [] : [`p${parent}`],
    language: 'python',
    valid: true,
    scores: {},
  }));
}

describe('lineageLanes()', () => {
  it('keeps the line of the best straight and gives a dead end the next lane', () => {
    const generations = programs([null, 0, 1, 1, 3]);
    const nodes = lineageLanes({ name: 'a', generations }, generations[4]);
    expect(nodes.map(({ lane }) => lane)).toEqual([0, 0, 1, 0, 0]);
    expect(nodes.map(({ onBestLine }) => onBestLine)).toEqual([true, true, false, true, true]);
  });

  it('uses a lane again when its branch has ended', () => {
    const generations = programs([null, 0, 0, 2, 2, 4]);
    const nodes = lineageLanes({ name: 'a', generations }, generations[5]);
    expect(nodes[1]?.lane).toBe(1);
    expect(nodes[3]?.lane).toBe(1);
  });

  it('has a place for every program without a best, with parents that are not there and with circles', () => {
    const generations = programs([null, 0, 5, 2, 3, 4]).map((one, n) => (n === 2 ? { ...one, parents: ['p5'] } : one));
    const nodes = lineageLanes(
      {
        name: 'a',
        generations: [...generations, { ...generations[0], id: 'q', parents: ['gone'] } as LoadedGeneration],
      },
      undefined,
    );
    expect(nodes).toHaveLength(7);
    expect(nodes.every(({ lane, onBestLine }) => lane >= 1 && !onBestLine)).toBe(true);
  });

  const history = fc
    .array(fc.double({ min: 0, max: 1, noNaN: true }), { minLength: 1, maxLength: 40 })
    .map((draws) => draws.map((draw, n) => (n === 0 ? null : Math.floor(draw * n))));
  test.prop([history, fc.nat()])('never lets two branches share a lane while both live', (parents, pick) => {
    const generations = programs(parents);
    const nodes = lineageLanes({ name: 'a', generations }, generations[pick % generations.length]);
    // An edge within a lane passes no other program of that lane.
    for (const [n, node] of nodes.entries()) {
      if (node.parent?.lane !== node.lane) continue;
      const from = nodes.indexOf(node.parent);
      for (const between of nodes.slice(from + 1, n)) expect(between.lane).not.toBe(node.lane);
    }
  });
});
