import { posix } from 'node:path';
import { z } from 'zod';
import { openBlobStore } from '../blob-store.ts';
import type { LoadedRun } from '../loaded-run.ts';
import { readTable } from '../trace-reader.ts';
import { asRecord, maybeCount, maybeNumber, maybeText, numberIn, present, recordIn, textIn } from './fields.ts';
import { isGenerationFolder } from './hyperspace.ts';
import { badLine, SkipLog } from './skip-log.ts';
import { TRACE_LIMITS, TraceFolder } from './trace-folder.ts';
import type { TraceLimits } from './trace-folder.ts';

/** A tool call as the model made it. */
export interface LoadedToolCall {
  readonly name: string;
  /** Its arguments as one text (JSON where they were an object): equal calls have equal texts. */
  readonly arguments: string;
}

/** One model call of an agent. */
export interface LoadedCall {
  readonly agent: string;
  readonly generation: number;
  /** Of its generation, from 1. */
  readonly number: number;
  readonly model?: string;
  readonly tokens?: number;
  readonly usd?: number;
  readonly error?: string;
  /** What the model said. */
  readonly text?: string;
  /** Absent: the call had no tools to offer (a program's own call during its evaluation, say). */
  readonly tools?: readonly LoadedToolCall[];
  /** Answers to the tool calls of the agent's call before, where the log holds them. */
  readonly results?: readonly string[];
  /** Where the row is: path in the run's folder, line from 1. */
  readonly file: string;
  readonly line: number;
}

export interface ReadCallsOptions extends Partial<TraceLimits> {
  readonly skips?: SkipLog;
  /** Read from the blobs of native runs what each call was asked and answered (two files a call). @default true */
  readonly replies?: boolean;
}

/**
 * The model calls of a run in file order, streamed: a log of any size takes the memory of one line. Nothing where a format has no
 * call log or it was never fetched (Git LFS pointers are noted). Within an agent and generation calls are in the order they were made.
 */
export async function* readCalls(run: LoadedRun, options: ReadCallsOptions = {}): AsyncGenerator<LoadedCall> {
  const { skips = new SkipLog(), replies = true, ...limits } = options;
  const folder = await TraceFolder.open(run.folder, skips, { ...TRACE_LIMITS, ...limits });
  if (run.format === 'native') yield* nativeCalls(folder, replies);
  else if (run.format === 'hyperspace') yield* hyperspaceCalls(folder, run);
}

/** Calls `visit` for every call, one after the other. */
export async function forEachCall(
  run: LoadedRun,
  visit: (call: LoadedCall) => void | Promise<void>,
  options: ReadCallsOptions = {},
): Promise<void> {
  for await (const call of readCalls(run, options)) await visit(call);
}

const exchange = z.looseObject({
  text: maybeText,
  toolCalls: z.array(z.unknown()).optional().catch(undefined),
  messages: z.array(z.unknown()).optional().catch(undefined),
  tools: z.array(z.unknown()).optional().catch(undefined),
});
type Exchange = z.infer<typeof exchange>;

async function* nativeCalls(folder: TraceFolder, replies: boolean): AsyncGenerator<LoadedCall> {
  const file = 'trace/calls.jsonl';
  if ((await folder.fileAt(file)) === undefined) return;
  const blobs = openBlobStore(folder.root);
  const blobOf = async (hash: string, line: number, what: string): Promise<Exchange | undefined> => {
    if (!replies || hash === '') return undefined;
    try {
      const parsed = exchange.safeParse(JSON.parse(await blobs.read(hash)));
      if (parsed.success) return parsed.data;
    } catch {
      // Told below: missing, damaged and not JSON are one to the reader of a call log.
    }
    folder.skips.note({ path: file, line, what, why: 'its blob is missing or damaged' });
    return undefined;
  };
  let line = 0;
  const rows = readTable(folder.root, 'calls', {
    maxLineBytes: folder.limits.maxLineBytes,
    onBadLine: ({ line: bad, problem }) => {
      line = bad;
      folder.skips.note(badLine(file, { line: bad, problem }));
    },
  });
  for await (const row of rows) {
    line++;
    const reply = await blobOf(row.replySha256, line, 'reply');
    const request = await blobOf(row.requestSha256, line, 'request');
    const hadTools = reply !== undefined && request?.tools?.length !== 0;
    yield {
      agent: row.agent,
      generation: row.generation,
      number: Number.parseInt(row.id.slice(`${row.agent}/${row.generation}/`.length), 10),
      model: row.model,
      tokens: row.inputTokens + row.outputTokens,
      usd: row.usd,
      ...present({
        error: row.error,
        text: reply?.text,
        tools: hadTools ? (reply.toolCalls ?? []).map(toolCallOf) : undefined,
        results: request && resultsOf(request.messages ?? []),
      }),
      file,
      line,
    };
  }
}

