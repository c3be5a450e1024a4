import { createHash } from 'node:crypto';
import { posix } from 'node:path';
import type { LoadedGeneration, LoadedRun } from '../loaded-run.ts';
import { asRecord, numberIn, present, recordIn, textIn } from './fields.ts';
import { generationOfRow, orderPrograms, parseProgramRow, type ProgramRow } from './program-row.ts';
import type { TraceFolder } from './trace-folder.ts';

export const PROGRAMS = 'programs.jsonl';
export const ITERATIONS = 'iterations.jsonl';
const HASH = /^[0-9a-f]{64}$/;

/** What an iteration cost, by the program it made. */
interface Cost {
  tokens: number | undefined;
  usd: number | undefined;
}

/**
 * One search in EvoTrace's form: `programs.jsonl` (a program a line, its text in `solution` or, by `solution_sha256`, in
 * `blobs/`), and `iterations.jsonl` where there is one.
 */
export async function importEvoTrace(
  folder: TraceFolder,
  dir: string,
  id: string,
  file: string = PROGRAMS,
): Promise<LoadedRun> {
  const programs = new Map<string, LoadedGeneration>();
  const isPrograms = (await folder.list(dir)).files.includes(file);
  const costs = new Map<string, Cost>();
  for await (const { value } of folder.jsonLines(posix.join(dir, ITERATIONS))) noteCost(costs, value);

  const path = posix.join(dir, isPrograms ? file : ITERATIONS);
  for await (const { line, value } of folder.jsonLines(path)) {
    const row = parseProgramRow(isPrograms ? value : asProgram(value));
    if (!row) {
      folder.skips.note({ path, line, what: 'line', why: 'not a program (no id)' });
      continue;
    }
    if (programs.has(row.id)) {
      folder.skips.note({ path, line, what: 'line', why: 'a second program with the same id; the first is kept' });
      continue;
    }
    const code = await solutionOf(folder, dir, path, line, row);
    const program = generationOfRow(row, code);
    const made =
      code === undefined && row.solution_sha256 !== undefined ? { ...program, unread: true as const } : program;
    const cost = costs.get(row.id);
    programs.set(row.id, cost === undefined ? made : { ...made, ...present(cost) });
  }
  const meta = asRecord(await folder.readJson(posix.join(dir, 'meta.json')));
  const name = agentName(meta);
  return {
    id,
    format: 'evotrace',
    folder: folder.absolute(dir),
    pairing: name,
    ...present({ task: textIn(meta, 'task', 'benchmark'), seed: numberIn(meta, 'seed', 'random_seed') }),
    arm: 'solo',
    agents: [{ name, ...present({ model: textIn(meta, 'model') }), generations: orderPrograms(programs.values()) }],
  };
}

function agentName(meta: Readonly<Record<string, unknown>> | undefined): string {
  return textIn(meta, 'agent', 'model', 'search', 'backend') ?? 'search';
}

/** A row of `iterations.jsonl` that carries its program itself. */
function asProgram(value: unknown): unknown {
  const row = asRecord(value);
  const inner = recordIn(row, 'program') ?? recordIn(row, 'child');
  return inner ?? (row && { ...row, id: textIn(row, 'id', 'program_id', 'child_id') });
}

function noteCost(costs: Map<string, Cost>, value: unknown): void {
  const row = asRecord(value);
  const id = textIn(row, 'program_id', 'child_id', 'id');
  if (id === undefined) return;
  const usage = recordIn(row, 'usage') ?? row;
  const split =
    (numberIn(usage, 'prompt_tokens', 'input_tokens') ?? 0) +
    (numberIn(usage, 'completion_tokens', 'output_tokens') ?? 0);
  costs.set(id, {
    tokens: numberIn(usage, 'total_tokens', 'tokens') ?? (split > 0 ? split : undefined),
    usd: numberIn(row, 'cost_usd', 'usd', 'cost') ?? numberIn(usage, 'cost_usd', 'usd', 'cost'),
  });
}

/** The text of a row's program; noted where the row has none. */
async function solutionOf(
  folder: TraceFolder,
  dir: string,
  path: string,
  line: number,
  row: ProgramRow,
): Promise<string | undefined> {
  const inline = row.solution ?? row.code;
  if (inline !== undefined) return inline;
  const hash = row.solution_sha256;
  if (hash === undefined) {
    folder.skips.note({ path, line, what: 'code', why: 'a program without code (no solution, no solution_sha256)' });
    return undefined;
  }
  if (!HASH.test(hash)) {
    folder.skips.note({ path, line, what: 'code', why: 'solution_sha256 is not a sha256' });
    return undefined;
  }
  for (const name of [`${hash.slice(0, 2)}/${hash}`, hash, `${hash}.txt`, `${hash.slice(0, 2)}/${hash}.txt`]) {
    const blob = posix.join(dir, 'blobs', name);
    if ((await folder.fileAt(blob)) === undefined) continue;
    const text = await folder.readText(blob, 'code');
    if (text === undefined) return undefined;
    if (createHash('sha256').update(text, 'utf8').digest('hex') === hash) return text;
    folder.skips.note({ path: blob, what: 'code', why: 'the blob is not what its sha256 says' });
    return undefined;
  }
  folder.skips.note({ path, line, what: 'code', why: 'its blob is missing' });
  return undefined;
}
