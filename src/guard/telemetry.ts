import type { Attributes, Counter, Logger, Meter, Tracer } from '@opentelemetry/api';
import { isRecord } from '../space/json-value.ts';
import { isMarkKind } from '../space/marks.ts';
import type { DecisionRecord } from './decision.ts';
import { EventQueue } from './telemetry-queue.ts';

export interface TelemetryOptions {
  readonly meter?: Pick<Meter, 'createCounter'>;
  readonly tracer?: Pick<Tracer, 'startSpan'>;
  readonly logger?: Pick<Logger, 'emit'>;
  /** Calls that wait for their span and log record; beyond it the oldest are dropped and counted. @default 10_000 */
  readonly maxQueue?: number;
  /** Calls `run` after `ms`. @default a timer that does not keep the process alive */
  readonly schedule?: (ms: number, run: () => void) => void;
  /** Monotonic milliseconds. @default performance.now */
  readonly now?: () => number;
}

/**
 * Tells OpenTelemetry what the guard decides: counters, and one span and one log record a call. Who did what kind of thing where, the
 * verdict and the check that refused; never content, topics or resources, which agents word as they like.
 *
 * `observe` only counts and queues. What is queued is told later, a slice at a time, so that a slow sink gets at most about a quarter of
 * the event loop however slow it is; what a sink throws is counted and dropped. Counters are exact even where spans were dropped.
 *
 * @see protocol rules P57, P58
 */
export interface Telemetry {
  /** For `openGate({ observe })`. Never throws. */
  readonly observe: (record: DecisionRecord) => void;
  /** Tells what is queued, for at most `timeoutMs` (default 2000): before the sinks themselves are flushed and shut down. */
  flush(options?: { readonly timeoutMs?: number }): Promise<void>;
  /** Calls that wait to be told. */
  readonly queued: number;
  /** Calls whose span and log record were given up because too many waited. */
  readonly dropped: number;
  /** How often a sink threw. */
  readonly failed: number;
}

/** Milliseconds of one slice, and how many times as long the event loop is left alone after it. */
const SLICE_MS = 5;
const REST = 3;
const SEVERITY = { info: 9, warn: 13 } as const;
/** `SpanStatusCode.ERROR`, without loading the package for it. */
const SPAN_ERROR = 2;

/** @throws {RangeError} when `maxQueue` is not a whole number from 1 */
export function createTelemetry(options: TelemetryOptions): Telemetry {
  return new QueuedTelemetry(options);
}

interface Counters {
  readonly calls: Counter;
  readonly denials: Counter;
  readonly marks: Counter;
  readonly dropped: Counter;
  readonly failed: Counter;
}

interface Tally {
  readonly counter: 'calls' | 'denials' | 'marks';
  readonly attributes: Attributes;
  count: number;
}

class QueuedTelemetry implements Telemetry {
  readonly #options: TelemetryOptions;
  readonly #queue: EventQueue<DecisionRecord>;
  readonly #tallies = new Map<string, Tally>();
  readonly #now: () => number;
  #counters: Counters | undefined;
  #scheduled = false;
  #failed = 0;
  /** What of `dropped` and `failed` the counters were told. */
  #toldDropped = 0;
  #toldFailed = 0;

  constructor(options: TelemetryOptions) {
    this.#options = options;
    this.#queue = new EventQueue(options.maxQueue ?? 10_000);
    this.#now = options.now ?? (() => performance.now());
    const { meter } = options;
    if (meter !== undefined) this.#attempt(() => void (this.#counters = countersOf(meter)));
  }

  readonly observe = (record: DecisionRecord): void => {
    if (this.#counters !== undefined) this.#tally(record);
    if (this.#options.tracer !== undefined || this.#options.logger !== undefined) this.#queue.push(record);
    this.#schedule(0);
  };

  get queued(): number {
    return this.#queue.size;
  }
  get dropped(): number {
    return this.#queue.dropped;
  }
  get failed(): number {
    return this.#failed;
  }

  async flush({ timeoutMs = 2_000 }: { readonly timeoutMs?: number } = {}): Promise<void> {
    const end = this.#now() + timeoutMs;
    this.#tellCounters();
    while (this.#queue.size > 0 && this.#now() < end) {
      this.#tellSlice();
      await new Promise((resolve) => setImmediate(resolve));
    }
    this.#tellCounters();
  }

  #schedule(ms: number): void {
    if (this.#scheduled) return;
    this.#scheduled = true;
    (this.#options.schedule ?? scheduleTimer)(ms, () => {
      this.#scheduled = false;
      const from = this.#now();
      this.#tellSlice();
      this.#tellCounters();
      if (this.#queue.size > 0) this.#schedule(Math.ceil((this.#now() - from) * REST));
    });
  }

  #tellSlice(): void {
    const end = this.#now() + SLICE_MS;
    const { tracer, logger } = this.#options;
    do {
      const record = this.#queue.shift();
      if (record === undefined) return;
      const attributes = attributesOf(record);
      if (tracer !== undefined) this.#attempt(() => tellSpan(tracer, record, attributes));
      if (logger !== undefined) this.#attempt(() => tellLog(logger, record, attributes));
    } while (this.#now() < end);
  }

  #tally(record: DecisionRecord): void {
    const { call, verdict, denial, count = 1 } = record;
    const kind = kindOf(record);
    this.#add('calls', { call, verdict, check: denial?.check, kind }, count);
    if (denial !== undefined) this.#add('denials', { call, check: denial.check, code: denial.code, kind }, count);
    if (leftMark(record)) this.#add('marks', { kind }, count);
  }

  #add(counter: Tally['counter'], attributes: Attributes, count: number): void {
    // Every attribute is one of a few words of ours, so there are few tallies.
    const key = `${counter} ${Object.values(attributes).join(' ')}`;
    const tally = this.#tallies.get(key);
    if (tally === undefined) this.#tallies.set(key, { counter, attributes: prefixed(attributes), count });
    else tally.count += count;
  }

