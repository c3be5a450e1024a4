import { describe, expect, test } from 'vitest';
import type { Mark, MarkId } from '../../space/marks.ts';
import type { ScopeDefinition } from '../../space/scope.ts';
import { openGateOffice } from './gate-office.ts';
import { VIOLATIONS, type Violation } from './ledger.ts';
import { type Building, PARKING, PAYROLL, roomsOf, SHARED_ROOMS, tasksOf } from './places.ts';
import type { OfficeSession } from './desk.ts';
import { type OfficeReport, type OfficeSpace, type OpenOffice, runOffice } from './run-office.ts';
import type { Person } from './staff.ts';

const SMALL = { agents: 21, rounds: 3, toolMs: 0, seed: 1 };
/** A whole day and a bit: lunches, parking and tasks that wait for each other. */
const DAY = { agents: 42, rounds: 6, toolMs: 0, seed: 1 };

const total = (counts: Readonly<Record<string, number>>): number => Object.values(counts).reduce((a, b) => a + b, 0);

describe('an office over the real gate', () => {
  test.each([
    0, 5, 50,
  ])('of one department with tools of %i ms comes to no violation (S1, S4, S7, P17)', async (toolMs) => {
    const report = await runOffice({ ...SMALL, toolMs }, openGateOffice);
    expect(report.violations).toEqual(Object.fromEntries(VIOLATIONS.map((name) => [name, 0])));
    expect(total(report.verdicts)).toBe(report.calls);
    for (const count of Object.values(report.verdicts)) expect(count).toBeGreaterThan(0);
    expect(report.completion).toBeGreaterThan(0.4);
    expect(report.marks).toBeGreaterThan(100);
  });

  test('is the same office for the same seed, and another for another', async () => {
    const strip = ({ cpuSeconds: _cpu, wallSeconds: _wall, ...rest }: OfficeReport): unknown => rest;
    const first = strip(await runOffice(SMALL, openGateOffice));
    expect(strip(await runOffice(SMALL, openGateOffice))).toEqual(first);
    expect(strip(await runOffice({ ...SMALL, seed: 2 }, openGateOffice))).not.toEqual(first);
  });

  test('reports exactly what it says it does', async () => {
    const report = await runOffice(SMALL, openGateOffice);
    expect(Object.keys(report)).toEqual([
      'agents',
      'rounds',
      'toolMs',
      'calls',
      'marks',
      'cpuSeconds',
      'wallSeconds',
      'verdicts',
      'completion',
      'violations',
    ]);
    expect(JSON.parse(JSON.stringify(report))).toEqual(report);
  });

  test('stops at the next round once it is aborted', async () => {
    const controller = new AbortController();
    controller.abort(new Error('enough'));
    await expect(runOffice({ ...SMALL, signal: controller.signal }, openGateOffice)).rejects.toThrow('enough');
  });
});

/** The office with its scopes told to the guard otherwise than they are. */
const withScopes =
  (change: (scope: ScopeDefinition) => ScopeDefinition): OpenOffice =>
  (building, staff) =>
    openGateOffice({ ...building, scopes: building.scopes.map(change) }, staff);

/** The office with something between its people and the gate. */
const withSessions =
  (wrap: (session: OfficeSession, person: Person | undefined, building: Building) => OfficeSession): OpenOffice =>
  async (building, staff) => {
    const space = await openGateOffice(building, staff);
    const people = new Map(staff.map((person) => [person.name, person]));
    return { ...space, session: (agent) => wrap(space.session(agent), people.get(agent), building) };
  };

const withLog =
  (change: (marks: AsyncIterable<Mark>) => AsyncIterable<Mark>): OpenOffice =>
  async (building, staff) => {
    const space: OfficeSpace = await openGateOffice(building, staff);
    return { ...space, marks: () => change(space.marks()) };
  };

/** A session with some of its methods replaced. */
function over(session: OfficeSession, changed: Partial<OfficeSession>): OfficeSession {
  return {
    agent: session.agent,
    write: (draft) => session.write(draft),
    execute: (request, tool) => session.execute(request, tool),
    release: (intent) => session.release(intent),
    read: (query) => session.read(query),
    get: (id) => session.get(id),
    strengthOf: (id) => session.strengthOf(id),
    subscribe: (name, pattern) => session.subscribe(name, pattern),
    poll: (name, options) => session.poll(name, options),
    ...changed,
  };
}

