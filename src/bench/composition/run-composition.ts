import { mulberry32, type Mulberry32 } from '../../evaluate/mulberry32.ts';
import { type Gate, openGate, type Session } from '../../guard/gate.ts';
import type { Outcome } from '../../guard/decision.ts';
import { describeProblem, validatePipeline } from '../../guard/pipeline.ts';
import { createMemoryLog } from '../../space/memory-log.ts';
import type { Mark, MarkId, ProjectedMark } from '../../space/marks.ts';
import { type Deliveries, DeliveryBook } from './delivery-book.ts';
import {
  AUDIT,
  grantOf,
  manifestOf,
  type Member,
  memberAt,
  OUTPUTS,
  patternOf,
  PIPELINE_SCOPES,
  planSwaps,
  STAGES,
  type Swap,
  WIDTHS,
} from './pipeline-plan.ts';

export interface CompositionOptions {
  readonly ticks: number;
  readonly seed: number;
  /** Asked at every tick. */
  readonly signal?: AbortSignal;
}

/** What `hivemark bench composition --json` prints. */
export interface CompositionReport extends Deliveries {
  /** Those who were swapped in included. */
  readonly agents: number;
  readonly ticks: number;
  readonly swaps: number;
  readonly marks: number;
  readonly cpuSeconds: number;
  readonly wallSeconds: number;
}

/** What the pipeline needs of a session. */
export type PipelineSession = Pick<Session, 'write' | 'execute' | 'subscribe' | 'unsubscribe' | 'poll'>;

/** An agent in its place. */
interface Seat {
  readonly member: Member;
  readonly session: PipelineSession;
  /** Values that wait for a third, at an aggregator. */
  readonly held: number[];
}

/** Small pages, so that most polls take several. */
const PAGE = 7;
const NAME = 'input';
const EPOCH = 'run';
const TICK_MS = 60_000;

/**
 * Sensors, filters, aggregators, alerters and actors, each stage woken by what the one before wrote. Stages of a tick follow each other,
 * agents of a stage act at once. In the middle agents are swapped. `wrap` stands between the agents and the gate.
 *
 * @throws {Error} when the plan is not a valid pipeline
 */
export async function runComposition(
  { ticks, seed, signal }: CompositionOptions,
  wrap: (session: Session) => PipelineSession = (session) => session,
): Promise<CompositionReport> {
  const cpuFrom = process.cpuUsage();
  const wallFrom = performance.now();
  const swaps = planSwaps(ticks);
  const members = STAGES.flatMap((stage) =>
    Array.from({ length: WIDTHS[stage] }, (_, place) => memberAt(stage, place, 0, false)),
  );
  const comers = swaps.map(({ stage, place, audits }) => memberAt(stage, place, 1, audits));
  const everybody = [...members, ...comers];
  const grants = everybody.map(grantOf);
  const problems = validatePipeline(everybody.map(manifestOf), grants, PIPELINE_SCOPES);
  if (problems.length > 0) throw new Error(`the pipeline is not valid: ${problems.map(describeProblem).join('; ')}`);

  let now = Date.UTC(2026, 0, 5);
  const gate = await openGate({
    log: createMemoryLog(),
    run: 'composition',
    clock: () => now,
    scopes: PIPELINE_SCOPES,
    grants,
  });
  const book = new DeliveryBook();
  const draw = mulberry32(seed);
  const seats = new Map<string, Seat>();
  const sit = async (member: Member): Promise<void> => {
    const session = wrap(gate.session(member.name, EPOCH));
    seats.set(seatKey(member), { member, session, held: [] });
    const pattern = patternOf(member.stage);
    if (pattern === undefined) return;
    expectAllowed(await session.subscribe(NAME, pattern));
    book.subscribed(member);
  };
  try {
    for (const member of members) await sit(member);
    for (let tick = 0; tick < ticks; tick += 1) {
      signal?.throwIfAborted();
      for (const stage of STAGES) {
        const due = swaps.filter((swap) => swap.tick === tick && swap.stage === stage);
        for (const swap of due) await leave(seats, swap, book);
        for (const swap of due) await sit(memberAt(swap.stage, swap.place, 1, swap.audits));
        const acting = [...seats.values()].filter(({ member }) => member.stage === stage);
        await Promise.all(acting.map((seat) => (stage === 'sensor' ? sense(seat, draw, book) : react(seat, book))));
      }
      now += TICK_MS;
    }
    const { order, marks } = await readBack(gate);
    const cpu = process.cpuUsage(cpuFrom);
    return {
      agents: everybody.length,
      ticks,
      swaps: swaps.length,
      marks,
      ...book.close(order),
      cpuSeconds: Math.round((cpu.user + cpu.system) / 1000) / 1000,
      wallSeconds: Math.round(performance.now() - wallFrom) / 1000,
    };
  } finally {
    await gate.close();
  }
}

