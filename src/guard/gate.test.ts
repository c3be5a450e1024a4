import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import type { Log } from '../space/log.ts';
import { LogWriteError } from '../space/log.ts';
import { recordsOf } from '../space/test-log-contract.ts';
import { createMemoryLog } from '../space/memory-log.ts';
import { defineScope, parseAgentName } from '../space/scope.ts';
import { markId, scopeName } from '../space/test-marks.ts';
import { type Gate, GateClosedError, openGate, UnknownAgentError } from './gate.ts';
import {
  ANN,
  BOB,
  BOSS,
  decisionsOf,
  EVE,
  file,
  keysOf,
  LAB,
  LOGS,
  openTestGate,
  plan,
  SCOPES,
  seen,
} from './test-space.ts';

describe.each(LOGS)('the gate over %s', (_, make) => {
  let place: ReturnType<typeof make>;
  let log: Log;
  let gate: Gate;
  let clock: { now: number };
  beforeEach(async () => {
    place = make();
    log = await place.open();
    ({ gate, clock } = await openTestGate(log));
  });
  afterEach(async () => {
    await gate.close();
    place.dispose();
  });

  async function reopen(): Promise<void> {
    await gate.close();
    log = await place.open();
    ({ gate, clock } = await openTestGate(log));
  }

  it('stamps a mark, stores it with its decision, and shows it to the next read (P27)', async () => {
    const ann = gate.session(ANN, 'e1');
    const outcome = await ann.write(seen('t'));
    const mark = {
      id: 'run-1/ann/e1/m1',
      kind: 'observation',
      agent: 'ann',
      createdAt: 1_000_000,
      strength: 1,
      ...seen('t'),
    };
    expect(outcome).toEqual({ verdict: 'allow', mark });
    expect(ann.read({ topic: 't', scope: LAB })).toEqual([mark]);
    expect(ann.get(markId(mark.id))).toEqual(mark);
    expect(gate.view.byId(markId(mark.id))).toEqual(mark);
    const records = await recordsOf(log);
    // One record: the mark, and the call that let it in.
    expect(records.at(-1)).toMatchObject({
      key: 'run-1/ann/e1/m1',
      body: { type: 'mark', call: 1 },
    });
    expect(await decisionsOf(log)).toEqual([
      {
        id: 'run-1/ann/e1/c1',
        agent: 'ann',
        epoch: 'e1',
        at: 1_000_000,
        call: 'write',
        verdict: 'allow',
        subject: { kind: 'observation', scope: 'lab', topic: 't' },
        mark: mark.id,
      },
    ]);
  });

  it('leaves one decision record per call, whatever its outcome, and marks only for what was allowed (P42, S15)', async () => {
    const [ann, bob, eve] = [gate.session(ANN, 'e'), gate.session(BOB, 'e'), gate.session(EVE, 'e')];
    await ann.write(plan('r'));
    await bob.write(plan('r'));
    await eve.write(seen('t'));
    await ann.write('nonsense');
    await ann.write(file('other.ts', 'x'));
    await ann.use({ tool: 'editor', operation: 'write', path: 'task.ts', bytes: 5 });
    await ann.use({ tool: 'editor', operation: 'write', path: 'evals/x' });
    await ann.use({ tool: 'bash', operation: 'run' }, { code: 'tool-budget', check: 'budget', used: 9, limit: 9 });
    await ann.execute({ scope: LAB, resource: 's', action: 'do', confidence: 1 }, () => 1);
    await expect(
      ann.execute({ scope: LAB, resource: 't', action: 'do', confidence: 1 }, () => Promise.reject(new Error('tool'))),
    ).rejects.toThrow('tool');
    const decisions = await decisionsOf(log);
    expect(decisions.map(({ agent, verdict, call, denial }) => `${agent} ${call} ${denial?.code ?? verdict}`)).toEqual([
      'ann write allow',
      'bob write conflict',
      'eve write no-right',
      'ann write malformed',
      'ann write not-editable',
      'ann use allow',
      'ann use not-editable',
      'ann use tool-budget',
      'ann execute allow',
      'ann execute allow',
    ]);
    expect(decisions.find(({ verdict }) => verdict === 'conflict')?.holder).toBe('run-1/ann/e/m1');
    expect(new Set(decisions.map(({ id }) => id)).size).toBe(10);
    expect(await keysOf(log, 'mark')).toHaveLength(1 + 2 + 2);
    // Nothing of a refused content is in the log.
    expect(JSON.stringify(decisions)).not.toContain('nonsense');
  });

  it('has the same marks, decisions and answers after it is opened again (S11)', async () => {
    const ann = gate.session(ANN, 'e1');
    for (const topic of ['a', 'b']) await ann.write(seen(topic));
    await gate.session(BOB, 'e1').write(plan('r'));
    const before = { marks: ann.read(), head: gate.head() };
    await reopen();
    const again = gate.session(ANN, 'e2');
    expect(again.read()).toEqual(before.marks);
    expect(gate.head()).toEqual(before.head);
    expect(await again.write(plan('r'))).toMatchObject({ verdict: 'conflict', holder: 'run-1/bob/e1/m1' });
  });

  it('makes the same ids when an epoch is run again after a crash: nothing is doubled, everything is answered', async () => {
    const run = async (): Promise<object[]> => {
      const ann = gate.session(ANN, 'e1');
      const outcomes: object[] = [];
      for (const draft of [seen('a'), file('task.ts', '1'), file('other', 'x'), plan('r')])
        outcomes.push(await ann.write(draft));
      outcomes.push(await ann.use({ tool: 'bash', operation: 'run' }));
      await gate.tick();
      return outcomes;
    };
    const first = await run();
    const head = gate.head();
    await reopen();
    clock.now += 5_000;
    const second = await run();
    expect(gate.head()).toEqual(head);
    expect(second).toMatchObject(first);
    expect(second.filter((outcome) => 'repeated' in outcome)).toHaveLength(3);
  });

  it('denies other content under an id that is taken, and records that call too', async () => {
    await gate.session(ANN, 'e1').write(seen('a'));
    await reopen();
    const outcome = await gate.session(ANN, 'e1').write(seen('b'));
    expect(outcome).toEqual({
      verdict: 'denied',
      denial: { code: 'id-taken', check: 'identity', id: 'run-1/ann/e1/m1' },
    });
    expect((await decisionsOf(log)).map(({ id, verdict }) => `${id} ${verdict}`)).toEqual([
      'run-1/ann/e1/c1 allow',
      'run-1/ann/e1/c1~2 denied',
    ]);
    expect(await keysOf(log, 'mark')).toHaveLength(1);
  });

  it('keeps time from running backwards, also over a restart (P32)', async () => {
    const times = async (): Promise<number[]> =>
      (await recordsOf(log)).flatMap(({ body }) => (body.type === 'mark' ? [body.mark.createdAt] : []));
    await gate.session(ANN, 'e1').write(seen('a'));
    clock.now = 10;
    await gate.session(ANN, 'e2').write(seen('b'));
    await reopen();
    clock.now = Number.NaN;
    await gate.session(ANN, 'e3').write(seen('c'));
    clock.now = 1_000_000 + 315_360_000_000;
    await gate.session(ANN, 'e4').write(seen('d'));
    expect(await times()).toEqual([1_000_000, 1_000_000, 1_000_000, 1_000_000 + 315_360_000_000]);
  });

  it('lets one of many concurrent callers have a resource, and decides each on what came before it in its batch', async () => {
    const sessions = Array.from({ length: 20 }, (_, i) => gate.session(i % 2 === 0 ? ANN : BOB, `e${i}`));
    const outcomes = await Promise.all(sessions.map((session) => session.write(plan('r'))));
    expect(outcomes.filter(({ verdict }) => verdict === 'allow')).toHaveLength(1);
    expect(outcomes.filter(({ verdict }) => verdict === 'conflict')).toHaveLength(19);
  });

  it('appends rows once per key, in the same order as everything else', async () => {
    await Promise.all([
      gate.rows('calls', [{ key: 'calls/1', row: { n: 1 } }]),
      gate.rows('calls', [
        { key: 'calls/1', row: { n: 2 } },
        { key: 'calls/2', row: null },
      ]),
    ]);
    expect((await recordsOf(log)).flatMap(({ body }) => (body.type === 'row' ? [body.row] : []))).toEqual([
      { n: 1 },
      null,
    ]);
    await expect(gate.rows('calls', [{ key: '', row: 1 }])).rejects.toThrow(TypeError);
    await gate.rows('calls', [{ key: 'calls/3', row: 3 }]);
  });

  it('defines scopes and grants once, and again only when they differ', async () => {
    const before = gate.head();
    await reopen();
    expect(gate.head()).toEqual(before);
    await gate.close();
    const changed = defineScope({ name: LAB, observationTopics: ['only'] });
    log = await place.open();
    ({ gate } = await openTestGate(log, { scopes: [changed] }));
    expect(await gate.session(ANN, 'x').write(seen('other'))).toMatchObject({ denial: { code: 'topic-not-allowed' } });
    await reopen();
    expect(await gate.session(ANN, 'y').write(seen('other'))).toMatchObject({ verdict: 'allow' });
    expect((await keysOf(log, 'define')).filter((key) => key.startsWith('define/scope/lab/'))).toEqual([
      'define/scope/lab/1',
      'define/scope/lab/2',
      'define/scope/lab/3',
    ]);
  });

  it('takes the grants of the log when none are given', async () => {
    await gate.close();
    log = await place.open();
    gate = await openGate({ log, run: 'run-1', clock: () => 1, scopes: [] });
    expect(await gate.session(ANN, 'z').write(seen('t'))).toMatchObject({ verdict: 'allow' });
    expect(await gate.session(EVE, 'z').write(seen('t'))).toMatchObject({ verdict: 'denied' });
  });
});

