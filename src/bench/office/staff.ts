import type { Grant, WriteRight } from '../../guard/grants.ts';
import { PRINCIPAL } from '../../guard/principal.ts';
import { GUARD } from '../../guard/rulings.ts';
import type { AgentName, Mark, ScopeName } from '../../space/marks.ts';
import { parseAgentName } from '../../space/scope.ts';
import {
  BOARDROOM,
  BOOKING_KINDS,
  type Building,
  EQUIPMENT,
  LUNCH,
  NOTICES_PER_ROUND,
  noticesOf,
  PARKING,
  PAYROLL,
  type Place,
  roomsOf,
  roundAt,
  SHARED_ROOMS,
  tasksOf,
} from './places.ts';

/** The `clerk` is the office's own and not among the agents that are counted. */
export type Role = 'regular' | 'head' | 'bot' | 'adversary' | 'clerk';

export interface Person {
  readonly name: AgentName;
  readonly role: Role;
  /** Its place among all people; scripts draw their numbers from it and the seed. */
  readonly index: number;
  readonly department: number;
}

export const CLERK = parseAgentName('payroll-clerk');

/** The most that people who are no heads may claim to be worth when they ask for something. */
export const REGULAR_CONFIDENCE = 0.8;

const ADVERSARIES = 0.05;
const BOTS = 0.02;

/** Who works here: the first of a department is its head; one in twenty is an adversary, one in fifty a bot from outside. */
export function hireStaff(building: Building): readonly Person[] {
  const { agents, departments } = building;
  const adversaries = Math.max(1, Math.round(agents * ADVERSARIES));
  const bots = Math.max(1, Math.round(agents * BOTS));
  const staff: Person[] = [];
  for (let index = 0; index < agents; index += 1) {
    const role: Role =
      index < departments
        ? 'head'
        : index < departments + adversaries
          ? 'adversary'
          : index < departments + adversaries + bots
            ? 'bot'
            : 'regular';
    staff.push({ name: parseAgentName(`${role}-${index}`), role, index, department: index % departments });
  }
  return staff;
}

/** What the office tells the guard about one of its people. Its own knowledge of who may do what is {@link mayStore} and {@link viewOf}. */
export function grantOf({ name, role, department }: Person): Grant {
  if (role === 'bot')
    return {
      agent: name,
      read: [],
      write: [
        { kind: 'observation', scope: noticesOf(department), topics: ['facilities'] },
        { kind: 'warning', scope: noticesOf(department), topics: ['facilities'] },
      ],
      sourceCeiling: 'external-unverified',
    };
  const booked = [SHARED_ROOMS, BOARDROOM, PARKING, LUNCH, EQUIPMENT, roomsOf(department)];
  const honest = role === 'head' || role === 'regular';
  const scopes = honest ? [...booked, tasksOf(department)] : booked;
  return {
    agent: name,
    read: honest ? [roomsOf(department), tasksOf(department)] : [roomsOf(department)],
    write: [
      ...scopes.flatMap((scope) => BOOKING_KINDS.map((kind): WriteRight => ({ kind, scope }))),
      { kind: 'observation', scope: noticesOf(department) },
      { kind: 'warning', scope: noticesOf(department) },
    ],
    ...(role === 'head' ? {} : { confidenceCeiling: REGULAR_CONFIDENCE }),
  };
}

export const CLERK_GRANT: Grant = { agent: CLERK, read: [PAYROLL], write: [{ kind: 'observation', scope: PAYROLL }] };

/** The office's own rule, written apart from the guard's: how much of a place's marks somebody may see. */
export function viewOf(place: Place | undefined, person: Person): 'all' | 'outline' | 'nothing' {
  const member = person.department === place?.department && person.role !== 'bot';
  switch (place?.kind) {
    case 'department-room':
      return member ? 'all' : 'outline';
    case 'parking':
      return 'outline';
    case 'task':
      return member && person.role !== 'adversary' ? 'all' : 'nothing';
    case 'payroll':
      return person.role === 'clerk' ? 'all' : 'nothing';
    case undefined:
      return 'nothing';
    case 'shared-room':
    case 'boardroom':
    case 'lunch':
    case 'equipment':
    case 'notices':
      break;
  }
  return 'all';
}

/** The office's own rule, written apart from the guard's: whether this mark may be in the log at all. */
export function mayStore(building: Building, people: ReadonlyMap<string, Person>, mark: Mark): boolean {
  const person = people.get(mark.agent);
  const place = building.places.get(mark.scope);
  if (place === undefined) return false;
  // The guard asks who gets the boardroom, and the principal answers; nobody has either's name.
  if (mark.agent === GUARD) return place.kind === 'boardroom' && mark.kind === 'need';
  if (mark.agent === PRINCIPAL)
    return place.kind === 'boardroom' && mark.kind === 'action' && mark.resource === undefined;
  if (person === undefined) return false;
  if (person.role === 'clerk') return place.kind === 'payroll' && mark.kind === 'observation';
  const home = person.department === place.department;
  switch (place.kind) {
    case 'payroll':
      return false;
    case 'notices':
      if (!home) return false;
      if (mark.kind === 'observation')
        return person.role !== 'bot' || (mark.topic === 'facilities' && mark.source === 'external-unverified');
      return mark.kind === 'warning' && (person.role !== 'bot' || mark.topic === 'facilities');
    case 'task':
      if (!home || person.role === 'adversary') return false;
      break;
    case 'department-room':
      if (!home) return false;
      break;
    case 'shared-room':
    case 'boardroom':
    case 'parking':
    case 'lunch':
    case 'equipment':
      break;
  }
  if (person.role === 'bot' || mark.kind === 'observation' || mark.kind === 'warning') return false;
  if (mark.kind !== 'need' && mark.action !== place.kind) return false;
  return mark.kind !== 'intent' || person.role === 'head' || mark.confidence <= REGULAR_CONFIDENCE;
}

/** Counts notices per author, department and round as they come, and says when one is over what the department takes. */
export function noticeCounter(): (agent: AgentName, scope: ScopeName, createdAt: number) => boolean {
  const counts = new Map<string, number>();
  return (agent, scope, createdAt) => {
    const key = `${agent}\0${scope}\0${roundAt(createdAt)}`;
    const count = (counts.get(key) ?? 0) + 1;
    counts.set(key, count);
    return count > NOTICES_PER_ROUND;
  };
}
