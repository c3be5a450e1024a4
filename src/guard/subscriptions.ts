import type { MarkView } from '../space/mark-index.ts';
import type { AgentName, Mark, MarkId, ProjectedMark } from '../space/marks.ts';
import { readMark } from '../space/query.ts';
import { marksAfter, matchesPattern, parsePattern } from '../space/watch.ts';
import type { Denial } from './decision.ts';
import type { Grant } from './grants.ts';
import type { GuardEvent } from './guard-event.ts';
import { type Subscription, subscriptionNames, subscriptionOf } from './parts/subscriptions.ts';
import type { GuardMemory } from './state.ts';

/** @see protocol rule S10 */
export const MOST_SUBSCRIPTIONS = 64;
/** Marks of a page unless asked otherwise. */
export const PAGE_MARKS = 256;
export const MOST_PAGE_MARKS = 1024;

/** What a poll gives. */
export interface Page {
  /** In log order, none twice. */
  readonly marks: readonly (Mark | ProjectedMark)[];
  /** Stands for everything given so far; hand it back as `ack` once that was dealt with. Absent before the first mark. */
  readonly cursor?: string;
}

export interface PollOptions {
  /** At most this many marks. @default 256 */
  readonly limit?: number;
  /** The cursor of an earlier page: all up to it was dealt with and need not come again, ever. */
  readonly ack?: string;
}

/** A poll named a subscription the agent does not have, or a cursor that it gave nobody. */
export class SubscriptionError extends Error {
  override readonly name = 'SubscriptionError';
  readonly code: 'no-such-subscription' | 'unknown-cursor';
  readonly value: string;
  constructor(code: 'no-such-subscription' | 'unknown-cursor', value: string) {
    const shown = JSON.stringify(value.slice(0, 120));
    super(
      code === 'no-such-subscription'
        ? `there is no subscription ${shown}: subscribe first (subscriptions end with the revocation of their agent's session)`
        : `${shown} is not a cursor of this subscription: acknowledge with the cursor of one of its pages, or poll without`,
    );
    this.code = code;
    this.value = value;
  }
}

type Asked = { readonly ok: true; readonly event: GuardEvent } | { readonly ok: false; readonly denial: Denial };

// oxlint-disable-next-line no-control-regex -- control characters are what it looks for
const UNPRINTABLE = /[\u0000-\u001f\u007f-\u009f\u2028\u2029\u{d800}-\u{dfff}]/u;
const LONGEST_NAME = 64;

/** What subscribing comes to: the event to record, or why not. Pure; nothing of a refused call is kept. */
export function decideSubscription(memory: GuardMemory, agent: AgentName, name: unknown, pattern: unknown): Asked {
  if (typeof name !== 'string' || name === '' || name.length > LONGEST_NAME || UNPRINTABLE.test(name))
    return malformed('name', `must be 1 to ${LONGEST_NAME} printable characters`);
  const names = subscriptionNames(memory, agent);
  if (names.length >= MOST_SUBSCRIPTIONS && !names.includes(name))
    return malformed(
      'name',
      `is one too many: ${MOST_SUBSCRIPTIONS} subscriptions are there; unsubscribe from one first`,
    );
  const parsed = parsePattern(pattern);
  if (!parsed.ok) return { ok: false, denial: { code: 'malformed', check: 'shape', ...parsed.problem } };
  return { ok: true, event: { what: 'subscribed', agent, name, pattern: parsed.pattern } };
}

/** The event that ends a subscription; undefined when there is none to end. */
export function decideUnsubscription(memory: GuardMemory, agent: AgentName, name: string): GuardEvent | undefined {
  return subscriptionOf(memory, agent, name) === undefined ? undefined : { what: 'unsubscribed', agent, name };
}

function malformed(field: string, problem: string): Asked {
  return { ok: false, denial: { code: 'malformed', check: 'shape', field, problem } };
}

/** What a session's subscriptions need of its gate. */
export interface SubscriptionPort {
  /** The committed view. @throws when the gate is closed */
  view(): MarkView;
  readonly memory: GuardMemory;
  /** Makes an event durable. */
  record(event: GuardEvent): Promise<void>;
  /** Calls `listener` after every commit that brought marks, and once when the gate closes, until the returned function is called. */
  onCommit(listener: () => void): () => void;
}

/** Where a session is in one subscription. */
interface Position {
  /** Of the subscription it is in: one made again under its name starts afresh. */
  readonly from: number;
  /** Everything up to here was looked at, and what matched was given. */
  readonly seq: number;
  /** The last mark given. */
  readonly cursor: MarkId | undefined;
}

/**
 * The subscriptions of one agent as one session of it reads them. The log is the queue: a session keeps a position and nothing else, so a
 * slow reader costs nothing and is sent nothing. Each mark is given once to a session; a new session (after a crash, after a restart)
 * starts from what was acknowledged, so that nothing is lost. A cursor is the id of the last mark given: it survives restarts, and says
 * nothing about what the reader may not see.
 */
