import { assertKey } from '../space/chain.ts';
import { copyJson, equalJson, isRecord, UNBOUNDED } from '../space/json-value.ts';
import type { Log, LogEntry, LogHead, LogRecord } from '../space/log.ts';
import { MarkIndex, type MarkView } from '../space/mark-index.ts';
import { DRAFT_BOUNDS, type DraftBounds, parseScopeDefinition } from '../space/mark-schema.ts';
import type { AgentName, Json, ScopeName } from '../space/marks.ts';
import { covers, coversAny, type ScopeDefinition } from '../space/scope.ts';
import { assertTrustWeights, TRUST_WEIGHTS } from '../space/strength.ts';
import { addBudgetEvent, GUARD_SCOPE } from './budget-needs.ts';
import { CommitQueue } from './commit-queue.ts';
import { decisionIn, markCallIn } from './decided.ts';
import { sessionOf } from './session-id.ts';
import type { DecisionRecord } from './decision.ts';
import { DecisionLedger } from './decision-ledger.ts';
import { GateBatch } from './gate-batch.ts';
import { GateClosedError } from './gate-closed-error.ts';
import { GateSession } from './gate-session.ts';
import { type Grant, parseGrant } from './grants.ts';
import { foldRecord } from './parts.ts';
import { allExpected, leasedBy, waitingScopes } from './parts/claims.ts';
import { principalTokenSha256 } from './parts/sessions.ts';
import { addBoundary, GatePrincipal, type Principal, PRINCIPAL } from './principal.ts';
import { isToken } from './principal-token.ts';
import { type ProbeOutcome, type ProbePort, putCanaryOut } from './probe.ts';
import { RefusalBook } from './refusal-book.ts';
import { GUARD } from './rulings.ts';
import { isIdSegment, type Session } from './session.ts';
import type { Gather } from './session-port.ts';
import { FOLDING, type GuardSettings } from './settings.ts';
import { GuardState } from './state.ts';

export type { Gather } from './session-port.ts';
export type { ExecuteOutcome, ExecuteRequest, IntentStanding, Session, ToolLease } from './session.ts';
export type { Principal } from './principal.ts';
export { GateClosedError } from './gate-closed-error.ts';

export interface GateOptions {
  /** The gate takes it over: `gate.close()` closes it. */
  readonly log: Log;
  /** Names the run in every id. */
  readonly run: string;
  /** Epoch milliseconds; may stand still or jump, the log's time does not run backwards. */
  readonly clock: () => number;
  /** Milliseconds that only ever grow: how the log's time goes on while the clock is behind it. @default performance.now */
  readonly monotonic?: () => number;
  /** Defined (or defined anew) at opening, on top of those in the log. */
  readonly scopes: readonly ScopeDefinition[];
  /** All agents that may have a session. @default those in the log */
  readonly grants?: readonly Grant[];
  readonly gather?: Gather;
  /** @default 64 KiB per text or the largest `maxFileBytes` granted, 16 times that per mark */
  readonly bounds?: DraftBounds;
  readonly settings?: Partial<GuardSettings>;
  /** sha256, hex, of the token that makes its holder the principal. @default what the log says */
  readonly principalTokenSha256?: string;
  /** Told of every decision once it is durable (or, one of many equal refusals, counted); what it throws is dropped. */
  readonly observe?: (record: DecisionRecord) => void;
  /** Calls `tick` after `ms`; returns how to take it back. @default a timer that does not keep the process alive */
  readonly schedule?: (ms: number, tick: () => void) => () => void;
}

/** One row of a trace table; `key` is its key in the log as it stands. */
export interface NewRow {
  readonly key: string;
  readonly row: Json;
}

/** No session for an agent without a grant. */
export class UnknownAgentError extends Error {
  override readonly name = 'UnknownAgentError';
  readonly code = 'unknown-agent';
}

function unknownAgent(agent: string): UnknownAgentError {
  return new UnknownAgentError(`there is no grant for an agent ${JSON.stringify(agent)}`);
}

