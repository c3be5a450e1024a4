import { hash } from 'node:crypto';
import type { Denial, Outcome, ToolUse } from '../guard/decision.ts';
import { denialText } from '../guard/denial-text.ts';
import { GateClosedError, type Session } from '../guard/gate.ts';
import type { EditorCommand } from '../materialize/editor.ts';
import { canonicalPath, type ScopedPath, utf8Bytes } from '../materialize/paths.ts';
import { buildTree, type Tree, type TreeFile } from '../materialize/tree.ts';
import { Workspace } from '../materialize/workspace.ts';
import type { Json, Mark, MarkId, ProjectedMark, ScopeName } from '../space/marks.ts';
import type { MarkQuery } from '../space/query.ts';
import { isMarkId } from '../space/stored-mark.ts';
import type { LaterMarks } from './marks-after.ts';
import type {
  Change,
  FileEntry,
  Participant,
  Refused,
  Standing,
  SubmitAnswer,
  SubmitProgress,
  ToolAnswer,
} from './participant.ts';

/** The tools of an agent over its workspace: each call asks `use` before it does anything. */
export interface SeatTools {
  call(
    call: { readonly id: string; readonly name: 'editor' | 'bash'; readonly arguments: Readonly<Record<string, Json>> },
    signal?: AbortSignal,
  ): Promise<{
    readonly text: string;
    readonly isError: boolean;
    readonly reads: readonly { readonly path: ScopedPath; readonly sha256: string }[];
    readonly wrote: readonly ScopedPath[];
    readonly denied?: Denial;
  }>;
}

export type UseTool = (use: ToolUse, refuse?: Denial) => Promise<Outcome>;

/** What a seat needs of where it stands: a run, or a space without one. */
export interface SeatPort {
  readonly external: 'mcp' | 'folder';
  readonly session: Session;
  readonly briefing: string;
  /** Where its own files are, and its notes. */
  readonly ownScope: ScopeName;
  readonly notesScope: ScopeName;
  /** Names its own files may have, and those of them that it may change. */
  readonly fileNames: readonly string[];
  readonly editable: readonly string[];
  /** The marks that make up the rest of its view, as of now. */
  evaluations(): readonly MarkId[];
  strategies(): readonly MarkId[];
  /** A mark that the guard lets it see, but not yet: what a peer has published in the round that is open. At most {@link MOST_HIDDEN}. */
  hides(mark: Mark | ProjectedMark): boolean;
  /** The marks after a position of the log, whoever may see them, and the position they go up to. */
  marksAfter(seq: number): LaterMarks;
  /** The generation that calls count for, and the last tool call of it that is on record. */
  generation(): number;
  lastToolCall(): number;
  /** Tool calls of a generation. @default no limit */
  readonly toolCallLimit?: number;
  openTools(workspace: Workspace, use: UseTool): SeatTools;
  /** Why its files cannot be changed yet, as a sentence. @default they can */
  notYet?(): string | undefined;
  /** Puts a read on record; what is written afterwards comes after it. `durably`: resolves once it is on disk. */
  noteRead(
    read: Call & { readonly tool: string; readonly path: string; readonly sha256: string },
    durably: boolean,
  ): Promise<void>;
  standing(): Omit<Standing, 'agent' | 'peers' | 'toolCalls' | 'readsObserved' | 'budget'> & {
    readonly budget: Omit<Standing['budget'], 'toolCallsLeft'>;
  };
  submit(
    files: Readonly<Record<string, { readonly text: string; readonly mark: MarkId }>>,
    options: Parameters<Participant['submit']>[0],
  ): Promise<SubmitAnswer | Refused>;
  /** Calls `listener` whenever something may be different, until the returned function is called. */
  onChange(listener: () => void): () => void;
}

/** One a peer. */
const MOST_HIDDEN = 16;
/** Bytes that an agent may write within {@link WRITE_WINDOW_MS}: the log keeps all of them. */
const WRITE_BYTES = 64 * 1024 * 1024;
const WRITE_WINDOW_MS = 10 * 60_000;
/** Attempts at one edit where others write the same file at the same time. */
const MOST_ATTEMPTS = 5;
/** As what a resource is read. */
const RESOURCE = 'resources/read';
/** Milliseconds over which changes are told as one. */
const COALESCE_MS = 15;

