import { assertKey } from '../space/chain.ts';
import { copyJson, equalJson, isRecord, UNBOUNDED } from '../space/json-value.ts';
import type { Log, LogEntry, LogHead, LogRecord } from '../space/log.ts';
import { MarkIndex, type MarkView } from '../space/mark-index.ts';
import { DRAFT_BOUNDS, type DraftBounds, parseScopeDefinition } from '../space/mark-schema.ts';
import type { AgentName, Json } from '../space/marks.ts';
import type { ScopeDefinition } from '../space/scope.ts';
import { assertTrustWeights, TRUST_WEIGHTS, type TrustWeights } from '../space/strength.ts';
import { CommitQueue } from './commit-queue.ts';
import { DecisionLedger } from './decision-ledger.ts';
import { GateBatch } from './gate-batch.ts';
import { GateClosedError } from './gate-closed-error.ts';
import { type Gather, GateSession } from './gate-session.ts';
import { type Grant, parseGrant } from './grants.ts';
import type { Lease } from './policies/policy.ts';
import { isIdSegment, type Session } from './session.ts';

export type { Gather } from './gate-session.ts';
export type { ExecuteOutcome, ExecuteRequest, Session } from './session.ts';
export { GateClosedError } from './gate-closed-error.ts';

export interface GateOptions {
  /** The gate takes it over: `gate.close()` closes it. */
  readonly log: Log;
  /** Names the run in every id. */
  readonly run: string;
  /** Epoch milliseconds; may stand still or jump back, the log's time will not. */
  readonly clock: () => number;
  /** Defined (or defined anew) at opening, on top of those in the log. */
  readonly scopes: readonly ScopeDefinition[];
  /** All agents that may have a session. @default those in the log */
  readonly grants?: readonly Grant[];
  readonly gather?: Gather;
  /** @default 64 KiB per text or the largest `maxFileBytes` granted, 16 times that per mark */
  readonly bounds?: DraftBounds;
  readonly trust?: TrustWeights;
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

/** The space's edge: the only way for anything to get into the log. */
export interface Gate {
  /** What is committed, unfiltered: for the infrastructure. @throws {GateClosedError} after a commit failed */
  readonly view: MarkView;
  /**
   * A capability to act as `agent`; counters start at 1, so that an epoch run again makes the same ids. An earlier session of the same agent
   * and epoch is revoked. @throws {UnknownAgentError} @throws {RangeError} for an epoch that cannot be part of an id
   */
  session(agent: AgentName, epoch: string): Session;
  /** From now on the session's writes are denied and its leases are free. */
  revoke(session: Session): void;
  /** Appends rows of a trace table in the same queue; a key that is in the log already changes nothing. Resolves once durable. */
  rows(table: string, rows: readonly NewRow[]): Promise<void>;
  head(): LogHead;
  records(fromSeq?: number): AsyncIterable<LogRecord>;
  /** Finishes the calls accepted so far, refuses later ones, closes the log. */
  close(): Promise<void>;
}

/**
 * Opens the gate over a log: folds what is in it, defines scopes and grants where they differ from what the log says.
 *
 * @throws {RangeError} for a run's name that cannot be part of an id, or trust weights that are out of order
 * @throws whatever the log throws
 */
export async function openGate(options: GateOptions): Promise<Gate> {
  if (!isIdSegment(options.run))
    throw new RangeError(`${JSON.stringify(options.run)} cannot name a run: letters, digits and . _ + @ - only`);
  assertTrustWeights(options.trust ?? TRUST_WEIGHTS);
  const gate = new LogGate(options);
  await gate.open();
  return gate;
}

class LogGate implements Gate {
  readonly #options: GateOptions;
  readonly #log: Log;
  #index: MarkIndex | undefined = new MarkIndex();
  readonly #ledger = new DecisionLedger();
  readonly #leases = new Map<string, Lease>();
  readonly #sessions = new Map<string, GateSession>();
  readonly #grants = new Map<AgentName, Grant>();
  /** How often the log defined each scope and grant, and how it did last. */
  readonly #definitions = new Map<string, { readonly times: number; readonly value: Json }>();
  readonly #queue: CommitQueue<GateBatch>;
  readonly #bounds: DraftBounds;
  #lastAt = 0;

