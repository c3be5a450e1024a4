import type { Mulberry32 } from '../../evaluate/mulberry32.ts';
import type { Mark } from '../../space/marks.ts';
import { adversaryRound } from './adversary.ts';
import { auditLog } from './audit.ts';
import { Desk, type OfficeSession, type Verdicts } from './desk.ts';
import { Ledger, type Violation } from './ledger.ts';
import {
  BOARDROOM,
  type Building,
  INTENT_TTL_MS,
  isMorning,
  PARKING,
  PAYROLL,
  planBuilding,
  startOf,
} from './places.ts';
import { botRound, drawFor, HonestRound, type Office, type Wishes } from './scripts.ts';
import { CLERK, hireStaff, type Person } from './staff.ts';

export interface OfficeOptions {
  /** Everybody who is counted: regulars, heads, bots and adversaries. */
  readonly agents: number;
  readonly rounds: number;
  /** How long a tool holds its resource; 0: synchronous. */
  readonly toolMs: number;
  readonly seed: number;
  /** Asked at every round. */
  readonly signal?: AbortSignal;
}

/** What `hivemark bench office --json` prints. */
export interface OfficeReport {
  readonly agents: number;
  readonly rounds: number;
  readonly toolMs: number;
  /** Calls that had a verdict. */
  readonly calls: number;
  readonly marks: number;
  readonly cpuSeconds: number;
  readonly wallSeconds: number;
  readonly verdicts: Verdicts;
  /** Share of what honest agents wanted that was executed in the end. */
  readonly completion: number;
  readonly violations: Readonly<Record<Violation, number>>;
}

/** The space that an office works in. */
export interface OfficeSpace {
  /** `<run>` and epoch in the ids of its marks. */
  readonly run: string;
  readonly epoch: string;
  session(agent: Person['name']): OfficeSession;
  /** Sets the clock, epoch milliseconds. */
  setTime(now: number): void;
  /** Settles a deferred scope. */
  boundary(scope: typeof PARKING): Promise<void>;
  /** Lets the principal settle everything that is contested. */
  settle(scope: typeof BOARDROOM): Promise<void>;
  /** All marks in the order of the log, read back from it. */
  marks(): AsyncIterable<Mark>;
  close(): Promise<void>;
}

/** Opens the space of an office for these people. */
export type OpenOffice = (building: Building, staff: readonly Person[]) => Promise<OfficeSpace>;

const MINUTE_MS = 60_000;

/**
 * A scripted, seeded week in an office. Agents of a round act concurrently, each one thing after the other; between their plans and
 * their acts the deferred scopes are settled. Everything is counted from opening the space to the end of the audit.
 */
export async function runOffice(options: OfficeOptions, open: OpenOffice): Promise<OfficeReport> {
  const { agents, rounds, toolMs, seed } = options;
  const cpuFrom = process.cpuUsage();
  const wallFrom = performance.now();
  const building = planBuilding(agents, rounds);
  const staff = hireStaff(building);
  const space = await open(building, staff);
  const ledger = new Ledger(building);
  const verdicts: Verdicts = { allow: 0, conflict: 0, blocked: 0, denied: 0 };
  const wishes: Wishes = { wanted: 0, got: 0 };
  const clerk: Person = { name: CLERK, role: 'clerk', index: agents, department: -1 };
  const desks = staff.map((person) => new Desk(person, space.session(person.name), ledger, verdicts));
  const clerkDesk = new Desk(clerk, space.session(CLERK), ledger, verdicts);
  const office: Office = { building, toolMs };
  const adversaries = staff.filter(({ role }) => role === 'adversary');
  const rankOf = new Map(adversaries.map((person, rank) => [person, rank]));
  let marks: number;
  try {
    for (let round = 0; round < rounds; round += 1) {
      options.signal?.throwIfAborted();
      space.setTime(startOf(round));
      const plans: Promise<void>[] = [writePayroll(clerkDesk, round)];
      const acts: (() => Promise<void>)[] = [];
      // Nobody comes first by right.
      shuffle(desks, drawFor(seed, -1, round));
      for (const desk of desks) {
        const { person } = desk;
        const draw = drawFor(seed, person.index, round);
        if (person.role === 'bot') plans.push(botRound(desk, round));
        else if (person.role === 'adversary') {
          const rank = rankOf.get(person) ?? 0;
          const attack = { office, desk, draw, round, staff, run: space.run, epoch: space.epoch, rank };
          plans.push(adversaryRound(attack));
          acts.push(() => adversaryRound(attack));
        } else {
          const turn = new HonestRound(office, desk, draw, round, wishes);
          plans.push(turn.plan());
          acts.push(() => turn.act());
        }
      }
      await Promise.all(plans);
      space.setTime(startOf(round) + MINUTE_MS);
      if (isMorning(round)) await space.boundary(PARKING);
      await space.boundary(BOARDROOM);
      await space.settle(BOARDROOM);
      await Promise.all(acts.map((act) => act()));
    }
    const endedAt = startOf(rounds) + 2 * INTENT_TTL_MS;
    space.setTime(endedAt);
    const people = new Map([...staff, clerk].map((person) => [String(person.name), person]));
    marks = await auditLog(space.marks(), ledger, people, endedAt);
  } finally {
    await space.close();
  }
  const cpu = process.cpuUsage(cpuFrom);
  return {
    agents,
    rounds,
    toolMs,
    calls: verdicts.allow + verdicts.conflict + verdicts.blocked + verdicts.denied,
    marks,
    cpuSeconds: seconds((cpu.user + cpu.system) / 1000),
    wallSeconds: seconds(performance.now() - wallFrom),
    verdicts,
    completion: wishes.wanted === 0 ? 1 : Math.round((wishes.got / wishes.wanted) * 1000) / 1000,
    violations: ledger.violations(),
  };
}

async function writePayroll(desk: Desk, round: number): Promise<void> {
  const content = { text: `wages of round ${round}` };
  await desk.write({ scope: PAYROLL, topic: `round-${round}`, content, confidence: 1, source: 'fleet' });
}

function shuffle(list: Desk[], draw: Mulberry32): void {
  for (let last = list.length - 1; last > 0; last -= 1) {
    const other = draw.int(0, last);
    const [a, b] = [list[last], list[other]];
    if (a !== undefined && b !== undefined) [list[last], list[other]] = [b, a];
  }
}

function seconds(ms: number): number {
  return Math.round(ms) / 1000;
}
