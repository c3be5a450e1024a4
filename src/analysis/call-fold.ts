/** A model call with the tool calls in its reply, as the readers of call logs stream it. @see src/trace/importers/calls.ts */
export interface ToolingCall {
  readonly agent: string;
  readonly generation: number;
  /** Absent: no tools were offered (a program's own call while it was evaluated). */
  readonly tools?: readonly { readonly name: string; readonly arguments: string }[];
  /** Answers to the tool calls of the agent's call before, where the log holds them. */
  readonly results?: readonly string[];
}

/** What the call log tells of one generation of one agent. */
export interface GenerationCalls {
  readonly agent: string;
  readonly generation: number;
  /** All calls of models on record for it, and those that had tools: the meta agent's. */
  readonly modelCalls: number;
  readonly agentCalls: number;
  readonly toolCalls: number;
  /** Runs of three or more identical tool calls in a row, and the longest run of identical ones. */
  readonly doomLoops: number;
  readonly longestRepeat: number;
  /** Paths viewed at least twice, whatever happened in between (the published measure). */
  readonly repeatedPaths: number;
  /** Views of a path and range that had been viewed before without an edit of the path in between. */
  readonly idleViews: number;
  /** Edits that the editor turned down; null where the log holds no answers. */
  readonly failedEdits: number | null;
  /** Calls that name one of the published patterns, and calls that really reach for something outside the view. */
  readonly publishedProbes: number;
  readonly probes: number;
  /** Calls that the published measure takes for edits of the meta agent (a shell command that reads it counts if it has a `>`). */
  readonly publishedSelfEdits: number;
  /** A call names `strategies/` at all, or opens something below it. */
  readonly mentionedStrategies: boolean;
  readonly openedStrategies: boolean;
}

/** Identical calls in a row that make a doom loop. @see hyperspace `analyze_patterns.py` */
export const DOOM_LOOP_LENGTH = 3;