/** Runs the tool whatever the guard says. */
const lawless = withSessions((session) =>
  over(session, {
    execute: async (request, tool) => {
      const outcome = await session.execute(request, tool);
      if (outcome.verdict === 'conflict') await tool({ fence: 0 });
      return outcome;
    },
  }),
);

const BROKEN: readonly (readonly [Violation, string, OpenOffice])[] = [
  ['resourcesExecutedByTwo', 'runs tools of those who were refused', lawless],
  ['intentsNotConserved', 'runs tools of those who were refused', lawless],
  [
    'resourcesExecutedByTwo',
    'forgets the actions that hold a shared room',
    withScopes((scope) =>
      scope.name === SHARED_ROOMS
        ? { ...scope, units: Object.fromEntries(everyRoom().map((room) => [room, 9])) }
        : scope,
    ),
  ],
  [
    'executedTwiceByOne',
    'runs each tool twice',
    withSessions((session) =>
      over(session, {
        execute: (request, tool) =>
          session.execute(request, async (lease) => {
            await tool(lease);
            return tool(lease);
          }),
      }),
    ),
  ],
  [
    'moreThanOneLiveAction',
    'lets a second action stand',
    withLog(async function* (marks) {
      for await (const mark of marks) {
        yield mark;
        if (mark.kind === 'action' && mark.scope === SHARED_ROOMS && mark.failed !== true)
          yield { ...mark, id: `${mark.id}/again` as MarkId };
      }
    }),
  ],
  [
    'storedWithoutRight',
    'lets everybody into the other departments',
    (building, staff) =>
      openGateOffice(
        building,
        staff.map((person) => ({ ...person, department: (person.department + 1) % building.departments })),
      ),
  ],
  [
    'storedWithoutRight',
    'has no limit to notices',
    withScopes((scope) => ({ ...scope, ...(scope.rateLimit === undefined ? {} : { rateLimit: { windowMs: 1 } }) })),
  ],
  [
    'classifiedSeen',
    'leaves the payroll open',
    withScopes((scope) => (scope.name === PAYROLL ? { ...scope, visibility: 'open' } : scope)),
  ],
  [
    'protectedContentSeen',
    'leaves the rooms of departments open',
    withScopes((scope) =>
      scope.name === roomsOf(0) || scope.name === roomsOf(1) ? { ...scope, visibility: 'open' } : scope,
    ),
  ],
  [
    'taskBeforeDependency',
    'says that the first tasks are done',
    withSessions((session, person, building) =>
      over(session, {
        read: (query) => {
          const found = session.read(query);
          if (person === undefined || query?.scope !== tasksOf(person.department)) return found;
          const sample = found.find(({ kind }) => kind === 'action');
          if (sample === undefined) return found;
          const half = Math.floor(building.tasksPerDepartment / 2);
          return Array.from({ length: half }, (_, n) => ({ ...sample, resource: `task-${n + 1}` }));
        },
      }),
    ),
  ],
  [
    'parkingOverCapacity',
    'knows of more spaces than there are',
    withScopes((scope) => ({
      ...scope,
      ...(scope.name === PARKING && scope.units !== undefined
        ? { units: Object.fromEntries(Object.keys(scope.units).map((lot) => [lot, 100])) }
        : {}),
    })),
  ],
  [
    'regularBeforeHead',
    'gives parking to whoever comes first',
    withScopes((scope) => (scope.name === PARKING ? { ...scope, conflictPolicy: 'first-writer' } : scope)),
  ],
  [
    'intentsNotConserved',
    'loses every tenth action',
    withLog(async function* (marks) {
      let n = 0;
      for await (const mark of marks) if (mark.kind !== 'action' || (n += 1) % 10 !== 0) yield mark;
    }),
  ],
  [
    'intentsNotConserved',
    'denies what it has done',
    withSessions((session) =>
      over(session, {
        execute: async (request, tool) => {
          const outcome = await session.execute(request, tool);
          return outcome.verdict === 'allow' ? { verdict: 'blocked', reason: 'busy' } : outcome;
        },
      }),
    ),
  ],
];

function everyRoom(): readonly string[] {
  return Array.from({ length: 60 }, (_, n) => `shared-${n % 10}@round-${Math.floor(n / 10)}`);
}

describe('each counter can rise:', () => {
  test.each(BROKEN)('%s, over a guard that %s', async (violation, _how, open) => {
    const { violations } = await runOffice(DAY, open);
    expect(violations[violation]).toBeGreaterThan(0);
  });

  test('every one of them is tried', () => {
    expect(new Set(BROKEN.map(([violation]) => violation))).toEqual(new Set(VIOLATIONS));
  });
});