  constructor(options: GateOptions) {
    this.#options = options;
    this.#log = options.log;
    this.#bounds = options.bounds ?? boundsFor(options.grants ?? []);
    this.#queue = new CommitQueue<GateBatch>(
      {
        log: options.log,
        seq: () => this.#committed().seq,
        createBatch: () => new GateBatch(this.#committed(), this.#leases, this.#now()),
        apply: (records) => this.#apply(records),
        committed: (batch) => batch.commitLeases(this.#leases),
      },
      () => {
        this.#index = undefined;
        this.#leases.clear();
      },
    );
  }

  async open(): Promise<void> {
    for await (const record of this.#log.read()) this.#apply([record]);
    const scopes = this.#options.scopes.map(parseScopeDefinition);
    const grants = this.#options.grants?.map(parseGrant);
    await this.#submit((batch) => {
      for (const scope of scopes) this.#define(batch.entries, 'scope', scope.name, copyJson(scope, UNBOUNDED));
      for (const grant of grants ?? []) this.#define(batch.entries, 'grant', grant.agent, copyJson(grant, UNBOUNDED));
    });
    // The caller's grants are all there are; those of the log serve only where none are given.
    if (grants === undefined) return;
    this.#grants.clear();
    for (const grant of grants) this.#grants.set(grant.agent, grant);
  }

  #define(entries: LogEntry[], what: 'scope' | 'grant', name: string, value: Json): void {
    const known = this.#definitions.get(`${what}/${name}`);
    if (known !== undefined && equalJson(known.value, value)) return;
    entries.push({ key: `define/${what}/${name}/${(known?.times ?? 0) + 1}`, body: { type: 'define', what, value } });
  }

  #apply(records: readonly LogRecord[]): void {
    const index = this.#committed();
    for (const record of records) {
      index.apply(record);
      const { body } = record;
      if (body.type === 'decision') {
        this.#ledger.apply(body.decision);
        this.#lastAt = Math.max(this.#lastAt, timeOf(body.decision));
      } else if (body.type === 'define') this.#applyDefinition(body.what, body.value);
    }
    this.#lastAt = Math.max(this.#lastAt, index.lastCreatedAt);
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

  #now(): number {
    const now = this.#options.clock();
    return Number.isFinite(now) ? Math.max(now, this.#lastAt) : this.#lastAt;
  }

  #submit(fill: (batch: GateBatch) => void): Promise<void> {
    return new Promise((resolve, reject) => {
      const stage = (batch: GateBatch): (() => void) => {
        fill(batch);
        return resolve;
      };
      this.#queue.push({ stage, fail: reject });
    });
  }

  get view(): MarkView {
    return this.#committed();
  }

  session(agent: AgentName, epoch: string): Session {
    const grant = this.#grants.get(agent);
    if (grant === undefined) throw new UnknownAgentError(`there is no grant for an agent ${JSON.stringify(agent)}`);
    if (!isIdSegment(epoch))
      throw new RangeError(`${JSON.stringify(epoch)} cannot name an epoch: letters, digits and . _ + @ - only`);
    const key = `${agent}/${epoch}`;
    this.#sessions.get(key)?.revoke();
    const { run, gather, trust } = this.#options;
    const session = new GateSession(
      {
        run,
        ledger: this.#ledger,
        leases: this.#leases,
        bounds: this.#bounds,
        trust: trust ?? TRUST_WEIGHTS,
        gather,
        view: () => this.#committed(),
        now: () => this.#now(),
        push: (task) => this.#queue.push(task),
      },
      grant,
      epoch,
    );
    this.#sessions.set(key, session);
    return session;
  }

  revoke(session: Session): void {
    const own = this.#sessions.get(`${session.agent}/${session.epoch}`);
    if (own === undefined || own !== session) return;
    own.revoke();
    this.#sessions.delete(`${session.agent}/${session.epoch}`);
  }

  async rows(table: string, rows: readonly NewRow[]): Promise<void> {
    for (const { key, row } of rows) {
      assertKey(key);
      if (JSON.stringify(row) === undefined) throw new TypeError(`row ${key} is not JSON`);
    }
    await this.#submit((batch) => {
      for (const { key, row } of rows) batch.entries.push({ key, body: { type: 'row', table, row } });
    });
  }

  head(): LogHead {
    return this.#log.head();
  }

  records(fromSeq?: number): AsyncIterable<LogRecord> {
    return this.#log.read(fromSeq);
  }

  async close(): Promise<void> {
    await this.#queue.drain();
    await this.#log.close();
  }
}

function boundsFor(grants: readonly Grant[]): DraftBounds {
  const maxTextBytes = Math.max(DRAFT_BOUNDS.maxTextBytes, ...grants.map(({ edit }) => edit?.maxFileBytes ?? 0));
  return { ...DRAFT_BOUNDS, maxTextBytes, maxBytes: Math.max(DRAFT_BOUNDS.maxBytes, 16 * maxTextBytes) };
}

function timeOf(decision: Json): number {
  return isRecord(decision) && typeof decision['at'] === 'number' ? decision['at'] : 0;
}

function scopeNameOf(value: Json): string {
  return isRecord(value) && typeof value['name'] === 'string' ? value['name'] : '';
}
