import { posix } from 'node:path';
import { BlobError, openBlobStore } from '../blob-store.ts';
import type { FailureCause, LoadedAgent, LoadedGeneration, LoadedRun, LoadedScores } from '../loaded-run.ts';
import { readRunFile, RunFolderError } from '../run-folder.ts';
import type { CandidateRow, EvaluationRow, TraceTables } from '../schema.ts';
import { readTable, TraceReadError } from '../trace-reader.ts';
import { isNearZero } from './failure-cause.ts';
import { present } from './fields.ts';
import { languageOfPath } from './language.ts';
import type { TraceFolder } from './trace-folder.ts';
import { badLine, WHY } from './skip-log.ts';

const META_AGENT = /(?:^|\/)meta_agent\.[^/]+$/;
const TASK_AGENT = /^task_agent\.[^/]+$/;

/** What a generation's model calls came to. */
interface Spent {
  tokens: number;
  usd: number;
}

/**
 * A run of ours. Its call log is read line by line and only summed; a bad line of a table costs that line.
 *
 * @returns undefined, with the reason noted, when the run cannot be read at all
 */
export async function importNative(folder: TraceFolder, dir: string, id: string): Promise<LoadedRun | undefined> {
  const runDir = folder.absolute(dir);
  const skip = (path: string, why: string, detail: string): undefined => {
    folder.skips.note({ path, what: 'run', why, detail });
    return undefined;
  };
  try {
    const file = await readRunFile(runDir);
    const names = file.agents.map(({ name }) => name);
    const twice = names.find((name, i) => names.indexOf(name) !== i);
    if (twice !== undefined)
      return skip(posix.join(dir, 'run.json'), 'two agents have the same name', JSON.stringify(twice));
    const loader = new NativeTables(folder, dir, runDir);
    const candidates = await loader.candidates();
    const scores = await loader.evaluations();
    const spent = await loader.spent();
    const agents: LoadedAgent[] = [];
    for (const { name, model, scripted } of file.agents) {
      const generations: LoadedGeneration[] = [];
      for (const row of candidates.filter(({ agent }) => agent === name)) {
        generations.push(
          await loader.generation(row, scores.get(row.id) ?? {}, spent.get(`${name}/${row.generation}`)),
        );
      }
      agents.push({ name, model, scripted, generations: generations.sort((a, b) => a.generation - b.generation) });
    }
    return {
      id,
      format: 'native',
      folder: runDir,
      pairing: names.length === 1 ? (names[0] ?? id) : names.join('+'),
      task: file.task,
      seed: file.seed,
      arm: file.arm,
      agents,
    };
  } catch (error) {
    if (error instanceof TraceReadError)
      return skip(posix.join(dir, error.file), 'a table that cannot be read', error.message);
    if (error instanceof RunFolderError)
      return skip(posix.join(dir, 'run.json'), 'a run file that cannot be read', error.message);
    throw error;
  }
}

type Splits = { readonly [S in EvaluationRow['split']]?: EvaluationRow };

class NativeTables {
  readonly #folder: TraceFolder;
  readonly #dir: string;
  readonly #runDir: string;
  readonly #blobs: ReturnType<typeof openBlobStore>;
  /** Texts by hash: an agent keeps most of its files from one generation to the next. */
  readonly #texts = new Map<string, string | undefined>();

  constructor(folder: TraceFolder, dir: string, runDir: string) {
    this.#folder = folder;
    this.#dir = dir;
    this.#runDir = runDir;
    this.#blobs = openBlobStore(runDir);
  }