/** Who goes reads what is there first, unless the swap comes midway. */
async function leave(seats: ReadonlyMap<string, Seat>, swap: Swap, book: DeliveryBook): Promise<void> {
  const seat = seats.get(`${swap.stage}/${swap.place}`);
  if (seat === undefined) throw new Error(`nobody sits at ${swap.stage} ${swap.place}`);
  if (!swap.midway) await react(seat, book);
  expectAllowed(await seat.session.unsubscribe(NAME));
  book.left(seat.member);
}

async function sense({ member, session }: Seat, draw: Mulberry32, book: DeliveryBook): Promise<void> {
  const value = draw.int(0, 99);
  await write({ member, session }, { topic: `sensor-${member.place}`, content: { value } }, book);
}

/** Takes everything that came, does its part with it, then says that it is done with. */
async function react(seat: Seat, book: DeliveryBook): Promise<void> {
  let ack: string | undefined;
  for (;;) {
    const { marks, cursor } = await seat.session.poll(NAME, { limit: PAGE, ...(ack === undefined ? {} : { ack }) });
    book.got(
      seat.member,
      marks.map(({ id }) => id),
    );
    if (marks.length === 0) break;
    for (const mark of marks) await handle(seat, mark, book);
    ack = cursor;
  }
  book.caughtUp(seat.member);
}

async function handle(seat: Seat, mark: Mark | ProjectedMark, book: DeliveryBook): Promise<void> {
  const { stage, place, generation, audits } = seat.member;
  const value = valueOf(mark);
  switch (stage) {
    case 'sensor':
      return;
    case 'filter':
      if (value >= (generation === 0 ? 30 : 50))
        await write(seat, { topic: `filter-${place}`, content: { value } }, book);
      return;
    case 'aggregator': {
      if (seat.held.push(value) < 3) return;
      const mean = seat.held.splice(0).reduce((sum, each) => sum + each, 0) / 3;
      await write(seat, { topic: `mean-${place}`, content: { value: mean } }, book);
      if (audits)
        expectAllowed(await seat.session.write({ ...said, scope: AUDIT, topic: 'mean', content: { value: mean } }));
      return;
    }
    case 'alerter':
      if (value < 60) return;
      await write(seat, { topic: `alert-${place}`, reason: `mean of ${value}`, severity: 'caution' }, book);
      return;
    case 'actor':
      break;
  }
  const { scope } = OUTPUTS.actor;
  const request = { scope, resource: `${place}/${mark.id}`, action: 'respond', confidence: 1 };
  const outcome = await seat.session.execute(request, () => 'done');
  // To an alert that came twice there is a response already; that it came twice is in the book.
  if (outcome.verdict === 'conflict') return;
  expectAllowed(outcome);
  if (outcome.verdict === 'allow') book.wrote('actor', outcome.mark.id);
}

const said = { confidence: 1, source: 'fleet' } as const;

async function write(
  { member, session }: Pick<Seat, 'member' | 'session'>,
  draft: Readonly<Record<string, unknown>>,
  book: DeliveryBook,
): Promise<void> {
  const { kind, scope } = OUTPUTS[member.stage];
  const outcome = await session.write({ scope, ...draft, ...(kind === 'observation' ? said : {}) });
  expectAllowed(outcome);
  if (outcome.verdict === 'allow' && outcome.mark !== undefined) book.wrote(member.stage, outcome.mark.id);
}

function valueOf(mark: Mark | ProjectedMark): number {
  const content: unknown = mark.kind === 'observation' ? mark.content : undefined;
  return typeof content === 'object' && content !== null && 'value' in content && typeof content.value === 'number'
    ? content.value
    : 0;
}

function expectAllowed(outcome: Outcome): void {
  if (outcome.verdict !== 'allow') throw new Error(`the pipeline was not allowed on: ${JSON.stringify(outcome)}`);
}

async function readBack(gate: Gate): Promise<{ readonly order: ReadonlyMap<MarkId, number>; readonly marks: number }> {
  const order = new Map<MarkId, number>();
  for await (const { seq, body } of gate.records()) if (body.type === 'mark') order.set(body.mark.id, seq);
  return { order, marks: order.size };
}

function seatKey({ stage, place }: Pick<Member, 'stage' | 'place'>): string {
  return `${stage}/${place}`;
}
