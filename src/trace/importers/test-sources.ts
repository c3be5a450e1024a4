import { createHash } from 'node:crypto';
import { mkdir, writeFile } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import { DatabaseSync } from 'node:sqlite';

/** A small program of our own, different for every `n`. */
export function pythonProgram(n: number): string {
  return `"""Program ${n}"""\nimport math\n\n\ndef forward(x):\n    scale = ${n}.5\n    return math.sin(x) * scale\n`;
}

/** Writes files by path; a value that is no text is written as JSON. */
export async function writeTree(root: string, files: Readonly<Record<string, unknown>>): Promise<void> {
  for (const [path, content] of Object.entries(files)) {
    await mkdir(dirname(join(root, path)), { recursive: true });
    await writeFile(join(root, path), typeof content === 'string' ? content : JSON.stringify(content));
  }
}

export interface TestGeneration {
  readonly code?: string;
  readonly metadata: unknown;
  readonly reports?: Readonly<Record<string, unknown>>;
}

/** An agent's folder of a hyperspace tree. */
export function hyperspaceAgent(
  dir: string,
  model: string,
  seed: number,
  generations: readonly TestGeneration[],
): Record<string, unknown> {
  const files: Record<string, unknown> = {
    [`${dir}/run_config.json`]: { model, agent_name: dir.split('/').at(-1), seed, iterations: generations.length - 1 },
  };
  generations.forEach(({ code, metadata, reports }, n) => {
    files[`${dir}/gen_${n}/metadata.json`] = metadata;
    if (code !== undefined) {
      files[`${dir}/gen_${n}/repo/task_agent.py`] = code;
      files[`${dir}/gen_${n}/repo/meta_agent.py`] = 'class MetaAgent:\n    pass\n';
    }
    for (const [path, report] of Object.entries(reports ?? {})) files[`${dir}/gen_${n}/${path}`] = report;
  });
  return files;
}

const report = (correct: number, total: number): unknown => ({
  overall_accuracy: correct / total,
  total_correct: correct,
  total,
});

/** Reports of evaluations that went through: `[staged correct of 10, correct of 100]` for each split, null for a file that is missing. */
export function reports(
  train: readonly [number | null, number | null],
  val: readonly [number | null, number | null],
): Record<string, unknown> {
  const files: Record<string, unknown> = {};
  for (const [split, [staged, full]] of [
    ['train', train],
    ['val', val],
  ] as const) {
    if (staged !== null) files[`eval_${split}/staged/report.json`] = report(staged, 10);
    if (full !== null) files[`eval_${split}/report.json`] = report(full, 100);
  }
  return files;
}

export function sha256(text: string): string {
  return createHash('sha256').update(text).digest('hex');
}

/** A program as OpenEvolve stores it. */
export function openEvolveProgram(
  n: number,
  iteration: number,
  parent: number | null,
  over: Record<string, unknown> = {},
): Record<string, unknown> {
  return {
    id: `p${n}`,
    code: pythonProgram(n),
    language: 'python',
    parent_id: parent === null ? null : `p${parent}`,
    generation: parent === null ? 0 : 1,
    timestamp: 1_750_000_000 + n,
    iteration_found: iteration,
    metrics: { validity: 1, combined_score: n / 10 },
    metadata: { island: 0 },
    prompts: null,
    ...over,
  };
}

const SHINKA_COLUMNS =
  'id TEXT PRIMARY KEY, code TEXT NOT NULL, language TEXT NOT NULL, parent_id TEXT, archive_inspiration_ids TEXT, top_k_inspiration_ids TEXT, ' +
  'generation INTEGER NOT NULL, timestamp REAL NOT NULL, code_diff TEXT, combined_score REAL, public_metrics TEXT, private_metrics TEXT, ' +
  'text_feedback TEXT, complexity REAL, embedding TEXT, correct BOOLEAN DEFAULT 0, children_count INTEGER NOT NULL DEFAULT 0, metadata TEXT, ' +
  'migration_history TEXT, island_idx INTEGER';

/** A ShinkaEvolve database with `count` programs, each the child of the one before. The connection is left open, in WAL mode. */
export async function shinkaDatabase(file: string, count: number): Promise<DatabaseSync> {
  await mkdir(dirname(file), { recursive: true });
  const db = new DatabaseSync(file);
  db.exec(`PRAGMA journal_mode = WAL; PRAGMA wal_autocheckpoint = 0; CREATE TABLE programs (${SHINKA_COLUMNS})`);
  const insert = db.prepare(
    'INSERT INTO programs (id, code, language, parent_id, generation, timestamp, combined_score, public_metrics, private_metrics, correct, metadata) VALUES (?,?,?,?,?,?,?,?,?,?,?)',
  );
  for (let n = 0; n < count; n++) {
    const wrong = n % 5 === 4;
    insert.run(
      `s${n}`,
      pythonProgram(n),
      'python',
      n === 0 ? null : `s${n - 1}`,
      n,
      1_750_000_000 + n,
      wrong ? 0 : n / 10,
      '{"combined_score": 0.5, "spread": NaN}',
      '{"score": 0.25}',
      wrong ? 0 : 1,
      JSON.stringify({ api_costs: 0.01, model_name: 'some-model', ...(wrong ? { error: 'NameError: x' } : {}) }),
    );
  }
  return db;
}
