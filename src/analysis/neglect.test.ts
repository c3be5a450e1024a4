import { describe, expect, it } from 'vitest';
import type { GenerationCalls } from './call-fold.ts';
import { createCallFold } from './call-fold.ts';
import { neglect, neglectTable } from './neglect.ts';
import { runOf, scoring } from './test-runs.ts';

const peer = scoring('b', [0.1, 0.5, 0.6, 0.6, 0.6, 0.6, 0.6, 0.7, 0.7, 0.7]);
const agent = scoring(
  'a',
  Array.from({ length: 10 }, () => 0.5),
);

/** What the log says of generations 0, 1, ...: o opened a strategy, n named the folder, . neither, - no log. */
function logOf(history: string): readonly GenerationCalls[] {
  const fold = createCallFold();
  for (const [generation, what] of history.split('').entries()) {
    if (what === '-') continue;
    const path = { o: 'strategies/b_gen1/task_agent.py', n: 'strategies/', '.': 'task_agent.py' }[what] ?? '';
    fold.add({
      agent: 'a',
      generation,
      tools: [{ name: 'editor', arguments: JSON.stringify({ command: 'view', path }) }],
    });
  }
  return fold.finish();
}

const of = (history: string): ReturnType<typeof neglect>[number] | undefined =>
  neglect(runOf([agent, peer]), logOf(history)).find((one) => one.agent === 'a');

describe('neglect()', () => {
  it('is three generations without a look after one with', () => {
    expect(of('.oo...o...')).toMatchObject({
      published: [{ lastLook: 6, from: 7, length: 3, peerBest: 0.7 }],
      corrected: [
        { lastLook: 2, from: 3, length: 3, peerBest: 0.6 },
        { lastLook: 6, from: 7, length: 3, peerBest: 0.7 },
      ],
    });
    expect(of('.oo..oo..o')).toMatchObject({ published: [], corrected: [] });
    expect(of('..........')).toMatchObject({ published: [], corrected: [] });
  });

  it('takes no trace for neglect only as published', () => {
    expect(of('.oo-------')).toMatchObject({
      traced: 3,
      untraced: 7,
      published: [{ lastLook: 2, from: 3, length: 7 }],
      corrected: [],
    });
    // Untraced generations neither lengthen nor end a stretch.
    expect(of('.oo.--..oo')).toMatchObject({ corrected: [{ from: 3, length: 3 }] });
  });

  it('takes naming the folder for a look only as published', () => {
    expect(of('.oonnnnnnn')).toMatchObject({
      published: [],
      corrected: [{ from: 3, length: 7 }],
      couldLook: 9,
      looked: 2,
    });
  });

  it('asks for a look only where there was something to see', () => {
    const late = scoring('b', [0, 0, 0, 0, 0, 0, 0, 0, 0, 0.5]);
    const [found] = neglect(runOf([agent, late]), logOf('.oo.......'));
    expect(found).toMatchObject({ couldLook: 0, corrected: [], published: [{ from: 3 }] });
  });

  it('reads the openings that native runs have on record', () => {
    const openings = [1, 2].map((generation) => ({ agent: 'a', generation, path: 'strategies/b_gen1/task_agent.ts' }));
    const [found] = neglect(runOf([agent, peer]), logOf('..........'), openings);
    expect(found).toMatchObject({ looked: 2, corrected: [{ lastLook: 2, from: 3, length: 7 }] });
  });

  it('neglectTable() claims nothing without a call log', () => {
    const { columns, rows, notes } = neglectTable(neglect(runOf([agent, peer]), []));
    expect(rows[0]).toEqual(['run', 'a', 0, 10, 0, 0, null, null, null]);
    expect(rows[0]).toHaveLength(columns.length);
    expect(notes.at(-1)).toContain('2 of 2 agents have no call log');
  });
});
