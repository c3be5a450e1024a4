import type { MarkKind, ScopeName } from '../../space/marks.ts';
import { defineScope, parseScopeName, type ScopeDefinition } from '../../space/scope.ts';

const HOUR_MS = 3_600_000;

/** A working week: rounds of two hours, four to a day. */
export const ROUNDS_PER_DAY = 4;
export const ROUND_MS = 2 * HOUR_MS;
const DAY_MS = 24 * HOUR_MS;
/** Plans hold for an hour: what was not acted on in its round is gone in the next. */
export const INTENT_TTL_MS = HOUR_MS;
/** Notices an agent may put up in one department in one round. */
export const NOTICES_PER_ROUND = 5;
/** Seats at a table of the canteen. */
export const SEATS = 6;
/** One garage for this many people. */
const PEOPLE_PER_LOT = 210;
const PEOPLE_PER_DEPARTMENT = 21;
/** What a department's task waits for: the one this many before it. */
const TASK_STRIDE = 4;

/** What is booked in a scope; `payroll` and `notices` hold no resources. */
export type PlaceKind =
  | 'department-room'
  | 'shared-room'
  | 'boardroom'
  | 'task'
  | 'parking'
  | 'lunch'
  | 'equipment'
  | 'notices'
  | 'payroll';

/** One scope of the office. */
export interface Place {
  readonly kind: PlaceKind;
  readonly scope: ScopeName;
  /** Absent where the whole office goes. */
  readonly department?: number;
}

/** How much of everything there is, from the number of agents alone. */
export interface Building {
  readonly agents: number;
  readonly departments: number;
  readonly sharedRooms: number;
  readonly boardrooms: number;
  readonly lots: number;
  readonly spacesPerLot: number;
  readonly hotTables: number;
  readonly coldTables: number;
  readonly equipment: number;
  readonly tasksPerDepartment: number;
  readonly places: ReadonlyMap<string, Place>;
  readonly scopes: readonly ScopeDefinition[];
}

export const DEPARTMENT_ROOMS = 5;

export const SHARED_ROOMS = parseScopeName('rooms/shared');
export const BOARDROOM = parseScopeName('boardroom');
export const PARKING = parseScopeName('parking');
export const LUNCH = parseScopeName('lunch');
export const EQUIPMENT = parseScopeName('equipment');
export const PAYROLL = parseScopeName('payroll');
export const TASKS = parseScopeName('tasks');

export function roomsOf(department: number): ScopeName {
  return parseScopeName(`rooms/d${department}`);
}
export function tasksOf(department: number): ScopeName {
  return parseScopeName(`tasks/d${department}`);
}
export function noticesOf(department: number): ScopeName {
  return parseScopeName(`notices/d${department}`);
}

/** The day and the part of the day of a round, both from 0. */
export function dayOf(round: number): number {
  return Math.floor(round / ROUNDS_PER_DAY);
}
export function isMorning(round: number): boolean {
  return round % ROUNDS_PER_DAY === 0;
}
export function isNoon(round: number): boolean {
  return round % ROUNDS_PER_DAY === 1;
}

const MONDAY = Date.UTC(2026, 0, 5, 8);

/** Epoch milliseconds at which a round starts. */
export function startOf(round: number): number {
  return MONDAY + dayOf(round) * DAY_MS + (round % ROUNDS_PER_DAY) * ROUND_MS;
}

/** The round in which something of this time was; may be past the last. */
export function roundAt(time: number): number {
  const day = Math.floor((time - MONDAY) / DAY_MS);
  return day * ROUNDS_PER_DAY + Math.floor((time - MONDAY - day * DAY_MS) / ROUND_MS);
}

/** The task that has to be done before task `n` of a department, if any. */
export function dependencyOf(task: number): number | undefined {
  return task > TASK_STRIDE ? task - TASK_STRIDE : undefined;
}
export function taskName(n: number): string {
  return `task-${n}`;
}
export function taskNumber(resource: string): number {
  return Number(resource.slice('task-'.length));
}

/** Units of a resource: seats at a table, spaces of a garage, one of everything else. */
export function unitsOf(building: Building, kind: PlaceKind): number {
  return kind === 'lunch' ? SEATS : kind === 'parking' ? building.spacesPerLot : 1;
}

