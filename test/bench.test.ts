import { describe, expect, it } from 'vitest';
import { runCli } from './run-cli.ts';

describe('hivemark bench', () => {
  it('office prints one JSON document and ends with 0 when nothing went wrong', async () => {
    const { code, stdout, stderr } = await runCli(['bench', 'office', '--agents', '21', '--rounds', '2', '--json']);
    expect(stderr).toBe('');
    expect(code).toBe(0);
    const report: unknown = JSON.parse(stdout);
    expect(report).toMatchObject({ agents: 21, rounds: 2, toolMs: 0, violations: { resourcesExecutedByTwo: 0 } });
  });

  it('office and composition say in words what they counted', async () => {
    const office = await runCli(['bench', 'office', '--agents', '21', '--rounds', '1', '--tool-ms', '5']);
    expect(office.stdout).toContain('scripted: 21 agents, 1 rounds, tools of 5 ms');
    expect(office.stdout).toContain('no violation');
    const composition = await runCli(['bench', 'composition', '--ticks', '10']);
    expect(composition.code).toBe(0);
    expect(composition.stdout).toMatch(/filter\s+\d+\s+\d+\s+\d+/u);
  });

  it('composition prints one JSON document', async () => {
    const { code, stdout } = await runCli(['bench', 'composition', '--ticks', '10', '--json']);
    expect(code).toBe(0);
    expect(JSON.parse(stdout)).toMatchObject({ ticks: 10, swaps: 4, violations: { lost: 0, duplicated: 0 } });
  });

  it('space says that PostgreSQL was skipped when there is no address', async () => {
    const { code, stdout } = await runCli(['bench', 'space', '--marks', '8', '--logs', 'postgres', '--json']);
    expect(code).toBe(0);
    const report = JSON.parse(stdout) as { readonly bytesPerMark: number };
    expect(report).toMatchObject({ results: [], notes: ['postgres skipped: HIVEMARK_DATABASE_URL is not set'] });
    expect(report.bytesPerMark).toBeGreaterThan(100);
  }, 60_000);

  it('mcp prints one JSON document, and the same in words', async () => {
    const { code, stdout } = await runCli(['bench', 'mcp', '--parts', 'http', '--calls', '10', '--json']);
    expect(code).toBe(0);
    expect(JSON.parse(stdout)).toMatchObject({ machine: {}, http: { calls: 10, viewMs: {}, editMs: {}, floorMs: {} } });
    const words = await runCli(['bench', 'mcp', '--parts', 'memory', '--cycles', '8']);
    expect(words.stdout).toMatch(/heap grew by -?\d+ bytes for each of 8 connections that came and went/u);
  }, 120_000);

  it.each([
    [['office', '--agents', 'many'], "option '--agents <n>' argument 'many' is invalid. give a whole number from 21"],
    [['office', '--agents', '0'], "argument '0' is invalid. give a whole number from 21 to 100000"],
    [['office', '--rounds', '1.5'], 'give a whole number from 1 to 260'],
    [['office', '--tool-ms', '-1'], 'give a whole number from 0 to 60000'],
    [['space', '--marks', '100,x'], 'give a whole number from 8 to 10000000'],
    [['space', '--logs', 'memory,oracle'], '"oracle" is none of memory, sqlite, postgres'],
    [['space', '--dir', '/not/there'], '"/not/there" is no folder that can be written'],
    [['mcp', '--agents', '0'], 'give a whole number from 1 to 1000'],
    [['mcp', '--parts', 'stdio,pigeon'], '"pigeon" is none of stdio, http, bridge, join, capacity, memory'],
    [['offfice'], "unknown command 'offfice'"],
  ])('%j is refused', async (args, message) => {
    const { code, stderr, stdout } = await runCli(['bench', ...args]);
    expect(stderr).toContain(message);
    expect(code).toBe(2);
    expect(stdout).toBe('');
  });
});
