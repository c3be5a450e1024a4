import { z } from 'zod';
import type { Json, Mark, MarkId, Observation, ProjectedMark } from '../space/marks.ts';
import { isAgentName } from '../space/scope.ts';
import { NameIndex, canonicalPath, reservedDirectoryOf, type ScopedPath } from './paths.ts';

/** One file as an agent perceives it. */
export interface TreeFile {
  readonly text: string;
  /** `edit`: the agent's own, if the guard lets it; `read`: read-only for every tool. */
  readonly access: 'edit' | 'read';
  /** The mark it is a view of. */
  readonly mark: MarkId;
  /** Whose published program it belongs to; the agent was exposed to it. */
  readonly peer?: { readonly agent: string; readonly generation: number };
}

/** A mark (or one file of it) that could not be shown, and why. */
export interface SkippedMark {
  readonly mark: MarkId;
  readonly problem: string;
}

/** What one agent sees in one generation; immutable. `files` is sorted by path. */
export interface Tree {
  readonly files: ReadonlyMap<ScopedPath, TreeFile>;
  readonly skipped: readonly SkippedMark[];
}

/** Marks in log order, each list from one scope. Marks of other kinds than observation are passed over. */
export interface TreeSources {
  /** Scope `agents/<name>`: topic = path, content = `{ text }`, or null once deleted. */
  readonly own: readonly (Mark | ProjectedMark)[];
  /** Scope `evaluations/<name>`: topic = `gen_<n>`, content = `{ files: { name: text } }`. */
  readonly evaluations: readonly (Mark | ProjectedMark)[];
  /** Scope `strategies`: topic = peer, content = `{ generation, score, model?, files: { path: text } }`. */
  readonly strategies: readonly (Mark | ProjectedMark)[];
  /** The agent that looks: what it published itself is not shown to it as a strategy. */
  readonly self?: string;
  /** Which of the own files may be changed. @default all */
  readonly editable?: readonly string[];
}

const files = z.record(z.string(), z.string());
const ownContent = z.object({ text: z.string() });
const evaluationContent = z.object({ files });
const strategyContent = z.object({
  generation: z.int().min(0),
  score: z.number(),
  model: z.string().optional(),
  files,
});
const EVALUATION_TOPIC = /^gen_(?:0|[1-9]\d{0,8})$/;

/**
 * Marks as files: own files at the root, `evals/gen_<n>/` and `strategies/<peer>_gen<n>/` beside them. Pure.
 *
 * Per topic the latest mark counts that no other mark of its list supersedes. Contents and names are checked: a mark that does
 * not fit, and a name that is no canonical path or collides with another, is left out and listed in `skipped`.
 */
export function buildTree(sources: TreeSources): Tree {
  const built = new Map<ScopedPath, TreeFile>();
  const names = new NameIndex();
  const skipped: SkippedMark[] = [];
  const skip: Skip = (mark, problem) => {
    skipped.push({ mark, problem });
  };
  const place = (name: string, file: TreeFile): void => {
    const result = canonicalPath(name);
    const refusal = result.ok ? names.refusalOf(result.path) : result.refusal;
    if (!result.ok || refusal) {
      skip(file.mark, `the file name ${quote(name)} ${refusal?.problem}`);
    } else if (built.has(result.path)) {
      skip(file.mark, `the file name ${quote(name)} is taken`);
    } else {
      names.add(result.path);
      built.set(result.path, file);
    }
  };
  placeOwn(sources, place, skip);
  placeEvaluations(sources, place, skip);
  placeStrategies(sources, place, skip);
  return { files: new Map([...built].sort(([a], [b]) => (a < b ? -1 : 1))), skipped };
}

type Place = (name: string, file: TreeFile) => void;
type Skip = (mark: MarkId, problem: string) => void;

function placeOwn({ own, editable }: TreeSources, place: Place, skip: Skip): void {
  for (const { id, topic, content } of liveByTopic(own)) {
    if (content === null) continue;
    const parsed = ownContent.safeParse(content);
    if (!parsed.success) {
      skip(id, `the content of file ${quote(topic)} is not { text }`);
    } else if (isReserved(topic)) {
      skip(id, `the file name ${quote(topic)} is in a reserved directory`);
    } else {
      const access = editable === undefined || editable.includes(topic) ? 'edit' : 'read';
      place(topic, { text: parsed.data.text, access, mark: id });
    }
  }
}

function placeEvaluations({ evaluations }: TreeSources, place: Place, skip: Skip): void {
  for (const { id, topic, content } of liveByTopic(evaluations)) {
    const parsed = evaluationContent.safeParse(content);
    if (!EVALUATION_TOPIC.test(topic) || !parsed.success) {
      skip(id, `the evaluation ${quote(topic)} does not fit gen_<n> with { files }`);
      continue;
    }
    placeInside(`evals/${topic}`, parsed.data.files, { access: 'read', mark: id }, place, skip);
  }
}

function placeStrategies({ strategies, self }: TreeSources, place: Place, skip: Skip): void {
  for (const { id, topic, content } of liveByTopic(strategies)) {
    if (topic === self) continue;
    const parsed = strategyContent.safeParse(content);
    if (!isAgentName(topic) || !parsed.success) {
      skip(id, `the strategy of ${quote(topic)} does not fit { generation, score, files }`);
      continue;
    }
    const { generation, score, model } = parsed.data;
    const directory = `strategies/${topic}_gen${generation}`;
    const rest = { access: 'read', mark: id, peer: { agent: topic, generation } } as const;
    const metadata = { agent: topic, ...(model === undefined ? {} : { model }), generation, valScore: score };
    // First, so that a peer's own file of that name cannot take its place.
    place(`${directory}/metadata.json`, { ...rest, text: `${JSON.stringify(metadata, null, 2)}\n` });
    placeInside(directory, parsed.data.files, rest, place, skip);
  }
}

/** A name inside a directory may not step out of it, not even into a neighbour. */
function placeInside(
  directory: string,
  contents: Readonly<Record<string, string>>,
  rest: Omit<TreeFile, 'text'>,
  place: Place,
  skip: Skip,
): void {
  for (const [name, text] of Object.entries(contents)) {
    const inner = canonicalPath(name);
    if (inner.ok) place(`${directory}/${inner.path}`, { ...rest, text });
    else skip(rest.mark, `the file name ${quote(name)} ${inner.refusal.problem}`);
  }
}

interface TopicContent {
  readonly id: MarkId;
  readonly topic: string;
  readonly content: Json;
}

function liveByTopic(marks: readonly (Mark | ProjectedMark)[]): readonly TopicContent[] {
  const superseded = new Set(marks.map(({ supersedes }) => supersedes));
  const latest = new Map<string, Observation>();
  for (const mark of marks) {
    if (mark.kind === 'observation' && !superseded.has(mark.id)) latest.set(mark.topic, mark);
  }
  return [...latest.values()];
}

function isReserved(name: string): boolean {
  const result = canonicalPath(name);
  return result.ok && reservedDirectoryOf(result.path) !== undefined;
}

function quote(text: string): string {
  return JSON.stringify(text.slice(0, 80));
}
