import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { z } from 'zod';
import type { Json } from '../space/marks.ts';
import { writeFileAtomic } from './atomic-file.ts';
import { problemOf } from './row-schema.ts';
import type { Evidence } from './schema.ts';

/** `stopped: <why>` carries one line of reason. A run that was killed still says `running`. */
export type RunStatus = 'running' | 'done' | `stopped: ${string}`;

/** A place in the log that `run.json` vouches for, so that a cut tail is found. */
export interface Anchor {
  readonly seq: number;
  readonly hash: string;
  readonly round: number;
}

/** `run.json`. */
export interface RunFile {
  readonly schemaVersion: number;
  readonly id: string;
  readonly experiment: string;
  readonly task: string;
  readonly seed: number;
  readonly arm: string;
  readonly agents: readonly { readonly name: string; readonly model: string; readonly scripted: boolean }[];
  readonly generations: number;
  /** The resolved config, without secrets. */
  readonly config: Json;
  /** Where the log is if not in `marks.db`: the address of a PostgreSQL space, without a password. */
  readonly space?: string;
  /** Name -> version of what made the run: hivemark, node, the task. */
  readonly versions: Readonly<Record<string, string>>;
  /** Dated prices, frozen when the run began. */
  readonly priceTable: Json;
  /** Platform, processors, memory; no host name and no user name. */
  readonly machine: Json;
  /** Tells which secret the private seeds came from; the secret itself is never in a run folder. */
  readonly secretFingerprint: string;
  readonly status: RunStatus;
  /** Oldest first. */
  readonly anchors: readonly Anchor[];
  /** Epoch milliseconds. */
  readonly startedAt: number;
  readonly endedAt?: number;
  /** It has ended, but agents from outside are still there: what they do comes after the last anchor. */
  readonly open?: true;
}

/** One agent of a run in figures. Scores are null where nothing was scored (yet). */
export interface AgentSummary {
  readonly name: string;
  readonly model: string;
  readonly scripted: boolean;
  /** Generations done, without the initial program. */
  readonly generations: number;
  /** Of them, how many gave no program that could be scored. */
  readonly invalid: number;
  /** The best program by validation; all null without a valid one. */
  readonly best: {
    readonly generation: number | null;
    readonly train: number | null;
    readonly validation: number | null;
    readonly test: number | null;
  };
  readonly adoptions: number;
  readonly denials: number;
  readonly tokens: number;
  readonly usd: number;
}

/** One adoption in short; the whole row is in `trace/adoptions.jsonl`. */
export interface AdoptionSummary {
  readonly agent: string;
  readonly generation: number;
  readonly peer: string;
  readonly peerGeneration: number;
  readonly evidence: Evidence;
  readonly reuse: number;
  readonly share: number | null;
  readonly before: number;
  readonly after: number;
}

/** One run as `hivemark run --json` prints it. */
export interface RunSummary {
  readonly dir: string;
  readonly task: string;
  readonly seed: number;
  readonly arm: string;
  readonly status: RunStatus;
  readonly agents: readonly AgentSummary[];
  readonly adoptions: readonly AdoptionSummary[];
}

/** `summary.json`. */
export interface SummaryFile extends RunSummary {
  readonly schemaVersion: number;
}

const RUN_FILE = 'run.json';
const SUMMARY_FILE = 'summary.json';

/** A file of a run folder is missing or not what it should be; `file` is relative to the folder. */
export class RunFolderError extends Error {
  override readonly name = 'RunFolderError';
  readonly code: 'missing' | 'malformed';
  readonly file: string;
  constructor(code: 'missing' | 'malformed', file: string, problem: string, options?: ErrorOptions) {
    super(`cannot read ${file}: ${problem}`, options);
    this.code = code;
    this.file = file;
  }
}

/** The status of a run that ended early. Line breaks in the reason become spaces. */
export function stoppedStatus(why: string): RunStatus {
  return `stopped: ${why.replace(/\s+/g, ' ').trim()}`;
}

export type ParsedRunStatus =
  | { readonly state: 'running' }
  | { readonly state: 'done' }
  | { readonly state: 'stopped'; readonly why: string };

/** A status taken apart. */
export function parseRunStatus(status: RunStatus): ParsedRunStatus {
  if (status === 'running' || status === 'done') return { state: status };
  return { state: 'stopped', why: status.slice('stopped: '.length) };
}

const json = z.custom<Json>((value) => value !== undefined, 'missing');
const version = z.int().positive();
const status = z.custom<RunStatus>(
  (value) => value === 'running' || value === 'done' || (typeof value === 'string' && value.startsWith('stopped: ')),
  'not one of "running", "done", "stopped: <why>"',
);
const participant = { name: z.string(), model: z.string(), scripted: z.boolean() };
const score = z.number().nullable();

