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
  /** Puts a read on record; what is written afterwards comes after it. */
  noteRead(read: {
    readonly toolCall: number;
    readonly tool: string;
    readonly path: string;
    readonly sha256: string;
  }): void;
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
const WRITE_BYTES = 128 * 1024 * 1024;
const WRITE_WINDOW_MS = 10 * 60_000;
/** Attempts at one edit where others write the same file at the same time. */
const MOST_ATTEMPTS = 5;
/** As what a resource is read. */
const RESOURCE = 'resources/read';
/** Milliseconds over which changes are told as one. */
const COALESCE_MS = 15;

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
  #entries: ReadonlyMap<ScopedPath, Entry> = new Map();
  /** The marks the view was made from. */
  #made: readonly string[] = [];
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
    const toolCall = this.#countCall();
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
    if (this.external === 'mcp' || tool !== RESOURCE)
      this.#port.noteRead({ toolCall, tool, path: entry.path, sha256: entry.sha256 });
    return { ok: true, file: entryOf(entry), text: entry.text };
  }

  edit(command: EditorCommand): Promise<ToolAnswer | Refused> {
    return this.#inTurn(() => this.#call('editor', copyArguments(command)));
  }

  shell(command: string, signal?: AbortSignal): Promise<ToolAnswer | Refused> {
    return this.#inTurn(() => this.#call('bash', { command }, signal));
  }

  put(path: string, text: string | null, expected: string | null): ReturnType<Participant['put']> {
    return this.#inTurn(() => this.#put(path, text, expected));
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
    const toolCall = this.#countCall();
    const limit = this.#port.toolCallLimit;
    if (limit !== undefined && toolCall > limit) {
      const denial: Denial = { code: 'tool-budget', check: 'budget', used: limit, limit };
      await this.#session.use({ tool: name, operation: 'run' }, denial);
      return refused(denial.code, denialText(denial));
    }
    for (let attempt = 1; ; attempt += 1) {
      const answer = await this.#attempt(name, input, toolCall, signal);
      // Somebody else, another process of the agent's, was first: the edit is made again on what is there now.
      if (answer.ok || answer.code !== 'stale-edit' || name !== 'editor' || attempt === MOST_ATTEMPTS) return answer;
    }
  }

  async #attempt(
    name: 'editor' | 'bash',
    input: Readonly<Record<string, Json>>,
    toolCall: number,
    signal: AbortSignal | undefined,
  ): Promise<ToolAnswer | Refused> {
    this.#refresh();
    const before = new Map(this.#entries);
    const { text, isError, reads, wrote, denied } = await this.#tools.call({ id: '', name, arguments: input }, signal);
    for (const read of reads) this.#port.noteRead({ toolCall, tool: name, ...read });
    const refusals: Refused[] = [];
    const kept: FileEntry[] = [];
    for (const path of wrote) {
      const now = this.#workspace.read(path) ?? null;
      const outcome = await this.#store(path, now, before.get(path));
      if (outcome.ok) kept.push(...(outcome.file === null ? [] : [outcome.file]));
      else {
        this.#restore(path, before.get(path));
        refusals.push(outcome);
      }
    }
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
    this.#refresh();
    const entry = this.#entries.get(parsed.path);
    const use = {
      tool: 'put_file',
      operation,
      path: parsed.path,
      ...(text === null ? {} : { bytes: utf8Bytes(text) }),
    } as const;
    const refusal = await this.#refusalOf(use);
    if (refusal !== undefined)
      return { ...refusal, now: entry === undefined ? null : { sha256: entry.sha256, text: entry.text } };
    if (text === (entry?.text ?? null)) return { ok: true, file: entry === undefined ? null : entryOf(entry) };
    if ((entry?.sha256 ?? null) !== expected) {
      const now = entry === undefined ? null : { sha256: entry.sha256, text: entry.text };
      return { ...refused('conflict', `${parsed.path} was changed meanwhile; nothing was written`), now };
    }
    const problem = text === null ? this.#workspace.remove(parsed.path) : this.#workspace.write(parsed.path, text);
    if (problem !== undefined) return refused(problem.code, `${parsed.path} ${problem.problem}`);
    const stored = await this.#store(parsed.path, text, entry);
    if (stored.ok) return stored;
    this.#restore(parsed.path, entry);
    if (stored.code !== 'stale-edit') return stored;
    this.#refresh();
    const there = this.#entries.get(parsed.path);
    return {
      ...refused('conflict', stored.message),
      now: there === undefined ? null : { sha256: there.sha256, text: there.text },
    };
  }

  /** Makes what a tool left in the workspace a mark. */
  async #store(
    path: ScopedPath,
    text: string | null,
    before: Entry | undefined,
  ): Promise<{ readonly ok: true; readonly file: FileEntry | null } | Refused> {
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
    this.#entries = text === null || before !== undefined ? entries : sorted(entries);
    this.#made = this.#sources().ids;
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

  #restore(path: ScopedPath, before: Entry | undefined): void {
    if (before === undefined) this.#workspace.remove(path);
    else this.#workspace.write(path, before.text);
  }

  #sources(): {
    readonly own: readonly (Mark | ProjectedMark)[];
    readonly evaluations: readonly MarkId[];
    readonly strategies: readonly MarkId[];
    readonly ids: readonly string[];
  } {
    const { ownScope, fileNames } = this.#port;
    const own = fileNames.flatMap((topic) =>
      this.#session.read({ scope: ownScope, kind: 'observation', topic, live: true, last: 1 }),
    );
    const evaluations = this.#port.evaluations();
    const strategies = this.#port.strategies();
    return { own, evaluations, strategies, ids: [...own.map(({ id }) => id), ...evaluations, ...strategies] };
  }

  /** Brings the view up to the space; costs a lookup per own file where nothing is different. @returns paths that are */
  #refresh(): readonly string[] {
    const { own, evaluations, strategies, ids } = this.#sources();
    if (ids.length === this.#made.length && ids.every((id, i) => id === this.#made[i])) return [];
    const marksOf = (list: readonly MarkId[]): (Mark | ProjectedMark)[] =>
      list.flatMap((id) => this.#session.get(id) ?? []);
    const tree: Tree = buildTree({
      own,
      evaluations: marksOf(evaluations),
      strategies: marksOf(strategies),
      self: this.agent,
      editable: this.#port.editable,
    });
    this.#workspace.follow(tree);
    const before = this.#entries;
    const known = (path: ScopedPath, file: TreeFile): Entry => {
      const entry = before.get(path);
      if (entry !== undefined && entry.text === file.text && entry.mark === file.mark) return entry;
      return { ...entryFor(path, file), text: file.text, mark: file.mark };
    };
    const entries = new Map([...tree.files].map(([path, file]) => [path, known(path, file)] as const));
    this.#entries = entries;
    this.#made = ids;
    const paths = new Set([...before.keys(), ...entries.keys()]);
    return [...paths].filter((path) => before.get(path)?.sha256 !== entries.get(path)?.sha256);
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

  #countCall(): number {
    this.#countGeneration();
    this.#toolCalls += 1;
    return this.#toolCalls;
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
