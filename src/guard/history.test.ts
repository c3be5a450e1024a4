import * as fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { History } from './test-history.ts';
import { LOGS } from './test-space.ts';
import { type Call, histories, type Step } from './test-world.ts';

/** How many histories are drawn; `HISTORIES=5000 vitest run src/guard/history.test.ts` draws more. */
const RUNS: Readonly<Record<string, number>> = { 'the memory log': 300, 'the SQLite log': 15 };
const asked = process.env['HISTORIES'];

describe.each(LOGS)('whole histories over %s', (name, make) => {
  async function play(steps: readonly Step[]): Promise<void> {
    const place = make();
    try {
      await new History(place).play(steps);
    } finally {
      place.dispose();
    }
  }

  it('come out as the protocol says: verdicts, holders, what each reader sees, strengths (P11-P18, P20-P23, P26-P29, P31, P32, P34, P35, P37, P39, P42, P44, P47, P58, P60-P62, P64, P65, S1-S4, S8, S9, S11, S14, S15)', {
    timeout: 600_000,
  }, async () => {
    const drawn = fc.assert(fc.asyncProperty(histories, play), { numRuns: Number(asked ?? RUNS[name] ?? 1) });
    await expect(drawn).resolves.toBeUndefined();
  });

  // Histories in which the space and the model once parted, as they were shrunk.
  const intent = (who: number, scope: string, rest: Partial<Extract<Call, { do: 'write' }>> = {}): Call => ({
    do: 'write',
    who,
    kind: 'intent',
    scope,
    about: 'r',
    confidence: 0,
    strength: 1,
    source: 'fleet',
    ...rest,
  });
  const execute = (who: number, scope: string, about = 'r', tool: 'returns' | 'waits' = 'returns'): Call => ({
    do: 'execute',
    who,
    scope,
    about,
    confidence: 0,
    tool,
  });
  const step = (after: number, ...calls: readonly Call[]): Step => ({ after, calls });

  it.each<[string, readonly Step[]]>([
    [
      'time does not run backwards behind an event when a space is opened again (P32)',
      [{ reopen: true }, step(-1, execute(0, 'open')), step(0, intent(0, 'open'))],
    ],
    [
      'time goes on from the last event when a space is opened again behind it, and does not leap (P32)',
      [
        step(1, execute(0, 'open')),
        { spend: 0, tokens: 0 },
        { reopen: true },
        step(-5_000, execute(0, 'open')),
        step(0, execute(0, 'open', 's')),
      ],
    ],
    [
      'an intent that won and was acted on is done, not lost',
      [step(0, execute(0, 'wait')), step(501), step(0, execute(0, 'wait'))],
    ],
    [
      'an intent that waits still does when it is asked for again',
      [step(0, intent(3, 'wait')), step(0, { do: 'retry', who: 3, which: 0 })],
    ],
    [
      'an intent that has expired waits no longer when it is asked for again',
      [step(0, intent(1, 'late')), step(2_001, { do: 'retry', who: 1, which: 0 })],
    ],
    [
      'a superseded intent is not among the expected claims (P16)',
      [step(0, intent(0, 'late')), step(0, intent(0, 'open', { over: 0 })), step(0, execute(1, 'late'))],
    ],
    [
      'a released intent is not among the expected claims (P16)',
      [step(0, intent(0, 'late')), step(0, { do: 'release', who: 0, intent: 0 }), step(0, intent(1, 'late'))],
    ],
    [
      'a boundary is not due for intents that have expired (P16)',
      [step(0, intent(0, 'wait')), step(2_001), { reopen: true }, step(-5_000, intent(0, 'open'))],
    ],
    [
      'who has won a unit does not win another at the next boundary (P17)',
      [
        step(0, execute(3, 'wait')),
        step(501),
        step(0, intent(3, 'wait')),
        step(0, intent(0, 'wait')),
        step(500),
        step(0, execute(0, 'wait'), execute(3, 'wait')),
      ],
    ],
    [
      'a contest whose Need was superseded without an answer is asked again',
      [
        step(0, intent(0, 'yield')),
        step(0, intent(1, 'yield')),
        step(0, intent(3, 'open', { about: 's', over: 2 })),
        step(0, execute(1, 'yield')),
        step(0, { do: 'resolve', need: 1, winner: 1 }),
        step(0, execute(1, 'yield')),
      ],
    ],
    [
      'what a boundary left to the principal is not among the expected claims (P16)',
      [
        step(0, intent(0, 'late')),
        step(0, intent(1, 'late')),
        step(0, intent(0, 'late', { about: 's' })),
        step(0, intent(2, 'late', { about: 'x' })),
      ],
    ],
    [
      'who acted on an award by writing the action has made use of it (P13)',
      [
        step(0, intent(0, 'wait', { about: 's' })),
        step(500),
        step(0, intent(0, 'wait', { kind: 'action', about: 's' })),
        step(0, intent(0, 'open', { kind: 'observation', over: 1 })),
        step(0, execute(1, 'wait', 's')),
      ],
    ],
    [
      'an intent that a tool runs for is no contender for the principal to pick (S1)',
      [
        step(0, intent(0, 'yield')),
        step(0, intent(1, 'yield')),
        step(2_001, execute(0, 'yield', 'r', 'waits')),
        step(0, { do: 'resolve', need: 0, winner: 2 }),
        { finish: 0, throws: false },
      ],
    ],
    [
      'a contest that the others have left is none',
      [
        step(0, intent(0, 'yield')),
        step(0, execute(1, 'yield')),
        step(0, { do: 'release', who: 0, intent: 0 }),
        step(0, execute(1, 'yield')),
      ],
    ],
    [
      'a warning in a scope that the reader may not see does not show in strengths (S4)',
      [step(0, intent(0, 'open')), step(0, intent(0, 'vault', { kind: 'warning', about: 'x', over: 0 }))],
    ],
    [
      'what was taken away from an agent it does not wipe from elsewhere (P44)',
      [
        step(0, intent(0, 'open', { kind: 'observation' })),
        step(0, { do: 'revoke', scope: 'open', who: 0, kind: 'observation' }),
        step(0, intent(0, 'pool', { kind: 'observation', over: 0 })),
      ],
    ],
    [
      'who has used up its budget wipes nothing by a need (P61)',
      [
        step(0, intent(0, 'open', { kind: 'observation' })),
        step(0, { do: 'set-limit', who: 0, tokens: 50 }),
        { spend: 0, tokens: 90 },
        step(0, intent(0, 'open', { kind: 'need', over: 0 })),
      ],
    ],
    [
      'a tool whose session ended in the moment that it was allowed does not run (P37)',
      [step(0, execute(0, 'open'), { do: 'end-session', session: 0 }), step(0, execute(1, 'open'))],
    ],
  ])('%s', async (_, steps) => {
    await expect(play(steps)).resolves.toBeUndefined();
  });
});
