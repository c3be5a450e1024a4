import type { Outcome } from '../../guard/decision.ts';
import type { Session, ToolLease } from '../../guard/session.ts';
import type { Mark, MarkId, ProjectedMark, ScopeName } from '../../space/marks.ts';
import type { MarkQuery } from '../../space/query.ts';
import type { WatchPattern } from '../../space/watch.ts';
import { type Ledger, type Ticket, ToolFailure } from './ledger.ts';
import { type Person, viewOf } from './staff.ts';

/** What the office needs of a session. */
export type OfficeSession = Pick<
  Session,
  'agent' | 'write' | 'execute' | 'release' | 'read' | 'get' | 'strengthOf' | 'subscribe' | 'poll'
>;

/** How many calls had each verdict. */
export type Verdicts = Record<Outcome['verdict'], number>;

/** What a tool does while it holds its resource. */
export interface ToolPlan {
  /** How long it takes; 0: it is synchronous. */
  readonly toolMs: number;
  readonly fails?: boolean;
}

/**
 * One person at work: a session whose every call and answer goes into the office's own book. It counts verdicts, keeps a ticket per
 * booking, runs the tools, and holds all that is read against what the office knows of its people.
 */
export class Desk {
  readonly person: Person;
  readonly #session: OfficeSession;
  readonly #ledger: Ledger;
  readonly #verdicts: Verdicts;

  constructor(person: Person, session: OfficeSession, ledger: Ledger, verdicts: Verdicts) {
    this.person = person;
    this.#session = session;
    this.#ledger = ledger;
    this.#verdicts = verdicts;
  }

  /** Writes anything but an intent. */
  async write(draft: unknown): Promise<Outcome> {
    const outcome = await this.#session.write(draft);
    this.#verdicts[outcome.verdict] += 1;
    return outcome;
  }

  /** Says that it means to act on a resource; the answer holds the intent if it was allowed. */
  async intend(scope: ScopeName, resource: string, action: string, confidence: number): Promise<Outcome> {
    const ticket = this.#open(scope, resource);
    const outcome = await this.#session.write({ scope, resource, action, confidence });
    this.#verdicts[outcome.verdict] += 1;
    this.#answer(ticket, outcome);
    if (outcome.verdict === 'allow' && outcome.mark !== undefined) ticket.intents.add(outcome.mark.id);
    return outcome;
  }

  /** Acts on a resource; whether the tool ran and came to its result. */
  async act(
    scope: ScopeName,
    resource: string,
    action: string,
    confidence: number,
    { toolMs, fails = false }: ToolPlan,
  ): Promise<boolean> {
    const ticket = this.#open(scope, resource);
    const tool = ({ fence }: ToolLease): string | Promise<string> => {
      this.#ledger.start(ticket, fence);
      const end = (): string => {
        this.#ledger.finish(ticket, !fails);
        if (fails) throw new ToolFailure(`the tool for ${resource} came to nothing`);
        return `${this.person.name} has ${resource}`;
      };
      if (toolMs === 0) return end();
      return new Promise<void>((resolve) => setTimeout(resolve, toolMs)).then(end);
    };
    try {
      const outcome = await this.#session.execute({ scope, resource, action, confidence }, tool);
      this.#verdicts[outcome.verdict] += 1;
      this.#answer(ticket, outcome);
      return outcome.verdict === 'allow';
    } catch (error) {
      if (!(error instanceof ToolFailure)) throw error;
      this.#verdicts.allow += 1;
      ticket.open -= 1;
      ticket.answer = 'thrown';
      return false;
    }
  }

  /** Says to have acted on a resource without having asked, in place of the mark `supersedes`. */
  async claim(scope: ScopeName, resource: string, action: string, supersedes: MarkId): Promise<void> {
    const ticket = this.#open(scope, resource);
    const outcome = await this.#session.write({ scope, resource, action, result: 'mine', supersedes });
    this.#verdicts[outcome.verdict] += 1;
    if (outcome.verdict === 'allow') {
      // It comes without a lease: nothing was held while it was done.
      this.#ledger.start(ticket, Infinity);
      this.#ledger.finish(ticket, true);
    }
    this.#answer(ticket, outcome);
  }

  /** Gives an intent up. */
  async release(scope: ScopeName, resource: string, intent: MarkId): Promise<void> {
    const outcome = await this.#session.release(intent);
    this.#verdicts[outcome.verdict] += 1;
    if (outcome.verdict === 'allow') this.#ledger.ticketFor(this.person, scope, resource).answer = 'released';
  }

  read(query: MarkQuery): readonly (Mark | ProjectedMark)[] {
    return this.#seen(this.#session.read(query));
  }

  get(id: MarkId): Mark | ProjectedMark | undefined {
    const mark = this.#session.get(id);
    if (mark !== undefined) this.#seen([mark]);
    else if (this.#session.strengthOf(id) !== undefined) this.#ledger.count('classifiedSeen');
    return mark;
  }

  async subscribe(name: string, pattern: WatchPattern): Promise<void> {
    const outcome = await this.#session.subscribe(name, pattern);
    this.#verdicts[outcome.verdict] += 1;
  }

  async poll(name: string, limit: number): Promise<readonly (Mark | ProjectedMark)[]> {
    return this.#seen((await this.#session.poll(name, { limit })).marks);
  }

  #open(scope: ScopeName, resource: string): Ticket {
    const ticket = this.#ledger.ticketFor(this.person, scope, resource);
    ticket.open += 1;
    return ticket;
  }

  #answer(ticket: Ticket, outcome: Outcome | { readonly verdict: 'allow' }): void {
    ticket.open -= 1;
    if (outcome.verdict === 'allow') ticket.answer = 'allowed';
    else if (outcome.verdict === 'blocked' && 'reason' in outcome && outcome.reason !== 'busy') {
      ticket.answer = 'waiting';
      ticket.waited = true;
    } else if (ticket.succeeded === 0) ticket.answer = 'refused';
  }

  #seen(marks: readonly (Mark | ProjectedMark)[]): readonly (Mark | ProjectedMark)[] {
    for (const mark of marks) {
      const place = this.#ledger.building.places.get(mark.scope);
      switch (viewOf(place, this.person)) {
        case 'all':
          break;
        case 'outline':
          if (!isOutline(mark)) this.#ledger.count('protectedContentSeen');
          break;
        case 'nothing':
          this.#ledger.count('classifiedSeen');
          break;
      }
    }
    return marks;
  }
}

/** Whether the content fields of a mark are empty. */
function isOutline(mark: Mark | ProjectedMark): boolean {
  if (!('projected' in mark)) return false;
  switch (mark.kind) {
    case 'action':
      return mark.result === null;
    case 'observation':
      return mark.content === null;
    case 'warning':
      return mark.reason === '';
    case 'need':
      return mark.question === '' && mark.context === null;
    case 'intent':
      break;
  }
  return true;
}
