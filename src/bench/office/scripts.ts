import { mulberry32, type Mulberry32 } from '../../evaluate/mulberry32.ts';
import type { MarkId, ScopeName } from '../../space/marks.ts';
import type { Desk, ToolPlan } from './desk.ts';
import {
  BOARDROOM,
  type Building,
  dayOf,
  dependencyOf,
  DEPARTMENT_ROOMS,
  EQUIPMENT,
  isMorning,
  isNoon,
  LUNCH,
  lotName,
  noticesOf,
  PARKING,
  roomsOf,
  SHARED_ROOMS,
  tableName,
  taskName,
  tasksOf,
} from './places.ts';
import { REGULAR_CONFIDENCE } from './staff.ts';

/** How often people want something, per round or where it is to be had. */
const WANTS = { room: 0.3, sharedRoom: 0.35, boardroom: 0.03, parking: 0.6, equipment: 0.08, task: 0.12, notice: 0.25 };
/** Who finds a thing taken asks for this many others. */
const RETRIES = 4;
/** One tool in so many comes to nothing; it is tried once more. */
const FAILING = 50;

/** What an honest agent wanted and what it got. */
export interface Wishes {
  wanted: number;
  got: number;
}

/** What everybody in the office knows. */
export interface Office {
  readonly building: Building;
  readonly toolMs: number;
}

/** Numbers that depend on the run's seed, the person and the round alone. */
export function drawFor(seed: number, person: number, round: number): Mulberry32 {
  return mulberry32(
    Math.imul(seed + 1, 0x9e3779b1) ^ Math.imul(person + 1, 0x85ebca6b) ^ Math.imul(round + 1, 0xc2b2ae35),
  );
}

/** What one honest agent does in one round: `plan` before boundaries and settlements, `act` after them. */
export class HonestRound {
  readonly #office: Office;
  readonly #desk: Desk;
  readonly #draw: Mulberry32;
  readonly #round: number;
  readonly #wishes: Wishes;
  readonly #confidence: number;
  #lot: string | undefined;
  #boardroom: string | undefined;
  #equipment: { readonly item: string; readonly intent: MarkId } | undefined;

  constructor(office: Office, desk: Desk, draw: Mulberry32, round: number, wishes: Wishes) {
    this.#office = office;
    this.#desk = desk;
    this.#draw = draw;
    this.#round = round;
    this.#wishes = wishes;
    this.#confidence = desk.person.role === 'head' ? 1 : REGULAR_CONFIDENCE * Math.round(draw.real() * 100) * 0.01;
  }

