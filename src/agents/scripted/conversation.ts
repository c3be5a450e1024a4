import type { Json } from '../../space/marks.ts';
import type { Message, ToolCall } from '../model.ts';

/** A tool call of this conversation and what came back. */
export interface ToolUse {
  readonly name: string;
  readonly arguments: { readonly [key: string]: Json };
  readonly text: string;
  readonly isError: boolean;
}

/** What a participant has to go by: the words it was given and its answered tool calls, in order. */
export interface Conversation {
  /** System and user messages, joined. */
  readonly instruction: string;
  readonly uses: readonly ToolUse[];
  /** Replies it has given so far. */
  readonly replies: number;
}

export function readConversation(messages: readonly Message[]): Conversation {
  const words: string[] = [];
  const uses: ToolUse[] = [];
  const open = new Map<string, ToolCall>();
  let replies = 0;
  for (const message of messages) {
    if (message.role === 'system' || message.role === 'user') words.push(message.text);
    if (message.role === 'assistant') {
      replies += 1;
      for (const call of message.toolCalls) open.set(call.id, call);
    }
    if (message.role === 'tool') {
      const call = open.get(message.callId);
      if (call === undefined) continue;
      open.delete(message.callId);
      uses.push({ name: call.name, arguments: recordOf(call.arguments), text: message.text, isError: message.isError });
    }
  }
  return { instruction: words.join('\n'), uses, replies };
}

/** Whether this call was made before with these very arguments, answered or refused. */
export function wasAsked(conversation: Conversation, name: string, args: Json): boolean {
  const wanted = JSON.stringify(args);
  return conversation.uses.some((use) => use.name === name && JSON.stringify(use.arguments) === wanted);
}

/**
 * A file's text as far as numbered lines of it were shown (`editor view`, `cat -n`), whatever stands around them.
 * `undefined` when it was never shown from line 1 on.
 */
export function textShown(conversation: Conversation, path: string): string | undefined {
  const lines: string[] = [];
  let seen = false;
  for (const use of conversation.uses) {
    if (use.isError || !showsFile(use, path)) continue;
    for (const match of use.text.matchAll(/^ {0,6}(\d{1,6})\t(.*)$/gm)) {
      const number = Number(match[1]);
      if (number !== lines.length + 1 && number > lines.length) continue;
      lines[number - 1] = match[2] ?? '';
      seen = true;
    }
  }
  return seen ? `${lines.join('\n').trimEnd()}\n` : undefined;
}

/** Numbers by generation found in lines like `evals/gen_3/validation.json:{"score":0.74}`. */
export function scoresShown(conversation: Conversation): ReadonlyMap<number, number> {
  const scores = new Map<number, number>();
  for (const { text, isError } of conversation.uses) {
    if (isError) continue;
    for (const match of text.matchAll(
      /^\S*evals\/gen_(\d+)\/validation\.json:.*?"score"\s*:\s*(-?[\d.]+(?:e[-+]?\d+)?)/gm,
    )) {
      scores.set(Number(match[1]), Number(match[2]));
    }
  }
  return scores;
}

/** Generations of which the listings shown so far name a folder in `evals/`. */
export function evalsListed(conversation: Conversation): ReadonlySet<number> {
  const found = conversation.uses.flatMap((use) => [...use.text.matchAll(/\bevals\/gen_(\d+)\b/g)]);
  return new Set(found.map((match) => Number(match[1])));
}

export interface ListedStrategy {
  readonly folder: string;
  readonly peer: string;
  readonly generation: number;
}

/** Each peer's newest folder named in the listings shown so far, by peer name. */
export function strategiesListed(conversation: Conversation): readonly ListedStrategy[] {
  const newest = new Map<string, ListedStrategy>();
  for (const { text } of conversation.uses) {
    for (const match of text.matchAll(/\bstrategies\/([^/\s:]+)_gen(\d+)(?=[/\s:]|$)/g)) {
      const peer = match[1] ?? '';
      const generation = Number(match[2]);
      const known = newest.get(peer);
      if (known !== undefined && known.generation >= generation) continue;
      newest.set(peer, { folder: `strategies/${peer}_gen${match[2]}`, peer, generation });
    }
  }
  return [...newest.values()].sort((a, b) => (a.peer < b.peer ? -1 : 1));
}

/** `valScore` of a strategy's metadata, once it was shown. */
export function valScoreShown(conversation: Conversation, folder: string): number | undefined {
  for (const use of conversation.uses) {
    const command = use.arguments['command'];
    if (use.isError || typeof command !== 'string' || !command.includes(`${folder}/metadata.json`)) continue;
    const match = /"valScore"\s*:\s*(-?[\d.]+(?:e[-+]?\d+)?)/.exec(use.text);
    if (match?.[1] !== undefined) return Number(match[1]);
  }
  return undefined;
}

function showsFile(use: ToolUse, path: string): boolean {
  const command = use.arguments['command'];
  if (use.name === 'editor') return command === 'view' && use.arguments['path'] === path;
  return use.name === 'bash' && command === `cat -n ${path}`;
}

function recordOf(value: Json): { readonly [key: string]: Json } {
  return isRecord(value) ? value : {};
}

function isRecord(value: Json): value is { readonly [key: string]: Json } {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}