/** One call, by its number within the generation that it counts for. */
export interface Call {
  readonly generation: number;
  readonly toolCall: number;
}

/** What a seat's watchers were told of last. */
interface Sight extends LaterMarks {
  readonly entries: ReadonlyMap<ScopedPath, Entry>;
  readonly round: number | undefined;
  readonly standing: string;
}

type Entry = FileEntry & { readonly text: string; readonly mark: MarkId };

/** An outside agent's place in a space: its files as marks, its tools, its session. @see Participant */
export class Seat implements Participant {
  readonly agent: string;
  readonly external: 'mcp' | 'folder';
  readonly briefing: string;
  readonly notes: string;
  readonly #port: SeatPort;
  readonly #session: Session;
  readonly #workspace: Workspace;
  readonly #tools: SeatTools;
  /** The view, as readers have it; brought up to the space whenever somebody looks. */
  #entries: ReadonlyMap<ScopedPath, Entry> = new Map();
  /** The marks it was made from: own ones by file, and the rest. */
  #madeOwn: ReadonlyMap<string, MarkId> = new Map();
  #madeRest: readonly MarkId[] = [];
  /** The view that the workspace holds: tools work on it, and nothing changes it under them. */
  #followed: ReadonlyMap<ScopedPath, Entry> | undefined;
  #turn: Promise<unknown> = Promise.resolve();
  #generation = -1;
  #toolCalls = 0;
  #windowFrom = -Infinity;
  #written = 0;
  readonly #watchers = new Set<(change: Change) => void>();
  #unwatch: (() => void) | undefined;

  constructor(port: SeatPort) {
    this.#port = port;
    this.#session = port.session;
    this.agent = port.session.agent;
    this.external = port.external;
    this.briefing = port.briefing;
    this.notes = port.notesScope;
    this.#workspace = new Workspace({ files: new Map(), skipped: [] });
    this.#tools = port.openTools(this.#workspace, (use, refuse) => this.#session.use(use, refuse));
    this.#refresh();
  }

  standing(): Standing {
    this.#countGeneration();
    const { budget, ...rest } = this.#port.standing();
    const limit = this.#port.toolCallLimit;
    return {
      agent: this.agent,
      ...rest,
      peers: this.#peers(),
      budget: { ...budget, toolCallsLeft: limit === undefined ? null : Math.max(0, limit - this.#toolCalls) },
      toolCalls: this.#toolCalls,
      readsObserved: this.external !== 'folder',
    };
  }

  files(): readonly FileEntry[] {
    this.#refresh();
    return [...this.#entries.values()].map(entryOf);
  }

  async read(path: string, tool: string): ReturnType<Participant['read']> {
    const call = this.#countCall();
    const parsed = canonicalPath(path);
    const name = parsed.ok ? { path: parsed.path } : {};
    const refusal = await this.#refusalOf(
      { tool, operation: 'read', ...name },
      parsed.ok ? undefined : malformed('path', parsed.refusal.problem),
    );
    if (refusal !== undefined) return refusal;
    this.#refresh();
    const entry = parsed.ok ? this.#entries.get(parsed.path) : undefined;
    if (entry === undefined) return refused('no-such-file', `no such file: /${parsed.ok ? parsed.path : ''}`);
    // A folder is kept in step by reading all of it; that the agent looked is not said by that.
    if (this.external === 'mcp' || tool !== RESOURCE) await this.#noteRead(call, tool, entry);
    return { ok: true, file: entryOf(entry), text: entry.text };
  }

  edit(command: EditorCommand): Promise<ToolAnswer | Refused> {
    return this.#inTurn(async () => (await this.#notYet('editor')) ?? this.#call('editor', copyArguments(command)));
  }

  shell(command: string, signal?: AbortSignal): Promise<ToolAnswer | Refused> {
    return this.#inTurn(async () => (await this.#notYet('bash')) ?? this.#call('bash', { command }, signal));
  }

  put(path: string, text: string | null, expected: string | null): ReturnType<Participant['put']> {
    return this.#inTurn(async () => (await this.#notYet('put_file')) ?? this.#put(path, text, expected));
  }

  submit(options: Parameters<Participant['submit']>[0]): Promise<SubmitAnswer | Refused> {
    // After the edits before it, beside those that follow.
    const files = this.#inTurn(async () => {
      this.#refresh();
      const own = [...this.#entries.values()].filter(({ kind }) => kind === 'own');
      return Object.fromEntries(own.map(({ path, text, mark }) => [path, { text, mark }]));
    });
    return files.then(async (handedIn) => {
      const refusal = await this.#refusalOf({ tool: 'submit', operation: 'run' });
      return refusal ?? this.#port.submit(handedIn, options);
    });
  }

  async leave(draft: unknown): Promise<Outcome> {
    const denial = this.#charge(sizeOf(draft));
    return denial === undefined
      ? this.#session.write(draft)
      : this.#session.use({ tool: 'note', operation: 'run' }, denial);
  }

  marks(query: MarkQuery = {}): readonly (Mark | ProjectedMark)[] {
    const { last, ...rest } = query;
    const more = last === undefined ? {} : { last: last + MOST_HIDDEN };
    const marks = this.#session.read({ ...rest, ...more }).filter((mark) => !this.#port.hides(mark));
    return last === undefined ? marks : marks.slice(Math.max(0, marks.length - last));
  }

  mark(id: string): Mark | ProjectedMark | undefined {
    const mark = isMarkId(id) ? this.#session.get(id) : undefined;
    return mark !== undefined && !this.#port.hides(mark) ? mark : undefined;
  }

  async look(tool: string): Promise<void> {
    await this.#session.use({ tool, operation: 'run' });
  }

  async refuse(tool: string, problem: string): Promise<void> {
    this.#countCall();
    await this.#session.use(
      { tool: /^[\w.-]{1,64}$/u.test(tool) ? tool : 'unknown', operation: 'run' },
      malformed('arguments', problem),
    );
  }