/** Texts of the tool messages that a request ends in. */
function resultsOf(messages: readonly unknown[]): readonly string[] {
  const results: string[] = [];
  for (const message of messages.toReversed()) {
    const row = asRecord(message);
    if (row?.['role'] !== 'tool') break;
    const text = row['text'] ?? row['content'];
    results.push(typeof text === 'string' ? text : JSON.stringify(text ?? ''));
  }
  return results.reverse();
}

/** @see https://github.com/opinionated-systems/hyperspace: an entry of `llm_calls.jsonl`, written by `llm_client._write_audit` */
const auditRow = z.looseObject({
  call_id: maybeCount,
  model: maybeText,
  messages: z.array(z.unknown()).optional().catch(undefined),
  response: z.unknown(),
  tool_calls: z.array(z.unknown()).optional().catch(undefined),
  usage: z.unknown(),
  error: maybeText,
  cost: maybeNumber,
});

async function* hyperspaceCalls(folder: TraceFolder, run: LoadedRun): AsyncGenerator<LoadedCall> {
  for (const { name, generations } of run.agents) {
    const { folders } = await folder.list('');
    const base = folders.includes(name) && !folders.some(isGenerationFolder) ? name : '';
    for (const { generation } of generations) {
      const file = posix.join(base, `gen_${generation}`, 'llm_calls.jsonl');
      let number = 0;
      for await (const { line, value } of folder.jsonLines(file)) {
        const parsed = auditRow.safeParse(value);
        if (!parsed.success) {
          folder.skips.note({ path: file, line, what: 'line', why: 'not a model call' });
          continue;
        }
        number++;
        const row = parsed.data;
        const usage = asRecord(row.usage);
        yield {
          agent: name,
          generation,
          number,
          ...present({
            model: row.model,
            tokens: tokensOf(usage),
            usd: row.cost ?? numberIn(usage, 'cost', 'cost_usd'),
            error: row.error,
            text: typeof row.response === 'string' ? row.response : undefined,
            tools: row.tool_calls?.map(toolCallOf),
            results: row.messages && resultsOf(row.messages),
          }),
          file,
          line,
        };
      }
    }
  }
}

function tokensOf(usage: Readonly<Record<string, unknown>> | undefined): number | undefined {
  const total = numberIn(usage, 'total_tokens');
  if (total !== undefined) return total;
  const input = numberIn(usage, 'prompt_tokens', 'input_tokens');
  const output = numberIn(usage, 'completion_tokens', 'output_tokens');
  return input === undefined && output === undefined ? undefined : (input ?? 0) + (output ?? 0);
}

/** A tool call in the spellings in use: `{ name, arguments }`, or OpenAI's with both under `function`. */
function toolCallOf(value: unknown): LoadedToolCall {
  const row = asRecord(value);
  const call = recordIn(row, 'function') ?? row;
  const given = call?.['arguments'] ?? call?.['input'] ?? call?.['malformed'];
  return {
    name: textIn(call, 'name') ?? '?',
    arguments: typeof given === 'string' ? given : JSON.stringify(given ?? {}),
  };
}
