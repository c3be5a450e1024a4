import { beforeAll, describe, expect, it } from 'vitest';
import type { LogEntry } from '../space/log.ts';
import { createMemoryLog } from '../space/memory-log.ts';
import type { Mark } from '../space/marks.ts';
import { defineScope } from '../space/scope.ts';
import { actionOf, intentOf, markId, needOf, observationOf, scopeName, warningOf } from '../space/test-marks.ts';
import { type Gate, openGate, type Principal, type Session } from './gate.ts';
import type { Grant } from './grants.ts';
import { newPrincipalToken, tokenSha256 } from './principal-token.ts';
import { stepsOf } from './test-steps.ts';
import { ANN, BOB, LAB, openTestGate, plan, seen } from './test-space.ts';

const TOKEN = newPrincipalToken();
const WAIT = scopeName('wait');
const TTL = 1_000_000;
const SCOPES = [
  defineScope({
    name: LAB,
    observationTopics: ['*'],
    warningTopics: ['*'],
    intentTtlMs: TTL,
    units: { pool: 5 },
    rateLimit: { windowMs: 60_000, perAgent: 1e9, perFleet: 1e9 },
  }),
  defineScope({ name: WAIT, deferred: true, intentTtlMs: TTL }),
];
const GRANTS: readonly Grant[] = [ANN, BOB].map((agent) => ({
  agent,
  read: [LAB],
  write: [LAB, WAIT].flatMap((scope) =>
    (['intent', 'action', 'observation', 'warning', 'need'] as const).map((kind) => ({ kind, scope })),
  ),
}));

interface Place {
  readonly gate: Gate;
  readonly ann: Session;
  readonly bob: Session;
  readonly principal: Principal;
  readonly clock: { now: number };
}

/** A space with `n` marks in one scope, of every kind, about as many things; and on one resource as many that failed or were given back. */
async function spaceOf(n: number): Promise<Place> {
  const marks: Mark[] = [];
  for (let i = 0; marks.length < n; i += 1) {
    const agent = i % 2 === 0 ? ANN : BOB;
    const earlier = markId(`a${i - 1}`);
    marks.push(
      observationOf(`o${i}`, { topic: `topic ${i}` }),
      intentOf(`i${i}`, { resource: `wanted ${i}`, agent }),
      actionOf(`d${i}`, { resource: `done ${i}`, agent }),
      warningOf(`w${i}`, { topic: `topic ${i}`, invalidates: markId(`o${i}`) }),
      actionOf(`f${i}`, { resource: 'tried', agent, failed: true }),
      actionOf(`a${i}`, { resource: 'passed on', agent, ...(i === 0 ? {} : { supersedes: earlier }) }),
      intentOf(`p${i}`, { scope: WAIT, resource: `waits ${i}`, agent }),
      needOf(`n${i}`),
    );
  }
  const entries = marks
    .slice(0, n)
    .map((mark): LogEntry => ({ key: mark.id, body: { type: 'mark', mark: Object.freeze(mark) } }));
  const log = createMemoryLog();
  await log.append(0, entries);
  const clock = { now: 10 };
  const gate = await openGate({
    log,
    run: 'run-1',
    clock: () => clock.now,
    scopes: SCOPES,
    grants: GRANTS,
    principalTokenSha256: tokenSha256(TOKEN),
    schedule: () => () => undefined,
  });
  const [ann, bob] = [gate.session(ANN, 'e'), gate.session(BOB, 'e')];
  await ann.subscribe('news', { topic: 'fresh' });
  await ann.subscribe('all', {});
  return { gate, ann, bob, principal: gate.principal(TOKEN), clock };
}

const booking = (resource: string) => ({ scope: LAB, resource, action: 'do', confidence: 0.5 });
const SIZES = [100, 100_000] as const;