  async plan(): Promise<void> {
    const { building } = this.#office;
    const isHead = this.#desk.person.role === 'head';
    if (isMorning(this.#round) && (isHead || this.#chance(WANTS.parking))) {
      this.#lot = lotName(this.#desk.person.department % building.lots, dayOf(this.#round));
      await this.#desk.intend(PARKING, this.#lot, 'parking', this.#confidence);
    }
    if (this.#chance(isHead ? 0.3 : WANTS.boardroom)) {
      this.#boardroom = this.#now(`board-${this.#upTo(building.boardrooms)}`);
      await this.#desk.intend(BOARDROOM, this.#boardroom, 'boardroom', this.#confidence);
    }
    if (this.#chance(WANTS.equipment)) await this.#planEquipment();
    if (this.#chance(WANTS.notice)) await this.#notice();
  }

  async act(): Promise<void> {
    if (this.#lot !== undefined) await this.#want(() => this.#act(PARKING, this.#lot ?? '', 'parking'));
    if (this.#boardroom !== undefined) await this.#want(() => this.#act(BOARDROOM, this.#boardroom ?? '', 'boardroom'));
    if (this.#equipment !== undefined) await this.#useEquipment(this.#equipment);
    const rooms = roomsOf(this.#desk.person.department);
    if (this.#chance(WANTS.room))
      await this.#wantOneOf(rooms, 'department-room', () => this.#now(`room-${this.#upTo(DEPARTMENT_ROOMS)}`));
    if (this.#chance(WANTS.sharedRoom))
      await this.#wantOneOf(SHARED_ROOMS, 'shared-room', () =>
        this.#now(`shared-${this.#upTo(this.#office.building.sharedRooms)}`),
      );
    if (isNoon(this.#round)) await this.#eat();
    if (this.#chance(WANTS.task)) await this.#doTask();
  }

  async #planEquipment(): Promise<void> {
    for (let attempt = 0; attempt < RETRIES; attempt += 1) {
      const item = this.#now(`item-${this.#upTo(this.#office.building.equipment)}`);
      const outcome = await this.#desk.intend(EQUIPMENT, item, 'equipment', this.#confidence);
      if (outcome.verdict !== 'allow' || outcome.mark === undefined) continue;
      this.#equipment = { item, intent: outcome.mark.id };
      return;
    }
    this.#wishes.wanted += 1;
  }

  /** Most use what they have booked, some give it back, a few forget it. */
  async #useEquipment({ item, intent }: { readonly item: string; readonly intent: MarkId }): Promise<void> {
    const mood = this.#draw.real();
    if (mood < 0.1) await this.#desk.release(EQUIPMENT, item, intent);
    else if (mood >= 0.15) await this.#want(() => this.#act(EQUIPMENT, item, 'equipment'));
  }

  async #notice(): Promise<void> {
    const scope = noticesOf(this.#desk.person.department);
    const topic = `topic-${this.#upTo(8)}`;
    this.#desk.read({ scope, topic, last: 5 });
    const content = { text: `round ${this.#round}: ${topic} is well` };
    await this.#desk.write({ scope, topic, content, confidence: this.#confidence, source: 'fleet' });
  }

  /** A warm lunch if there is a seat, a cold one otherwise. */
  async #eat(): Promise<void> {
    const { hotTables, coldTables } = this.#office.building;
    const day = dayOf(this.#round);
    const warm = this.#chance(0.6);
    await this.#want(async () => {
      for (let attempt = 0; attempt < RETRIES; attempt += 1) {
        const food = warm && attempt < 2 ? 'hot' : 'cold';
        const table = tableName(food, this.#upTo(food === 'hot' ? hotTables : coldTables), day);
        if (await this.#act(LUNCH, table, 'lunch')) return true;
      }
      return false;
    });
  }

  /** Takes a task that is not done and whose dependency is, by what it reads just before. */
  async #doTask(): Promise<void> {
    const scope = tasksOf(this.#desk.person.department);
    await this.#want(async () => {
      for (let attempt = 0; attempt < 2; attempt += 1) {
        const task = this.#freeTask(scope);
        if (task !== undefined && (await this.#act(scope, task, 'task'))) return true;
      }
      return false;
    });
  }

  #freeTask(scope: ScopeName): string | undefined {
    const done = new Set<string>();
    for (const mark of this.#desk.read({ scope, kind: 'action', live: true }))
      if (mark.kind === 'action' && mark.resource !== undefined && mark.failed !== true) done.add(mark.resource);
    const free: string[] = [];
    for (let n = 1; n <= this.#office.building.tasksPerDepartment; n += 1) {
      const before = dependencyOf(n);
      if (!done.has(taskName(n)) && (before === undefined || done.has(taskName(before)))) free.push(taskName(n));
    }
    return free[this.#upTo(Math.max(1, free.length))];
  }

  async #wantOneOf(scope: ScopeName, action: string, choose: () => string): Promise<void> {
    await this.#want(async () => {
      for (let attempt = 0; attempt < RETRIES; attempt += 1) if (await this.#act(scope, choose(), action)) return true;
      return false;
    });
  }

  async #want(attempt: () => Promise<boolean>): Promise<void> {
    this.#wishes.wanted += 1;
    if (await attempt()) this.#wishes.got += 1;
  }

  /** Acts, and once more if the tool comes to nothing. */
  async #act(scope: ScopeName, resource: string, action: string): Promise<boolean> {
    const plan: ToolPlan = { toolMs: this.#office.toolMs };
    // What was won at a boundary is used up by the attempt: there, tools do not fail.
    const fails = scope !== PARKING && scope !== BOARDROOM && this.#draw.int(1, FAILING) === 1;
    if (fails) await this.#desk.act(scope, resource, action, this.#confidence, { ...plan, fails });
    return this.#desk.act(scope, resource, action, this.#confidence, plan);
  }

  #now(thing: string): string {
    return `${thing}@round-${this.#round}`;
  }
  #chance(p: number): boolean {
    return this.#draw.real() < p;
  }
  #upTo(n: number): number {
    return this.#draw.int(0, n - 1);
  }
}

/** What a bot from outside does in a round: says what it has seen, as far as it is trusted. */
export async function botRound(desk: Desk, round: number): Promise<void> {
  const scope = noticesOf(desk.person.department);
  const said = { scope, topic: 'facilities', confidence: 0.9 };
  await desk.write({ ...said, content: { text: `heating checked in round ${round}` }, source: 'external-unverified' });
  if (round % 5 === 0) await desk.write({ scope, topic: 'facilities', reason: 'maintenance', severity: 'info' });
}