describe('sessions', () => {
  it('exist only for agents with a grant, and for names that can be part of an id', async () => {
    const { gate } = await openTestGate(createMemoryLog(), { grants: [] });
    expect(() => gate.session(ANN, 'e')).toThrow(UnknownAgentError);
    const { gate: full } = await openTestGate(createMemoryLog());
    for (const epoch of ['', 'a/b', 'a b', '../x', 'x'.repeat(201)])
      expect(() => full.session(ANN, epoch)).toThrow(RangeError);
    await expect(openTestGate(createMemoryLog(), { run: 'a/b' })).rejects.toThrow(RangeError);
  });

  it('once revoked are denied with a record, read nothing, and cannot be talked out of it (S6)', async () => {
    const log = createMemoryLog();
    const { gate } = await openTestGate(log);
    const ann = gate.session(ANN, 'e');
    await ann.write(seen('t'));
    gate.revoke({ ...gate.session(BOB, 'e'), agent: ANN, epoch: 'e' });
    expect(ann.revoked).toBe(false);
    const underWay = ann.write(seen('under way'));
    gate.revoke(ann);
    const revoked = { verdict: 'denied', denial: { code: 'session-revoked', check: 'identity' } };
    expect(await underWay).toEqual(revoked);
    expect([await ann.write(seen('t')), await ann.use({ tool: 'bash', operation: 'run' })]).toEqual([revoked, revoked]);
    expect([ann.read(), ann.get(markId('run-1/ann/e/m1'))]).toEqual([[], undefined]);
    await gate.tick();
    expect(await decisionsOf(log)).toHaveLength(4);
    expect(gate.view.size).toBe(1);
  });

  it('of one agent and epoch there is one at a time', async () => {
    const log = createMemoryLog();
    const { gate } = await openTestGate(log);
    const old = gate.session(ANN, 'e');
    const young = gate.session(ANN, 'e');
    const outcomes = await Promise.all([old.write(seen('a')), young.write(seen('b'))]);
    expect(outcomes.map(({ verdict }) => verdict)).toEqual(['denied', 'allow']);
    expect(await decisionsOf(log)).toHaveLength(2);
  });

  it('repeat a write by its id without a second mark, in their own name only', async () => {
    const log = createMemoryLog();
    const { gate } = await openTestGate(log);
    const [ann, bob] = [gate.session(ANN, 'e'), gate.session(BOB, 'e')];
    const first = await ann.write(seen('t'));
    const retryOf = markId('run-1/ann/e/m1');
    expect(await ann.write(seen('t'), { retryOf })).toEqual({ ...first, repeated: true });
    expect(await ann.write(seen('u'), { retryOf })).toMatchObject({ denial: { code: 'id-taken' } });
    expect(await bob.write(seen('t'), { retryOf })).toMatchObject({ denial: { code: 'id-taken' } });
    for (const forged of ['run-1/ann/e/m2', 'run-1/ann/e/m0', 'run-1/ann/e/m01', 'run-1/ann/e/m', 'x']) {
      expect(await ann.write(seen('t'), { retryOf: markId(forged) })).toMatchObject({ denial: { code: 'id-taken' } });
    }
    expect(gate.view.size).toBe(1);
    expect(await decisionsOf(log)).toHaveLength(9);
  });

  it('see protected scopes projected and classified ones not at all', async () => {
    const { gate } = await openTestGate(createMemoryLog(), {
      scopes: [...SCOPES.slice(1), defineScope({ name: LAB, visibility: 'protected', observationTopics: ['*'] })],
    });
    await gate.session(BOSS, 'e').write(seen('t'));
    await gate.session(ANN, 'e').write(file('task.ts', 'x'));
    const eve = gate.session(EVE, 'e');
    expect(eve.read()).toMatchObject([{ topic: 't', content: null, projected: true }]);
    expect(eve.get(markId('run-1/ann/e/m1'))).toBeUndefined();
    expect(eve.strengthOf(markId('run-1/ann/e/m1'))).toBeUndefined();
    expect(eve.strengthOf(markId('run-1/boss/e/m1'))).toBe(1);
    expect(gate.session(BOB, 'e').read()).toMatchObject([{ content: { text: 't' } }]);
  });
});