  watch(listener: (change: Change) => void): () => void {
    const mine = (change: Change): void => listener(change);
    this.#watchers.add(mine);
    this.#unwatch ??= this.#follow();
    return () => {
      this.#watchers.delete(mine);
      if (this.#watchers.size > 0) return;
      this.#unwatch?.();
      this.#unwatch = undefined;
    };
  }

  async #call(
    name: 'editor' | 'bash',
    input: Readonly<Record<string, Json>>,
    signal?: AbortSignal,
  ): Promise<ToolAnswer | Refused> {
    const call = this.#countCall();
    const limit = this.#port.toolCallLimit;
    if (limit !== undefined && call.toolCall > limit) {
      const denial: Denial = { code: 'tool-budget', check: 'budget', used: limit, limit };
      await this.#session.use({ tool: name, operation: 'run' }, denial);
      return refused(denial.code, denialText(denial));
    }
    for (let attempt = 1; ; attempt += 1) {
      const answer = await this.#attempt(name, input, call, signal);
      // Somebody else, another process of the agent's, was first: the edit is made again on what is there now.
      if (answer.ok || answer.code !== 'stale-edit' || name !== 'editor' || attempt === MOST_ATTEMPTS) return answer;
    }
  }

  async #attempt(
    name: 'editor' | 'bash',
    input: Readonly<Record<string, Json>>,
    call: Call,
    signal: AbortSignal | undefined,
  ): Promise<ToolAnswer | Refused> {
    const before = this.#sync();
    const { text, isError, reads, wrote, denied } = await this.#tools.call({ id: '', name, arguments: input }, signal);
    const noted = Promise.all(
      reads.map(({ path, sha256 }) => this.#noteRead(call, name, { path, sha256, peer: before.get(path)?.peer })),
    );
    const refusals: Refused[] = [];
    const kept: FileEntry[] = [];
    for (const path of wrote) {
      const now = this.#workspace.read(path) ?? null;
      const outcome = await this.#store(path, now, before.get(path));
      if (outcome.ok) kept.push(...(outcome.file === null ? [] : [outcome.file]));
      else refusals.push(outcome);
    }
    await noted;
    if (denied !== undefined) return refused(denied.code, denialText(denied));
    const [refusal] = refusals;
    if (refusal !== undefined && name === 'editor') return refusal;
    // What the tool says comes first: nothing in its text can pass for a word of the guard.
    if (isError) return refused('tool', text.replace(/^Error: /u, ''));
    return { ok: true, text: [...refusals.map(({ message }) => message), text].join('\n'), wrote: kept };
  }

  async #put(path: string, text: string | null, expected: string | null): ReturnType<Participant['put']> {
    this.#countCall();
    const parsed = canonicalPath(path);
    const operation = text === null ? 'delete' : 'write';
    const denial = parsed.ok ? undefined : malformed('path', parsed.refusal.problem);
    if (!parsed.ok || denial !== undefined) {
      const refusal = await this.#refusalOf({ tool: 'put_file', operation }, denial);
      return refusal ?? refused('malformed', 'the path is not one');
    }
    const entry = this.#sync().get(parsed.path);
    const use = {
      tool: 'put_file',
      operation,
      path: parsed.path,
      ...(text === null ? {} : { bytes: utf8Bytes(text) }),
    } as const;
    const refusal = await this.#refusalOf(use);
    // Of its own files alone: to look at others' is a read.
    if (refusal !== undefined) return entry?.kind === 'own' ? { ...refusal, now: nowOf(entry) } : refusal;
    if (text === (entry?.text ?? null)) return { ok: true, file: entry === undefined ? null : entryOf(entry) };
    if ((entry?.sha256 ?? null) !== expected) {
      return { ...refused('conflict', `${parsed.path} was changed meanwhile; nothing was written`), now: nowOf(entry) };
    }
    const problem = text === null ? this.#workspace.remove(parsed.path) : this.#workspace.write(parsed.path, text);
    if (problem !== undefined) return refused(problem.code, `${parsed.path} ${problem.problem}`);
    const stored = await this.#store(parsed.path, text, entry);
    if (stored.ok || stored.code !== 'stale-edit') return stored;
    return { ...refused('conflict', stored.message), now: nowOf(this.#sync().get(parsed.path)) };
  }

  /** Makes what a tool left in the workspace a mark; where that is refused, the workspace is made anew from the view. */
  async #store(
    path: ScopedPath,
    text: string | null,
    before: Entry | undefined,
  ): Promise<{ readonly ok: true; readonly file: FileEntry | null } | Refused> {
    const followed = this.#followed;
    this.#followed = undefined;
    const denial = this.#charge(utf8Bytes(text ?? ''));
    if (denial !== undefined)
      return refusalIn(await this.#session.use({ tool: 'edit', operation: 'write', path }, denial));
    const outcome = await this.#session.write({
      scope: this.#port.ownScope,
      topic: path,
      content: text === null ? null : { text },
      confidence: 1,
      source: 'fleet',
      ...(before === undefined ? {} : { supersedes: before.mark }),
    });
    if (outcome.verdict !== 'allow' || outcome.mark === undefined) return refusalIn(outcome);
    const entries = new Map(this.#entries);
    if (text === null) entries.delete(path);
    else
      entries.set(path, {
        ...entryFor(path, { text, access: 'edit', mark: outcome.mark.id }),
        text,
        mark: outcome.mark.id,
      });
    const wasFollowed = followed === this.#entries;
    this.#entries = text === null || before !== undefined ? entries : sorted(entries);
    this.#madeOwn = new Map(this.#madeOwn).set(path, outcome.mark.id);
    if (wasFollowed) this.#followed = this.#entries;
    const entry = this.#entries.get(path);
    return { ok: true, file: entry === undefined ? null : entryOf(entry) };
  }

  /** Counts what is about to be written. @returns what stands against it */
  #charge(bytes: number): Denial | undefined {
    const now = performance.now();
    if (now - this.#windowFrom >= WRITE_WINDOW_MS) {
      this.#windowFrom = now;
      this.#written = 0;
    }
    if (this.#written + bytes > WRITE_BYTES)
      return malformed(
        'write',
        `comes to more than ${WRITE_BYTES} bytes in ${WRITE_WINDOW_MS / 60_000} minutes; wait, and write less often`,
      );
    this.#written += bytes;
    return undefined;
  }

  /** Brings the view up to the space, and the workspace up to the view. In a turn, before a tool works on it. */
  #sync(): ReadonlyMap<ScopedPath, Entry> {
    this.#refresh();
    if (this.#followed !== this.#entries) {
      const files = new Map<ScopedPath, TreeFile>();
      for (const [path, { text, editable, mark }] of this.#entries)
        files.set(path, { text, access: editable ? 'edit' : 'read', mark });
      this.#workspace.follow({ files, skipped: [] });
      this.#followed = this.#entries;
    }
    return this.#entries;
  }

  /** Brings the view up to the space; costs a lookup per own file where nothing is different. */
  #refresh(): void {
    const { ownScope, fileNames } = this.#port;
    const own = fileNames.flatMap((topic) =>
      this.#session.read({ scope: ownScope, kind: 'observation', topic, live: true, last: 1 }),
    );
    const evaluations = this.#port.evaluations();
    const strategies = this.#port.strategies();
    const rest = [...evaluations, ...strategies];
    const isOwnSame =
      own.length === this.#madeOwn.size &&
      own.every((mark) => mark.kind === 'observation' && this.#madeOwn.get(mark.topic) === mark.id);
    if (isOwnSame && rest.length === this.#madeRest.length && rest.every((id, i) => id === this.#madeRest[i])) return;
    const marksOf = (list: readonly MarkId[]): (Mark | ProjectedMark)[] =>
      list.flatMap((id) => this.#session.get(id) ?? []);
    const tree: Tree = buildTree({
      own,
      evaluations: marksOf(evaluations),
      strategies: marksOf(strategies),
      self: this.agent,
      editable: this.#port.editable,
    });
    const before = this.#entries;
    const known = (path: ScopedPath, file: TreeFile): Entry => {
      const entry = before.get(path);
      if (entry !== undefined && entry.text === file.text && entry.mark === file.mark) return entry;
      return { ...entryFor(path, file), text: file.text, mark: file.mark };
    };
    this.#entries = new Map([...tree.files].map(([path, file]) => [path, known(path, file)] as const));
    this.#madeOwn = new Map(
      own.flatMap((mark) => (mark.kind === 'observation' ? [[mark.topic, mark.id] as const] : [])),
    );
    this.#madeRest = rest;
  }

  /** Tells the watchers what became different, a few milliseconds after the first news of it. */
  #follow(): () => void {
    const look = (after: number): Sight => {
      const { run, best, published, peers } = this.standing();
      const { seq, ids } = this.#port.marksAfter(after);
      return {
        entries: this.#entries,
        seq,
        ids,
        round: run?.round,
        standing: JSON.stringify([run, best, published, peers]),
      };
    };
    let seen = look(Infinity);
    let timer: NodeJS.Timeout | undefined;
    const wake = (): void => {
      timer = undefined;
      try {
        tell();
      } catch (error) {
        // There will be no further news of a space that is closed: whoever calls is told so.
        if (!(error instanceof GateClosedError)) throw error;
      }
    };
    const tell = (): void => {
      this.#refresh();
      const now = look(seen.seq);
      const paths = new Set([...seen.entries.keys(), ...now.entries.keys()]);
      const files = [...paths].filter((path) => seen.entries.get(path)?.sha256 !== now.entries.get(path)?.sha256);
      // With a round, what was published in the one before comes to be seen.
      const marks = seen.round !== now.round || now.ids.some((id) => this.mark(id) !== undefined);
      const change = { files, marks, standing: seen.standing !== now.standing };
      seen = now;
      if (files.length > 0 || change.marks || change.standing) for (const watcher of this.#watchers) watcher(change);
    };
    const off = this.#port.onChange(() => {
      timer ??= setTimeout(wake, COALESCE_MS);
    });
    return () => {
      off();
      clearTimeout(timer);
    };
  }

  #peers(): Standing['peers'] {
    this.#refresh();
    return [...this.#entries.values()].flatMap(({ path, peer, text }) => {
      if (peer === undefined || !/^strategies\/[^/]+\/metadata\.json$/u.test(path)) return [];
      const { valScore, model } = metadataIn(text);
      return [{ ...peer, score: valScore, ...(model === undefined ? {} : { model }) }];
    });
  }

  #countGeneration(): void {
    const generation = this.#port.generation();
    if (generation === this.#generation) return;
    this.#generation = generation;
    this.#toolCalls = this.#port.lastToolCall();
  }

  #countCall(): Call {
    this.#countGeneration();
    this.#toolCalls += 1;
    return { generation: this.#generation, toolCall: this.#toolCalls };
  }

  /** Of a peer's file, durably before the agent has its text; of its own, before whatever is written afterwards. */
  async #noteRead(
    call: Call,
    tool: string,
    { path, sha256, peer }: { readonly path: string; readonly sha256: string; readonly peer?: unknown },
  ): Promise<void> {
    await this.#port.noteRead({ ...call, tool, path, sha256 }, peer !== undefined);
  }

  /** Why its files cannot be changed yet, on record. */
  async #notYet(tool: string): Promise<Refused | undefined> {
    const problem = this.#port.notYet?.();
    if (problem === undefined) return undefined;
    await this.refuse(tool, problem);
    return refused('not-open', problem);
  }

  async #refusalOf(use: ToolUse, refuse?: Denial): Promise<Refused | undefined> {
    const outcome = await this.#session.use(use, refuse);
    return outcome.verdict === 'allow' ? undefined : refusalIn(outcome);
  }

  #inTurn<T>(work: () => Promise<T>): Promise<T> {
    const mine = this.#turn.then(work);
    this.#turn = mine.catch(() => undefined);
    return mine;
  }
}

