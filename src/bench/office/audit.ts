import type { Mark, MarkId } from '../../space/marks.ts';
import { INJECTION } from './adversary.ts';
import { type Ledger, resourceKey, type Ticket, ticketKey } from './ledger.ts';
import { dependencyOf, INTENT_TTL_MS, taskName, taskNumber, unitsOf } from './places.ts';
import { mayStore, noticeCounter, type Person } from './staff.ts';

/** What the log says of one ticket. */
interface Evidence {
  /** Actions that stand, and failed ones. */
  standing: number;
  failed: number;
  /** `createdAt` of the newest intent. */
  lastIntentAt: number;
}

/**
 * Holds a log that was read back against the office's own book: every mark against the office's rule, what stands on each resource at
 * the end against its units, the order of tasks, and each booking asked for against what became of it. Returns the number of marks.
 * `endedAt`: epoch milliseconds of the office's clock when nobody was left at work.
 */
export async function auditLog(
  marks: AsyncIterable<Mark>,
  ledger: Ledger,
  people: ReadonlyMap<string, Person>,
  endedAt: number,
): Promise<number> {
  const { building } = ledger;
  const evidence = new Map<string, Evidence>();
  const standing = new Map<string, Set<MarkId>>();
  const bookedBy = new Map<MarkId, { readonly key: string; readonly ticket: string }>();
  const isOneTooMany = noticeCounter();
  const done = new Set<string>();
  let count = 0;
  for await (const mark of marks) {
    count += 1;
    if (!mayStore(building, people, mark)) ledger.count('storedWithoutRight');
    const place = building.places.get(mark.scope);
    if (mark.kind === 'observation' || mark.kind === 'warning') {
      if (place?.kind === 'notices' && isOneTooMany(mark.agent, mark.scope, mark.createdAt))
        ledger.count('storedWithoutRight');
      if (mark.kind === 'observation' && JSON.stringify(mark.content).includes(INJECTION))
        ledger.count('storedWithoutRight');
    }
    if (mark.kind === 'action' && mark.supersedes !== undefined) {
      const replaced = bookedBy.get(mark.supersedes);
      if (replaced !== undefined) {
        standing.get(replaced.key)?.delete(mark.supersedes);
        evidenceOf(evidence, replaced.ticket).standing -= 1;
      }
    }
    if ((mark.kind !== 'intent' && mark.kind !== 'action') || mark.resource === undefined) continue;
    const key = resourceKey(mark.scope, mark.resource);
    const ticket = ticketKey(mark.agent, mark.scope, mark.resource);
    const found = evidenceOf(evidence, ticket);
    if (mark.kind === 'intent') found.lastIntentAt = mark.createdAt;
    else if (mark.failed === true) found.failed += 1;
    else {
      found.standing += 1;
      bookedBy.set(mark.id, { key, ticket });
      const ids = standing.get(key);
      if (ids === undefined) standing.set(key, new Set([mark.id]));
      else ids.add(mark.id);
      if (place?.kind === 'task') checkOrder(ledger, done, mark.scope, mark.resource);
    }
  }
  countStanding(ledger, standing);
  for (const [key, ticket] of ledger.tickets) {
    if (!isConserved(ticket, evidence.get(key), endedAt)) ledger.count('intentsNotConserved');
    evidence.delete(key);
  }
  // What is left in the log was never asked for.
  ledger.count('intentsNotConserved', evidence.size);
  countPassedOver(ledger);
  return count;
}

function countStanding(ledger: Ledger, standing: ReadonlyMap<string, ReadonlySet<MarkId>>): void {
  for (const [key, actions] of standing) {
    const place = ledger.building.places.get(key.slice(0, key.indexOf('\0')));
    if (place !== undefined && actions.size > unitsOf(ledger.building, place.kind))
      ledger.count('moreThanOneLiveAction');
  }
}

function evidenceOf(evidence: Map<string, Evidence>, ticket: string): Evidence {
  let found = evidence.get(ticket);
  if (found === undefined) evidence.set(ticket, (found = { standing: 0, failed: 0, lastIntentAt: Number.NaN }));
  return found;
}

function checkOrder(ledger: Ledger, done: Set<string>, scope: string, resource: string): void {
  const before = dependencyOf(taskNumber(resource));
  if (before !== undefined && !done.has(resourceKey(scope, taskName(before))))
    ledger.countOnce('taskBeforeDependency', resourceKey(scope, resource));
  done.add(resourceKey(scope, resource));
}

/**
 * Whether a ticket came to exactly one end, and tools, answers and log tell the same of it: each tool that succeeded left one action that
 * stands, each that failed a failed one; whoever was refused has nothing, whoever waits or planned and did not come has an intent that
 * waits still or has expired.
 */
function isConserved(ticket: Ticket, found: Evidence | undefined, endedAt: number): boolean {
  const { answer, open, succeeded, failed } = ticket;
  const { standing = 0, failed: failedActions = 0, lastIntentAt = Number.NaN } = found ?? {};
  if (open !== 0 || answer === undefined || standing !== succeeded || failedActions !== failed) return false;
  const hasIntent = !Number.isNaN(lastIntentAt);
  const isExpired = hasIntent && endedAt - lastIntentAt > INTENT_TTL_MS;
  switch (answer) {
    case 'allowed':
      // Acted on, or planned and forgotten.
      return succeeded === 1 || (succeeded === 0 && isExpired);
    case 'thrown':
      return succeeded === 0 && failed > 0;
    case 'waiting':
      return succeeded === 0 && hasIntent;
    case 'released':
      return succeeded === 0 && hasIntent;
    case 'refused':
      break;
  }
  return succeeded === 0;
}

/** Per garage and day: heads who had asked before the boundary and did not park although somebody who is no head did. */
function countPassedOver(ledger: Ledger): void {
  const lots = new Map<string, { heads: number; others: number }>();
  for (const { person, scope, resource, waited, succeeded } of ledger.tickets.values()) {
    if (ledger.building.places.get(scope)?.kind !== 'parking') continue;
    let lot = lots.get(resource);
    if (lot === undefined) lots.set(resource, (lot = { heads: 0, others: 0 }));
    if (person.role !== 'head') lot.others += succeeded > 0 ? 1 : 0;
    else if (waited && succeeded === 0) lot.heads += 1;
  }
  for (const { heads, others } of lots.values()) if (others > 0) ledger.count('regularBeforeHead', heads);
}
