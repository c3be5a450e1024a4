import { describe, expect, test } from 'vitest';
import { tokenFileOf } from '../../cli/token-command.ts';
import type { McpPart } from '../limits.ts';
import { BenchProcess } from './bench-process.ts';
import { type McpReport, runMcp } from './run-mcp.ts';

const SMALL = { agents: 4, calls: 10, seconds: 1, cycles: 16, saves: 3 };

function run(...parts: readonly McpPart[]): Promise<McpReport> {
  return runMcp({
    ...SMALL,
    parts,
    cli: new URL('../../cli.ts', import.meta.url),
    tokenFileOf,
    onProgress: () => undefined,
    signal: AbortSignal.timeout(100_000),
  });
}

describe('the ways in from outside', () => {
  test('are measured beside the floor, over stdio, HTTP and both', async () => {
    const report = await run('stdio', 'http', 'bridge');
    for (const way of [report.stdio, report.http, report.bridge]) {
      expect(way?.calls).toBe(SMALL.calls);
      expect(way?.floorMs.median).toBeGreaterThan(0);
      expect(way?.viewMs.median).toBeGreaterThan(0);
      expect(way?.editMs.p99).toBeGreaterThanOrEqual(way?.editMs.median ?? Infinity);
      // To the three digits that figures have.
      const ratio = (way?.viewMs.median ?? 0) / (way?.floorMs.median ?? 0);
      expect(Math.abs((way?.viewRatio ?? 0) / ratio - 1)).toBeLessThan(0.006);
    }
    expect(report).not.toHaveProperty('capacity');
  }, 100_000);

  test('take so many calls, and leave so little behind', async () => {
    const { capacity, memory } = await run('capacity', 'memory');
    expect(capacity?.agents).toBe(SMALL.agents);
    expect(capacity?.callsPerSecond).toBeGreaterThan(0);
    expect(capacity?.serverMicrosPerCall).toBeGreaterThan(0);
    expect(capacity?.floor.callsPerSecond).toBeGreaterThan(0);
    expect(capacity?.atHalfMs.p99).toBeGreaterThan(0);
    expect(memory?.points.map(({ cycles }) => cycles)).toEqual([0, 2, 4, 6, 8, 10, 12, 14, 16]);
    for (const { heapBytes } of memory?.points ?? []) expect(heapBytes).toBeGreaterThan(1_000_000);
  }, 100_000);

  test('include a folder on disk', async () => {
    const { join } = await run('join');
    expect(join?.saves).toBe(SMALL.saves);
    expect(join?.shownMs.median).toBeGreaterThan(0);
  }, 100_000);
});

describe('a process of the benchmark', () => {
  test('that ends before it is ready is an error with its last words', async () => {
    const failing = new BenchProcess({ args: ['-e', 'console.error("no such port"); process.exit(3)'], env: {} });
    await expect(failing.said(/served at/u)).rejects.toThrow(/did not start; it said: no such port/u);
    await failing.close();
  });

  test('that does not end when it is asked to is ended', async () => {
    const code = 'process.on("SIGTERM", () => {}); setInterval(() => {}, 1000); console.error("ready")';
    const stubborn = new BenchProcess({ args: ['-e', code], env: {} }, { endMs: 100 });
    await stubborn.said(/ready/u);
    await expect(stubborn.close()).resolves.toBeUndefined();
  });
});