/** Not the principal's token. */
export class NotPrincipalError extends Error {
  override readonly name = 'NotPrincipalError';
  readonly code = 'not-principal';
}

/** The space's edge: the only way for anything to get into the log. */
export interface Gate {
  /** What is committed, unfiltered: for the infrastructure. @throws {GateClosedError} after a commit failed */
  readonly view: MarkView;
  /**
   * A capability to act as `agent`; counters start at 1, so that an epoch run again makes the same ids. An earlier session of the same agent
   * and epoch is revoked. @throws {UnknownAgentError} @throws {RangeError} for an epoch that cannot be part of an id
   */
  session(agent: AgentName, epoch: string): Session;
  /**
   * Lets an agent in, or changes what it may do in sessions made from now on: defines the scopes and its grant where the log says otherwise.
   * Resolves once durable. @throws {RangeError} for the guard's own names and scope
   */
  admit(grant: Grant, scopes?: readonly ScopeDefinition[]): Promise<void>;
  /** From now on the session's writes are denied and its leases are free. */
  revoke(session: Session): void;
  /** The powers of the person in charge. @throws {NotPrincipalError} for any token but the principal's */
  principal(token: string): Principal;
  /** Puts tokens an agent used on record: what its budget is counted by. Resolves once durable. @throws {UnknownAgentError} */
  spend(
    agent: AgentName,
    round: string,
    tokens: { readonly inputTokens: number; readonly outputTokens: number },
  ): Promise<void>;
  /**
   * Puts a canary out in `scope` through the probe's own session; agents that are active and do not answer within `responseMs` may write only
   * needs until the principal restores them. @see putCanaryOut
   */
  probe(session: Session, scope: ScopeName, responseMs?: number): Promise<ProbeOutcome>;
  /** Does what is due at the clock's time: boundaries whose timer is over, counts of folded refusals. Resolves once durable. */
  tick(): Promise<void>;
  /** Everything called so far, counts of folded refusals included, is durable once this resolves. */
  flush(): Promise<void>;
  /**
   * Appends rows of a trace table in the same queue; a key that is in the log already changes nothing. Resolves once durable; `lazy`: that may
   * be a little later, with what comes after it.
   */
  rows(table: string, rows: readonly NewRow[], options?: { readonly lazy?: boolean }): Promise<void>;
  /** Calls `listener` after every commit, and once when the gate closes, until the returned function is called. */
  onCommit(listener: () => void): () => void;
  head(): LogHead;
  /** The log from `fromSeq` on, with everything that was called before. */
  records(fromSeq?: number): AsyncIterable<LogRecord>;
  /** Finishes the calls accepted so far, refuses later ones, closes the log. */
  close(): Promise<void>;
}

/**
 * Opens the gate over a log: folds what is in it, defines scopes and grants where they differ from what the log says.
 *
 * @throws {RangeError} for a run's name that cannot be part of an id, trust weights that are out of order, or an agent named `guard` or `principal`
 * @throws whatever the log throws
 */
export async function openGate(options: GateOptions): Promise<Gate> {
  if (!isIdSegment(options.run))
    throw new RangeError(`${JSON.stringify(options.run)} cannot name a run: letters, digits and . _ + @ - only`);
  assertTrustWeights(options.settings?.trust ?? TRUST_WEIGHTS);
  assertDefinable(options.scopes, options.grants ?? []);
  const gate = new LogGate(options);
  await gate.open();
  return gate;
}

/** @throws {RangeError} for what is the guard's own */
function assertDefinable(scopes: readonly ScopeDefinition[], grants: readonly Grant[]): void {
  for (const { agent } of grants)
    if (agent === GUARD || agent === PRINCIPAL) throw new RangeError(`no agent may have the name ${agent}`);
  for (const { name } of scopes)
    if (covers(GUARD_SCOPE, name)) throw new RangeError(`${name} is the guard's own scope: choose another name`);
  for (const { agent, read, write } of grants)
    if (coversAny([...read, ...write.map(({ scope }) => scope)], GUARD_SCOPE))
      throw new RangeError(`${agent} cannot have a right in ${GUARD_SCOPE}, the guard's own scope`);
}

