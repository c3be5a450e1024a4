import * as fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { copyJson, UNBOUNDED } from '../space/json-value.ts';
import type { EntryBody } from '../space/log.ts';
import { MarkIndex } from '../space/mark-index.ts';
import type { AgentName, Mark } from '../space/marks.ts';
import { defineScope, type ScopeDefinition } from '../space/scope.ts';
import { TRUST_WEIGHTS } from '../space/strength.ts';
import { agentName, intentOf, observationOf, scopeName } from '../space/test-marks.ts';
import type { GuardEvent } from './guard-event.ts';
import { subscriptionNames, subscriptionsPart } from './parts/subscriptions.ts';
import { FOLDING } from './settings.ts';
import { GuardState } from './state.ts';
import {
  decideSubscription,
  decideUnsubscription,
  MOST_SUBSCRIPTIONS,
  type Page,
  SessionSubscriptions,
  SubscriptionError,
  type SubscriptionPort,
} from './subscriptions.ts';

const ANN = agentName('ann');
const LAB = scopeName('lab');
const HIDDEN = scopeName('hidden');
const DEFINITIONS = [
  defineScope({ name: LAB }),
  defineScope({ name: HIDDEN, visibility: 'classified' }),
  defineScope({ name: scopeName('desk'), visibility: 'protected' }),
];

type Body = EntryBody | { readonly type: 'event'; readonly event: GuardEvent };

/** A gate's memory without the gate: a list of records, and what folds out of it. */
class TinySpace implements SubscriptionPort {
  readonly records: Body[] = [];
  #index = new MarkIndex();
  #state = new GuardState();
  readonly #listeners = new Set<() => void>();
  closed = false;

  constructor(definitions: readonly ScopeDefinition[] = DEFINITIONS) {
    for (const value of definitions)
      this.append({ type: 'define', what: 'scope', value: JSON.parse(JSON.stringify(value)) });
  }

