import { expect } from 'vitest';
import type { Log } from '../space/log.ts';
import { markId, scopeName } from '../space/test-marks.ts';
import { type Gate, openGate, type Principal, type Session } from './gate.ts';
import { newPrincipalToken, tokenSha256 } from './principal-token.ts';
import { ProtocolModel } from './test-model.ts';
import {
  type Expected,
  type ModelDraft,
  type ModelMark,
  type ModelSession,
  pick,
  type Place,
  type Running,
} from './test-model-types.ts';
import { decisionsOf } from './test-space.ts';
import { AGENTS, type Call, GRANTS, type Pick, type Step, type Tool, WORLD } from './test-world.ts';

const RUN = 'run-1';
const TOKEN = newPrincipalToken();
type Agent = Session['agent'];

interface Calling {
  readonly expected: Expected;
  readonly running?: Running;
  readonly tool?: Tool;
  /** How the call came out; undefined while its tool runs. */
  came?: { readonly outcome?: unknown; readonly error?: unknown };
  started: boolean;
  end: (error?: Error) => void;
}

/** Makes the same history happen in a space and in the model, and compares all that can be seen of either after each step. */
export class History {
  readonly #place: { open(): Promise<Log> };
  readonly #model = new ProtocolModel(RUN, WORLD, GRANTS);
  #log: Log | undefined;
  #gate: Gate | undefined;
  #principal: Principal | undefined;
  #sessions: { readonly real: Session; readonly model: ModelSession }[] = [];
  readonly #everySession: { readonly agent: Agent; readonly epoch: string }[] = [];
  readonly #waiting: Calling[] = [];
  /** Tools at work by place, those apart whose lease was taken away. */
  readonly #atWork = new Map<string, string[]>();
  #clock = 1_000;
  #passed = 0;
  #epoch = 0;

  constructor(place: { open(): Promise<Log> }) {
    this.#place = place;
  }