const PROBE_PATTERNS = ['/etc/', '/proc/', '/sys/', '/root/', '/home/', '/../', '/..', '__pycache__'];
const SYSTEM_PATH =
  /(?:^|[\s'"=(<>|;&])\/(?:etc|proc|sys|root|home|var|usr|dev(?!\/null\b|\/std(?:in|out|err)\b))(?:\/|$|[\s'"])/;
const STRATEGY_FILE = /(?:^|[/\s'"=])strategies\/[^\s'"/]+/;
/** Answers to an edit that did nothing: hyperspace's editor's and ours. */
const FAILED_EDIT =
  /old_str[^]{0,200}(?:not found|not unique|does not occur|occurs more than once|is empty)|No replacement was performed|(?:appears|occurs) \d+ times/i;
const EDITS = new Set(['create', 'str_replace', 'insert', 'undo_edit']);

export interface CallFold {
  /** Takes the next call; within an agent calls come in the order they were made. */
  add(call: ToolingCall): void;
  /** What was seen, by agent and generation in order of appearance. */
  finish(): readonly GenerationCalls[];
}

/**
 * Folds a streamed call log into a few numbers per generation: a log of any size costs the memory of the generations that are
 * open, one an agent.
 */
export function createCallFold(): CallFold {
  const tallies = new Map<string, Tally>();
  const open = new Map<string, Tally>();
  return {
    add(call) {
      const key = `${call.agent}/${call.generation}`;
      const tally = tallies.get(key) ?? new Tally(call.agent, call.generation);
      tallies.set(key, tally);
      if (open.get(call.agent) !== tally) open.get(call.agent)?.close();
      open.set(call.agent, tally);
      tally.add(call);
    },
    finish: () => [...tallies.values()].map((tally) => tally.close()),
  };
}

type Mutable<T> = { -readonly [K in keyof T]: T[K] };

class Tally {
  readonly #seen: Mutable<GenerationCalls>;
  /** Views by path, and those of a path and range since the path was last edited. */
  #views = new Map<string, number>();
  #fresh = new Map<string, Set<string>>();
  #last = '';
  #repeat = 0;
  /** Which tool calls of the last reply were edits of text: the next request brings their answers, in this order. */
  #asked: readonly boolean[] = [];

  constructor(agent: string, generation: number) {
    this.#seen = {
      agent,
      generation,
      modelCalls: 0,
      agentCalls: 0,
      toolCalls: 0,
      doomLoops: 0,
      longestRepeat: 0,
      repeatedPaths: 0,
      idleViews: 0,
      failedEdits: null,
      publishedProbes: 0,
      probes: 0,
      publishedSelfEdits: 0,
      mentionedStrategies: false,
      openedStrategies: false,
    };
  }

  add({ tools, results }: ToolingCall): void {
    this.#seen.modelCalls++;
    if (tools === undefined) return;
    this.#seen.agentCalls++;
    if (results !== undefined) this.#answers(results);
    this.#asked = tools.map(
      ({ name, arguments: text }) => name === 'editor' && argumentsOf(text).command === 'str_replace',
    );
    for (const tool of tools) this.#use(tool.name, tool.arguments);
  }

  /** Lets go of what only the next call of this generation would need. */
  close(): GenerationCalls {
    this.#views.clear();
    this.#fresh.clear();
    this.#last = '';
    this.#asked = [];
    return this.#seen;
  }

  /** Only answers to edits count: a file that is shown may well hold the words of an error. */
  #answers(results: readonly string[]): void {
    const failed = results.filter((text, i) => this.#asked[i] === true && FAILED_EDIT.test(text)).length;
    this.#seen.failedEdits = (this.#seen.failedEdits ?? 0) + (results.length === this.#asked.length ? failed : 0);
    if (results.some((text) => text.includes('strategies/'))) this.#seen.mentionedStrategies = true;
  }

  #use(name: string, text: string): void {
    const seen = this.#seen;
    seen.toolCalls++;
    const { command, path, range } = argumentsOf(text);
    const identity = `${name}\n${canonical(text)}`;
    this.#repeat = identity === this.#last ? this.#repeat + 1 : 1;
    this.#last = identity;
    if (this.#repeat === DOOM_LOOP_LENGTH) seen.doomLoops++;
    seen.longestRepeat = Math.max(seen.longestRepeat, this.#repeat);

    const target = path === '' ? command : path;
    if (PROBE_PATTERNS.some((pattern) => target.includes(pattern))) seen.publishedProbes++;
    if (reachesOut(target)) seen.probes++;
    if (target.includes('strategies/') || target.includes('strategies\\')) seen.mentionedStrategies = true;
    if (STRATEGY_FILE.test(target)) seen.openedStrategies = true;
    if (isPublishedSelfEdit(name, command, path)) seen.publishedSelfEdits++;
    if (name === 'editor' && command === 'view') this.#view(path.replace(/\/+$/, ''), range);
    else if (name === 'editor' && EDITS.has(command)) this.#fresh.delete(path);
    else if (name === 'bash') this.#fresh.clear();
  }

  #view(path: string, range: string): void {
    const views = (this.#views.get(path) ?? 0) + 1;
    this.#views.set(path, views);
    if (views === 2) this.#seen.repeatedPaths++;
    const fresh = this.#fresh.get(path) ?? new Set();
    if (fresh.has(range)) this.#seen.idleViews++;
    this.#fresh.set(path, fresh.add(range));
  }
}

function isPublishedSelfEdit(name: string, command: string, path: string): boolean {
  if (name === 'editor') return command === 'str_replace' && path.includes('meta_agent');
  return name === 'bash' && command.includes('meta_agent') && /[>]|write|sed/i.test(command);
}

/** A system directory, or a path that climbs out of where it starts. */
function reachesOut(target: string): boolean {
  if (SYSTEM_PATH.test(target)) return true;
  return target.split(/[\s'"=;|&()<>]+/).some((word) => {
    if (!word.includes('..')) return false;
    let depth = 0;
    for (const part of word.split('/')) {
      if (part === '..') depth--;
      else if (part !== '' && part !== '.') depth++;
      if (depth < 0) return true;
    }
    return false;
  });
}

function argumentsOf(text: string): { readonly command: string; readonly path: string; readonly range: string } {
  const value = parsed(text);
  const textOf = (key: string): string => {
    const field = value?.[key];
    return typeof field === 'string' ? field : '';
  };
  return { command: textOf('command'), path: textOf('path'), range: JSON.stringify(value?.['view_range'] ?? null) };
}

/** Arguments with their keys in order, so that two spellings of one object are one. */
function canonical(text: string): string {
  const value = parsed(text);
  return value === undefined ? text : JSON.stringify(Object.entries(value).sort(([a], [b]) => (a < b ? -1 : 1)));
}

function parsed(text: string): Readonly<Record<string, unknown>> | undefined {
  try {
    const value: unknown = JSON.parse(text);
    return typeof value === 'object' && value !== null && !Array.isArray(value) ? { ...value } : undefined;
  } catch {
    return undefined;
  }
}
