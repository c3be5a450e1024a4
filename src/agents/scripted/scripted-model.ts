import { ModelError } from '../model.ts';
import type { Model, ModelReply, ModelRequest, ToolCall } from '../model.ts';
import { readConversation } from './conversation.ts';
import { improverBehaviour } from './improver.ts';
import { idleBehaviour } from './personas/idle.ts';
import { planner } from './personas/planner.ts';
import { tuner } from './personas/tuner.ts';
import { vandalBehaviour } from './personas/vandal.ts';
import type { Behaviour, Turn } from './turn.ts';

export interface ScriptedOptions {
  /** The run's seed. */
  readonly seed: number;
  /** The agent it speaks for. */
  readonly agent: string;
  /** Name of the task's folder: chooses which of the persona's knowledge applies. */
  readonly task: string;
}

export interface PersonaInfo {
  readonly name: string;
  /** One line for people. */
  readonly summary: string;
}

interface KnownPersona extends PersonaInfo {
  behave(options: ScriptedOptions): Behaviour;
}

const PERSONAS: readonly KnownPersona[] = [
  ...[planner, tuner].map((persona) => ({
    name: persona.name,
    summary: persona.summary,
    behave: ({ seed, agent, task }: ScriptedOptions) =>
      improverBehaviour(persona, task.split('/').findLast((part) => part !== '') ?? task, `${seed}/${agent}`),
  })),
  { name: 'idle', summary: 'changes nothing', behave: () => idleBehaviour },
  { name: 'vandal', summary: 'misbehaves, another way each generation; for tests', behave: () => vandalBehaviour },
];

/** Every persona there is, in a fixed order. */
export function listPersonas(): readonly PersonaInfo[] {
  return PERSONAS.map(({ name, summary }) => ({ name, summary }));
}

/**
 * Opens a scripted model: a deterministic, offline participant that gets the messages and tools a language model gets and
 * answers with tool calls. It knows its persona's built-in knowledge and what it reads in the conversation, nothing else, and
 * remembers nothing between requests: the same request always gets the same reply, so that a resumed run repeats exactly.
 * Usage figures are estimates (a token for four characters), marked by the model being `scripted`.
 *
 * @throws ModelError `bad-request` for a persona that does not exist.
 */
export function openScripted(persona: string, options: ScriptedOptions): Model {
  const known = PERSONAS.find(({ name }) => name === persona);
  if (known === undefined) {
    const names = PERSONAS.map(({ name }) => `scripted/${name}`).join(', ');
    throw new ModelError(
      'bad-request',
      'scripted',
      `scripted: there is no persona ${JSON.stringify(persona)}; known are ${names}`,
      0,
    );
  }
  const behave = known.behave(options);
  const name = `scripted/${persona}`;
  return {
    name,
    identity: name,
    scripted: true,
    async complete(request) {
      if (request.signal?.aborted === true) throw new ModelError('aborted', 'scripted', `${name}: aborted`, 0);
      const conversation = readConversation(request.messages);
      return replyOf(request, behave(conversation), conversation.replies + 1);
    },
  };
}

function replyOf(request: ModelRequest, turn: Turn, number: number): ModelReply {
  const toolCalls = turn.calls.map((call, index): ToolCall => ({ id: `call_${number}_${index + 1}`, ...call }));
  const said = toolCalls.length === 0 ? turn.text : turn.text + JSON.stringify(turn.calls);
  return {
    text: turn.text,
    toolCalls,
    stopReason: toolCalls.length === 0 ? 'end' : 'tool-calls',
    usage: { inputTokens: estimateTokens(requestText(request)), outputTokens: estimateTokens(said) },
    attempts: 1,
  };
}

/** What a provider would count as input: every message with its calls, and the tools' schemas. */
function requestText({ messages, tools }: ModelRequest): string {
  return (
    JSON.stringify(tools) +
    messages.map((one) => one.text + (one.role === 'assistant' ? JSON.stringify(one.toolCalls) : '')).join('')
  );
}

function estimateTokens(text: string): number {
  return Math.ceil(text.length / 4);
}