  append(body: Body): void {
    this.records.push(body);
    this.#fold(body);
    for (const listener of this.#listeners) listener();
  }

  write(mark: Mark): Mark {
    this.append({ type: 'mark', mark });
    return mark;
  }

  event(event: GuardEvent): void {
    this.append({ type: 'event', event });
  }

  subscribe(name: string, pattern: unknown, agent: AgentName = ANN): void {
    const asked = decideSubscription(this.memory, agent, name, pattern);
    if (!asked.ok) throw new Error(JSON.stringify(asked.denial));
    this.event(asked.event);
  }

  /** Forgets all that is not on record. */
  restart(): void {
    this.#index = new MarkIndex();
    this.#state = new GuardState();
    for (const body of this.records) this.#fold(body);
  }

  close(): void {
    this.closed = true;
    for (const listener of this.#listeners) listener();
  }

  get listeners(): number {
    return this.#listeners.size;
  }

  #fold(body: Body): void {
    const seq = this.#index.seq + 1;
    if (body.type !== 'event') this.#index.apply({ seq, body });
    else {
      const event = copyJson(body.event, UNBOUNDED);
      this.#index.apply({ seq, body: { type: 'event', event } });
      const happened = { type: 'event', at: 0, event: event as unknown as GuardEvent } as const;
      const settings = { trust: TRUST_WEIGHTS, folding: FOLDING };
      subscriptionsPart.fold(this.#state, happened, { view: this.#index, settings, seq });
      this.#state.keep();
    }
  }

  view(): MarkIndex {
    if (this.closed) throw new Error('the gate is closed');
    return this.#index;
  }
  get memory(): GuardState {
    return this.#state;
  }
  record(event: GuardEvent): Promise<void> {
    this.event(event);
    return Promise.resolve();
  }
  onCommit(listener: () => void): () => void {
    this.#listeners.add(listener);
    return () => this.#listeners.delete(listener);
  }
}

let made = 0;
const seen = (topic: string, rest: Partial<Mark> = {}): Mark =>
  observationOf(`m${(made += 1)}`, { topic, ...(rest as object) });
const session = (space: TinySpace, read = [LAB], agent = ANN): SessionSubscriptions =>
  new SessionSubscriptions(space, { agent, read });
const ids = ({ marks }: Page): string[] => marks.map(({ id }) => id);
const nth = (marks: readonly Mark[], from: number, to?: number): string[] => marks.slice(from, to).map(({ id }) => id);

describe('polling a subscription', () => {
  it('gives what matches and came after it, in write order, once (P49, P50, P51, P52)', async () => {
    const space = new TinySpace();
    space.write(seen('x'));
    space.subscribe('in', { topic: 'x' });
    const marks = [seen('x'), seen('y'), seen('x'), seen('x')].map((mark) => space.write(mark));
    const ann = session(space);
    expect(ids(await ann.poll('in', { limit: 2 }))).toEqual([marks[0]?.id, marks[2]?.id]);
    expect(ids(await ann.poll('in', { limit: 2 }))).toEqual([marks[3]?.id]);
    expect(ids(await ann.poll('in'))).toEqual([]);
    const late = space.write(seen('x'));
    expect(ids(await ann.poll('in'))).toEqual([late.id]);
  });

  it('gives again after a restart what was not acknowledged, and nothing that was (P51, S10, S11)', async () => {
    const space = new TinySpace();
    space.subscribe('in', { topic: 'x' });
    const marks = Array.from({ length: 6 }, () => space.write(seen('x')));
    const before = session(space);
    const { cursor } = await before.poll('in', { limit: 2 });
    expect(ids(await before.poll('in', { limit: 2, ...(cursor === undefined ? {} : { ack: cursor }) }))).toEqual(
      nth(marks, 2, 4),
    );
    space.restart();
    expect(ids(await session(space).poll('in'))).toEqual(nth(marks, 2));
  });

  it('a cursor from before a restart still acknowledges', async () => {
    const space = new TinySpace();
    space.subscribe('in', { topic: 'x' });
    const marks = Array.from({ length: 4 }, () => space.write(seen('x')));
    const { cursor = '' } = await session(space).poll('in', { limit: 3 });
    space.restart();
    expect(ids(await session(space).poll('in', { ack: cursor }))).toEqual(nth(marks, 3));
  });

  it('acknowledging the same again leaves no record, so that an idle reader fills no log', async () => {
    const space = new TinySpace();
    space.subscribe('in', { topic: 'x' });
    space.write(seen('x'));
    const ann = session(space);
    const { cursor = '' } = await ann.poll('in');
    const before = space.records.length;
    for (let i = 0; i < 3; i += 1) {
      space.write(seen('other'));
      expect((await ann.poll('in', { ack: cursor })).cursor).toBe(cursor);
    }
    expect(space.records.length - before).toBe(3 + 1);
  });

  it('acknowledging makes what was skipped on the way stay skipped after a restart (S13)', async () => {
    const space = new TinySpace();
    space.subscribe('in', { topic: 'x' });
    space.write(seen('x'));
    for (let i = 0; i < 9; i += 1) space.write(seen('other'));
    const ann = session(space);
    const { cursor = '' } = await ann.poll('in');
    const head = space.view().seq;
    await ann.poll('in', { ack: cursor });
    expect(space.records.at(-1)).toMatchObject({ event: { what: 'acknowledged', seq: head } });
  });

  it('subscribing again replaces: the new pattern, from now on (P48)', async () => {
    const space = new TinySpace();
    space.subscribe('in', { topic: 'x' });
    const ann = session(space);
    space.write(seen('x'));
    await ann.poll('in');
    space.write(seen('x'));
    space.write(seen('y'));
    space.subscribe('in', { topic: 'y' });
    expect(await ann.poll('in')).toEqual({ marks: [] });
    space.write(seen('x'));
    const y = space.write(seen('y'));
    expect(ids(await ann.poll('in'))).toEqual([y.id]);
  });

  it('shows marks as their reader may see them: projected, or not at all (S4)', async () => {
    const space = new TinySpace();
    space.subscribe('in', { topic: 'x' });
    space.write(seen('x', { scope: HIDDEN }));
    const desk = space.write(seen('x', { scope: scopeName('desk') }));
    const lab = space.write(seen('x'));
    const page = await session(space).poll('in');
    expect(ids(page)).toEqual([desk.id, lab.id]);
    expect(page.marks[0]).toMatchObject({ projected: true, content: null });
    expect(ids(await session(space, [LAB, HIDDEN]).poll('in'))).toHaveLength(3);
  });

  it('its answers are the same whether or not something hidden was written (S4, S10)', async () => {
    const played = async (hidden: boolean): Promise<unknown[]> => {
      made = 1000;
      const space = new TinySpace();
      space.subscribe('in', {});
      const ann = session(space);
      const answers: unknown[] = [];
      let ack: string | undefined;
      for (let i = 0; i < 5; i += 1) {
        if (hidden) space.write(observationOf(`secret${i}`, { topic: 'x', scope: HIDDEN }));
        if (i % 2 === 0) space.write(seen('x'));
        const page = await ann.poll('in', ack === undefined ? {} : { ack });
        ack = page.cursor;
        answers.push(page, ann.hasNews());
      }
      return answers;
    };
    expect(await played(true)).toEqual(await played(false));
  });

  it('refuses a cursor it gave nobody, alike for what is hidden, absent or of no concern (S4)', async () => {
    const space = new TinySpace();
    space.subscribe('in', { topic: 'x' });
    const hidden = space.write(seen('x', { scope: HIDDEN }));
    const other = space.write(seen('other'));
    const ann = session(space);
    for (const ack of [hidden.id, other.id, 'nothing', '']) {
      await expect(ann.poll('in', { ack })).rejects.toThrow(new SubscriptionError('unknown-cursor', ack));
    }
    expect(space.records.at(-1)).toMatchObject({ type: 'mark' });
  });

  it('names what is wrong with a poll', async () => {
    const ann = session(new TinySpace());
    await expect(ann.poll('in')).rejects.toThrow('there is no subscription "in": subscribe first');
    for (const limit of [0, -1, 1.5, 1025, NaN]) {
      await expect(ann.poll('in', { limit })).rejects.toThrow(`a page holds 1 to 1024 marks, not ${limit}`);
    }
  });

  it('two sessions of an agent each get everything; what one acknowledged does not come again to a third', async () => {
    const space = new TinySpace();
    space.subscribe('in', {});
    const marks = [1, 2, 3].map(() => space.write(seen('x')));
    const [one, two] = [session(space), session(space)];
    const { cursor = '' } = await one.poll('in', { limit: 2 });
    expect(ids(await two.poll('in'))).toEqual(nth(marks, 0));
    await one.poll('in', { ack: cursor, limit: 1 });
    expect(ids(await session(space).poll('in'))).toEqual(nth(marks, 2));
  });
});

describe('whole histories of one subscriber', () => {
  type Step =
    | { readonly do: 'write'; readonly topic: 'x' | 'y'; readonly hidden: boolean }
    | { readonly do: 'poll'; readonly limit: number; readonly ack: number | undefined }
    | { readonly do: 'subscribe'; readonly topic: 'x' | 'y' }
    | { readonly do: 'restart' }
    | { readonly do: 'unsubscribe' };
  const steps: fc.Arbitrary<readonly Step[]> = fc.array(
    fc.oneof(
      {
        weight: 6,
        arbitrary: fc.record({
          do: fc.constant('write' as const),
          topic: fc.constantFrom('x', 'y'),
          hidden: fc.boolean(),
        }),
      },
      {
        weight: 4,
        arbitrary: fc.record({
          do: fc.constant('poll' as const),
          limit: fc.integer({ min: 1, max: 4 }),
          ack: fc.option(fc.nat(5), { nil: undefined }),
        }),
      },
      { weight: 1, arbitrary: fc.record({ do: fc.constant('subscribe' as const), topic: fc.constantFrom('x', 'y') }) },
      { weight: 1, arbitrary: fc.constant({ do: 'restart' as const }) },
      { weight: 1, arbitrary: fc.constant({ do: 'unsubscribe' as const }) },
    ),
    { maxLength: 60, size: 'max' },
  );

  /** The protocol's words as a list with two bookmarks: what is due, how much of it was given, how much acknowledged. */
  class Model {
    due: Mark[] | undefined;
    topic = 'x';
    given = 0;
    acknowledged = 0;
    cursors: { readonly cursor: string; readonly upTo: number }[] = [];

    subscribe(topic: string): void {
      Object.assign(this, { due: [], topic, given: 0, acknowledged: 0, cursors: [] });
    }
    poll(limit: number, ack: { readonly upTo: number } | undefined): string[] | undefined {
      this.acknowledged = Math.max(this.acknowledged, ack?.upTo ?? 0);
      this.given = Math.max(this.given, this.acknowledged);
      if (this.due === undefined) return undefined;
      const page = nth(this.due, this.given, this.given + limit);
      this.given += page.length;
      return page;
    }
  }

  /** What each step answered, by the subscriptions and by the model. */
  async function play(history: readonly Step[]): Promise<{ readonly real: unknown[]; readonly model: unknown[] }> {
    const space = new TinySpace();
    let ann = session(space);
    const model = new Model();
    const answers = { real: [] as unknown[], model: [] as unknown[] };
    for (const step of history) {
      if (step.do === 'write') {
        const mark = space.write(seen(step.topic, step.hidden ? { scope: HIDDEN } : {}));
        if (!step.hidden && step.topic === model.topic) model.due?.push(mark);
      } else if (step.do === 'subscribe') {
        model.subscribe(step.topic);
        space.subscribe('in', { topic: step.topic });
      } else if (step.do === 'unsubscribe') {
        const event = decideUnsubscription(space.memory, ANN, 'in');
        answers.real.push(event === undefined);
        answers.model.push(model.due === undefined);
        if (event !== undefined) space.event(event);
        model.due = undefined;
        model.cursors = [];
      } else if (step.do === 'restart') {
        space.restart();
        ann = session(space);
        model.given = model.acknowledged;
      } else {
        const ack = step.ack === undefined ? undefined : model.cursors.at(-1 - step.ack);
        answers.real.push(ann.hasNews());
        answers.model.push(model.due !== undefined && model.given < model.due.length);
        const options = { limit: step.limit, ...(ack === undefined ? {} : { ack: ack.cursor }) };
        const page = await ann.poll('in', options).catch((error: unknown) => error);
        answers.model.push(model.poll(step.limit, ack) ?? 'no-such-subscription');
        if (page instanceof SubscriptionError) answers.real.push(page.code);
        else {
          const { cursor = '', marks } = page as Page;
          answers.real.push(nth(marks, 0));
          if (marks.length > 0) model.cursors.push({ cursor, upTo: model.given });
        }
      }
    }
    return answers;
  }

  it('are those of a list with two bookmarks (P48, P49, P50, P51, P52, S10, S11)', async () => {
    await fc.assert(
      fc.asyncProperty(steps, async (history) => {
        const { real, model } = await play(history);
        expect(real).toEqual(model);
      }),
      { numRuns: 200 },
    );
  });
});

describe('a pipeline of subscribers', () => {
  it('delivers what was produced to every subscriber, in order, once, though agents are swapped in the middle (P49, P51, P52)', async () => {
    const space = new TinySpace();
    const got = new Map<string, string[]>();
    const produced: string[] = [];
    const readers = new Map<string, SessionSubscriptions>();
    const join = (name: string): void => {
      const agent = agentName(name);
      space.subscribe('in', { topic: 'x', scope: LAB }, agent);
      readers.set(name, session(space, [], agent));
      got.set(name, []);
    };
    const joinedAt = new Map<string, number>();
    for (let i = 0; i < 300; i += 1) {
      if (i === 0) for (const name of ['s1', 's2', 's3']) join(name);
      if (i === 100) {
        space.event({ what: 'unsubscribed', agent: agentName('s2'), name: 'in' });
        readers.delete('s2');
        joinedAt.set('s4', produced.length);
        join('s4');
      }
      produced.push(space.write(seen('x')).id);
      space.write(seen('noise'));
      if (i % 7 !== 0) continue;
      for (const [name, reader] of readers) {
        while (reader.hasNews()) got.get(name)?.push(...ids(await reader.poll('in', { limit: 3 })));
      }
    }
    for (const [name, reader] of readers) got.get(name)?.push(...ids(await reader.poll('in')));
    expect(got.get('s1')).toEqual(produced);
    expect(got.get('s3')).toEqual(produced);
    expect(got.get('s4')).toEqual(produced.slice(joinedAt.get('s4')));
    expect(produced.slice(0, got.get('s2')?.length)).toEqual(got.get('s2'));
  });
});

describe('waiting for news', () => {
  it('is over at once when there is some, and else with the commit that brings it', async () => {
    const space = new TinySpace();
    space.subscribe('in', { topic: 'x' });
    const ann = session(space);
    const { signal } = new AbortController();
    const waiting = ann.wait(signal);
    let over = false;
    void waiting.then(() => (over = true));
    space.write(seen('other'));
    space.write(seen('x', { scope: HIDDEN }));
    await Promise.resolve();
    expect(over).toBe(false);
    space.write(seen('x'));
    expect(await waiting).toBe(true);
    expect(await ann.wait(signal)).toBe(true);
    expect(space.listeners).toBe(0);
    expect((await ann.poll('in')).marks).toHaveLength(1);
    expect(ann.hasNews()).toBe(false);
  });

  it('ends without news when it is given up, and with the error when the gate closes', async () => {
    const space = new TinySpace();
    space.subscribe('in', { topic: 'x' });
    const ann = session(space);
    expect(await ann.wait(AbortSignal.abort())).toBe(false);
    const giving = new AbortController();
    const waiting = ann.wait(giving.signal);
    giving.abort();
    expect(await waiting).toBe(false);
    expect(await session(space, [LAB], agentName('bob')).wait(new AbortController().signal)).toBe(false);
    const unsubscribed = ann.wait(new AbortController().signal);
    space.event({ what: 'unsubscribed', agent: ANN, name: 'in' });
    expect(await unsubscribed).toBe(false);
    space.subscribe('in', { topic: 'x' });
    const left = ann.wait(new AbortController().signal);
    space.close();
    await expect(left).rejects.toThrow('the gate is closed');
    expect(space.listeners).toBe(0);
  });
});

describe('decideSubscription()', () => {
  it('records the pattern as it was checked', () => {
    const space = new TinySpace();
    expect(decideSubscription(space.memory, ANN, 'in', { topic: 'x' })).toEqual({
      ok: true,
      event: { what: 'subscribed', agent: ANN, name: 'in', pattern: { topic: 'x' } },
    });
  });

  it.each([
    ['a name that is too long', 'n'.repeat(65), {}, 'name'],
    ['an empty name', '', {}, 'name'],
    ['a name with control characters', 'a\0b', {}, 'name'],
    ['a name that is no text', 7, {}, 'name'],
    ['a pattern with unknown fields', 'in', { all: true }, 'all'],
  ])('refuses %s', (_, name, pattern, field) => {
    expect(decideSubscription(new TinySpace().memory, ANN, name, pattern)).toMatchObject({
      ok: false,
      denial: { code: 'malformed', check: 'shape', field },
    });
  });

  it('bounds how many one agent has, not how often it replaces one (S10)', () => {
    const space = new TinySpace();
    for (let i = 0; i < MOST_SUBSCRIPTIONS; i += 1) space.subscribe(`in${i}`, {});
    expect(() => space.subscribe('one-more', {})).toThrow('is one too many: 64 subscriptions are there');
    space.subscribe('in3', { topic: 'x' });
    expect(subscriptionNames(space.memory, ANN)).toHaveLength(MOST_SUBSCRIPTIONS);
    space.subscribe('in', {}, agentName('bob'));
    space.event({ what: 'unsubscribed', agent: ANN, name: 'in3' });
    space.subscribe('one-more', {});
  });
});

describe('a pattern over all kinds', () => {
  it('gives intents as well as observations, in the order they were written (P50, P52)', async () => {
    const space = new TinySpace();
    space.subscribe('in', { scope: LAB });
    const first = space.write(intentOf('i1'));
    const second = space.write(seen('x'));
    const third = space.write(intentOf('i2'));
    expect(ids(await session(space).poll('in'))).toEqual([first.id, second.id, third.id]);
  });
});
