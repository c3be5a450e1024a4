import type { Mark, MarkId } from '../space/marks.ts';
import type { CandidateRow } from '../trace/schema.ts';
import type { OwnFiles } from './own-files.ts';
import type { RunContext } from './run-context.ts';
import { programFiles } from './run-context.ts';

/** Stores files as blobs. @returns path -> sha256 */
export async function storeSources(
  context: RunContext,
  files: Readonly<Record<string, string>>,
): Promise<Record<string, string>> {
  const stored = await Promise.all(
    Object.entries(files).map(async ([path, text]) => [path, await context.blobs.write(text)] as const),
  );
  return Object.fromEntries(stored);
}

/** The program of a recorded candidate, from its blobs. */
export async function programOf(context: RunContext, candidate: CandidateRow): Promise<Record<string, string>> {
  const files: Record<string, string> = {};
  for (const [path, hash] of Object.entries(programFiles(candidate.sources))) {
    const text = context.texts.get(hash) ?? (await context.blobs.read(hash));
    context.texts.set(hash, text);
    files[path] = text;
  }
  return files;
}

/** The files that a set of marks holds. */
export function filesOf(context: RunContext, marks: Readonly<Record<string, MarkId>>): OwnFiles {
  const text: Record<string, string> = {};
  for (const [path, id] of Object.entries(marks)) {
    const found = fileText(context.gate.view.byId(id));
    if (found === undefined) throw new Error(`the log has no file mark ${id} for ${path}`);
    text[path] = found;
  }
  return { text, marks };
}

function fileText(mark: Mark | undefined): string | undefined {
  if (mark?.kind !== 'observation' || mark.content === null || typeof mark.content !== 'object') return undefined;
  const text = 'text' in mark.content ? mark.content.text : undefined;
  return typeof text === 'string' ? text : undefined;
}