export class SessionSubscriptions {
  readonly #port: SubscriptionPort;
  readonly #grant: Pick<Grant, 'agent' | 'read'>;
  readonly #positions = new Map<string, Position>();

  constructor(port: SubscriptionPort, grant: Pick<Grant, 'agent' | 'read'>) {
    this.#port = port;
    this.#grant = grant;
  }

  /**
   * The next marks of a subscription, as far as the agent may see them now. With `ack`, first makes durable what was dealt with.
   *
   * @throws {SubscriptionError} for a name or cursor that is not the agent's
   * @throws {RangeError} for a limit that is not a whole number from 1 to 1024
   */
  async poll(name: string, { limit = PAGE_MARKS, ack }: PollOptions = {}): Promise<Page> {
    if (!Number.isInteger(limit) || limit < 1 || limit > MOST_PAGE_MARKS)
      throw new RangeError(`a page holds 1 to ${MOST_PAGE_MARKS} marks, not ${limit}`);
    if (ack !== undefined) await this.#acknowledge(name, ack);
    const subscription = this.#subscription(name);
    const before = this.#positionIn(name, subscription);
    const { marks, seq } = marksAfter(this.#port.view(), this.#grant, subscription.pattern, before.seq, limit);
    const cursor = marks.at(-1)?.id ?? before.cursor;
    this.#positions.set(name, { from: subscription.from, seq, cursor });
    this.#forgetEnded();
    return cursor === undefined ? { marks } : { marks, cursor };
  }

  /** Whether a poll of one of the agent's subscriptions would give a mark. */
  hasNews(): boolean {
    const view = this.#port.view();
    return subscriptionNames(this.#port.memory, this.#grant.agent).some((name) => {
      const subscription = this.#subscription(name);
      const before = this.#positionIn(name, subscription);
      const { marks, seq } = marksAfter(view, this.#grant, subscription.pattern, before.seq, 1);
      if (marks.length === 0) this.#positions.set(name, { ...before, seq });
      return marks.length > 0;
    });
  }

  /**
   * Waits until {@link hasNews}; false once `signal` is aborted, or when there is no subscription (left) to wait for.
   *
   * @throws what the port's view throws when the gate closes
   */
  wait(signal: AbortSignal): Promise<boolean> {
    return new Promise((resolve, reject) => {
      const end = (): void => {
        stop();
        signal.removeEventListener('abort', abandon);
      };
      const abandon = (): void => {
        end();
        resolve(false);
      };
      const check = (): void => {
        try {
          const news = this.hasNews();
          if (!news && subscriptionNames(this.#port.memory, this.#grant.agent).length > 0) return;
          end();
          resolve(news);
        } catch (error) {
          end();
          reject(error instanceof Error ? error : new Error(String(error)));
        }
      };
      // Listening begins before looking: what is committed in between is not missed.
      const stop = this.#port.onCommit(check);
      signal.addEventListener('abort', abandon);
      if (signal.aborted) abandon();
      else check();
    });
  }

  async #acknowledge(name: string, cursor: string): Promise<void> {
    const subscription = this.#subscription(name);
    const view = this.#port.view();
    // oxlint-disable-next-line typescript/no-unsafe-type-assertion -- looked up at once; what is no mark's id is refused
    const id = cursor as MarkId;
    const mark = readMark(view, this.#grant, id);
    const seq = view.seqOf(id);
    // One answer for what is hidden, what is not there, and what does not belong here.
    if (mark === undefined || seq === undefined || !matchesPattern(subscription.pattern, mark))
      throw new SubscriptionError('unknown-cursor', cursor);
    if (seq <= subscription.acknowledged) return;
    const position = this.#positionIn(name, subscription);
    const upTo = position.cursor === id ? position.seq : seq;
    await this.#port.record({ what: 'acknowledged', agent: this.#grant.agent, name, seq: upTo });
  }

  #subscription(name: string): Subscription {
    const found = subscriptionOf(this.#port.memory, this.#grant.agent, name);
    if (found === undefined) throw new SubscriptionError('no-such-subscription', name);
    return found;
  }

  #positionIn(name: string, { from, acknowledged }: Subscription): Position {
    const own = this.#positions.get(name);
    if (own?.from !== from) return { from, seq: acknowledged, cursor: undefined };
    return own.seq >= acknowledged ? own : { ...own, seq: acknowledged };
  }

  /** A session may subscribe and unsubscribe for ever under ever new names. */
  #forgetEnded(): void {
    if (this.#positions.size <= MOST_SUBSCRIPTIONS) return;
    for (const name of this.#positions.keys()) {
      if (subscriptionOf(this.#port.memory, this.#grant.agent, name) === undefined) this.#positions.delete(name);
    }
  }
}