// Loose, so that a file of a later version keeps its fields when an earlier one writes it back.
const runFile: z.ZodType<RunFile> = z.looseObject({
  schemaVersion: version,
  id: z.string(),
  experiment: z.string(),
  task: z.string(),
  seed: z.number(),
  arm: z.string(),
  agents: z.array(z.looseObject(participant)),
  generations: z.int().nonnegative(),
  config: json,
  space: z.string().exactOptional(),
  versions: z.record(z.string(), z.string()),
  priceTable: json,
  machine: json,
  secretFingerprint: z.string(),
  status,
  anchors: z.array(z.looseObject({ seq: z.int().nonnegative(), hash: z.string(), round: z.int().nonnegative() })),
  startedAt: z.number(),
  endedAt: z.number().exactOptional(),
  open: z.literal(true).exactOptional(),
});

const evidence = z.looseObject({
  level: z.enum(['similar', 'exposed', 'read', 'stated']),
  exposures: z.array(z.string()),
  reads: z.array(z.string()),
  statement: z.looseObject({ call: z.string(), text: z.string() }).exactOptional(),
});

const summaryFile: z.ZodType<SummaryFile> = z.looseObject({
  schemaVersion: version,
  dir: z.string(),
  task: z.string(),
  seed: z.number(),
  arm: z.string(),
  status,
  agents: z.array(
    z.looseObject({
      ...participant,
      generations: z.int().nonnegative(),
      invalid: z.int().nonnegative(),
      best: z.looseObject({
        generation: z.int().nonnegative().nullable(),
        train: score,
        validation: score,
        test: score,
      }),
      adoptions: z.int().nonnegative(),
      denials: z.int().nonnegative(),
      tokens: z.number(),
      usd: z.number(),
    }),
  ),
  adoptions: z.array(
    z.looseObject({
      agent: z.string(),
      generation: z.int().nonnegative(),
      peer: z.string(),
      peerGeneration: z.int().nonnegative(),
      evidence,
      reuse: z.number(),
      share: z.number().nullable(),
      before: z.number(),
      after: z.number(),
    }),
  ),
});

/** Reads `run.json`. @throws RunFolderError when it is missing or malformed */
export function readRunFile(runDir: string): Promise<RunFile> {
  return readChecked(runDir, RUN_FILE, runFile);
}

/** Replaces `run.json` as a whole; it is on disk once this resolves. @throws RunFolderError when `file` is malformed */
export function writeRunFile(runDir: string, file: RunFile): Promise<void> {
  return writeChecked(runDir, RUN_FILE, runFile, file);
}

/** Reads `summary.json`. @throws RunFolderError when it is missing or malformed */
export function readSummary(runDir: string): Promise<SummaryFile> {
  return readChecked(runDir, SUMMARY_FILE, summaryFile);
}

/** Replaces `summary.json` as a whole; it is on disk once this resolves. @throws RunFolderError when `file` is malformed */
export function writeSummary(runDir: string, file: SummaryFile): Promise<void> {
  return writeChecked(runDir, SUMMARY_FILE, summaryFile, file);
}

/** Schema version in `run.json`, whatever else is in it; undefined without such a file. @throws RunFolderError */
export async function readSchemaVersion(runDir: string): Promise<number | undefined> {
  try {
    return (await readChecked(runDir, RUN_FILE, z.looseObject({ schemaVersion: version }))).schemaVersion;
  } catch (error) {
    if (error instanceof RunFolderError && error.code === 'missing') return undefined;
    throw error;
  }
}

async function readChecked<T>(runDir: string, file: string, schema: z.ZodType<T>): Promise<T> {
  let text: string;
  try {
    text = await readFile(join(runDir, file), 'utf8');
  } catch (error) {
    if (error instanceof Error && 'code' in error && (error.code === 'ENOENT' || error.code === 'ENOTDIR')) {
      throw new RunFolderError('missing', file, 'there is no such file', { cause: error });
    }
    throw error;
  }
  let value: unknown;
  try {
    value = JSON.parse(text);
  } catch (error) {
    throw new RunFolderError('malformed', file, 'not JSON', { cause: error });
  }
  return checked(file, schema, value);
}

async function writeChecked<T>(runDir: string, file: string, schema: z.ZodType<T>, value: T): Promise<void> {
  checked(file, schema, value);
  await writeFileAtomic(join(runDir, file), `${JSON.stringify(value, null, 2)}\n`);
}

function checked<T>(file: string, schema: z.ZodType<T>, value: unknown): T {
  const parsed = schema.safeParse(value);
  if (!parsed.success) throw new RunFolderError('malformed', file, problemOf(parsed.error), { cause: parsed.error });
  return parsed.data;
}
