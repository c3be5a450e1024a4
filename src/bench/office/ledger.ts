import type { AgentName, MarkId, ScopeName } from '../../space/marks.ts';
import { type Building, dependencyOf, type PlaceKind, taskName, taskNumber, unitsOf } from './places.ts';
import type { Person } from './staff.ts';

/** What must never happen in the office; each is counted apart from what the guard believes. */
export const VIOLATIONS = [
  /** Tools of more agents ran for a resource than it has units, or at once. */
  'resourcesExecutedByTwo',
  /** One agent's tool ran for a resource again after it had succeeded, or while it ran. */
  'executedTwiceByOne',
  /** More actions stand on a resource at the end than it has units. */
  'moreThanOneLiveAction',
  /** A mark is in the log that the office's rule does not let its author write. */
  'storedWithoutRight',
  /** A mark of a classified scope came back to somebody without the right. */
  'classifiedSeen',
  /** The content of a protected scope's mark came back to somebody without the right. */
  'protectedContentSeen',
  /** A task was done before the one it depends on. */
  'taskBeforeDependency',
  /** More agents parked in a garage than it has spaces. */
  'parkingOverCapacity',
  /** A head asked for a space in time and got none although somebody who is no head did. */
  'regularBeforeHead',
  /** A booking asked for did not end as exactly one of executed, failed, refused, released, expired or pending; or is known to one side only. */
  'intentsNotConserved',
] as const;
export type Violation = (typeof VIOLATIONS)[number];

/** The last answer to a booking. */
export type Answer = 'allowed' | 'waiting' | 'refused' | 'released' | 'thrown';

/** All that one agent ever asked of one resource. */
export interface Ticket {
  readonly person: Person;
  readonly scope: ScopeName;
  readonly resource: string;
  /** Calls that were made and not yet answered. */
  open: number;
  answer: Answer | undefined;
  /** It was accepted into a deferred contest at least once. */
  waited: boolean;
  /** Times its tool came to an end, well or badly. */
  succeeded: number;
  failed: number;
  /** Marks that answers named as its intents. */
  readonly intents: Set<MarkId>;
}

interface Resource {
  /** Agents whose tools are running, and whose have succeeded. */
  readonly running: Map<AgentName, number>;
  readonly done: Set<AgentName>;
  /** The newest fence that a tool was given. */
  fence: number;
}

/** A tool that does not come to its result. */
export class ToolFailure extends Error {
  override readonly name = 'ToolFailure';
}

/**
 * The office's own book of who did what when. It is filled by the tools and the callers themselves, and knows nothing of what the guard
 * decided but the answers that were given.
 */
export class Ledger {
  readonly building: Building;
  readonly tickets = new Map<string, Ticket>();
  readonly #resources = new Map<string, Resource>();
  readonly #counts = new Map<Violation, number>();
  /** Each offence is counted once, whoever sees it. */
  readonly #noted = new Set<string>();

  constructor(building: Building) {
    this.building = building;
  }

  count(violation: Violation, times = 1): void {
    this.#counts.set(violation, (this.#counts.get(violation) ?? 0) + times);
  }

  /** Counts an offence against one thing, the first time it is seen. */
  countOnce(violation: Violation, what: string): void {
    const key = `${violation}\0${what}`;
    if (this.#noted.has(key)) return;
    this.#noted.add(key);
    this.count(violation);
  }

  violations(): Readonly<Record<Violation, number>> {
    const counts: Partial<Record<Violation, number>> = {};
    for (const name of VIOLATIONS) counts[name] = this.#counts.get(name) ?? 0;
    // oxlint-disable-next-line typescript/no-unsafe-type-assertion -- every name was set just now
    return counts as Record<Violation, number>;
  }

  ticketFor(person: Person, scope: ScopeName, resource: string): Ticket {
    const key = ticketKey(person.name, scope, resource);
    let ticket = this.tickets.get(key);
    if (ticket === undefined) {
      ticket = {
        person,
        scope,
        resource,
        open: 0,
        answer: undefined,
        waited: false,
        succeeded: 0,
        failed: 0,
        intents: new Set(),
      };
      this.tickets.set(key, ticket);
    }
    return ticket;
  }

  /** A tool starts to run, under a lease whose fence is newer than any on the resource before. */
  start(ticket: Ticket, fence: number): void {
    const { person, scope, resource } = ticket;
    const found = this.#resourceOf(scope, resource);
    if (fence <= found.fence) this.countOnce('resourcesExecutedByTwo', resourceKey(scope, resource));
    found.fence = Math.max(found.fence, fence);
    if (found.running.has(person.name) || found.done.has(person.name)) {
      this.count('executedTwiceByOne');
    }
    found.running.set(person.name, (found.running.get(person.name) ?? 0) + 1);
    this.#checkCrowd(ticket, found);
    if (this.#kindOf(scope) === 'task') this.#checkDependency(scope, resource);
  }

  /** The tool came to an end. */
  finish(ticket: Ticket, succeeded: boolean): void {
    const found = this.#resourceOf(ticket.scope, ticket.resource);
    const { name } = ticket.person;
    const left = (found.running.get(name) ?? 1) - 1;
    if (left > 0) found.running.set(name, left);
    else found.running.delete(name);
    if (!succeeded) {
      ticket.failed += 1;
      return;
    }
    ticket.succeeded += 1;
    found.done.add(name);
  }

  /** Whether the tool of anybody has succeeded for a resource. */
  isDone(scope: ScopeName, resource: string): boolean {
    return (this.#resources.get(resourceKey(scope, resource))?.done.size ?? 0) > 0;
  }

  /** Whoever runs a tool now or has succeeded holds the resource: more of them than units is one too many. */
  #checkCrowd({ scope, resource }: Ticket, { running, done }: Resource): void {
    const kind = this.#kindOf(scope);
    if (kind === undefined) return;
    const others = [...running.keys()].reduce((sum, agent) => sum + (done.has(agent) ? 0 : 1), 0);
    if (done.size + others <= unitsOf(this.building, kind)) return;
    if (kind === 'parking') this.count('parkingOverCapacity');
    else this.countOnce('resourcesExecutedByTwo', resourceKey(scope, resource));
  }

  #checkDependency(scope: ScopeName, resource: string): void {
    const before = dependencyOf(taskNumber(resource));
    if (before !== undefined && !this.isDone(scope, taskName(before)))
      this.countOnce('taskBeforeDependency', resourceKey(scope, resource));
  }

  #resourceOf(scope: ScopeName, resource: string): Resource {
    const key = resourceKey(scope, resource);
    let found = this.#resources.get(key);
    if (found === undefined) this.#resources.set(key, (found = { running: new Map(), done: new Set(), fence: 0 }));
    return found;
  }

  #kindOf(scope: ScopeName): PlaceKind | undefined {
    return this.building.places.get(scope)?.kind;
  }
}

export function ticketKey(agent: string, scope: string, resource: string): string {
  return `${agent}\0${scope}\0${resource}`;
}
export function resourceKey(scope: string, resource: string): string {
  return `${scope}\0${resource}`;
}