export type { SubmitAnswer, SubmitProgress };

/** Characters of a draft, about; what JSON cannot carry is the guard's to refuse. */
function sizeOf(draft: unknown): number {
  try {
    return JSON.stringify(draft)?.length ?? 0;
  } catch {
    return 0;
  }
}

/** What a file is now, for whoever would have changed it. */
function nowOf(entry: Entry | undefined): { readonly sha256: string; readonly text: string } | null {
  return entry === undefined ? null : { sha256: entry.sha256, text: entry.text };
}

/** A command without its empty fields. */
function copyArguments(command: EditorCommand): Record<string, Json> {
  const copy: Record<string, Json> = {};
  for (const [field, value] of Object.entries(command)) if (value !== undefined) copy[field] = value;
  return copy;
}

function refused(code: string, message: string): Refused {
  return { ok: false, code, message };
}

/** What stood against a call, in words. */
export function refusalIn(outcome: Outcome): Refused {
  switch (outcome.verdict) {
    case 'denied':
      return refused(outcome.denial.code, denialText(outcome.denial));
    case 'conflict':
      return refused('conflict', `${outcome.holderAgent} holds it`);
    case 'blocked':
      return refused(outcome.reason, `blocked: ${outcome.reason}`);
    case 'allow':
      return refused('refused', 'nothing was written');
    default:
      return outcome satisfies never;
  }
}

