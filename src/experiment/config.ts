import { readFile } from 'node:fs/promises';
import { basename, dirname, resolve } from 'node:path';
import { parse as parseYaml } from 'yaml';
import { z } from 'zod';
import { parsePostgresUrl } from '../space/postgres-address.ts';
import { priceOf } from '../agents/prices.ts';
import { nearestName } from '../agents/model-spec.ts';

export const ARMS = ['paired', 'solo', 'sharing-off'] as const;
export type Arm = (typeof ARMS)[number];
/** Arms of the design that this version does not run yet. */
const LATER_ARMS: readonly string[] = ['same-model', 'one-way', 'placebo'];

export const SELECTIONS = ['latest', 'best', 'random', 'score-child-prop'] as const;
export type Selection = (typeof SELECTIONS)[number];
export const REGRESSIONS = ['keep', 'rollback-invalid', 'rollback-best'] as const;
export type Regression = (typeof REGRESSIONS)[number];

const AGENT_NAME = /^[a-z0-9][a-z0-9._-]{0,63}$/;
const FOLDER_NAME = /^[A-Za-z0-9][A-Za-z0-9._-]{0,99}$/;
const FILE_NAME = /^[A-Za-z0-9_][A-Za-z0-9_.-]*\.(ts|js|md|json)$/;

const count = z.int().positive();
const price = z.strictObject({
  /** USD per million tokens. */
  input: z.number().nonnegative(),
  output: z.number().nonnegative(),
  cachedInput: z.number().nonnegative().optional(),
});

const budget = z.strictObject({
  usd: z.number().positive().optional(),
  /** Input and output tokens together. */
  tokens: count.optional(),
  /** Model calls. */
  calls: count.optional(),
  wallMinutes: z.number().positive().optional(),
  toolCallsPerGeneration: count.default(40),
});

export const EXTERNALS = ['mcp', 'folder'] as const;
/** How an agent that hivemark does not drive takes part: through MCP tools, or through a folder on disk. */
export type External = (typeof EXTERNALS)[number];

const agent = z.strictObject({
  name: z.string().regex(AGENT_NAME, 'use 1 to 64 of a-z, 0-9, dot, dash, underscore, starting with a letter or digit'),
  /** An agent that hivemark drives has a model, one that is driven from outside has `external`. */
  model: z.string().min(1).optional(),
  external: z.enum(EXTERNALS).optional(),
  baseUrl: z.url().optional(),
  apiKeyEnv: z
    .string()
    .regex(/^[A-Z_][A-Z0-9_]*$/, 'name an environment variable, never the key itself')
    .optional(),
  temperature: z.number().min(0).max(2).optional(),
  maxOutputTokens: count.optional(),
  /** USD per million tokens, where the built-in table does not know the model. */
  price: price.optional(),
});

const schema = z.strictObject({
  name: z.string().regex(FOLDER_NAME, 'it names a folder: use letters, digits, dot, dash, underscore'),
  task: z.string().min(1),
  agents: z.array(agent).min(1).max(16),
  generations: z.int().min(1).max(10_000).default(20),
  seeds: z
    .array(
      z
        .int()
        .nonnegative()
        .max(2 ** 31 - 1),
    )
    .min(1)
    .default([42]),
  arms: z.array(z.enum(ARMS)).min(1).default(['paired']),
  evaluationModel: z.string().optional(),
  budget: budget.default({ toolCallsPerGeneration: 40 }),
  totalBudget: budget.omit({ toolCallsPerGeneration: true }).optional(),
  selection: z.enum(SELECTIONS).default('latest'),
  onRegression: z.enum(REGRESSIONS).default('rollback-invalid'),
  /** When a round goes on without external agents that have not submitted: once `quorum` of them have, or after the time-out. */
  rounds: z
    .strictObject({
      /** @default all external agents of the run */
      quorum: z.int().nonnegative().optional(),
      timeoutMinutes: z.number().positive().max(30_000).default(30),
    })
    .default({ timeoutMinutes: 30 }),
  editable: z
    .array(z.string().regex(FILE_NAME, 'name files of the agent folder, e.g. task_agent.ts'))
    .min(1)
    .default(['task_agent.ts', 'meta_agent.ts']),
  maxFileBytes: z.int().min(256).max(1_048_576).default(65_536),
  disclosure: z
    .strictObject({
      train: z.enum(['cases', 'score', 'none']).default('cases'),
      validation: z.enum(['score', 'coarse', 'none']).default('score'),
      peerModel: z.boolean().default(true),
    })
    .default({ train: 'cases', validation: 'score', peerModel: true }),
  space: z.string().optional(),
});