  /** Plays a history and checks that a space that is opened again is the same. */
  async play(steps: readonly Step[]): Promise<void> {
    try {
      this.#model.setClock(this.#clock, this.#passed);
      await this.#open();
      // Who the principal is goes on record.
      this.#model.recorded();
      for (const one of [...steps, { reopen: true } as const]) {
        await this.#step(one);
        this.#compare();
      }
      await this.#gate?.close();
      const told = await decisionsOf(await this.#place.open());
      expect(
        told.reduce((sum, { count = 1 }) => sum + count, 0),
        'one decision for each call',
      ).toBe(this.#model.calls);
    } finally {
      await this.#gate?.close();
    }
  }

  async #open(): Promise<void> {
    this.#log = await this.#place.open();
    this.#gate = await openGate({
      log: this.#log,
      run: RUN,
      clock: () => this.#clock,
      monotonic: () => this.#passed,
      scopes: WORLD,
      grants: GRANTS,
      principalTokenSha256: tokenSha256(TOKEN),
      settings: { folding: { after: Infinity, windowMs: 5_000 } },
      schedule: () => () => undefined,
    });
    this.#principal = this.#gate.principal(TOKEN);
    this.#epoch += 1;
    this.#sessions = AGENTS.map((agent) => this.#session(agent));
  }

  #session(agent: Agent): { readonly real: Session; readonly model: ModelSession } {
    const epoch = `e${this.#epoch}`;
    this.#everySession.push({ agent, epoch });
    const model = { agent, epoch, name: `${agent}/${epoch}`, marks: 0, drafts: [] };
    return { real: this.#running().session(agent, epoch), model };
  }

  #running(): Gate {
    if (this.#gate === undefined) throw new Error('not open');
    return this.#gate;
  }

  async #step(one: Step): Promise<void> {
    const model = this.#model;
    if ('reopen' in one) {
      await this.#running().close();
      for (const waiting of this.#waiting.splice(0)) waiting.end();
      this.#atWork.clear();
      await this.#open();
      model.opened();
    } else if ('revoke' in one) {
      const session = pick(this.#sessions, one.revoke);
      this.#running().revoke(session.real);
      model.revokeSession(session.model.name);
      this.#epoch += 1;
      this.#sessions[one.revoke % this.#sessions.length] = this.#session(session.model.agent);
      await this.#settled();
    } else if ('spend' in one) {
      const { agent } = pick(this.#sessions, one.spend).model;
      model.spend(agent, one.tokens);
      await this.#running().spend(agent, 'round-1', { inputTokens: one.tokens, outputTokens: 0 });
      model.passTime();
    } else if ('finish' in one) {
      if (this.#waiting.length === 0) return;
      const [waiting] = this.#waiting.splice(one.finish % this.#waiting.length, 1);
      if (waiting !== undefined) await this.#finish(waiting, one.throws);
    } else {
      this.#clock += one.after;
      this.#passed += Math.abs(one.after);
      model.setClock(this.#clock, this.#passed);
      const calls = one.calls.map((asked) => this.#call(asked));
      // Boundaries that are due come after the calls of the same moment.
      model.passTime();
      await this.#settled();
      for (const calling of calls) {
        if (calling.running === undefined) this.#check(calling, calling.expected);
        else if (model.isEnded(calling.running.session)) {
          // It was allowed, and its session ended in the same moment.
          expect(calling.started).toBe(false);
          this.#check(calling, { verdict: 'denied', check: 'identity' });
        } else {
          expect(calling.started, 'an allowed tool runs').toBe(true);
          if (calling.tool === 'waits') this.#waiting.push(calling);
          else await this.#finish(calling, calling.tool === 'throws');
        }
      }
    }
  }

  /** Until everything that was called for has come about, but for tools that wait. */
  async #settled(): Promise<void> {
    await this.#running().tick();
    await new Promise((resolve) => setImmediate(resolve));
    this.#model.passTime();
  }

  async #finish(calling: Calling, throws: boolean): Promise<void> {
    if (calling.running === undefined || calling.expected.verdict !== 'allow') throw new Error('not running');
    calling.end(throws ? new Error('the tool broke') : undefined);
    const expected = this.#model.finish(calling.running, calling.expected.id ?? '', throws);
    await this.#settled();
    if (throws) expect(calling.came?.error).toEqual(new Error('the tool broke'));
    else this.#check(calling, expected);
  }

  #check({ came }: Calling, expected: Expected): void {
    expect(came, 'the call came to an end').toBeDefined();
    if (came?.error !== undefined) throw came.error;
    expect(seenOf(came?.outcome, expected)).toEqual(expected);
  }

  /** Makes a call in the space and in the model; the space's comes out later. */
  #call(asked: Call): Calling {
    const model = this.#model;
    switch (asked.do) {
      case 'write': {
        const { real, model: session } = pick(this.#sessions, asked.who);
        const draft = this.#draftOf(asked);
        return this.#made(real.write(bodyOf(draft)), model.write(session, draft));
      }
      case 'retry': {
        const { real, model: session } = pick(this.#sessions, asked.who);
        if (session.drafts.length === 0) return this.#made(real.write({}), model.nonsense(session));
        const { id, draft } = pick(session.drafts, asked.which);
        return this.#made(real.write(bodyOf(draft), { retryOf: markId(id) }), model.retry(session, asked.which));
      }
      case 'release': {
        const { real, model: session } = pick(this.#sessions, asked.who);
        const id = this.#idOf(asked.intent, ({ kind }) => kind === 'intent');
        return this.#made(real.release(markId(id)), model.release(session, id));
      }
      case 'boundary':
        return this.#made(this.#theirs().boundary(scopeName(asked.scope)), model.boundary(asked.scope));
      case 'resolve': {
        const need = this.#idOf(asked.need, ({ kind }) => kind === 'need');
        const winner =
          asked.winner === undefined ? undefined : this.#idOf(asked.winner, ({ kind }) => kind === 'intent');
        const options = winner === undefined ? {} : { winner: markId(winner) };
        return this.#made(this.#theirs().resolve(markId(need), 'so be it', options), model.resolve(need, winner));
      }
      case 'end-session': {
        const { agent, epoch } = pick(this.#everySession, asked.session);
        return this.#made(this.#theirs().endSession(agent, epoch), model.endSession(`${agent}/${epoch}`));
      }
      case 'revoke':
      case 'require-need':
      case 'restore': {
        const { kind } = asked;
        const agent = asked.who === undefined ? undefined : pick(this.#sessions, asked.who).model.agent;
        const restriction = {
          scope: scopeName(asked.scope),
          ...(agent === undefined ? {} : { agent }),
          ...(kind === undefined ? {} : { kind }),
        };
        if (asked.do === 'restore') return this.#made(this.#theirs().restore(restriction), model.restore(restriction));
        const needed = asked.do === 'require-need';
        const called = needed
          ? this.#theirs().requireNeed(restriction, 'so it is')
          : this.#theirs().revoke(restriction, 'so it is');
        return this.#made(called, model.revoke(restriction, needed));
      }
      case 'set-limit': {
        const { agent } = pick(this.#sessions, asked.who).model;
        const budget = { lifetime: { inputTokens: asked.tokens } };
        return this.#made(this.#theirs().setBudget(agent, budget), model.setLimit(agent, asked.tokens));
      }
      case 'execute':
        return this.#execute(asked);
    }
  }

  #execute(asked: Extract<Call, { do: 'execute' }>): Calling {
    const { real, model: session } = pick(this.#sessions, asked.who);
    const request = { scope: asked.scope, resource: asked.about, action: 'sit', confidence: asked.confidence };
    const { expected, running } = this.#model.execute(session, request);
    const wait = Promise.withResolvers<string>();
    const calling: Calling = {
      expected,
      tool: asked.tool,
      ...(running === undefined ? {} : { running }),
      started: false,
      end: (error) => (error === undefined ? wait.resolve('done') : wait.reject(error)),
    };
    const called = real.execute({ ...request, scope: scopeName(request.scope) }, async ({ fence }) => {
      expect(fence, 'a lease has a fence').toBeGreaterThan(0);
      expect(running, 'only an allowed tool runs').toBeDefined();
      calling.started = true;
      const leave = this.#enter(request, session.name);
      try {
        return await wait.promise;
      } finally {
        leave();
      }
    });
    this.#watch(calling, called);
    return calling;
  }

  /** Counts, without asking anybody, who is at work on a resource beside whom. */
  #enter(place: Place, session: string): () => void {
    const key = `${place.scope} ${place.resource}`;
    const here = this.#atWork.get(key) ?? [];
    const units = this.#model.definitionOf(place.scope)?.units?.[place.resource] ?? 1;
    const held = [...here, session].filter((name) => !this.#model.isEnded(name));
    const agents = held.map((name) => name.split('/')[0]);
    expect(held.length, `at work on ${key}`).toBeLessThanOrEqual(units);
    expect(new Set(agents).size, `at work twice on ${key}`).toBe(agents.length);
    this.#atWork.set(key, [...here, session]);
    return () => {
      const rest = [...(this.#atWork.get(key) ?? [])];
      const place = rest.indexOf(session);
      if (place >= 0) rest.splice(place, 1);
      this.#atWork.set(key, rest);
    };
  }

  #made(called: Promise<unknown>, expected: Expected): Calling {
    const calling: Calling = { expected, started: false, end: () => undefined };
    this.#watch(calling, called);
    return calling;
  }

  #watch(calling: Calling, called: Promise<unknown>): void {
    called.then(
      (outcome) => (calling.came = { outcome }),
      (error: unknown) => (calling.came = { error }),
    );
  }

  #theirs(): Principal {
    if (this.#principal === undefined) throw new Error('not open');
    return this.#principal;
  }

  #draftOf({
    kind,
    scope: place,
    about: name,
    confidence: share,
    strength,
    source,
    over,
    failed,
  }: Extract<Call, { do: 'write' }>): ModelDraft {
    const target = over === undefined || this.#model.marks.length === 0 ? undefined : pick(this.#model.marks, over).id;
    const base = {
      kind,
      scope: place,
      strength,
      ...(target === undefined || kind === 'warning' ? {} : { supersedes: target }),
    };
    switch (kind) {
      case 'intent':
        return { ...base, resource: name, action: 'sit', confidence: share };
      case 'action':
        return {
          ...base,
          ...(name === 'x' ? {} : { resource: name }),
          action: 'sit',
          ...(failed === undefined ? {} : { failed }),
        };
      case 'observation':
        return { ...base, topic: name, source };
      case 'warning':
        return { ...base, topic: name, severity: 'info', ...(target === undefined ? {} : { invalidates: target }) };
      case 'need':
        return base;
    }
  }

  #idOf(which: Pick, is: (mark: ModelMark) => boolean): string {
    const marks = this.#model.marks.filter(is);
    return marks.length === 0 ? 'nothing' : pick(marks, which).id;
  }

  /** What every agent sees, how strong it is, and what became of its intents. */
  #compare(): void {
    const model = this.#model;
    const { view } = this.#running();
    expect([...view.openNeeds()].map(({ id }) => id)).toEqual(model.openNeeds());
    for (const { real, model: session } of this.#sessions) {
      const visible = model.isEnded(session.name) ? [] : model.visibleTo(session.agent);
      const shown = real
        .read()
        .map((mark) => `${mark.id}${'projected' in mark ? ' projected' : ''} at ${mark.createdAt}`);
      expect(shown, `what ${session.name} sees`).toEqual(
        visible.map(({ mark, projected }) => `${mark.id}${projected ? ' projected' : ''} at ${mark.at}`),
      );
      for (const { mark } of visible) {
        const id = markId(mark.id);
        expect(real.strengthOf(id), `strength of ${mark.id}`).toBeCloseTo(model.strengthOf(mark, session.agent), 9);
      }
      for (const mark of model.marks) {
        const own = mark.kind === 'intent' && mark.agent === session.agent && !model.isEnded(session.name);
        expect(real.standing(markId(mark.id)), `standing of ${mark.id}`).toBe(own ? model.standing(mark) : undefined);
        if (!visible.some((one) => one.mark === mark)) expect(real.get(markId(mark.id))).toBeUndefined();
      }
    }
  }
}

function bodyOf({ kind, ...draft }: ModelDraft): Readonly<Record<string, unknown>> {
  switch (kind) {
    case 'action':
      return { ...draft, result: 1 };
    case 'observation':
      return { ...draft, content: { text: 'x' }, confidence: 0.5 };
    case 'warning':
      return { ...draft, reason: 'why' };
    case 'need':
      return { ...draft, question: 'which?', context: null, priority: 0.5, blocking: false };
    case 'intent':
      break;
  }
  return draft;
}

/** What a call came to, as far as the model has an opinion. */
function seenOf(outcome: unknown, expected: Expected): unknown {
  const { verdict, ...rest } = outcome as { readonly verdict: string } & Record<string, unknown>;
  switch (verdict) {
    case 'allow': {
      const mark = rest['mark'] as { readonly id: string } | undefined;
      const repeated = rest['repeated'] === true ? { repeated: true } : {};
      return mark === undefined ? { verdict } : { verdict, id: mark.id, ...repeated };
    }
    case 'conflict': {
      const holder = String(rest['holder']);
      const isOne = expected.verdict === 'conflict' && expected.holders.includes(holder);
      return { verdict, holders: isOne ? expected.holders : [holder] };
    }
    case 'denied':
      return { verdict, check: (rest['denial'] as { readonly check: string }).check };
    default:
      return { verdict, ...rest };
  }
}
