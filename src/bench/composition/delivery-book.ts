import type { MarkId } from '../../space/marks.ts';
import type { Member, Stage } from './pipeline-plan.ts';
import { sourceOf, STAGES } from './pipeline-plan.ts';

/** What must not happen between who writes and who listens. */
export const DELIVERY_VIOLATIONS = ['lost', 'duplicated', 'outOfOrder', 'fromBefore', 'unmatched'] as const;
export type DeliveryViolation = (typeof DELIVERY_VIOLATIONS)[number];

/** What one subscriber was due and what it got. */
interface Subscriber {
  readonly member: Member;
  /** Marks of its source stage that had been written when it subscribed, and when it last read. */
  readonly from: number;
  upTo: number;
  readonly got: MarkId[];
}

/** Marks of a stage that nobody was left to read are no loss: they are counted apart. */
export interface Deliveries {
  readonly produced: Readonly<Record<Stage, number>>;
  readonly delivered: Readonly<Record<Stage, number>>;
  /** produced x subscribers, less what a swap left unread. */
  readonly due: Readonly<Record<Stage, number>>;
  readonly leftUnread: number;
  readonly violations: Readonly<Record<DeliveryViolation, number>>;
}

/**
 * The book of a pipeline, kept by its agents: which marks a stage had answered as stored, who subscribed when, who got what. Marks are
 * compared in the order that the log, read back, says they were written in.
 */
export class DeliveryBook {
  readonly #produced = new Map<Stage, MarkId[]>(STAGES.map((stage) => [stage, []]));
  readonly #subscribers: Subscriber[] = [];
  readonly #seats = new Map<string, Subscriber>();
  #leftUnread = 0;

  wrote(stage: Stage, id: MarkId): void {
    this.#produced.get(stage)?.push(id);
  }

  subscribed(member: Member): void {
    const from = this.#written(member);
    const subscriber: Subscriber = { member, from, upTo: from, got: [] };
    this.#subscribers.push(subscriber);
    this.#seats.set(member.name, subscriber);
  }

  got(member: Member, ids: readonly MarkId[]): void {
    this.#seats.get(member.name)?.got.push(...ids);
  }

  /** It has read until nothing came any more. */
  caughtUp(member: Member): void {
    const seat = this.#seats.get(member.name);
    if (seat !== undefined) seat.upTo = this.#written(member);
  }

  /** It left; what it had not read is nobody's. */
  left(member: Member): void {
    const seat = this.#seats.get(member.name);
    if (seat !== undefined) this.#leftUnread += this.#written(member) - seat.upTo;
  }

  #written({ stage }: Member): number {
    const source = sourceOf(stage);
    return source === undefined ? 0 : (this.#produced.get(source)?.length ?? 0);
  }

  /** `order`: the place in the log of every mark. */
  close(order: ReadonlyMap<MarkId, number>): Deliveries {
    const violations = { lost: 0, duplicated: 0, outOfOrder: 0, fromBefore: 0, unmatched: 0 };
    const delivered = zeros();
    const due = zeros();
    const place = (id: MarkId): number => order.get(id) ?? Number.MAX_SAFE_INTEGER;
    const inOrder = new Map(
      [...this.#produced].map(([stage, ids]) => [stage, ids.toSorted((a, b) => place(a) - place(b))]),
    );
    for (const { member, from, upTo, got } of this.#subscribers) {
      const source = sourceOf(member.stage);
      const written = (source === undefined ? undefined : inOrder.get(source)) ?? [];
      const earlier = new Set(written.slice(0, from));
      const awaited = new Set(written.slice(from, upTo));
      due[member.stage] += awaited.size;
      delivered[member.stage] += got.length;
      const seen = new Set<MarkId>();
      let last = -1;
      for (const id of got) {
        if (seen.has(id)) violations.duplicated += 1;
        seen.add(id);
        if (earlier.has(id)) violations.fromBefore += 1;
        else if (!awaited.has(id)) violations.unmatched += 1;
        if (place(id) < last) violations.outOfOrder += 1;
        last = place(id);
      }
      for (const id of awaited) if (!seen.has(id)) violations.lost += 1;
    }
    const produced = zeros();
    for (const [stage, ids] of this.#produced) produced[stage] = ids.length;
    return { produced, delivered, due, leftUnread: this.#leftUnread, violations };
  }
}

function zeros(): Record<Stage, number> {
  return { sensor: 0, filter: 0, aggregator: 0, alerter: 0, actor: 0 };
}
