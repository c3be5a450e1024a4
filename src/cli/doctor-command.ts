import { access, constants, mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { Model } from '../agents/model.ts';
import { ModelError } from '../agents/model.ts';
import { openModel, pingModel } from '../agents/open-model.ts';
import { readConfig } from '../experiment/config.ts';
import { openModels } from '../experiment/open-models.ts';
import { textTable } from '../report/text-table.ts';
import { createSandbox } from '../sandbox/create-sandbox.ts';
import { openSqliteLog } from '../space/sqlite-log.ts';
import type { ExitCode, Surroundings } from './output.ts';
import { EXIT } from './output.ts';

interface Check {
  readonly name: string;
  readonly status: 'ok' | 'missing' | 'failed';
  readonly detail: string;
}

export interface DoctorFlags {
  readonly config?: string;
  readonly ping?: boolean;
  readonly json?: boolean;
}

/** A cheap model per provider to ask for a live answer when no config names one. */
const PROVIDER_KEYS = [
  { provider: 'openai', keyEnv: 'OPENAI_API_KEY', model: 'openai/gpt-5-mini' },
  { provider: 'anthropic', keyEnv: 'ANTHROPIC_API_KEY', model: 'anthropic/claude-haiku-4-5' },
] as const;

/**
 * `hivemark doctor`: what this machine can do (Node, sandbox, durable log, results folder) and which providers have a key and
 * answer. A provider without a key is `missing`, which is no failure unless a given config needs it.
 */
export async function doctorCommand(flags: DoctorFlags, world: Surroundings): Promise<ExitCode> {
  const checks: Check[] = [
    await check('node', async () => process.versions.node),
    await check('sandbox', trySandbox),
    await check('log', tryLog),
    await check('results', async () => {
      await access(world.cwd, constants.W_OK);
      return 'the current folder can be written';
    }),
    ...(flags.config === undefined
      ? await providerChecks(flags, world)
      : await configChecks(flags.config, flags, world)),
  ];
  const ok = checks.every(({ status }) => status !== 'failed');
  if (flags.json === true) world.output.out(`${JSON.stringify({ ok, checks })}\n`);
  else world.output.out(`${textTable(checks.map(({ name, status, detail }) => [name, status, detail]))}\n`);
  return ok ? EXIT.done : EXIT.failed;
}

async function check(name: string, work: () => Promise<string>): Promise<Check> {
  try {
    return { name, status: 'ok', detail: await work() };
  } catch (error) {
    return { name, status: 'failed', detail: error instanceof Error ? error.message : String(error) };
  }
}

async function trySandbox(): Promise<string> {
  const notices: string[] = [];
  const sandbox = createSandbox({ onNotice: (text) => notices.push(text) });
  try {
    const [verdict] = await sandbox.run({
      modules: { 'probe.ts': 'export function forward(x: number): number { return x + 1; }' },
      entry: 'probe.ts',
      cases: [{ seed: 1, next: (step) => (step === 0 ? 41 : undefined) }],
    });
    if (verdict?.status !== 'value' || verdict.value !== 42)
      throw new Error(`the probe ended with ${verdict?.status ?? 'nothing'}`);
    return ['evaluates in a disposable child', ...notices].join('; ');
  } finally {
    await sandbox.close();
  }
}

async function tryLog(): Promise<string> {
  const dir = await mkdtemp(join(tmpdir(), 'hivemark-doctor-'));
  try {
    const log = await openSqliteLog(join(dir, 'probe.db'));
    await log.append(0, [{ key: 'probe', body: { type: 'row', table: 'probe', row: null } }]);
    await log.close();
    return 'SQLite writes and syncs';
  } finally {
    await rm(dir, { recursive: true, force: true });
  }
}

async function providerChecks(flags: DoctorFlags, { env, signal }: Surroundings): Promise<Check[]> {
  const checks: Check[] = [];
  for (const { provider, keyEnv, model } of PROVIDER_KEYS) {
    if ((env[keyEnv] ?? '') === '') {
      checks.push({ name: provider, status: 'missing', detail: `no key; set ${keyEnv} to use it` });
    } else {
      checks.push(
        await check(provider, async () =>
          ask(await openModel({ model, agent: 'doctor', seed: 0 }, env), flags, signal),
        ),
      );
    }
  }
  checks.push({ name: 'scripted', status: 'ok', detail: 'needs no key' });
  return checks;
}

async function configChecks(file: string, flags: DoctorFlags, { env, signal }: Surroundings): Promise<Check[]> {
  const config = await readConfig(file);
  return Promise.all(
    config.agents.map((agent) =>
      check(`${agent.name} (${agent.model})`, async () => {
        if (agent.external !== undefined) return 'is driven from outside: brings its own model';
        const models = await openModels([agent], { seed: 0, task: config.task, env });
        const model = models.get(agent.name);
        return model === undefined ? 'not opened' : ask(model, flags, signal);
      }),
    ),
  );
}

async function ask(model: Model, flags: DoctorFlags, signal: AbortSignal): Promise<string> {
  if (model.recording !== undefined) return 'a recording: needs no key';
  if (model.scripted) return 'scripted: needs no key';
  if (flags.ping === false) return `key found, ${model.name} not asked (--no-ping)`;
  const answer = await pingModel(model, signal);
  if (answer.ok) return `${model.name} answers in ${Math.round(answer.ms)} ms`;
  throw new ModelError(answer.code, model.name, answer.message, 1);
}