  /** Rows of a table; none where the file is missing or is no file of this folder. */
  async *#rows<T extends keyof TraceTables>(table: T): AsyncGenerator<TraceTables[T]> {
    const path = posix.join(this.#dir, 'trace', `${table}.jsonl`);
    if ((await this.#folder.fileAt(path)) === undefined) return;
    yield* readTable(this.#runDir, table, {
      maxLineBytes: this.#folder.limits.maxLineBytes,
      onBadLine: (bad) => this.#folder.skips.note(badLine(path, bad)),
    });
  }

  async candidates(): Promise<readonly CandidateRow[]> {
    const path = posix.join(this.#dir, 'trace', 'candidates.jsonl');
    if ((await this.#folder.fileAt(path)) === undefined) {
      this.#folder.skips.note({ path, what: 'file', why: WHY.gone });
    }
    const rows = new Map<string, CandidateRow>();
    for await (const row of this.#rows('candidates')) rows.set(row.id, row);
    return [...rows.values()];
  }

  async evaluations(): Promise<ReadonlyMap<string, Splits>> {
    const byCandidate = new Map<string, Splits>();
    for await (const row of this.#rows('evaluations')) {
      byCandidate.set(row.candidate, { ...byCandidate.get(row.candidate), [row.split]: row });
    }
    return byCandidate;
  }

  async spent(): Promise<ReadonlyMap<string, Spent>> {
    const sums = new Map<string, Spent>();
    for await (const call of this.#rows('calls')) {
      const key = `${call.agent}/${call.generation}`;
      const sum = sums.get(key) ?? { tokens: 0, usd: 0 };
      sum.tokens += call.inputTokens + call.outputTokens;
      sum.usd += call.usd;
      sums.set(key, sum);
    }
    return sums;
  }

  async generation(row: CandidateRow, splits: Splits, spent: Spent | undefined): Promise<LoadedGeneration> {
    const main = mainFile(row.sources);
    const files: Record<string, string> = {};
    let code: string | undefined;
    for (const [path, hash] of Object.entries(row.sources)) {
      const text = await this.#text(row, path, hash);
      if (path === main) code = text;
      else if (text !== undefined) files[path] = text;
    }
    if (main === undefined)
      this.#folder.skips.note({ path: posix.join(this.#dir, row.id), what: 'code', why: 'a generation without code' });
    const scores: LoadedScores = present({
      train: splits.train?.score,
      validation: splits.validation?.score,
      test: splits.test?.score,
    });
    const valid = row.status !== 'failed' && splits.validation?.valid !== false;
    const failed = !valid || isNearZero(scores.validation);
    return {
      id: row.id,
      generation: row.generation,
      parents: row.parents,
      ...present({ code, mainFile: main }),
      ...(main !== undefined && code === undefined ? { unread: true as const } : {}),
      language: languageOfPath(main ?? ''),
      ...(Object.keys(files).length > 0 ? { files } : {}),
      valid,
      ...(row.status === 'copy' ? { copy: true as const } : {}),
      published: row.published,
      scores,
      ...(failed ? { cause: causeOf(row, splits) } : {}),
      ...spent,
    };
  }

  async #text(row: CandidateRow, path: string, hash: string): Promise<string | undefined> {
    if (this.#texts.has(hash)) return this.#texts.get(hash);
    let text: string | undefined;
    try {
      text = await this.#blobs.read(hash);
    } catch (error) {
      if (!(error instanceof BlobError)) throw error;
      const why = {
        'blob-missing': 'its blob is missing',
        'blob-damaged': 'its blob is damaged',
        'blob-name': 'its hash is no sha256',
      };
      this.#folder.skips.note({ path: posix.join(this.#dir, row.id, path), what: 'code', why: why[error.code] });
    }
    this.#texts.set(hash, text);
    return text;
  }
}

/** The program among an agent's files: `task_agent.*`, else the first that is not the meta agent. */
function mainFile(sources: Readonly<Record<string, string>>): string | undefined {
  const paths = Object.keys(sources).sort();
  return paths.find((path) => TASK_AGENT.test(path)) ?? paths.find((path) => !META_AGENT.test(path));
}

/** What a candidate that scored about nothing died of. @see src/experiment/outcome.ts for its reasons */
function causeOf(row: CandidateRow, splits: Splits): FailureCause {
  const reason = row.reason ?? '';
  if (reason.startsWith('the meta agent did not run') || reason.startsWith('the program was refused'))
    return 'no-candidate';
  const evaluation = splits.validation ?? splits.train;
  if (evaluation === undefined) return 'evaluation-broke-off';
  return (evaluation.statuses['value'] ?? 0) > 0 ? 'wrong-answers' : 'cannot-run';
}
