import { existsSync } from 'node:fs';
import { join } from 'node:path';
import { listTasks, loadTask } from '../evaluate/load-task.ts';
import { DEFAULT_META_AGENT } from '../agents/default-meta-agent.ts';
import { readConfig } from '../experiment/config.ts';
import { checkRecordings, openModels } from '../experiment/open-models.ts';
import { verifyRunLog } from '../experiment/run-log.ts';
import { planRuns } from '../experiment/run-plan.ts';
import { textTable } from '../report/text-table.ts';
import { sandboxFile } from '../sandbox/run-file.ts';
import { UNBOUNDED, copyJson } from '../space/json-value.ts';
import type { Json } from '../space/marks.ts';
import type { Verification } from '../space/verify-log.ts';
import { readRunFile } from '../trace/run-folder.ts';
import type { ExitCode, Surroundings } from './output.ts';
import { EXIT, UsageError } from './output.ts';

interface JsonFlag {
  readonly json?: boolean;
}

/** `hivemark tasks`: the benchmark tasks that come with the package. */
export async function tasksCommand(flags: JsonFlag, { output }: Surroundings): Promise<ExitCode> {
  const tasks = await Promise.all((await listTasks()).map(async (name) => (await loadTask(name)).task));
  if (flags.json === true) {
    const list = tasks.map(({ name, title, statement, seedScore, bestKnown }) => ({
      name,
      title,
      statement,
      seedScore,
      bestKnown: bestKnown ?? null,
    }));
    output.out(`${JSON.stringify({ tasks: list })}\n`);
    return EXIT.done;
  }
  const rows = tasks.map(({ name, title, seedScore, bestKnown }) => [
    name,
    seedScore.toFixed(4),
    bestKnown?.toFixed(4) ?? '-',
    title,
  ]);
  output.out(
    `${textTable([['task', 'seed', 'best known', 'what it is'], ...rows], [1, 2])}\n\nUse one with: hivemark run --task <task>; a folder of your own with task.ts and agent/ works too.\n`,
  );
  return EXIT.done;
}

/** `hivemark validate <config>`: everything a run would check before its first round. */
export async function validateCommand(file: string, flags: JsonFlag, { output, env }: Surroundings): Promise<ExitCode> {
  const config = await readConfig(file);
  const { task } = await loadTask(config.task, { defaultFiles: { 'meta_agent.ts': DEFAULT_META_AGENT } });
  const models = await openModels(config.agents, { seed: config.seeds[0] ?? 0, task: task.name, env });
  for (const seed of config.seeds) checkRecordings(models, { seed, task: task.name });
  const runs = planRuns(config).map(({ id }) => id);
  if (flags.json === true) output.out(`${JSON.stringify({ ok: true, config, runs })}\n`);
  else
    output.out(
      `${file} is fine: task ${task.name}, ${config.generations} generations, ${runs.length} ${runs.length === 1 ? 'run' : 'runs'}\n${runs.map((id) => `  ${id}`).join('\n')}\n`,
    );
  return EXIT.done;
}

/** `hivemark verify <run>`: checks the hash chain of a run's log against itself and against the anchors in `run.json`. */
export async function verifyCommand(dir: string, flags: JsonFlag, { output, env }: Surroundings): Promise<ExitCode> {
  if (!existsSync(join(dir, 'run.json'))) throw new UsageError(`${dir} is no run's folder: it has no run.json`);
  const { anchors, status, open } = await readRunFile(dir);
  const chained = await verifyRunLog(dir, env, anchors);
  const result = status === 'running' || open === true ? chained : endsAt(chained, anchors.at(-1)?.seq);
  if (flags.json === true) output.out(`${JSON.stringify(result)}\n`);
  else if (result.ok)
    output.out(`${dir}: ${result.records} records, every one in its chain, ${anchors.length} anchors met\n`);
  else
    output.out(`${dir}: DAMAGED at record ${result.firstBad?.seq ?? '?'}: ${result.firstBad?.reason ?? 'unknown'}\n`);
  return result.ok ? EXIT.done : EXIT.failed;
}

/** A run that has ended was anchored at its last record: whatever comes after it was added. */
function endsAt(result: Verification, lastSeq: number | undefined): Verification {
  if (!result.ok || lastSeq === undefined || result.records === lastSeq) return result;
  return {
    ok: false,
    records: result.records,
    firstBad: { seq: lastSeq + 1, reason: 'added after the run had ended' },
  };
}

export interface SandboxFlags extends JsonFlag {
  readonly input?: string;
  readonly deadline?: number;
}

/** `hivemark sandbox <file>`: runs a module's `forward` in the sandbox and prints the verdict. Exit 0 for a value, 1 for anything else. */
export async function sandboxCommand(
  file: string,
  flags: SandboxFlags,
  { output, signal }: Surroundings,
): Promise<ExitCode> {
  const input = flags.input === undefined ? {} : inputOf(flags.input);
  const verdict = await sandboxFile(file, {
    input,
    ...(flags.deadline === undefined ? {} : { deadlineMs: flags.deadline }),
    signal,
    onNotice: (text) => output.err(`hivemark: ${text}\n`),
  });
  const { status, wallMs, logs } = verdict;
  const shown = {
    status,
    ...(verdict.status === 'value' ? { value: verdict.value } : { error: verdict.error }),
    wallMs,
    logs,
  };
  output.out(flags.json === true ? `${JSON.stringify(shown)}\n` : `${JSON.stringify(shown, null, 2)}\n`);
  return verdict.status === 'value' ? EXIT.done : EXIT.failed;
}

function inputOf(text: string): Json {
  try {
    return copyJson(JSON.parse(text), UNBOUNDED);
  } catch (error) {
    const problem = error instanceof Error ? error.message : 'unreadable';
    throw new UsageError(`--input is not plain JSON: ${problem}; e.g. --input '{"x": 1}'`, { cause: error });
  }
}