type Parsed = z.infer<typeof schema>;
/** `model` of an external agent is `external/mcp` or `external/folder`. */
export type AgentConfig = Omit<Parsed['agents'][number], 'model'> & { readonly model: string };
/** An experiment as it will run: every default filled in. `task` is a name, or an absolute path for a folder of one's own. */
export type ExperimentConfig = Omit<Parsed, 'agents'> & { readonly agents: readonly AgentConfig[] };
export type Budget = ExperimentConfig['budget'];
/** What a caller writes (TypeScript or YAML): defaults may be left out. */
export type ExperimentInput = z.input<typeof schema>;

/** A config that cannot be run: every problem with its place, the value seen, and the way out. */
export class ConfigError extends Error {
  override readonly name = 'ConfigError';
  readonly code = 'config';
  readonly problems: readonly string[];
  constructor(source: string, problems: readonly string[]) {
    super(`${source} cannot be run:\n${problems.map((problem) => `  - ${problem}`).join('\n')}`);
    this.problems = problems;
  }
}

/** Reads a YAML (or JSON) config. Relative paths (`task`, `replay/...`) are taken from the config's folder. @throws ConfigError */
export async function readConfig(file: string): Promise<ExperimentConfig> {
  let text: string;
  try {
    text = await readFile(file, 'utf8');
  } catch (cause) {
    const code = errorCode(cause);
    throw new ConfigError(file, [
      code === 'ENOENT'
        ? 'there is no such file; give the path of a YAML config, or leave it out to run the quickstart'
        : code === 'EISDIR'
          ? 'this is a folder; give a YAML file (to go on with a run, use `hivemark resume <folder>`)'
          : `it could not be read (${code ?? 'unknown error'})`,
    ]);
  }
  let value: unknown;
  try {
    value = parseYaml(text, { maxAliasCount: 20 });
  } catch (error) {
    throw new ConfigError(file, [
      `not valid YAML: ${error instanceof Error ? (error.message.split('\n')[0] ?? '') : 'unreadable'}`,
    ]);
  }
  const config = parseConfig(value, file);
  const isPath = config.task.includes('/') || config.task.startsWith('.');
  return {
    ...config,
    ...(isPath ? { task: resolve(dirname(file), config.task) } : {}),
    agents: config.agents.map((one) => ({ ...one, model: withRecordingFrom(dirname(file), one.model) })),
  };
}

/** `replay/<path>` with its path made absolute, so that a resume from another folder finds it; other models as they are. */
export function withRecordingFrom(folder: string, model: string): string {
  return model.startsWith('replay/') ? `replay/${resolve(folder, model.slice('replay/'.length))}` : model;
}

/** Checks a config object. `source` names it in messages. @throws ConfigError naming every unknown key and its nearest known one. */
export function parseConfig(value: unknown, source: string): ExperimentConfig {
  const result = schema.safeParse(value, { reportInput: true });
  if (!result.success) {
    throw new ConfigError(
      basename(source),
      result.error.issues.flatMap((issue) => describe(issue)),
    );
  }
  const unclear = result.data.agents.flatMap(driverProblem);
  if (unclear.length > 0) throw new ConfigError(basename(source), unclear);
  const config = {
    ...result.data,
    agents: result.data.agents.map((one) => ({ ...one, model: one.model ?? `${EXTERNAL_PREFIX}${one.external}` })),
  };
  const problems = crossChecks(config);
  if (problems.length > 0) throw new ConfigError(basename(source), problems);
  return config;
}

const EXTERNAL_PREFIX = 'external/';

/** Either hivemark drives an agent, by its model, or somebody outside does. */
function driverProblem({ name, model, external }: Parsed['agents'][number]): string[] {
  if (external === undefined) {
    if (model === undefined)
      return [
        `agents: ${name} has no model; give it one (e.g. anthropic/claude-sonnet-4-6), or external: mcp | folder to drive it from outside`,
      ];
    if (!model.startsWith(EXTERNAL_PREFIX)) return [];
    return [`agents: ${name} has model ${model}; write external: mcp or external: folder instead`];
  }
  // A resolved config says both.
  if (model === undefined || model === `${EXTERNAL_PREFIX}${external}`) return [];
  return [
    `agents: ${name} has a model and external: ${external}; an external agent brings its own model, leave one out`,
  ];
}

/** The system's code of a failed call, e.g. `ENOENT`. */
export function errorCode(error: unknown): string | undefined {
  return error instanceof Error && 'code' in error && typeof error.code === 'string' ? error.code : undefined;
}

/** The runner, and the guard's own two. */
const RESERVED: readonly string[] = ['runner', 'guard', 'principal'];

