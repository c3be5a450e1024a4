import { describe, expect, test } from 'vitest';
import { createMemoryLog } from '../../space/memory-log.ts';
import { callAll, callOf, LAB, openBenchSpace, OPS, populate, populationOf } from './bench-space.ts';
import { measureFsyncs } from './disk.ts';
import { tmpdir } from 'node:os';

describe('a population', () => {
  test.each([8, 100, 256])('of %i marks is that many marks in one scope', async (marks) => {
    const space = await openBenchSpace(createMemoryLog());
    await populate(space, marks);
    const { topics, resources } = populationOf(marks);
    expect(space.gate.view.size).toBe(topics * 4 + resources * 2);
    expect(Math.abs(space.gate.view.size - marks)).toBeLessThan(4);
    expect(space.gate.view.byScope(LAB)).toHaveLength(space.gate.view.size);
    await space.gate.close();
  });

  test.each(OPS)('answers %s as it should, at any number of callers', async (op) => {
    const space = await openBenchSpace(createMemoryLog());
    await populate(space, 64);
    await callAll(space.sessions, 200, callOf(op, 64, 'a'));
    await expect(callAll(space.sessions, 200, callOf(op, 64, 'b'), 512)).resolves.toBeUndefined();
    await space.gate.close();
  });

  test('is not measured when the guard answers otherwise', async () => {
    const space = await openBenchSpace(createMemoryLog());
    await populate(space, 64);
    await callAll(space.sessions, 10, callOf('execute', 64, 'same'));
    await expect(callAll(space.sessions, 10, callOf('execute', 64, 'same'))).rejects.toThrow(/was answered conflict/u);
    await space.gate.close();
  });
});

test('a disk is found to sync at least once', () => {
  expect(measureFsyncs(tmpdir(), 10)).toBeGreaterThan(0);
});
