import { describe, expect, test } from 'vitest';
import { openPostgresLog } from '../../space/postgres-log.ts';
import { startTestPostgres } from '../../space/test-postgres.ts';
import { runJob } from './jobs.ts';
import { measureTwoProcesses } from './two-processes.ts';

const server = await startTestPostgres();

describe.skipIf(server === undefined)('two processes in one PostgreSQL space', () => {
  test('leave every mark that was answered, each once', async () => {
    const place = { url: server?.url() ?? '', space: 'bench' };
    const result = await measureTwoProcesses(place, 300, 60_000);
    expect(result.calls).toBe(600);
    expect(result.perSecond).toBeGreaterThan(0);
    const log = await openPostgresLog(place.url, { space: place.space, mode: 'read' });
    const authors = new Map<string, number>();
    for await (const { body } of log.read())
      if (body.type === 'mark')
        authors.set(body.mark.agent.slice(0, 2), (authors.get(body.mark.agent.slice(0, 2)) ?? 0) + 1);
    await log.close();
    const each = 300 + result.marks / 2;
    expect(Object.fromEntries(authors)).toEqual({ p1: each, p2: each });
  }, 60_000);
});

test('a part of the benchmark that fails is an error that names it', async () => {
  const job = { what: 'open', file: '/nowhere/at/all.db' } as const;
  await expect(runJob(job, 30_000)).rejects.toThrow('the open part of the benchmark ended with exit code 1');
});
