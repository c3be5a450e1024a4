import { describe, expect, test } from 'vitest';
import type { Json } from '../space/marks.ts';
import { at, observationsOf, paths } from './test-marks.ts';
import { buildTree } from './tree.ts';

const none = { own: [], evaluations: [], strategies: [] } as const;
const strategy = (extra: { readonly [key: string]: Json } = {}): Json => ({
  generation: 3,
  score: 0.5,
  files: { 'task_agent.ts': 'export {}\n' },
  ...extra,
});

describe('buildTree()', () => {
  test('lays own files at the root, evaluations and strategies in directories, sorted', () => {
    const tree = buildTree({
      own: observationsOf('agents/a', ['task_agent.ts', { text: 'own' }], ['meta_agent.ts', { text: 'meta' }]),
      evaluations: observationsOf('evaluations/a', ['gen_2', { files: { 'train.json': '{}', 'notes.md': 'n' } }]),
      strategies: observationsOf('strategies', ['b', strategy({ model: 'm/x' })]),
    });
    expect([...tree.files.keys()]).toEqual([
      'evals/gen_2/notes.md',
      'evals/gen_2/train.json',
      'meta_agent.ts',
      'strategies/b_gen3/metadata.json',
      'strategies/b_gen3/task_agent.ts',
      'task_agent.ts',
    ]);
    expect(paths(tree, 'edit')).toEqual(['meta_agent.ts', 'task_agent.ts']);
    expect(tree.files.get(at('strategies/b_gen3/task_agent.ts'))).toMatchObject({
      text: 'export {}\n',
      access: 'read',
      mark: 'strategies#0',
      peer: { agent: 'b', generation: 3 },
    });
    expect(tree.skipped).toEqual([]);
  });

  test('says in metadata.json what the runner scored, and the model only if disclosed', () => {
    const metadataOf = (content: Json): unknown => {
      const tree = buildTree({ ...none, strategies: observationsOf('strategies', ['b', content]) });
      const file = [...tree.files].find(([path]) => path.endsWith('/metadata.json'))?.[1];
      return JSON.parse(file?.text ?? 'null');
    };
    expect(metadataOf(strategy())).toEqual({ agent: 'b', generation: 3, valScore: 0.5 });
    expect(metadataOf(strategy({ model: 'm/x' }))).toMatchObject({ model: 'm/x' });
    // A peer's own file of that name has no say.
    const forged = strategy({ files: { 'metadata.json': '{"valScore":999}', 'task_agent.ts': '' } });
    expect(metadataOf(forged)).toEqual({ agent: 'b', generation: 3, valScore: 0.5 });
  });

  test('counts the latest mark of a topic, none that is superseded, and no file once it is deleted', () => {
    const own = observationsOf(
      'agents/a',
      ['x.ts', { text: 'one' }],
      ['x.ts', { text: 'two' }],
      ['y.ts', { text: 'gone' }],
      ['y.ts', null],
      ['z.ts', { text: 'kept' }],
      ['z.ts', { text: 'withdrawn' }],
      ['other.ts', { text: 'o' }, { supersedes: 5 }],
    );
    const tree = buildTree({ ...none, own });
    expect([...tree.files].map(([path, file]) => [path, file.text])).toEqual([
      ['other.ts', 'o'],
      ['x.ts', 'two'],
      ['z.ts', 'kept'],
    ]);
  });

  test('marks own files read-only that are not among the editable ones', () => {
    const own = observationsOf('agents/a', ['a.ts', { text: '' }], ['data.json', { text: '' }]);
    expect(paths(buildTree({ ...none, own, editable: ['a.ts'] }), 'edit')).toEqual(['a.ts']);
  });

  test('shows an agent no strategy of its own', () => {
    const strategies = observationsOf('strategies', ['a', strategy()], ['b', strategy()]);
    const peers = [...buildTree({ ...none, strategies, self: 'a' }).files.values()].map(({ peer }) => peer?.agent);
    expect(new Set(peers)).toEqual(new Set(['b']));
  });

  test.each<[string, Json]>([
    ['b', null],
    ['b', 'text'],
    ['b', { generation: -1, score: 0, files: {} }],
    ['b', { generation: 1, score: '1', files: {} }],
    ['b', { generation: 1, score: 0, files: { x: 1 } }],
    ['../b', strategy()],
    ['B', strategy()],
  ])('leaves out the strategy of %j with %j, and says so', (topic, content) => {
    const tree = buildTree({ ...none, strategies: observationsOf('strategies', [topic, content]) });
    expect(tree.files.size).toBe(0);
    expect(tree.skipped).toHaveLength(1);
  });

  test.each([
    '../x.ts',
    '../c_gen1/x.ts',
    'a\0',
    '',
    'x.',
    'a\\b',
    'Task_agent.ts',
  ])('leaves out the file %j of a strategy and keeps the rest', (name) => {
    const files = { 'task_agent.ts': 'good', [name]: 'bad' };
    const tree = buildTree({ ...none, strategies: observationsOf('strategies', ['b', strategy({ files })]) });
    expect([...tree.files.keys()]).toEqual(['strategies/b_gen3/metadata.json', 'strategies/b_gen3/task_agent.ts']);
    expect(tree.skipped).toHaveLength(1);
  });

  test.each([
    'strategies/b_gen9/x.ts',
    'evals/gen_1/train.json',
    'Evals/x',
    'tmp/x',
    '../x',
    'evals',
  ])('lets no own file %j stand where the harness speaks', (topic) => {
    const tree = buildTree({ ...none, own: observationsOf('agents/a', [topic, { text: 'mine' }]) });
    expect(tree.files.size).toBe(0);
    expect(tree.skipped).toHaveLength(1);
  });

  test.each(['gen_01', 'gen_', 'gen_1/../gen_2', 'notes'])('leaves out an evaluation on topic %j', (topic) => {
    const tree = buildTree({ ...none, evaluations: observationsOf('evaluations/a', [topic, { files: { x: '' } }]) });
    expect(tree.files.size).toBe(0);
  });
});