function crossChecks(config: ExperimentConfig): string[] {
  const problems: string[] = [];
  const names = config.agents.map(({ name }) => name);
  for (const name of new Set(names)) {
    if (names.filter((other) => other === name).length > 1)
      problems.push(`agents: two agents are named "${name}"; names are unique`);
    if (RESERVED.includes(name)) problems.push(`agents: "${name}" is a name that hivemark uses itself; choose another`);
  }
  const shared = config.arms.filter((arm) => arm !== 'solo');
  if (config.agents.length < 2 && shared.length > 0) {
    problems.push(`arms: ${shared.join(', ')} needs at least two agents, there is 1; add one or use arms: [solo]`);
  }
  if (!config.editable.includes('task_agent.ts')) {
    problems.push('editable: task_agent.ts is missing; it is the program that is evolved');
  }
  for (const [key, values] of [
    ['seeds', config.seeds],
    ['arms', config.arms],
    ['editable', config.editable],
  ] as const) {
    if (new Set<string | number>(values).size < values.length) problems.push(`${key}: has the same entry twice`);
  }
  for (const { name, model, baseUrl } of config.agents) {
    if (model.startsWith('openai-compatible/') && baseUrl === undefined) {
      problems.push(
        `agents: ${name} uses ${model}, which needs baseUrl: the address of the server, e.g. http://localhost:11434/v1`,
      );
    }
  }
  const budgets = [
    config.budget.usd === undefined ? [] : ['budget.usd'],
    config.totalBudget?.usd === undefined ? [] : ['totalBudget.usd'],
  ].flat();
  for (const { name, model, external, price: own } of budgets.length > 0 ? config.agents : []) {
    if (external === undefined && own === undefined && priceOf(model) === null) {
      problems.push(
        `${budgets.join(', ')}: cannot stop ${name}, since the price of ${model} is not known; ` +
          'give the agent a price: { input, output } in USD per million tokens, or use budget.tokens',
      );
    }
  }
  const { quorum } = config.rounds;
  const outside = config.agents.filter(({ external }) => external !== undefined).length;
  if (quorum !== undefined && quorum > outside) {
    problems.push(
      `rounds.quorum: is ${quorum}, but there ${outside === 1 ? 'is 1 external agent' : `are ${outside} external agents`}`,
    );
  }
  if (config.evaluationModel !== undefined) {
    problems.push('evaluationModel: no shipped task asks a model while it is evaluated; leave it out');
  }
  if (config.space !== undefined) {
    try {
      parsePostgresUrl(config.space);
    } catch (error) {
      const problem = error instanceof Error ? error.message : 'unreadable';
      problems.push(`space: ${problem}; leave it out to keep each run's log in its own folder`);
    }
  }
  return problems;
}

function describe(issue: z.core.$ZodIssue): string[] {
  const at = issue.path.length > 0 ? issue.path.join('.') : 'the config';
  if (issue.code === 'unrecognized_keys') {
    const known = knownKeys(issue.path);
    return issue.keys.map((key) => {
      const near = nearestName(key, known);
      const place = issue.path.length > 0 ? `${at}.${key}` : key;
      return `${place}: unknown key${near === undefined ? `; known here: ${known.join(', ')}` : `; did you mean "${near}"?`}`;
    });
  }
  if (issue.code === 'invalid_value') {
    const values = issue.values.map(String);
    const seen = String(issue.input);
    if (issue.path[0] === 'arms' && LATER_ARMS.includes(seen)) {
      return [`${at}: "${seen}" is not available in this version; use ${values.join(', ')}`];
    }
    const near = nearestName(seen, values);
    const hint = near === undefined ? '' : `; did you mean "${near}"?`;
    return [`${at}: "${seen}" is not one of ${values.join(', ')}${hint}`];
  }
  const seen =
    issue.input === undefined ? 'missing' : `is ${JSON.stringify(issue.input)?.slice(0, 80) ?? typeof issue.input}`;
  return [`${at}: ${seen}; ${issue.message.replace(/^Invalid input: /u, '')}`];
}

/** The keys the schema knows at a path; array positions are passed through. */
function knownKeys(path: readonly PropertyKey[]): string[] {
  let node: unknown = schema;
  const unwrap = (type: unknown): unknown =>
    type instanceof z.ZodDefault || type instanceof z.ZodOptional ? unwrap(type.unwrap()) : type;
  for (const step of path) {
    node = unwrap(node);
    if (node instanceof z.ZodArray) node = node.element;
    else if (node instanceof z.ZodObject) node = (node.shape as Record<string, unknown>)[String(step)];
  }
  node = unwrap(node);
  return node instanceof z.ZodObject ? Object.keys(node.shape) : [];
}