describe('what an operation costs in a scope of 100 and of 100 000 marks', () => {
  const spaces: Place[] = [];
  beforeAll(async () => {
    for (const size of SIZES) spaces.push(await spaceOf(size));
  }, 120_000);

  const OPERATIONS: readonly (readonly [string, (space: Place) => unknown])[] = [
    ['a write', ({ ann }) => ann.write(seen('fresh'))],
    ['a write that supersedes', ({ ann }) => ann.write({ ...seen('fresh'), supersedes: 'o1' })],
    ['a write that may not be', ({ ann }) => ann.write({ ...seen('t'), scope: 'nowhere' })],
    ['an intent', ({ ann }) => ann.write(plan('new'))],
    ['an intent on a resource that is taken', ({ bob }) => bob.write(plan('new'))],
    ['an intent that waits for a boundary', ({ bob }) => bob.write({ ...plan('new'), scope: WAIT })],
    ['an execution', ({ ann }) => ann.execute(booking('free'), () => 1)],
    ['an execution that is refused', ({ bob }) => bob.execute(booking('free'), () => 1)],
    ['an execution where many have tried', ({ ann }) => ann.execute(booking('tried'), () => 1)],
    ['an execution that is refused where many have been', ({ bob }) => bob.execute(booking('passed on'), () => 1)],
    ['giving up an intent', ({ ann }) => ann.release(markId('run-1/ann/e/m4'))],
    ['reading by resource', ({ ann }) => ann.read({ scope: LAB, resource: 'done 3' })],
    ['reading by topic', ({ ann }) => ann.read({ scope: LAB, topic: 'topic 3', minStrength: 0.1 })],
    ['reading what is not there', ({ ann }) => ann.read({ scope: LAB, topic: 'none' })],
    [
      'reading one mark and its strength',
      ({ ann }) => [ann.get(markId('o3')), ann.strengthOf(markId('o3')), ann.standing(markId('i2'))],
    ],
    ['polling by topic', ({ ann }) => ann.poll('news')],
    ['polling for everything', ({ ann }) => ann.poll('all')],
    ['polling for nothing new', ({ ann }) => ann.poll('all')],
    ['a subscription', ({ bob }) => bob.subscribe('mine', { scope: LAB, resource: 'done 1' })],
    ['resolving a need', ({ principal }) => principal.resolve(markId('n1'), 'yes')],
    ['a restriction', ({ principal }) => principal.revoke({ agent: BOB, scope: LAB, kind: 'action' }, 'enough')],
    ['a tick', ({ gate }) => gate.tick()],
  ];

  it.each(OPERATIONS)('%s: as many steps in either, give or take a few (S13)', async (_, operate) => {
    const steps: number[] = [];
    for (const space of spaces) steps.push(await stepsOf(() => operate(space)));
    const [few = 0, many = 0] = steps;
    expect(few).toBeGreaterThan(0);
    expect(many, `${few} steps among ${SIZES[0]} marks`).toBeLessThanOrEqual(2 * few + 20);
  });

  it('one more intent that waits, after others have come and gone: as many steps among many (S13)', async () => {
    const steps: number[] = [];
    for (const size of [100, 5_000]) {
      const scopes = [defineScope({ name: WAIT, deferred: true, boundary: { expected: 2, everyMs: 1e6 } })];
      const { gate } = await openTestGate(createMemoryLog(), { scopes, grants: GRANTS });
      const [ann, bob] = [gate.session(ANN, 'e'), gate.session(BOB, 'e')];
      const waits = (n: number): Record<string, unknown> => ({ ...plan(`waits ${n}`), scope: WAIT });
      await bob.write(waits(0));
      await bob.release(markId('run-1/bob/e/m1'));
      await Promise.all(Array.from({ length: size }, (_, n) => ann.write(waits(n))));
      steps.push(await stepsOf(() => ann.write(waits(size))));
    }
    const [few = 0, many = 0] = steps;
    expect(many).toBeLessThanOrEqual(2 * few + 20);
  });

  it('is counted: a read of everything does take as many steps as there are marks', async () => {
    const steps: number[] = [];
    for (const { ann } of spaces) steps.push(await stepsOf(() => ann.read({ scope: LAB })));
    expect(steps[0]).toBeLessThan(2_000);
    expect(steps[1]).toBeGreaterThan(80_000);
  });
});