/** The office for so many agents and rounds: as many rooms, tables and tasks as its people need to be a little short of them. */
export function planBuilding(agents: number, rounds: number): Building {
  const departments = Math.max(1, Math.round(agents / PEOPLE_PER_DEPARTMENT));
  const lots = Math.max(1, Math.round(agents / PEOPLE_PER_LOT));
  const sizes = {
    agents,
    departments,
    sharedRooms: Math.max(2, Math.ceil(agents / 8)),
    boardrooms: Math.max(1, Math.round(agents / 105)),
    lots,
    spacesPerLot: Math.max(2, Math.ceil((agents / lots) * 0.4)),
    hotTables: Math.ceil((agents * 0.5) / SEATS),
    coldTables: Math.ceil((agents * 0.8) / SEATS),
    equipment: Math.max(2, Math.ceil(agents / 8)),
    tasksPerDepartment: Math.ceil((agents / departments) * 1.5),
  };
  const places: Place[] = [
    { kind: 'shared-room', scope: SHARED_ROOMS },
    { kind: 'boardroom', scope: BOARDROOM },
    { kind: 'parking', scope: PARKING },
    { kind: 'lunch', scope: LUNCH },
    { kind: 'equipment', scope: EQUIPMENT },
    { kind: 'payroll', scope: PAYROLL },
  ];
  for (let department = 0; department < departments; department += 1) {
    places.push(
      { kind: 'department-room', scope: roomsOf(department), department },
      { kind: 'task', scope: tasksOf(department), department },
      { kind: 'notices', scope: noticesOf(department), department },
    );
  }
  const units = { lunch: tableUnits(sizes, rounds), parking: lotUnits(sizes, rounds) };
  return {
    ...sizes,
    places: new Map(places.map((place) => [place.scope, place])),
    scopes: places.map((place) => definitionOf(place, units)),
  };
}

type Units = Readonly<Record<string, number>>;

function tableUnits(sizes: Pick<Building, 'hotTables' | 'coldTables'>, rounds: number): Units {
  const units: Record<string, number> = {};
  for (let day = 0; day <= dayOf(rounds - 1); day += 1) {
    for (let n = 0; n < sizes.hotTables; n += 1) units[tableName('hot', n, day)] = SEATS;
    for (let n = 0; n < sizes.coldTables; n += 1) units[tableName('cold', n, day)] = SEATS;
  }
  return units;
}

function lotUnits({ lots, spacesPerLot }: Pick<Building, 'lots' | 'spacesPerLot'>, rounds: number): Units {
  const units: Record<string, number> = {};
  for (let day = 0; day <= dayOf(rounds - 1); day += 1)
    for (let n = 0; n < lots; n += 1) units[lotName(n, day)] = spacesPerLot;
  return units;
}

export function tableName(food: 'hot' | 'cold', n: number, day: number): string {
  return `${food}-${n}@day-${day}`;
}
export function lotName(n: number, day: number): string {
  return `lot-${n}@day-${day}`;
}

function definitionOf(
  { kind, scope }: Place,
  units: { readonly lunch: Units; readonly parking: Units },
): ScopeDefinition {
  const booked = { name: scope, intentTtlMs: INTENT_TTL_MS, intentVerbs: [kind], actionVerbs: [kind] };
  switch (kind) {
    case 'department-room':
      return defineScope({ ...booked, visibility: 'protected' });
    case 'task':
      return defineScope({ ...booked, visibility: 'classified' });
    case 'boardroom':
      return defineScope({ ...booked, conflictPolicy: 'yield-all', deferred: true });
    case 'parking':
      return defineScope({
        ...booked,
        visibility: 'protected',
        conflictPolicy: 'highest-confidence',
        deferred: true,
        units: units.parking,
      });
    case 'lunch':
      return defineScope({ ...booked, units: units.lunch });
    case 'equipment':
      return defineScope({ ...booked, conflictPolicy: 'highest-confidence' });
    case 'shared-room':
      return defineScope(booked);
    case 'notices':
      return defineScope({
        name: scope,
        observationTopics: ['*'],
        warningTopics: ['*'],
        rateLimit: { windowMs: HOUR_MS, perAgent: NOTICES_PER_ROUND },
      });
    case 'payroll':
      break;
  }
  return defineScope({ name: scope, visibility: 'classified', observationTopics: ['*'] });
}

/** Kinds of mark that are written where things are booked. */
export const BOOKING_KINDS: readonly MarkKind[] = ['intent', 'action', 'need'];