  #tellCounters(): void {
    const counters = this.#counters;
    if (counters === undefined) return;
    for (const { counter, attributes, count } of this.#tallies.values())
      this.#attempt(() => counters[counter].add(count, attributes));
    this.#tallies.clear();
    const { dropped } = this.#queue;
    if (dropped > this.#toldDropped) this.#attempt(() => counters.dropped.add(dropped - this.#toldDropped));
    this.#toldDropped = dropped;
    const failed = this.#failed;
    if (failed > this.#toldFailed) this.#attempt(() => counters.failed.add(failed - this.#toldFailed));
    this.#toldFailed = failed;
  }

  /** Whatever a sink does wrong, now or as a promise, is counted and nothing more. */
  #attempt(tell: () => unknown): void {
    try {
      const told = tell();
      if (told instanceof Promise) told.catch(() => void (this.#failed += 1));
    } catch {
      this.#failed += 1;
    }
  }
}

function countersOf(meter: Pick<Meter, 'createCounter'>): Counters {
  const counter = (name: string, description: string): Counter =>
    meter.createCounter(`hivemark.guard.${name}`, { description });
  return {
    calls: counter('calls', 'calls that the guard decided'),
    denials: counter('denials', 'calls that the guard denied'),
    marks: counter('marks', 'marks that calls left'),
    dropped: counter('telemetry.dropped', 'calls without a span and a log record, because too many waited'),
    failed: counter('telemetry.failed', 'how often a telemetry sink threw'),
  };
}

function tellSpan(tracer: Pick<Tracer, 'startSpan'>, record: DecisionRecord, attributes: Attributes): unknown {
  const at = new Date(record.at);
  const span = tracer.startSpan(`guard ${record.call}`, { startTime: at, attributes, root: true });
  if (record.reason === 'fault') span.setStatus({ code: SPAN_ERROR, message: 'the guard could not decide' });
  return span.end(at);
}

function tellLog(logger: Pick<Logger, 'emit'>, record: DecisionRecord, attributes: Attributes): unknown {
  const severity = record.verdict === 'allow' ? 'info' : 'warn';
  return logger.emit({
    eventName: 'hivemark.guard.call',
    timestamp: new Date(record.at),
    severityNumber: SEVERITY[severity],
    severityText: severity.toUpperCase(),
    body: `${record.call} ${record.verdict}`,
    attributes,
  });
}

/** What is said of a call: an allow-list, so that nothing an agent words gets in. */
function attributesOf(record: DecisionRecord): Attributes {
  const { id, agent, epoch, call, verdict, denial, reason, mark, holder, subject, count = 1 } = record;
  const scope = isRecord(subject) && typeof subject['scope'] === 'string' ? subject['scope'] : undefined;
  const said = { decision: id, agent, epoch, call, verdict, count, kind: kindOf(record), scope, reason, mark, holder };
  return prefixed({ ...said, check: denial?.check, code: denial?.code });
}

function kindOf({ subject }: DecisionRecord): string | undefined {
  const kind = isRecord(subject) ? subject['kind'] : undefined;
  return isMarkKind(kind) ? kind : undefined;
}

/** A refused call may name a mark too: the one in its way. */
function leftMark({ call, verdict, mark }: DecisionRecord): boolean {
  return (
    (call === 'write' || call === 'execute') && mark !== undefined && (verdict === 'allow' || verdict === 'blocked')
  );
}

function prefixed(attributes: Readonly<Record<string, unknown>>): Attributes {
  const named: Attributes = {};
  for (const [name, value] of Object.entries(attributes))
    if (typeof value === 'string' || typeof value === 'number') named[`hivemark.${name}`] = value;
  return named;
}

function scheduleTimer(ms: number, run: () => void): void {
  setTimeout(run, ms).unref();
}