function malformed(field: string, problem: string): Denial {
  return { code: 'malformed', check: 'shape', field, problem: problem.slice(0, 500) };
}

function entryFor(
  path: ScopedPath,
  { text, access, peer }: Omit<TreeFile, 'mark'> & { readonly mark: MarkId },
): FileEntry {
  return {
    path,
    bytes: utf8Bytes(text),
    sha256: hash('sha256', text),
    kind: peer === undefined ? (path.startsWith('evals/') ? 'evaluation' : 'own') : 'strategy',
    editable: access === 'edit',
    ...(peer === undefined ? {} : { peer }),
  };
}

function entryOf({ text: _text, mark: _mark, ...entry }: Entry): FileEntry {
  return entry;
}

function sorted(entries: ReadonlyMap<ScopedPath, Entry>): ReadonlyMap<ScopedPath, Entry> {
  return new Map([...entries].sort(([a], [b]) => (a < b ? -1 : 1)));
}

/** `metadata.json` of a strategy: the tree wrote it. */
function metadataIn(text: string): { readonly valScore: number; readonly model: string | undefined } {
  const value: unknown = JSON.parse(text);
  const field = (name: string): unknown =>
    typeof value === 'object' && value !== null ? Reflect.get(value, name) : undefined;
  const valScore = field('valScore');
  const model = field('model');
  return {
    valScore: typeof valScore === 'number' ? valScore : 0,
    model: typeof model === 'string' ? model : undefined,
  };
}
