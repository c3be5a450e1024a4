import type { Json } from '../../space/marks.ts';
import type { Message, Model, ToolCall } from '../model.ts';
import { openScripted } from './scripted-model.ts';

/** The prism_placement program agents start with, as far as the personas depend on it. */
export const START = `// Places models on GPUs: every pass improves the placement that the one before it left.
type Model = { id: number; size: number; req: number; slo: number };
type Input = { gpuCount: number; models: Model[] };
type Pass = (placement: number[], input: Input, random: () => number) => number[];

const memoryGb = 80;

// Passes to run after the construction, in this order.
const passes: Pass[] = [];

// Everything on the first GPU.
function construct(input: Input): number[] {
  return new Array<number>(input.models.length).fill(0);
}

export async function forward(input: Input, ctx: { random: () => number }): Promise<number[]> {
  let placement = construct(input);
  for (const pass of passes) placement = pass(placement, input, ctx.random);
  return placement;
}
`;

/** Scores a program; 0 stands for one that cannot run, which is not built upon. */
export type Evaluate = (program: string) => Promise<number>;

export interface SimulatedAgent {
  readonly name: string;
  readonly persona: string;
}

export interface SimulatedGeneration {
  readonly agent: string;
  readonly generation: number;
  readonly program: string;
  readonly score: number;
  readonly messages: readonly Message[];
}

interface State {
  head: string;
  readonly scores: Map<number, number>;
  best: number;
  published: { readonly generation: number; readonly score: number; readonly text: string } | undefined;
}

/**
 * Rounds of scripted agents over plain maps instead of a space: each round shows what was published before it, a program is
 * published when it is better than all its agent had, and one that scores 0 is rolled back.
 */
export async function simulate(
  agents: readonly SimulatedAgent[],
  evaluate: Evaluate,
  options: {
    readonly seed: number;
    readonly generations: number;
    readonly sharing?: boolean;
    readonly start?: string;
    readonly task?: string;
  },
): Promise<readonly SimulatedGeneration[]> {
  const { seed, generations, sharing = true, start = START, task = 'prism_placement' } = options;
  const score = await evaluate(start);
  const states = new Map(
    agents.map(({ name }): [string, State] => [
      name,
      { head: start, scores: new Map([[0, score]]), best: score, published: undefined },
    ]),
  );
  const history: SimulatedGeneration[] = [];
  for (let generation = 1; generation <= generations; generation += 1) {
    const published = new Map([...states].map(([name, state]) => [name, state.published]));
    for (const { name, persona } of agents) {
      const state = states.get(name);
      if (state === undefined) continue;
      const files = new Map([['task_agent.ts', state.head]]);
      for (const [past, value] of state.scores)
        files.set(`evals/gen_${past}/validation.json`, `${JSON.stringify({ score: value })}\n`);
      for (const [peer, best] of published) {
        if (peer === name || best === undefined || !sharing) continue;
        const folder = `strategies/${peer}_gen${best.generation}`;
        files.set(`${folder}/task_agent.ts`, best.text);
        files.set(
          `${folder}/metadata.json`,
          JSON.stringify({ agent: peer, generation: best.generation, valScore: best.score }),
        );
      }
      const messages = await converse(openScripted(persona, { seed, agent: name, task }), files);
      const program = files.get('task_agent.ts') ?? '';
      const value = await evaluate(program);
      history.push({ agent: name, generation, program, score: value, messages });
      state.scores.set(generation, value);
      if (value > 0) state.head = program;
      if (value > state.best) {
        state.best = value;
        state.published = { generation, score: value, text: program };
      }
    }
  }
  return history;
}

/** One chat over the files, which it changes; at most 20 replies. Editor commands in `refused` are answered with an error. */
export async function converse(
  model: Model,
  files: Map<string, string>,
  options: { readonly instruction?: string; readonly refused?: readonly string[] } = {},
): Promise<readonly Message[]> {
  const { instruction = 'Improve task_agent.ts; see evals/ and strategies/. A GPU has 80 GB.', refused = [] } = options;
  const messages: Message[] = [{ role: 'user', text: instruction }];
  for (let turn = 0; turn < 20; turn += 1) {
    const { text, toolCalls } = await model.complete({ messages: [...messages], tools: [] });
    messages.push({ role: 'assistant', text, toolCalls });
    if (toolCalls.length === 0) return messages;
    for (const call of toolCalls) {
      const isRefused = refused.includes(argument(call, 'command'));
      const answer = isRefused ? undefined : call.name === 'bash' ? shell(call, files) : editor(call, files);
      messages.push({ role: 'tool', callId: call.id, text: answer ?? 'Error: refused', isError: answer === undefined });
    }
  }
  throw new Error('the chat did not end');
}

function argument(call: ToolCall, name: string): string {
  const record: Json = call.arguments;
  const value =
    typeof record === 'object' && record !== null && !Array.isArray(record)
      ? Object.entries(record).find(([key]) => key === name)?.[1]
      : undefined;
  return typeof value === 'string' ? value : '';
}

function editor(call: ToolCall, files: Map<string, string>): string | undefined {
  const path = argument(call, 'path');
  const text = files.get(path);
  const command = argument(call, 'command');
  if (command === 'view') return text === undefined ? undefined : numbered(text);
  if (path !== 'task_agent.ts') return undefined;
  if (command === 'create') files.set(path, argument(call, 'file_text'));
  if (command === 'str_replace') {
    const from = argument(call, 'old_str');
    if (text === undefined || text.split(from).length !== 2) return undefined;
    files.set(
      path,
      text.replace(from, () => argument(call, 'new_str')),
    );
  }
  return `${command} done`;
}

function shell(call: ToolCall, files: Map<string, string>): string | undefined {
  const command = argument(call, 'command');
  const own = files.get('task_agent.ts') ?? '';
  if (command.startsWith('find ')) {
    const listed = [...files.keys()].filter((path) => /^(?:evals|strategies)\//.test(path)).sort();
    return ['exit code 0', '--- stdout', ...listed, `${own.split('\n').length - 1} task_agent.ts`].join('\n');
  }
  if (command.startsWith('grep ')) {
    return [...files]
      .flatMap(([path, text]) => (path.endsWith('/validation.json') ? [`${path}:${text}`] : []))
      .join('');
  }
  const path = /^cat (?:-n )?(\S+)$/.exec(command)?.[1] ?? '';
  const text = command.startsWith('tail ') ? own : files.get(path);
  return text === undefined ? undefined : command.startsWith('cat -n ') ? numbered(text) : text;
}

function numbered(text: string): string {
  return text
    .trimEnd()
    .split('\n')
    .map((line, index) => `${String(index + 1).padStart(6)}\t${line}`)
    .join('\n');
}
