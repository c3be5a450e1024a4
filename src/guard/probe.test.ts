import { describe, expect, it } from 'vitest';
import type { MarkId } from '../space/marks.ts';
import { createMemoryLog } from '../space/memory-log.ts';
import { agentName, scopeName } from '../space/test-marks.ts';
import type { GuardEvent } from './guard-event.ts';
import { ackDraft, ackRight, probeGrant, probeScope, putCanaryOut, RESPONSE_MS } from './probe.ts';
import { ANN, LAB, openTestGate, plan, SCOPES, seen } from './test-space.ts';

const PROBE = scopeName('probe');
const WATCHER = agentName('watcher');

async function opened() {
  const grant = probeGrant(PROBE, WATCHER);
  const ann = { agent: ANN, read: [], write: [{ kind: 'observation' as const, scope: LAB }, ackRight(PROBE)] };
  const { gate, clock } = await openTestGate(createMemoryLog(), {
    scopes: [...SCOPES, probeScope(PROBE)],
    grants: [grant, ann],
  });
  const events: GuardEvent[] = [];
  const session = gate.session(WATCHER, 'e1');
  const port = {
    write: async (draft: unknown, follow: (canary: MarkId, now: number) => GuardEvent) => {
      const outcome = await session.write(draft);
      if (outcome.verdict === 'allow' && outcome.mark !== undefined) events.push(follow(outcome.mark.id, clock.now));
      return outcome;
    },
  };
  return { gate, port, events, session, ann: gate.session(ANN, 'e1'), clock };
}

describe('a probe', () => {
  it('puts a canary out that agents can read and answer, and says until when', async () => {
    const { port, events, ann, clock } = await opened();
    const outcome = await putCanaryOut(port, PROBE);
    if (outcome.verdict !== 'allow') throw new Error('not put out');
    expect(events).toEqual([
      { what: 'probed', scope: PROBE, canary: outcome.canary, deadline: clock.now + RESPONSE_MS },
    ]);
    expect(ann.read({ scope: PROBE }).map(({ id }) => id)).toEqual([outcome.canary]);
    expect(await ann.write(ackDraft(PROBE, outcome.canary))).toMatchObject({ verdict: 'allow' });
  });

  it('can write canaries in its own scope and nothing else anywhere (P46)', async () => {
    const { session, gate } = await opened();
    const canary = { scope: PROBE, topic: 'canary', content: {}, confidence: 1, source: 'fleet' };
    expect(await session.write(canary)).toMatchObject({ verdict: 'allow' });
    const others = [
      seen('t'),
      plan('r'),
      { ...canary, topic: 'ack' },
      { ...canary, topic: 'other' },
      { ...canary, scope: 'lab' },
      { ...canary, scope: 'agents' },
      { scope: PROBE, question: 'why?', context: null, priority: 1, blocking: true },
      { scope: PROBE, topic: 'canary', reason: 'x', severity: 'info' },
      { scope: PROBE, resource: 'r', action: 'do', confidence: 1 },
    ];
    for (const draft of others)
      expect(await session.write(draft)).toMatchObject({ denial: { check: 'authorization' } });
    expect(gate.view.size).toBe(1);
  });

  it('lets agents answer there and no more', async () => {
    const { ann } = await opened();
    const forged = { ...ackDraft(PROBE, 'x' as never), topic: 'canary' };
    expect(await ann.write(forged)).toMatchObject({ denial: { code: 'topic-not-allowed' } });
  });

  it('refuses a deadline that nobody can meet, and says when it may not put a canary out', async () => {
    const { port, events } = await opened();
    for (const ms of [0, -1, Number.NaN, Infinity])
      await expect(putCanaryOut(port, PROBE, ms)).rejects.toThrow(`${ms} ms`);
    expect(await putCanaryOut(port, LAB)).toMatchObject({ verdict: 'denied', denial: { code: 'no-right' } });
    expect(events).toEqual([]);
  });
});
