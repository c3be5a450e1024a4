import type { Json, MarkId, Observation } from '../space/marks.ts';
import { isAgentName, isScopeName } from '../space/scope.ts';
import { canonicalDirectory, type ScopedPath } from './paths.ts';
import { buildTree, type Tree, type TreeFile } from './tree.ts';

type Row = readonly [topic: string, content: Json, options?: { readonly supersedes?: number }];

/** Observations in log order, ids `<scope>#<index>`. */
export function observationsOf(scope: string, ...rows: readonly Row[]): readonly Observation[] {
  const agent = 'runner';
  if (!isScopeName(scope) || !isAgentName(agent)) throw new Error(`${scope} is no scope`);
  return rows.map(([topic, content, options], index) => ({
    kind: 'observation',
    id: markId(scope, index),
    agent: agent,
    scope,
    createdAt: index,
    strength: 1,
    topic,
    content,
    confidence: 1,
    source: 'fleet',
    ...(options?.supersedes === undefined ? {} : { supersedes: markId(scope, options.supersedes) }),
  }));
}

function markId(scope: string, index: number): MarkId {
  // oxlint-disable-next-line typescript/no-unsafe-type-assertion -- ids are made by sessions; these marks have none
  return `${scope}#${index}` as MarkId;
}

/** A view: own files, and one peer's published ones. */
export function treeOf(own: Readonly<Record<string, string>>, peer: Readonly<Record<string, string>> = {}): Tree {
  return buildTree({
    own: observationsOf('agents/a', ...Object.entries(own).map(([path, text]): Row => [path, { text }])),
    evaluations: observationsOf('evaluations/a', ['gen_1', { files: { 'train.json': '{"score":0.25}\n' } }]),
    strategies:
      Object.keys(peer).length === 0
        ? []
        : observationsOf('strategies', ['b', { generation: 1, score: 0.5, files: peer }]),
  });
}

export function paths(tree: Tree, access: TreeFile['access']): readonly ScopedPath[] {
  return [...tree.files].filter(([, file]) => file.access === access).map(([path]) => path);
}

/** A path that the test knows to be one. */
export function at(raw: string): ScopedPath {
  const result = canonicalDirectory(raw);
  if (!result.ok) throw new Error(`${raw} ${result.refusal.problem}`);
  return result.path;
}
