import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { openPostgresLog } from '../space/postgres-log.ts';
import { startTestPostgres } from '../space/test-postgres.ts';
import { verifyPostgresLog } from '../space/verify-postgres-log.ts';
import type { Gate } from './gate.ts';
import { newPrincipalToken, tokenSha256 } from './principal-token.ts';
import { ANN, BOB, decisionsOf, LAB, openTestGate, plan, seen } from './test-space.ts';

const server = await startTestPostgres();
const TOKEN = newPrincipalToken();
const sleep = (ms: number): Promise<void> => new Promise((resolve) => setTimeout(resolve, ms));

describe.skipIf(server === undefined)('two gates on one PostgreSQL space', () => {
  let gates: Gate[] = [];
  let space = '';
  let n = 0;
  beforeEach(async () => {
    space = `gates-${(n += 1)}`;
    const open = async (): Promise<Gate> => {
      const log = await openPostgresLog(server?.url() ?? '', { space });
      return (await openTestGate(log, { principalTokenSha256: tokenSha256(TOKEN) })).gate;
    };
    gates = await Promise.all([open(), open()]);
  });
  afterEach(async () => {
    await Promise.all(gates.map((gate) => gate.close()));
  });
  const at = (i: number): Gate => {
    const gate = gates[i];
    if (gate === undefined) throw new Error(`there is no gate ${i}`);
    return gate;
  };

  it.each([0, 5])('let one of twenty callers run a tool of %i ms on each resource (S1)', async (toolMs) => {
    const runs = new Map<string, number>();
    const callers = Array.from({ length: 20 }, (_, i) => at(i % 2).session(i % 4 < 2 ? ANN : BOB, `e${i}`));
    const resources = Array.from({ length: 15 }, (_, i) => `r${i}`);
    const outcomes = await Promise.all(
      callers.flatMap((caller) =>
        resources.map((resource) =>
          caller.execute({ scope: LAB, resource, action: 'do', confidence: 0.5 }, async () => {
            runs.set(resource, (runs.get(resource) ?? 0) + 1);
            if (toolMs > 0) await sleep(toolMs);
          }),
        ),
      ),
    );
    expect(outcomes.filter(({ verdict }) => verdict === 'allow')).toHaveLength(15);
    expect(outcomes.filter(({ verdict }) => verdict === 'conflict')).toHaveLength(20 * 15 - 15);
    expect([...runs.values()]).toEqual(resources.map(() => 1));
    const log = await openPostgresLog(server?.url() ?? '', { space, mode: 'read' });
    const decisions = await decisionsOf(log);
    await log.close();
    expect(decisions.reduce((sum, { count = 1 }) => sum + count, 0)).toBeGreaterThanOrEqual(15);
    expect(await verifyPostgresLog(server?.url() ?? '', [], { space })).toMatchObject({ ok: true });
  }, 60_000);

  it('tell each other of marks without being asked, and revoke sessions for each other (S6, S10)', async () => {
    const ann = at(0).session(ANN, 'e');
    const bob = at(1).session(BOB, 'e');
    await bob.subscribe('news', { scope: LAB, topic: 'news' });
    const woken = bob.wait(AbortSignal.timeout(30_000));
    await ann.write(seen('other'));
    await ann.write(seen('news', { n: 1 }));
    expect(await woken).toBe(true);
    expect((await bob.poll('news')).marks.map(({ id }) => id)).toEqual(['run-1/ann/e/m2']);
    await at(1).principal(TOKEN).endSession(ANN, 'e');
    expect(await ann.write(plan('r'))).toMatchObject({ denial: { code: 'session-revoked' } });
    expect(ann.revoked).toBe(true);
  }, 60_000);
});
