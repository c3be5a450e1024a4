import { readFile, stat } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import { z } from 'zod';
import { parseReply, recordedFailure, sha256 } from './canonical.ts';
import { ModelError } from './model.ts';
import { PROVIDERS } from './model-spec.ts';
import type { RecordedCall, ReplayModel } from './replay-model.ts';
import { createReplay } from './replay-model.ts';

/** What a replay needs of a row of the `calls` table; other fields are not looked at. */
const rowSchema = z.looseObject({
  id: z.string(),
  agent: z.string(),
  provider: z.string(),
  model: z.string(),
  scripted: z.boolean(),
  requestSha256: z.string().regex(/^[0-9a-f]{64}$/),
  replySha256: z.string().regex(/^([0-9a-f]{64})?$/),
  error: z.string().optional(),
});
type Row = z.infer<typeof rowSchema>;

/** What a replay needs of `run.json`. */
const runSchema = z.looseObject({ seed: z.number(), task: z.string() });

/**
 * Opens a recording: a run's folder, or a `calls.jsonl` beside its `blobs/`. Takes the calls of `agent` alone, in order.
 * Replies are checked against their hash. A call that failed and was made again when the run went on counts once.
 *
 * @param path folder or file, as the config names it
 * @throws ModelError `replay-mismatch` when there is no such recording, none of this agent, or it is damaged (the message
 *   names the row); a last line cut by a crash is left out.
 */
export async function openReplayFile(path: string, agent: string): Promise<ReplayModel> {
  const name = `replay/${path}`;
  const fail = (message: string): ModelError => new ModelError('replay-mismatch', name, `${name}: ${message}`, 0);
  const isFolder = await stat(path).then(
    (found) => found.isDirectory(),
    () => undefined,
  );
  if (isFolder === undefined) throw fail('there is no such file or folder; name a run folder or its trace/calls.jsonl');
  const file = isFolder ? join(path, 'trace', 'calls.jsonl') : path;
  const text = await readFile(file, 'utf8').catch(() => undefined);
  if (text === undefined)
    throw fail('it has no readable trace/calls.jsonl; name the folder of one run, not of an experiment');

  const rows = rowsOf(text, fail);
  const own = rows.filter((row) => row.agent === agent);
  const first = own[0];
  if (first === undefined) {
    const others = [...new Set(rows.map((row) => row.agent))].join(', ') || 'nobody';
    throw fail(
      `it holds no calls of the agent ${JSON.stringify(agent)} (it has: ${others}); give the agent the recorded name`,
    );
  }
  const blobs = join(dirname(file), 'blobs');
  const calls: RecordedCall[] = [];
  for (const [position, row] of own.entries()) {
    if (row.error !== undefined) {
      if (position === own.length - 1) {
        calls.push({ requestSha256: row.requestSha256, error: recordedFailure(row.error, row.model) });
      }
      continue;
    }
    calls.push({ requestSha256: row.requestSha256, reply: await replyOf(row, blobs, fail) });
  }
  const recordedWith = await runOf(file);
  return createReplay({ calls, identity: identityOf(first), scripted: first.scripted, name, recordedWith });
}

/** Seed and task of the run that a `calls.jsonl` belongs to; nothing for one that was moved away from its run. */
async function runOf(file: string): Promise<{ readonly seed?: number; readonly task?: string }> {
  const text = await readFile(join(dirname(file), '..', 'run.json'), 'utf8').catch(() => '');
  const run = runSchema.safeParse(parseJson(text));
  return run.success ? { seed: run.data.seed, task: run.data.task } : {};
}

function rowsOf(text: string, fail: (message: string) => ModelError): Row[] {
  const lines = text.split('\n');
  const torn = lines.pop() ?? '';
  const rows = lines.map((line, index) => {
    const row = rowSchema.safeParse(parseJson(line));
    if (!row.success) throw fail(`line ${index + 1} of calls.jsonl is not a call row; the recording is damaged`);
    return row.data;
  });
  const last = rowSchema.safeParse(parseJson(torn));
  return last.success ? [...rows, last.data] : rows;
}

function parseJson(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    return undefined;
  }
}

async function replyOf(row: Row, blobs: string, fail: (message: string) => ModelError): ReturnType<typeof parseWhole> {
  const hash = row.replySha256;
  const text = await readFile(join(blobs, hash.slice(0, 2), hash), 'utf8').catch(() => undefined);
  if (text === undefined) throw fail(`the reply of call ${row.id} is missing from trace/blobs`);
  if (sha256(text) !== hash) throw fail(`the reply of call ${row.id} was changed: its content does not match its name`);
  return parseWhole(text, row, fail);
}

async function parseWhole(text: string, row: Row, fail: (message: string) => ModelError) {
  try {
    return parseReply(text);
  } catch {
    throw fail(`the reply of call ${row.id} is not a reply`);
  }
}

/** Older rows keep provider and model apart. */
function identityOf(row: Row): string {
  return PROVIDERS.some((provider) => row.model.startsWith(`${provider}/`))
    ? row.model
    : `${row.provider}/${row.model}`;
}