describe('facts', () => {
  it('are gathered for admitted drafts only, and heeded (S7)', async () => {
    const asked: string[] = [];
    const { gate } = await openTestGate(createMemoryLog(), {
      gather: (draft) => {
        asked.push(draft.kind === 'observation' ? draft.topic : draft.kind);
        return Promise.resolve({ syntax: { path: 'task.ts', problem: 'line 1' } });
      },
    });
    const outcomes = [
      await gate.session(ANN, 'e').write(file('task.ts', '}')),
      await gate.session(ANN, 'e').write(file('other.ts', '}')),
      await gate.session(EVE, 'e').write(seen('t')),
    ];
    expect(outcomes).toMatchObject([
      { denial: { code: 'syntax' } },
      { denial: { code: 'not-editable' } },
      { denial: { code: 'no-right' } },
    ]);
    expect(asked).toEqual(['task.ts']);
  });

  it('that cannot be gathered fail the call, with its record, which is told (P58)', async () => {
    const log = createMemoryLog();
    const told: string[] = [];
    const { gate } = await openTestGate(log, {
      gather: () => Promise.reject(new Error('checker gone')),
      observe: ({ verdict, reason }) => told.push(`${verdict} ${reason}`),
    });
    await expect(gate.session(ANN, 'e').write(file('task.ts', 'x'))).rejects.toThrow('checker gone');
    expect(await decisionsOf(log)).toMatchObject([{ verdict: 'blocked', reason: 'fault' }]);
    expect(told).toEqual(['blocked fault']);
    expect(gate.view.size).toBe(0);
  });

  it('a file of 10 MB is refused by its size, a text of 10 MB elsewhere by its shape', async () => {
    const { gate } = await openTestGate(createMemoryLog());
    const huge = 'x'.repeat(10_000_000);
    const ann = gate.session(ANN, 'e');
    expect(await ann.write(file('task.ts', huge))).toMatchObject({
      denial: { code: 'file-too-large', bytes: 10_000_000 },
    });
    expect(await ann.write(seen('t', { text: huge }))).toMatchObject({
      denial: { code: 'malformed', field: 'content.text' },
    });
    expect(await ann.write(seen(huge))).toMatchObject({ denial: { code: 'malformed' } });
    expect(await ann.write(file('task.ts', 'x'.repeat(100_000)))).toMatchObject({ verdict: 'allow' });
  });
});

