import { describe, expect, it } from 'vitest';
import type { LoadedAgent } from '../trace/loaded-run.ts';
import { behaviour, behaviourTable, sizeTrajectory } from './behaviour.ts';
import { createCallFold } from './call-fold.ts';
import { archivedRuns, HAS_ARCHIVES, program, runOf } from './test-runs.ts';

if (!HAS_ARCHIVES) console.info('SKIPPED: sizes of the four published runs, because ../shared/data is not there');

const sized = (name: string, sizes: readonly number[], scores: readonly number[] = []) => ({
  name,
  generations: sizes.map((lines, generation) =>
    program(name, generation, { code: 'x = 1\n'.repeat(lines), score: scores[generation] ?? 0 }),
  ),
});

const trajectoryOf = (agent: LoadedAgent) => sizeTrajectory(runOf([agent]), agent);

describe('against the published runs', () => {
  it.skipIf(!HAS_ARCHIVES)('has the lines, net growth and trend of pattern_analysis.txt', async () => {
    const runs = await archivedRuns('hyperspace-4runs');
    const found = Object.fromEntries(
      runs.flatMap((run) =>
        behaviour(run, []).map(({ run: id, agent, size }) => {
          const lines = size.sizes.map(([, count]) => count);
          return [`${id}/${agent}`, [size.trend, size.growth, ...lines.slice(0, 3), ...lines.slice(-2)]];
        }),
      ),
    );
    expect(found).toMatchObject({
      'claude_vs_kimi-k2p5/seed44/claude': ['monotonic_bloat', 581, 92, 146, 219, 673, 673],
      'claude_vs_kimi-k2p5/seed44/kimi-k2p5': ['monotonic_bloat', 503, 92, 136, 160, 548, 595],
      'kimi-k2p5_vs_gpt-oss-120b/seed44/gpt-oss-120b': ['mixed_healthy', 169, 92, 113, 117, 204, 261],
      'qwen3.6-plus_vs_kimi-k2p5/seed42/qwen3.6-plus': ['mixed_healthy', 232, 92, 93, 103, 314, 324],
      'qwen3.6-plus_vs_kimi-k2p5/seed43/qwen3.6-plus': ['mixed_healthy', 92, 92, 92, 158, 184, 184],
    });
  });
});

describe('sizeTrajectory()', () => {
  it.each([
    [[1, 2, 3, 4, 3], 'monotonic_bloat'],
    [[9, 8, 7, 6, 7], 'monotonic_shrink'],
    [[5, 5, 5, 6], 'mostly_flat'],
    [[1, 2, 1, 2], 'mixed_healthy'],
    [[1, 2], 'too_short'],
  ] as const)('%j is %s', (sizes, trend) => {
    expect(trajectoryOf(sized('a', sizes)).trend).toBe(trend);
  });

  it('tells growth that gained nothing from growth', () => {
    expect(trajectoryOf(sized('a', [10, 20, 50], [0.1, 0.6, 0.6]))).toMatchObject({
      growth: 40,
      growthSinceBest: 30,
    });
  });
});

describe('behaviour()', () => {
  it('finds identical programs and real changes of the meta agent without any call log', () => {
    const files = (text: string) => ({ 'meta_agent.py': text });
    const generations = [
      program('a', 0, { code: 'x', files: files('1') }),
      program('a', 1, { code: 'x', files: files('2') }),
      program('a', 2, { valid: false }),
      program('a', 3, { code: 'x', files: files('2') }),
      program('a', 4, { code: 'y', files: files('2') }),
    ];
    const [found] = behaviour(runOf([{ name: 'a', generations }]), []);
    expect(found).toMatchObject({ steps: 3, stuck: 2, selfEdits: 1, traced: 0, failedEdits: null });
  });

  it('compares a program with its parent, and takes no migrant for one that is stuck', () => {
    const generations = [
      program('a', 0, { code: 'x' }),
      program('a', 1, { code: 'y' }),
      program('a', 2, { code: 'x', parents: ['a/1'] }),
      program('a', 3, { code: 'x', parents: ['a/2'], copy: true }),
    ];
    const of = (format: 'native' | 'evotrace') => behaviour(runOf([{ name: 'a', generations }], { format }), [])[0];
    expect(of('evotrace')).toMatchObject({ steps: 2, stuck: 0 });
    expect(of('native')).toMatchObject({ steps: 3, stuck: 1 });
    expect(of('evotrace')?.size.sizes).toHaveLength(3);
  });

  it('adds up what the call log says, by generation', () => {
    const fold = createCallFold();
    for (const [generation, calls] of [37, 38, 40].entries()) {
      const tools = Array.from({ length: calls }, (_, n) => ({
        name: 'bash',
        arguments: JSON.stringify({ command: calls === 40 ? 'ls' : `ls ${n}` }),
      }));
      fold.add({ agent: 'a', generation, tools });
      const edit = { name: 'editor', arguments: '{"command":"str_replace","path":"x"}' };
      fold.add({ agent: 'a', generation, tools: [edit], results: tools.map(() => 'old_str not found') });
      fold.add({ agent: 'a', generation, tools: [], results: ['old_str not found'] });
    }
    const [found] = behaviour(runOf([sized('a', [1, 1, 1])]), fold.finish());
    expect(found).toMatchObject({
      traced: 3,
      toolCalls: 118,
      doomLoops: 1,
      nearBudget: 3,
      atBudget: 1,
      failedEdits: 3,
    });
  });

  it('behaviourTable() has a row a model, with nothing where nothing is known', () => {
    const run = runOf([
      { ...sized('a', [1, 2]), model: 'm' },
      { ...sized('b', [1, 1]), model: 'm' },
    ]);
    const { columns, rows, notes } = behaviourTable(behaviour(run, []));
    expect(rows).toHaveLength(1);
    expect(rows[0]).toHaveLength(columns.length);
    expect(rows[0]?.slice(0, 6)).toEqual(['m', 2, 4, 0, null, null]);
    expect(rows[0]?.[columns.indexOf('stuck')]).toBe(0.5);
    expect(notes.join(' ')).toContain('2 of 2 agents have no call log');
  });
});
