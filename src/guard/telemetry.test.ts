import type { Counter, Logger, Span, Tracer } from '@opentelemetry/api';
import { InMemoryLogRecordExporter, LoggerProvider, SimpleLogRecordProcessor } from '@opentelemetry/sdk-logs';
import {
  AggregationTemporality,
  InMemoryMetricExporter,
  MeterProvider,
  PeriodicExportingMetricReader,
} from '@opentelemetry/sdk-metrics';
import { InMemorySpanExporter, SimpleSpanProcessor, TracerProvider } from '@opentelemetry/sdk-trace';
import { describe, expect, it } from 'vitest';
import { createMemoryLog } from '../space/memory-log.ts';
import type { DecisionRecord } from './decision.ts';
import type { Gate, GateOptions } from './gate.ts';
import { createTelemetry, type TelemetryOptions } from './telemetry.ts';
import { isTelemetryWanted, openGlobalTelemetry } from './telemetry-global.ts';
import { ANN, BOB, decisionsOf, EVE, HIDDEN, openTestGate, plan, seen } from './test-space.ts';

const SECRET = 'the vault is behind the painting';

/** Calls of every verdict, with content that must not get out. */
async function traffic(gate: Gate): Promise<unknown[]> {
  const [ann, bob, eve] = [gate.session(ANN, 'e1'), gate.session(BOB, 'e1'), gate.session(EVE, 'e1')];
  return [
    await ann.write(seen(SECRET, { text: SECRET })),
    await ann.execute(
      { scope: seen('x')['scope'] as never, resource: SECRET, action: 'do', confidence: 1 },
      () => SECRET,
    ),
    await bob.write(plan(SECRET)),
    await bob.write({ ...seen(SECRET), scope: HIDDEN }),
    await eve.write({ scope: seen('x')['scope'], question: SECRET, context: SECRET, priority: 1, blocking: true }),
    await ann.use({ tool: 'editor', operation: 'write', path: SECRET, bytes: 1 }),
    await ann.write({ nonsense: SECRET }),
  ];
}

/** Runs the traffic through a gate that tells `telemetry`, if any, and gives back what came of it. */
async function run(
  telemetry?: Pick<GateOptions, 'observe'>,
): Promise<{ outcomes: unknown[]; decisions: DecisionRecord[] }> {
  const log = createMemoryLog();
  const kept = {
    ...log,
    head: () => log.head(),
    append: log.append.bind(log),
    read: log.read.bind(log),
    close: () => Promise.resolve(),
  };
  const { gate } = await openTestGate(kept, telemetry ?? {});
  const outcomes = await traffic(gate);
  await gate.close();
  return { outcomes, decisions: await decisionsOf(log) };
}

/** A span, a counter, a logger that do `what` whatever they are asked. */
function sinks(what: () => void): TelemetryOptions {
  const counter = { add: what } as Counter;
  const span = { setStatus: what, end: what } as unknown as Span;
  const tracer = {
    startSpan: () => {
      what();
      return span;
    },
  } as unknown as Tracer;
  const logger = { emit: what, enabled: () => true } as unknown as Logger;
  return { meter: { createCounter: () => counter }, tracer, logger };
}

function recordNo(n: number, rest: Partial<DecisionRecord> = {}): DecisionRecord {
  const subject = { kind: 'observation', scope: 'lab', topic: `t${n}` };
  return { id: `r/ann/e/c${n}`, agent: ANN, epoch: 'e', at: n, call: 'write', verdict: 'allow', subject, ...rest };
}