describe('a gate whose log fails', () => {
  /** A memory log that fails from the `n`th append on. */
  function failing(n: number): Log {
    const log = createMemoryLog();
    let appends = 0;
    return {
      head: () => log.head(),
      append: (expectedSeq, entries) =>
        (appends += 1) >= n
          ? Promise.reject(new LogWriteError('the log could not be written: disk full'))
          : log.append(expectedSeq, entries),
      read: (fromSeq) => log.read(fromSeq),
      close: () => log.close(),
    };
  }

  it('closes: everything waiting and everything later fails, and what was not committed was never true', async () => {
    const log = failing(3);
    const { gate } = await openTestGate(log);
    const ann = gate.session(ANN, 'e');
    await ann.write(seen('committed'));
    const failed = await Promise.allSettled([
      ann.write(seen('a')),
      ann.write(seen('b')),
      gate.rows('t', [{ key: 'k', row: 1 }]),
    ]);
    for (const result of failed)
      expect(result).toMatchObject({
        status: 'rejected',
        reason: { name: 'GateClosedError', cause: { code: 'log-write' } },
      });
    await expect(ann.write(seen('c'))).rejects.toThrow(GateClosedError);
    await expect(ann.use({ tool: 'bash', operation: 'run' })).rejects.toThrow(GateClosedError);
    expect(() => gate.view).toThrow(GateClosedError);
    expect(() => ann.read()).toThrow(GateClosedError);
    expect(await keysOf(log, 'mark')).toEqual(['run-1/ann/e/m1']);
    await gate.close();
  });

  it('answers a tool use at once, and has it on record before whatever comes after it, or when it closes', async () => {
    const log = createMemoryLog();
    const { gate } = await openTestGate(log);
    const ann = gate.session(ANN, 'e');
    await ann.use({ tool: 'bash', operation: 'run' });
    expect(await decisionsOf(log)).toEqual([]);
    await ann.write(seen('a'));
    await ann.use({ tool: 'editor', operation: 'write', path: 'evals/x' });
    await gate.close();
    expect((await decisionsOf(log)).map(({ call, verdict }) => `${call} ${verdict}`)).toEqual([
      'use allow',
      'write allow',
      'use denied',
    ]);
    await expect(ann.use({ tool: 'bash', operation: 'run' })).rejects.toThrow(GateClosedError);
  });

  it('finishes accepted calls on close, refuses later ones', async () => {
    const log = createMemoryLog();
    const { gate } = await openTestGate(log);
    const ann = gate.session(ANN, 'e');
    const [accepted] = await Promise.all([ann.write(seen('a')), gate.close()]);
    expect(accepted.verdict).toBe('allow');
    await expect(ann.write(seen('b'))).rejects.toThrow(GateClosedError);
  });
});