class LogGate implements Gate {
  readonly #options: GateOptions;
  readonly #settings: GuardSettings;
  readonly #log: Log;
  #index: MarkIndex | undefined = new MarkIndex();
  readonly #state = new GuardState();
  readonly #ledger = new DecisionLedger();
  readonly #refusals: RefusalBook;
  readonly #sessions = new Map<string, GateSession>();
  readonly #grants = new Map<AgentName, Grant>();
  /** How often the log defined each scope and grant, and how it did last. */
  readonly #definitions = new Map<string, { readonly times: number; readonly value: Json }>();
  readonly #queue: CommitQueue<GateBatch>;
  readonly #bounds: DraftBounds;
  readonly #listeners = new Set<() => void>();
  #unwatch: (() => void) | undefined;
  #timer: { readonly due: number; readonly cancel: () => void } | undefined;
  /** Epoch ms of the newest thing in the log, and when it was found to be (monotonic ms). */
  #lastAt = 0;
  #lastSeen = 0;

  constructor(options: GateOptions) {
    this.#options = options;
    this.#settings = { trust: TRUST_WEIGHTS, folding: FOLDING, ...options.settings };
    this.#refusals = new RefusalBook(this.#settings.folding);
    this.#log = options.log;
    this.#bounds = options.bounds ?? boundsFor(options.grants ?? []);
    this.#queue = new CommitQueue<GateBatch>(
      {
        log: options.log,
        seq: () => this.#committed().seq,
        createBatch: () => this.#createBatch(),
        staged: (batch) => this.#addDue(batch),
        committed: (batch, records) => this.#commit(batch, records),
        dropped: () => this.#drop(),
        catchUp: (records) => {
          this.#fold(records);
          this.#tellListeners();
        },
      },
      () => {
        this.#index = undefined;
        this.#end();
      },
    );
  }

  async open(): Promise<void> {
    let page: LogRecord[] = [];
    for await (const record of this.#log.read()) {
      page.push(record);
      if (page.length < PAGE_RECORDS) continue;
      this.#fold(page);
      page = [];
    }
    this.#fold(page);
    const scopes = this.#options.scopes.map(parseScopeDefinition);
    const grants = this.#options.grants?.map(parseGrant);
    const { principalTokenSha256: token } = this.#options;
    await this.#submit((batch) => {
      for (const scope of scopes) this.#define(batch.entries, 'scope', scope.name, copyJson(scope, UNBOUNDED));
      for (const grant of grants ?? []) this.#define(batch.entries, 'grant', grant.agent, copyJson(grant, UNBOUNDED));
      if (token !== undefined && token !== principalTokenSha256(batch.state))
        batch.addEvent({ what: 'principal-set', tokenSha256: token });
    });
    // The caller's grants are all there are; those of the log serve only where none are given.
    if (grants !== undefined) {
      this.#grants.clear();
      for (const grant of grants) this.#grants.set(grant.agent, grant);
    }
    this.#unwatch = this.#log.watch?.(() => this.#queue.follow());
    this.#schedule();
  }

  #define(entries: LogEntry[], what: 'scope' | 'grant', name: string, value: Json): void {
    const known = this.#definitions.get(`${what}/${name}`);
    if (known !== undefined && equalJson(known.value, value)) return;
    entries.push({ key: `define/${what}/${name}/${(known?.times ?? 0) + 1}`, body: { type: 'define', what, value } });
  }

  #createBatch(): GateBatch {
    const now = this.#now();
    const batch = new GateBatch(this.#committed(), this.#state, this.#settings, this.#options.run, now);
    for (const record of this.#refusals.due(now, now)) batch.addDecision(record);
    return batch;
  }

  /** Boundaries whose timer is over. */
  #addDue(batch: GateBatch): void {
    for (const { scope, due } of this.#boundariesDue(batch.now)) if (due <= batch.now) addBoundary(batch, scope);
  }

  *#boundariesDue(now: number): Iterable<{ readonly scope: ScopeName; readonly due: number }> {
    for (const [name, { since }] of waitingScopes(this.#state, now)) {
      // oxlint-disable-next-line typescript/no-unsafe-type-assertion -- the names of definitions
      const scope = name as ScopeName;
      const everyMs = this.#committed().definitionOf(scope)?.boundary?.everyMs;
      if (everyMs !== undefined) yield { scope, due: since + everyMs };
    }
  }

  #commit(batch: GateBatch, records: readonly LogRecord[]): void {
    if (records.length === batch.entries.length) {
      const index = this.#committed();
      for (const record of records) {
        index.apply(record);
        const { body } = record;
        if (body.type === 'define') this.#applyDefinition(body.what, body.value);
      }
      if (batch.entries.length > 0) this.#comeTo(batch.now);
      this.#state.keep();
      this.#ledger.keep();
    } else {
      // Rows and definitions may have been there already: what follows from the rest is found out from the records themselves.
      const stored = new Set(records.map(({ key }) => key));
      const lost = batch.entries.find(
        ({ key, body }) => body.type !== 'row' && body.type !== 'define' && !stored.has(key),
      );
      if (lost !== undefined) throw new Error(`the log has something else under ${lost.key}`);
      this.#state.drop();
      this.#ledger.drop();
      this.#fold(records);
    }
    this.#refusals.keep();
    this.#schedule();
    if (records.length > 0) this.#tellListeners();
  }

  #drop(): void {
    this.#state.drop();
    this.#ledger.drop();
    this.#refusals.drop();
  }

  /** Folds records of the log into everything that is kept of it. */
  #fold(records: readonly LogRecord[]): void {
    const index = this.#committed();
    for (const record of records) {
      index.apply(record);
      const { body } = record;
      if (body.type === 'define') this.#applyDefinition(body.what, body.value);
      const allowed = body.type === 'mark' ? markCallIn(body) : undefined;
      if (body.type === 'mark' && typeof allowed === 'number')
        this.#ledger.applyPlain(sessionOf(body.mark.id), allowed, body.mark.id);
      else {
        const decision = decisionIn(body);
        if (decision !== undefined) {
          const { id, at } = decision;
          const session = sessionOf(id);
          this.#ledger.apply(session, id.slice(session.length + 1), decision);
          this.#comeTo(at);
        }
      }
      if (body.type === 'event') this.#comeTo(timeOf(body.event));
      foldRecord(this.#state, record, { view: index, settings: this.#settings, seq: record.seq });
    }
    this.#state.keep();
    this.#comeTo(index.lastCreatedAt);
  }

  #applyDefinition(what: 'scope' | 'grant', value: Json): void {
    const grant = what === 'grant' ? parseGrant(value) : undefined;
    if (grant !== undefined && this.#options.grants === undefined) this.#grants.set(grant.agent, grant);
    const key = `${what}/${grant?.agent ?? scopeNameOf(value)}`;
    this.#definitions.set(key, { times: (this.#definitions.get(key)?.times ?? 0) + 1, value });
  }

  #committed(): MarkIndex {
    if (this.#index === undefined) throw this.#queue.closed ?? new GateClosedError('the gate is closed');
    return this.#index;
  }

  /** The clock's time; while that is behind what the log says, the log's time goes on from there as time passes. */
  #now(): number {
    const now = this.#options.clock();
    if (Number.isFinite(now) && now >= this.#lastAt) return now;
    return this.#lastAt + Math.max(0, Math.floor(this.#monotonic() - this.#lastSeen));
  }

  #monotonic(): number {
    return (this.#options.monotonic ?? monotonicMs)();
  }

  /** The log has come to `at`. */
  #comeTo(at: number): void {
    if (at <= this.#lastAt) return;
    this.#lastAt = at;
    this.#lastSeen = this.#monotonic();
  }

  #submit(fill: (batch: GateBatch) => void, lazy = false): Promise<void> {
    return new Promise((resolve, reject) => {
      this.#queue.push({ stage: fill, done: resolve, fail: reject, ...(lazy ? { lazy } : {}) });
    });
  }

  /** Sets the timer for whatever is due next. */
  #schedule(): void {
    let due = this.#refusals.nextDue() ?? Infinity;
    for (const boundary of this.#boundariesDue(this.#now())) due = Math.min(due, boundary.due);
    if (this.#timer !== undefined && this.#timer.due <= due) return;
    this.#timer?.cancel();
    this.#timer = undefined;
    if (due === Infinity || this.#queue.closed !== undefined) return;
    const schedule = this.#options.schedule ?? scheduleTimer;
    const tick = (): void => {
      this.#timer = undefined;
      // A gate that closed has told everybody who waits; a timer has nobody to tell.
      this.tick().catch(() => undefined);
    };
    this.#timer = { due, cancel: schedule(Math.max(0, due - this.#now()), tick) };
  }

  #tellListeners(): void {
    for (const listener of this.#listeners) {
      try {
        listener();
      } catch {
        // Who waits for news cannot stop a write. @see protocol rule P33
      }
    }
  }

  #end(): void {
    this.#timer?.cancel();
    this.#timer = undefined;
    this.#unwatch?.();
    this.#unwatch = undefined;
    this.#tellListeners();
    this.#listeners.clear();
  }

  #told(record: DecisionRecord): void {
    const { observe } = this.#options;
    if (observe === undefined) return;
    try {
      observe(record);
    } catch {
      // Who watches the guard cannot stop it. @see protocol rule P57
    }
  }

  get view(): MarkView {
    return this.#committed();
  }

  async admit(given: Grant, scopes: readonly ScopeDefinition[] = []): Promise<void> {
    const grant = parseGrant(given);
    const definitions = scopes.map(parseScopeDefinition);
    assertDefinable(definitions, [grant]);
    await this.#submit((batch) => {
      for (const scope of definitions) this.#define(batch.entries, 'scope', scope.name, copyJson(scope, UNBOUNDED));
      this.#define(batch.entries, 'grant', grant.agent, copyJson(grant, UNBOUNDED));
    });
    this.#grants.set(grant.agent, grant);
  }

  session(agent: AgentName, epoch: string): Session {
    const grant = this.#grants.get(agent);
    if (grant === undefined) throw unknownAgent(agent);
    if (!isIdSegment(epoch))
      throw new RangeError(`${JSON.stringify(epoch)} cannot name an epoch: letters, digits and . _ + @ - only`);
    const earlier = this.#sessions.get(`${agent}/${epoch}`);
    if (earlier !== undefined) this.revoke(earlier);
    const session = new GateSession(
      {
        run: this.#options.run,
        ledger: this.#ledger,
        refusals: this.#refusals,
        state: this.#state,
        settings: this.#settings,
        bounds: this.#bounds,
        gather: this.#options.gather,
        view: () => this.#committed(),
        now: () => this.#now(),
        push: (task) => this.#queue.push(task),
        closed: () => this.#queue.closed,
        event: (event) => this.#submit((batch) => batch.addEvent(event)),
        onCommit: (listener) => this.onCommit(listener),
        waits: (batch, draft) => {
          const definition = batch.view.definitionOf(draft.scope);
          if (definition !== undefined && allExpected(batch.state, definition)) addBoundary(batch, draft.scope);
        },
        told: this.#options.observe === undefined ? undefined : (record) => this.#told(record),
      },
      grant,
      epoch,
    );
    this.#sessions.set(`${agent}/${epoch}`, session);
    return session;
  }

  revoke(session: Session): void {
    const { agent, epoch } = session;
    const own = this.#sessions.get(`${agent}/${epoch}`);
    if (own === undefined || own !== session) return;
    own.revoke();
    this.#sessions.delete(`${agent}/${epoch}`);
    this.#endSession(this.#options.run, agent, epoch);
  }

  /** Frees the leases of a session that is over. */
  #endSession(run: string, agent: AgentName, epoch: string): void {
    if (this.#queue.closed !== undefined) return;
    this.#submit((batch) => {
      const leased = leasedBy(batch.state, `${run}/${agent}/${epoch}`);
      if (leased.length > 0) batch.addEvent({ what: 'session-ended', run, agent, epoch, revoked: false }, leased);
    }).catch(() => undefined);
  }

  principal(token: string): Principal {
    if (!isToken(token, principalTokenSha256(this.#state)))
      throw new NotPrincipalError("that is not the token of this space's principal");
    return new GatePrincipal({
      run: this.#options.run,
      bounds: this.#bounds,
      push: (task) => this.#queue.push(task),
      view: () => this.#committed(),
      grantOf: (agent) => this.#grants.get(agent) ?? { agent },
      told: (record) => this.#told(record),
    });
  }

  spend(
    agent: AgentName,
    round: string,
    { inputTokens, outputTokens }: { readonly inputTokens: number; readonly outputTokens: number },
  ): Promise<void> {
    const grant = this.#grants.get(agent);
    if (grant === undefined) return Promise.reject(unknownAgent(agent));
    const event = { what: 'spent', agent, round, inputTokens, outputTokens } as const;
    return this.#submit((batch) => addBudgetEvent(batch, grant, event));
  }

  probe(session: Session, scope: ScopeName, responseMs?: number): Promise<ProbeOutcome> {
    const own = this.#sessions.get(`${session.agent}/${session.epoch}`);
    if (own === undefined || own !== session)
      return Promise.reject(new UnknownAgentError('that is no session of this gate'));
    const port: ProbePort = { write: (draft, follow) => own.writeFollowed(draft, follow) };
    return putCanaryOut(port, scope, responseMs);
  }

  tick(): Promise<void> {
    // Whatever is due is done with every batch.
    return this.#submit(() => undefined);
  }

  flush(): Promise<void> {
    return this.#submit((batch) => {
      for (const record of this.#refusals.due(batch.now)) batch.addDecision(record);
    });
  }

  onCommit(listener: () => void): () => void {
    this.#listeners.add(listener);
    return () => this.#listeners.delete(listener);
  }

  async rows(
    table: string,
    rows: readonly NewRow[],
    { lazy = false }: { readonly lazy?: boolean } = {},
  ): Promise<void> {
    for (const { key, row } of rows) {
      assertKey(key);
      if (JSON.stringify(row) === undefined) throw new TypeError(`row ${key} is not JSON`);
    }
    await this.#submit((batch) => {
      for (const { key, row } of rows) batch.entries.push({ key, body: { type: 'row', table, row } });
    }, lazy);
  }

  head(): LogHead {
    return this.#log.head();
  }

  async *records(fromSeq?: number): AsyncIterable<LogRecord> {
    if (this.#queue.closed === undefined) await this.flush();
    yield* this.#log.read(fromSeq);
  }

  async close(): Promise<void> {
    if (this.#queue.closed === undefined && this.#refusals.nextDue() !== undefined)
      await this.flush().catch(() => undefined);
    await this.#queue.drain();
    this.#end();
    await this.#log.close();
  }
}

const PAGE_RECORDS = 512;

function monotonicMs(): number {
  return performance.now();
}

function scheduleTimer(ms: number, tick: () => void): () => void {
  const timer = setTimeout(tick, Math.min(ms, LONGEST_TIMER_MS));
  timer.unref();
  return () => clearTimeout(timer);
}

/** What `setTimeout` can hold. */
const LONGEST_TIMER_MS = 2 ** 31 - 1;

function boundsFor(grants: readonly Grant[]): DraftBounds {
  const maxTextBytes = Math.max(DRAFT_BOUNDS.maxTextBytes, ...grants.map(({ edit }) => edit?.maxFileBytes ?? 0));
  return { ...DRAFT_BOUNDS, maxTextBytes, maxBytes: Math.max(DRAFT_BOUNDS.maxBytes, 16 * maxTextBytes) };
}

/** Epoch ms of an event, which is where its record says so. */
function timeOf(event: Json): number {
  const at = isRecord(event) ? event['at'] : undefined;
  return typeof at === 'number' ? at : 0;
}

function scopeNameOf(value: Json): string {
  return isRecord(value) && typeof value['name'] === 'string' ? value['name'] : '';
}
