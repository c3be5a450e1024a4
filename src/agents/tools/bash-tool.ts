import { clipText } from '../../materialize/numbered-lines.ts';
import { absolutePath, canonicalPath, type ScopedPath, utf8Bytes } from '../../materialize/paths.ts';
import type { ShellResult } from '../../sandbox/sandbox.ts';
import { malformed, quote } from './parse-call.ts';
import {
  errorResult,
  readsOf,
  reasonOf,
  refusalOf,
  refusedResult,
  type ToolContext,
  type ToolResult,
} from './tool-result.ts';

/** Characters shown of each stream, and of the notes before them. */
const SHOWN_CHARS = { stdout: 24_000, stderr: 5_000, notes: 10_000 } as const;
/** Files outside `/tmp` that one command may leave changed; each is one decision on record. */
export const MAX_CHANGED_FILES = 100;

/**
 * One shell command over a copy of the view. What it left changed is a proposal: the guard decides file by file, deletions
 * first, in path order; what is refused stays as it was and is named in the answer as `not persisted`.
 */
export async function runBash(context: ToolContext, command: string): Promise<ToolResult> {
  const { workspace, use, shell, signal } = context;
  const refused = await refusalOf(use, { tool: 'bash', operation: 'run' });
  if (refused) return refusedResult(refused);
  let result: ShellResult;
  try {
    result = await shell({ command, files: workspace.snapshot(), cwd: '/', ...(signal ? { signal } : {}) });
  } catch (error) {
    signal?.throwIfAborted();
    context.onFailure(error);
    return errorResult('Error: the bash tool failed inside; nothing was changed. This was not caused by your command.');
  }
  const reads = readsOf(workspace, result.reads.flatMap(filePath));
  const { kept, notes } =
    result.status === 'done'
      ? await keepChanges(context, result.changed)
      : { kept: [], notes: [STOPPED[result.status]] };
  return { text: answerOf(result, notes), isError: result.status !== 'done', reads, wrote: kept };
}

const STOPPED: Readonly<Record<Exclude<ShellResult['status'], 'done'>, string>> = {
  timeout: 'Error: the command was stopped because it ran too long; nothing it changed was kept',
  memory: 'Error: the command was stopped because it used too much memory; nothing it changed was kept',
  crash: 'Error: the shell crashed while running the command; nothing it changed was kept',
  'output-limit': 'Error: the command was stopped because it wrote too much; nothing it changed was kept',
};

interface Kept {
  readonly kept: readonly ScopedPath[];
  readonly notes: readonly string[];
}

async function keepChanges(context: ToolContext, changed: ShellResult['changed']): Promise<Kept> {
  const { workspace, use } = context;
  const kept: ScopedPath[] = [];
  const notes: string[] = [];
  const proposals: [string, string | null][] = [];
  for (const [absolute, text] of Object.entries(changed).sort(deletionsFirst)) {
    const [path] = filePath(absolute);
    if (path !== undefined && (workspace.read(path) ?? null) === text) continue;
    if (path === undefined || workspace.accessOf(path) !== 'scratch') proposals.push([absolute, text]);
    else {
      const problem = apply(context, path, text);
      if (problem !== undefined) notes.push(`not kept: ${absolute}: it ${problem}`);
    }
  }
  if (proposals.length > MAX_CHANGED_FILES) {
    const problem = `changes ${proposals.length} files; at most ${MAX_CHANGED_FILES} per command`;
    await use({ tool: 'bash', operation: 'write' }, malformed('command', problem));
    return {
      kept,
      notes: [
        ...notes,
        `not persisted: all ${proposals.length} changed files: at most ${MAX_CHANGED_FILES} per command`,
      ],
    };
  }
  for (const [absolute, text] of proposals) {
    const reason = await keepChange(context, absolute, text);
    if (reason !== undefined) notes.push(`not persisted: ${nameOf(absolute)}: ${reason}`);
    else kept.push(...filePath(absolute));
  }
  return { kept, notes };
}

/** One change of a file of the view: nothing when it was made, otherwise why not. */
async function keepChange(context: ToolContext, absolute: string, text: string | null): Promise<string | undefined> {
  const operation = text === null ? 'delete' : 'write';
  const [path] = filePath(absolute);
  if (path === undefined) {
    const parsed = canonicalPath(absolute);
    const denial = malformed('path', parsed.ok ? 'is not in its canonical form' : parsed.refusal.problem);
    await context.use({ tool: 'bash', operation }, denial);
    return reasonOf({ verdict: 'denied', denial });
  }
  const bytes = text === null ? {} : { bytes: utf8Bytes(text) };
  const refused = await refusalOf(context.use, { tool: 'bash', operation, path, ...bytes });
  if (refused) return reasonOf(refused);
  const problem = apply(context, path, text);
  return problem === undefined ? undefined : `it ${problem}`;
}

function apply({ workspace }: ToolContext, path: ScopedPath, text: string | null): string | undefined {
  return (text === null ? workspace.remove(path) : workspace.write(path, text))?.problem;
}

function deletionsFirst([a, textA]: [string, string | null], [b, textB]: [string, string | null]): number {
  return Number(textA !== null) - Number(textB !== null) || (a < b ? -1 : 1);
}

/** The path of a file as the shell names it, if it is one the view can hold. */
function filePath(absolute: string): ScopedPath[] {
  const parsed = canonicalPath(absolute);
  return parsed.ok && absolutePath(parsed.path) === absolute ? [parsed.path] : [];
}

function nameOf(absolute: string): string {
  return filePath(absolute)[0] === undefined ? quote(absolute) : absolute;
}

function answerOf(result: ShellResult, notes: readonly string[]): string {
  const head = result.status === 'done' ? [`exit code ${result.exitCode}`] : [];
  return [
    ...head,
    ...(notes.length === 0 ? [] : [clipText(notes.join('\n'), SHOWN_CHARS.notes)]),
    ...(result.stdout === '' ? [] : ['--- stdout', clipText(result.stdout, SHOWN_CHARS.stdout)]),
    ...(result.stderr === '' ? [] : ['--- stderr', clipText(result.stderr, SHOWN_CHARS.stderr)]),
  ].join('\n');
}