describe('two gates over one log', () => {
  it('catch up on each other: a stale decision is made again, and one of them gets the resource', async () => {
    const log = createMemoryLog();
    const [one, two] = await Promise.all([openTestGate(log), openTestGate(log)]);
    for (let i = 0; i < 10; i += 1) {
      const outcomes = await Promise.all([
        one.gate.session(ANN, `a${i}`).write(plan(`r${i}`)),
        two.gate.session(BOB, `b${i}`).write(plan(`r${i}`)),
      ]);
      expect(outcomes.map(({ verdict }) => verdict).sort()).toEqual(['allow', 'conflict']);
    }
    await one.gate.rows('t', [{ key: 'k', row: 1 }]);
    await two.gate.rows('t', [{ key: 'l', row: 1 }]);
    expect(two.gate.view.seq).toBe(log.head().seq);
    const decisions = await decisionsOf(log);
    expect(decisions).toHaveLength(20);
  });
});

describe('admit()', () => {
  const LATE = parseAgentName('late');
  const grant = { agent: LATE, read: [LAB], write: [{ kind: 'observation', scope: LAB }] } as const;

  it('lets in an agent that comes later, for good', async () => {
    const log = createMemoryLog();
    const { gate } = await openTestGate(log);
    expect(() => gate.session(LATE, 'e')).toThrow(UnknownAgentError);
    await gate.admit(grant);
    expect(await gate.session(LATE, 'e').write(seen('t'))).toMatchObject({ verdict: 'allow' });
    await gate.admit(grant);
    const defined = (await recordsOf(log)).filter(({ key }) => key.startsWith('define/grant/late/'));
    expect(defined.map(({ key }) => key)).toEqual(['define/grant/late/1']);
    const again = await openGate({ log, run: 'run-1', clock: () => 0, scopes: [] });
    expect(await again.session(LATE, 'e2').write(seen('t'))).toMatchObject({ verdict: 'allow' });
  });

  it('changes what sessions made from then on may do', async () => {
    const { gate } = await openTestGate(createMemoryLog());
    await gate.admit(grant);
    const before = gate.session(LATE, 'e');
    await gate.admit({ ...grant, write: [] });
    expect(await before.write(seen('t'))).toMatchObject({ verdict: 'allow' });
    expect(await gate.session(LATE, 'e2').write(seen('t'))).toMatchObject({ denial: { code: 'no-right' } });
  });

  it("gives nobody the guard's names or scope", async () => {
    const { gate } = await openTestGate(createMemoryLog());
    await expect(gate.admit({ ...grant, agent: parseAgentName('guard') })).rejects.toThrow(RangeError);
    await expect(gate.admit({ ...grant, read: [scopeName('guard')] })).rejects.toThrow(RangeError);
    await expect(gate.admit(grant, [defineScope({ name: scopeName('guard/x') })])).rejects.toThrow(RangeError);
  });
});

describe('an edit of a file that was changed meanwhile', () => {
  it('is refused, and names the file; the version that is there may be edited', async () => {
    const { gate } = await openTestGate(createMemoryLog());
    const [one, other] = [gate.session(ANN, 'e1'), gate.session(ANN, 'e2')];
    const first = await one.write(file('task.ts', 'a'));
    const base = first.verdict === 'allow' ? first.mark?.id : undefined;
    const on = (supersedes: typeof base, text: string) => ({ ...file('task.ts', text), supersedes });
    const [mine, theirs] = await Promise.all([one.write(on(base, 'b')), other.write(on(base, 'c'))]);
    expect(mine.verdict).toBe('allow');
    expect(theirs).toMatchObject({ verdict: 'denied', denial: { code: 'stale-edit', path: 'task.ts' } });
    const head = mine.verdict === 'allow' ? mine.mark?.id : undefined;
    expect(await other.write(on(head, 'bc'))).toMatchObject({ verdict: 'allow' });
  });
});