describe('telemetry', () => {
  it('gives an SDK one span and one log record a call, and exact counters, without content (P58, S4)', async () => {
    const [spans, logRecords] = [new InMemorySpanExporter(), new InMemoryLogRecordExporter()];
    const metrics = new InMemoryMetricExporter(AggregationTemporality.CUMULATIVE);
    const reader = new PeriodicExportingMetricReader({ exporter: metrics, exportIntervalMillis: 3_600_000 });
    const meters = new MeterProvider({ readers: [reader] });
    const telemetry = createTelemetry({
      meter: meters.getMeter('t'),
      tracer: new TracerProvider({ spanProcessors: [new SimpleSpanProcessor({ exporter: spans })] }).getTracer('t'),
      logger: new LoggerProvider({ processors: [new SimpleLogRecordProcessor({ exporter: logRecords })] }).getLogger(
        't',
      ),
    });
    const { decisions } = await run(telemetry);
    await telemetry.flush();
    await meters.forceFlush();

    expect(telemetry).toMatchObject({ queued: 0, dropped: 0, failed: 0 });
    const ids = decisions.map(({ id }) => id).sort();
    const said = spans.getFinishedSpans().map(({ attributes }) => attributes);
    expect(said.map((attributes) => String(attributes['hivemark.decision'])).sort()).toEqual(ids);
    const logged = logRecords.getFinishedLogRecords();
    expect(logged.map(({ attributes }) => String(attributes['hivemark.decision'])).sort()).toEqual(ids);
    expect(new Set(said.map((attributes) => attributes['hivemark.verdict']))).toEqual(
      new Set(decisions.map(({ verdict }) => verdict)),
    );
    expect(said).toContainEqual(
      expect.objectContaining({
        'hivemark.agent': 'eve',
        'hivemark.check': 'authorization',
        'hivemark.code': 'no-right',
      }),
    );

    const points = metrics
      .getMetrics()
      .flatMap(({ scopeMetrics }) => scopeMetrics)
      .flatMap((scope) => scope.metrics);
    const total = (name: string): number =>
      (points.find(({ descriptor }) => descriptor.name === `hivemark.guard.${name}`)?.dataPoints ?? []).reduce(
        (sum, { value }) => sum + Number(value),
        0,
      );
    expect(total('calls')).toBe(decisions.length);
    expect(total('denials')).toBe(decisions.filter(({ verdict }) => verdict === 'denied').length);
    expect(total('marks')).toBeGreaterThan(0);

    const everything = JSON.stringify([said, logged.map(({ attributes, body }) => [attributes, body]), points]);
    expect(everything).toContain('observation');
    expect(everything).not.toContain('vault');
    await meters.shutdown();
  });

  it('changes no verdict and no record, and neither do sinks that throw or fail later (P57)', async () => {
    const without = await run();
    const quiet = createTelemetry(sinks(() => undefined));
    expect(await run(quiet)).toEqual(without);
    const throwing = createTelemetry(
      sinks(() => {
        throw new Error('no');
      }),
    );
    expect(await run(throwing)).toEqual(without);
    await throwing.flush();
    expect(throwing.failed).toBeGreaterThan(without.decisions.length);
    expect(throwing.queued).toBe(0);

    const reject = (): never => Promise.reject(new Error('no')) as never;
    const later = createTelemetry({
      meter: { createCounter: () => ({ add: reject }) },
      tracer: { startSpan: () => ({ end: reject }) as unknown as Span },
      logger: { emit: reject, enabled: () => true } as unknown as Logger,
    });
    expect(await run(later)).toEqual(without);
    await later.flush();
    await new Promise((resolve) => setImmediate(resolve));
    expect(later.failed).toBeGreaterThan(2 * without.decisions.length);

    const none = createTelemetry({
      meter: {
        createCounter: () => {
          throw new Error('no meter');
        },
      },
    });
    expect(await run(none)).toEqual(without);
    expect(none.failed).toBe(1);
  });

  it('never tells a sink while a call is decided (P57)', async () => {
    let observing = false;
    let told = 0;
    const telemetry = createTelemetry(
      sinks(() => {
        expect(observing).toBe(false);
        told += 1;
      }),
    );
    for (let n = 0; n < 100; n += 1) {
      observing = true;
      telemetry.observe(recordNo(n));
      observing = false;
    }
    expect(told).toBe(0);
    await telemetry.flush();
    expect(told).toBeGreaterThan(100);
    expect(telemetry.failed).toBe(0);
  });

  it('a flood is bounded: the oldest are dropped and counted, the counters stay exact (P57, P58)', async () => {
    const calls: number[] = [];
    const ends: number[] = [];
    const dropped: number[] = [];
    const telemetry = createTelemetry({
      maxQueue: 1_000,
      schedule: () => undefined,
      meter: {
        createCounter: (name) => {
          const into = name.endsWith('.calls') ? calls : name.endsWith('.dropped') ? dropped : [];
          return { add: (n: number) => void into.push(n) };
        },
      },
      tracer: {
        startSpan: () => ({ end: (at: Date) => void ends.push(at.getTime()) }) as unknown as Span,
      },
    });
    for (let n = 0; n < 100_000; n += 1) telemetry.observe(recordNo(n));
    expect(telemetry).toMatchObject({ queued: 1_000, dropped: 99_000 });
    await telemetry.flush();
    expect(ends).toEqual(Array.from({ length: 1_000 }, (_, i) => 99_000 + i));
    expect(calls.reduce((sum, n) => sum + n, 0)).toBe(100_000);
    expect(dropped).toEqual([99_000]);
    expect(calls).toHaveLength(1);
  });

  it('a sink that stalls gets one call at a time, and the event loop most of the time (P57)', () => {
    let now = 0;
    const waits: number[] = [];
    let next: (() => void) | undefined;
    const telemetry = createTelemetry({
      ...sinks(() => (now += 1_000)),
      now: () => now,
      schedule: (ms, again) => {
        waits.push(ms);
        next = again;
      },
    });
    for (let n = 0; n < 3; n += 1) telemetry.observe(recordNo(n));
    for (let n = 0; n < 3; n += 1) {
      const before = now;
      const again = next;
      next = undefined;
      again?.();
      const took = now - before;
      expect(telemetry.queued).toBe(2 - n);
      expect(n === 2 ? Infinity : waits.at(-1)).toBeGreaterThanOrEqual(3 * took);
    }
    expect(next).toBeUndefined();
  });

  it('flush() gives up on a sink that is too slow', async () => {
    let now = 0;
    const telemetry = createTelemetry({ ...sinks(() => (now += 100)), now: () => now, schedule: () => undefined });
    for (let n = 0; n < 1_000; n += 1) telemetry.observe(recordNo(n));
    await telemetry.flush({ timeoutMs: 1_000 });
    expect(telemetry.queued).toBeGreaterThan(900);
  });

  it('a record of folded refusals counts for all of them (P58, S15)', async () => {
    const added: [number, unknown][] = [];
    const telemetry = createTelemetry({
      meter: { createCounter: (name) => ({ add: (n, of) => void added.push([n, { name, ...of }]) }) },
    });
    const denial = { code: 'session-revoked', check: 'identity' } as const;
    telemetry.observe(recordNo(1, { verdict: 'denied', denial, count: 40 }));
    await telemetry.flush();
    expect(added).toContainEqual([
      40,
      expect.objectContaining({ name: 'hivemark.guard.denials', 'hivemark.check': 'identity' }),
    ]);
  });

  it('every one of many equal refusals is told, folded or not (P58)', async () => {
    let spans = 0;
    const span = { end: () => undefined } as unknown as Span;
    const telemetry = createTelemetry({ tracer: { startSpan: () => ((spans += 1), span) } });
    const { gate } = await openTestGate(createMemoryLog(), telemetry);
    const eve = gate.session(EVE, 'e1');
    await Promise.all(Array.from({ length: 100 }, () => eve.write(seen('x'))));
    await telemetry.flush();
    expect(spans).toBe(100);
    await gate.close();
  });

  it('refuses a queue that cannot be', () => {
    for (const maxQueue of [0, -1, 1.5, Number.NaN]) expect(() => createTelemetry({ maxQueue })).toThrow(RangeError);
  });
});

describe('telemetry of the environment', () => {
  it.each<[Record<string, string>, boolean]>([
    [{}, false],
    [{ OTEL_SERVICE_NAME: 'x' }, false],
    [{ OTEL_EXPORTER_OTLP_ENDPOINT: '' }, false],
    [{ OTEL_EXPORTER_OTLP_ENDPOINT: 'http://127.0.0.1:4318' }, true],
    [{ OTEL_TRACES_EXPORTER: 'console' }, true],
    [{ OTEL_EXPORTER_OTLP_ENDPOINT: 'http://127.0.0.1:4318', OTEL_SDK_DISABLED: 'TRUE' }, false],
  ])('%j: %s', async (env, wanted) => {
    expect(isTelemetryWanted(env)).toBe(wanted);
    const telemetry = await openGlobalTelemetry(env, '0');
    expect(telemetry !== undefined).toBe(wanted);
    // Without an SDK it goes nowhere, and hurts nobody.
    telemetry?.observe(recordNo(1));
    await telemetry?.flush();
    expect(telemetry?.failed ?? 0).toBe(0);
  });
});
