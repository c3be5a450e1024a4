import type { MarkKind, ScopeName } from '../space/marks.ts';
import type { ScopeDefinition } from '../space/scope.ts';
import type { IntentStanding } from './session.ts';
import type { Grant } from './grants.ts';
import {
  type Execution,
  type Expected,
  type ModelDraft,
  type ModelMark,
  type ModelSession,
  pick,
  type Place,
  type Restriction,
  type Running,
} from './test-model-types.ts';

/**
 * The protocol written down a second time, for whole histories to be compared with: plain lists, walked from end to end for every question,
 * nothing kept that can be worked out. Names of agents, scopes and ids are plain strings here.
 */
export class ProtocolModel {
  readonly marks: ModelMark[] = [];
  /** Calls made so far: each leaves one decision on record. */
  calls = 0;
  readonly #definitions: readonly ScopeDefinition[];
  readonly #grants: readonly Grant[];
  readonly #run: string;
  #leases: (Place & { readonly agent: string; readonly session: string; readonly intent: string })[] = [];
  #awards: (Place & { readonly agent: string; readonly intent: string; readonly until: number })[] = [];
  /** Needs that ask who may have a resource. */
  readonly #contests: (Place & { readonly need: string })[] = [];
  #restrictions: Restricted[] = [];
  /** Limits that the principal set, in lifetime input tokens. */
  readonly #limits = new Map<string, number>();
  readonly #spent = new Map<string, number>();
  readonly #endedSessions = new Set<string>();
  #principalCalls = 0;
  #clock = 0;
  /** When the last thing happened that is on record. */
  #last = 0;
  #passed = 0;
  /** When that was, in time that really passes. */
  #seen = 0;

  constructor(run: string, definitions: readonly ScopeDefinition[], grants: readonly Grant[]) {
    this.#run = run;
    this.#definitions = definitions;
    this.#grants = grants;
  }

  /** Time as the space sees it: the clock's; while that is behind what is on record, what is on record and the time since then. */
  get now(): number {
    return this.#clock >= this.#last ? this.#clock : this.#last + this.#passed - this.#seen;
  }
  /** `passed`: milliseconds that have really passed since some time or other. */
  setClock(clock: number, passed: number): void {
    this.#clock = clock;
    this.#passed = passed;
  }
  /** Something goes on record. */
  recorded(): void {
    const { now } = this;
    if (now > this.#last) this.#seen = this.#passed;
    this.#last = now;
  }
  /** Whoever opens a space does not know how long it was closed. */
  opened(): void {
    this.#seen = this.#passed;
  }

  // ---- calls of agents

  write(who: ModelSession, draft: ModelDraft): Expected {
    this.#called();
    const id = `${this.#run}/${who.name}/m${(who.marks += 1)}`;
    who.drafts.push({ id, draft });
    return this.#write(who, id, draft);
  }

  /** What is no draft at all. */
  nonsense(who: ModelSession): Expected {
    this.#called();
    who.marks += 1;
    return denied(this.isEnded(who.name) ? 'identity' : 'shape');
  }

  /** The same mark asked for again, by its id. */
  retry(who: ModelSession, which: number): Expected {
    this.#called();
    const { id, draft } = pick(who.drafts, which);
    if (this.isEnded(who.name)) return denied('identity');
    const stored = this.#mark(id);
    if (stored === undefined) return this.#write(who, id, draft);
    const standing = stored.kind === 'intent' ? this.standing(stored) : undefined;
    if (standing === 'pending') return { verdict: 'blocked', reason: 'pending-boundary', intent: id };
    if (standing === 'awaiting-principal') return { verdict: 'blocked', reason: 'awaiting-principal', intent: id };
    return { verdict: 'allow', id, repeated: true };
  }

  #write(who: ModelSession, id: string, draft: ModelDraft): Expected {
    const refusal = this.#refusal(who, draft);
    if (refusal !== undefined) return refusal;
    const claim = this.#claim(who, draft);
    const stored =
      claim.verdict === 'allow' || (claim.verdict === 'blocked' && draft.kind === 'intent' && claim.reason !== 'busy');
    if (stored) this.#store(id, who.agent, draft, claim.verdict === 'blocked', true);
    this.#follow(claim, draft, id);
    if (claim.verdict === 'allow') return { verdict: 'allow', id };
    return claim.verdict === 'blocked' && stored ? { ...claim, intent: id } : claim;
  }

  /** Decides on an execution; if it is allowed, `finish` ends it. */
  execute(who: ModelSession, request: Place & { readonly action: string; readonly confidence: number }): Execution {
    this.#called();
    const intent = `${this.#run}/${who.name}/m${who.marks + 1}`;
    const action = `${this.#run}/${who.name}/m${(who.marks += 2)}`;
    const { scope, resource } = request;
    const own = this.#waitingOn(request).find((mark) => mark.agent === who.agent);
    const award = this.#awardsOn(request).find((held) => held.agent === who.agent)?.intent;
    const supersedes = own?.id ?? award;
    const asked: ModelDraft = { kind: 'intent', ...request, ...(supersedes === undefined ? {} : { supersedes }) };
    const refusal =
      this.#refusal(who, { kind: 'action', scope, resource, action: request.action }) ?? this.#refusal(who, asked);
    if (refusal !== undefined) return { expected: refusal };
    const claim = this.#claim(who, asked);
    if (claim.verdict === 'blocked' && claim.reason !== 'busy') {
      // What has to wait anyway keeps its place, unless it asks for something else now.
      const kept = own?.action === request.action && own.confidence === request.confidence;
      if (!kept) this.#store(intent, who.agent, asked, true, true);
      this.#follow(claim, asked, kept ? own.id : intent);
      return { expected: { ...claim, intent: kept ? own.id : intent } };
    }
    if (claim.verdict !== 'allow') return { expected: claim };
    this.#store(intent, who.agent, asked, false, true);
    this.#awards = this.#awards.filter((held) => !(sameHolder(held, request) && held.agent === who.agent));
    this.#leases.push({ scope, resource, agent: who.agent, session: who.name, intent });
    return {
      expected: { verdict: 'allow', id: action },
      running: { ...request, agent: who.agent, session: who.name, intent },
    };
  }

  /** The tool came back, or threw. Whose lease has ended leaves nothing. */
  finish(
    { scope, resource, action: verb, agent, session, intent }: Running,
    action: string,
    failed: boolean,
  ): Expected {
    if (!this.#leases.some((lease) => lease.intent === intent))
      return denied(this.isEnded(session) ? 'identity' : 'conflict');
    this.#leases = this.#leases.filter((lease) => lease.intent !== intent);
    const draft: ModelDraft = { kind: 'action', scope, resource, action: verb, supersedes: intent };
    this.#store(action, agent, failed ? { ...draft, failed: true } : draft, false);
    return { verdict: 'allow', id: action };
  }

  release(who: ModelSession, intent: string): Expected {
    this.#called();
    if (this.isEnded(who.name)) return denied('identity');
    const mark = this.#mark(intent);
    if (mark?.kind !== 'intent' || mark.agent !== who.agent) return denied('authorization');
    if (['running', 'done', 'lost'].includes(this.standing(mark))) return denied('authorization');
    mark.over = true;
    this.#awards = this.#awards.filter((award) => award.intent !== intent);
    return { verdict: 'allow' };
  }

  // ---- what the principal and the infrastructure do

  endSession(session: string): Expected {
    this.#called();
    this.#principalCalls += 1;
    this.#end(session);
    return { verdict: 'allow' };
  }

  /** The infrastructure takes a session away. */
  revokeSession(session: string): void {
    this.#end(session);
  }

  #end(session: string): void {
    this.#endedSessions.add(session);
    if (this.#leases.some((lease) => lease.session === session)) this.recorded();
    for (const lease of this.#leases) if (lease.session === session) this.#withdraw([lease.intent]);
    this.#leases = this.#leases.filter((lease) => lease.session !== session);
  }

  boundary(scope: string): Expected {
    this.#called();
    this.#principalCalls += 1;
    const definition = this.definitionOf(scope);
    if (definition?.deferred !== true) return denied('shape');
    this.#settle(definition);
    return { verdict: 'allow' };
  }

  resolve(need: string, winner: string | undefined): Expected {
    this.#called();
    this.#principalCalls += 1;
    const asked = this.#mark(need);
    if (asked?.kind !== 'need' || asked.over) return denied('authorization');
    const contest = this.#contests.find((one) => one.need === need);
    const contenders = contest === undefined ? [] : this.#waitingOn(contest);
    const picked = contenders.find((intent) => intent.id === winner);
    if (winner !== undefined && picked === undefined) return denied('shape');
    const id = `${this.#run}/principal/p/m${this.#principalCalls}`;
    this.#store(
      id,
      'principal',
      { kind: 'action', scope: asked.scope, action: 'resolve', supersedes: need, strength: 10 },
      false,
    );
    this.#withdraw(contenders.map((intent) => intent.id));
    if (contest !== undefined && picked !== undefined) this.#award(contest, picked);
    return { verdict: 'allow', id };
  }

  /** `needed`: until a Need that the agent writes there from now on is answered. */
  revoke({ agent, scope, kind }: Restriction, needed: boolean): Expected {
    this.#called();
    this.#principalCalls += 1;
    if (kind === 'need') return denied('shape');
    for (const one of RESTRICTED_KINDS.filter((any) => kind === undefined || any === kind))
      this.#restrictions.push({ agent, scope, kind: one, since: needed ? this.marks.length : undefined, answered: [] });
    return { verdict: 'allow' };
  }

  /** Lifts whatever the restriction covers. */
  restore({ agent, scope, kind }: Restriction): Expected {
    this.#called();
    this.#principalCalls += 1;
    if (kind === 'need') return denied('shape');
    this.#restrictions = this.#restrictions.filter(
      (one) =>
        !isWithin(one.scope, scope) ||
        (agent !== undefined && one.agent !== agent) ||
        (kind !== undefined && one.kind !== kind),
    );
    return { verdict: 'allow' };
  }

  setLimit(agent: string, tokens: number): Expected {
    this.#called();
    this.#principalCalls += 1;
    this.#limits.set(agent, tokens);
    this.#notice(agent);
    return { verdict: 'allow' };
  }

  spend(agent: string, tokens: number): void {
    this.recorded();
    this.#spent.set(agent, (this.#spent.get(agent) ?? 0) + tokens);
    this.#notice(agent);
  }

  /** The principal is asked once per limit. */
  #notice(agent: string): void {
    const limit = this.#limitOf(agent);
    const need = `${this.#run}/guard/budget/${agent}/lifetime.inputTokens/${limit}`;
    if (limit === undefined || (this.#spent.get(agent) ?? 0) < 0.8 * limit || this.#mark(need) !== undefined) return;
    this.#store(need, 'guard', { kind: 'need', scope: 'guard' }, false);
  }

  #limitOf(agent: string): number | undefined {
    return this.#limits.get(agent) ?? this.#grant(agent).budget?.lifetime?.inputTokens;
  }

  /** What time alone brings about. */
  passTime(): void {
    for (const definition of this.#definitions) {
      const everyMs = definition.boundary?.everyMs;
      if (everyMs === undefined) continue;
      if (this.#waitingFor(definition).some((intent) => this.now - intent.at >= everyMs)) this.#settle(definition);
    }
  }

  // ---- what can be asked

  /** Marks that an agent may see, in the order they were written; `projected` where it may see the structure only. */
  visibleTo(agent: string): { readonly mark: ModelMark; readonly projected: boolean }[] {
    const grant = this.#grant(agent);
    return this.marks.flatMap((mark) => {
      if (grant.read.some((scope) => isWithin(mark.scope, scope))) return [{ mark, projected: false }];
      const visibility = this.definitionOf(mark.scope)?.visibility;
      return visibility === 'classified' || visibility === undefined
        ? []
        : [{ mark, projected: visibility === 'protected' }];
    });
  }

  /** As an agent has it: what it may not see takes nothing away. */
  strengthOf(mark: ModelMark, reader: string): number {
    if (mark.over) return 0;
    const definition = this.definitionOf(mark.scope);
    const age = this.now - mark.at;
    let strength = mark.strength;
    if (definition === undefined) throw new Error('a mark in no scope');
    if (mark.kind === 'intent' && age > definition.intentTtlMs) strength = 0;
    if (mark.kind === 'observation') strength *= 0.5 ** (age / definition.observationHalfLifeMs);
    if (mark.kind === 'warning') strength *= 0.5 ** (age / definition.warningHalfLifeMs);
    if (mark.source === 'external-verified') strength *= 0.7;
    if (mark.source === 'external-unverified') strength *= 0.3;
    for (const { mark: warning } of this.visibleTo(reader))
      if (warning.invalidates === mark.id) strength -= this.strengthOf(warning, reader);
    return Math.max(0, strength);
  }

  standing(intent: ModelMark): IntentStanding {
    if (this.#leases.some((lease) => lease.intent === intent.id)) return 'running';
    if (this.#awards.some((award) => award.intent === intent.id && this.now <= award.until)) return 'awarded';
    if (this.marks.some((mark) => mark.supersedes === intent.id)) return 'done';
    if (intent.over) return 'lost';
    if (this.#isExpired(intent)) return 'expired';
    if (this.definitionOf(intent.scope)?.deferred === true) return 'pending';
    const place = placeOf(intent);
    if (this.#openContest(place) === undefined) return 'held';
    // A contest that the others have left is none.
    const claims = [...this.#takenBy(place), ...this.#waitingOn(place)];
    return claims.some(({ agent }) => agent !== intent.agent) ? 'awaiting-principal' : 'held';
  }

  openNeeds(): string[] {
    return this.marks.filter((mark) => mark.kind === 'need' && !mark.over).map((mark) => mark.id);
  }

  /** The nearest definition upwards. */
  definitionOf(scope: string): ScopeDefinition | undefined {
    const above = this.#definitions.filter(({ name }) => isWithin(scope, name));
    return above.sort((a, b) => b.name.length - a.name.length)[0];
  }

  // ---- the rules

  /** Identity, authorization, barrier, in this order. */
  #refusal(who: ModelSession, draft: ModelDraft): Expected | undefined {
    if (this.isEnded(who.name)) return denied('identity');
    const grant = this.#grant(who.agent);
    const definition = this.definitionOf(draft.scope);
    const mayWrite = (kind: MarkKind, scope: string): boolean =>
      grant.write.some((right) => right.kind === kind && isWithin(scope, right.scope));
    if (definition === undefined || !mayWrite(draft.kind, draft.scope)) return denied('authorization');
    if (draft.source === 'fleet' && (grant.sourceCeiling ?? 'fleet') !== 'fleet') return denied('authorization');
    if (draft.kind === 'intent' && (draft.confidence ?? 0) > (grant.confidenceCeiling ?? 1))
      return denied('authorization');
    for (const id of [draft.supersedes, draft.invalidates]) {
      if (id === undefined) continue;
      const target = this.#mark(id);
      if (target === undefined) return denied('authorization');
      // Whoever may warn there may say that something there no longer holds.
      const mayWarn = id === draft.invalidates && mayWrite('warning', target.scope);
      if (!mayWrite(target.kind, target.scope) && !mayWarn) return denied('authorization');
      const own = target.agent === who.agent;
      const isPrincipal = grant.principal === true;
      if ((target.kind === 'intent' || target.kind === 'action') && !own && !isPrincipal)
        return denied('authorization');
      if (target.kind === 'need' && (own || !isPrincipal)) return denied('authorization');
    }
    const { verbs, topics } = listsOf(definition, draft.kind);
    if (verbs !== undefined && verbs.length > 0 && !verbs.includes(draft.action ?? '')) return denied('authorization');
    if (topics !== undefined && !topics.includes('*') && !topics.includes(draft.topic ?? ''))
      return denied('authorization');
    // What a mark overrules counts like what it is.
    const overruled = [draft.supersedes, draft.invalidates].flatMap((id) =>
      id === undefined ? [] : (this.#mark(id) ?? []),
    );
    const touched = [draft, ...overruled];
    const restricted = this.#restrictions.some(
      ({ agent, scope, kind, answered }) =>
        (agent === undefined || agent === who.agent) &&
        touched.some((one) => one.kind === kind && isWithin(one.scope, scope)) &&
        !answered.includes(who.agent),
    );
    if (restricted) return denied('barrier');
    const limit = this.#limitOf(who.agent);
    const isUsedUp = limit !== undefined && (this.#spent.get(who.agent) ?? 0) >= limit;
    if (isUsedUp && touched.some(({ kind }) => kind !== 'need')) return denied('budget');
    return this.#definitions.some((above) => isWithin(draft.scope, above.name) && this.#isFull(above, who.agent))
      ? denied('rate')
      : undefined;
  }

  /** Whether a limit of the definition lets nothing more through in this window, to anybody or to this agent. */
  #isFull({ name, rateLimit }: ScopeDefinition, agent: string): boolean {
    if (rateLimit === undefined) return false;
    const { windowMs, perAgent = Infinity, perFleet = Infinity } = rateLimit;
    const start = this.now - (this.now % windowMs);
    const here = this.marks.filter((mark) => mark.counts && isWithin(mark.scope, name) && mark.at >= start);
    return here.length >= perFleet || here.filter((mark) => mark.agent === agent).length >= perAgent;
  }

  /** Whether an intent or action may have its resource. */
  #claim(who: ModelSession, draft: ModelDraft): Expected {
    const { scope, resource } = draft;
    // What a tool runs for is not taken away from under it.
    const running = this.#leases.filter(({ intent }) => intent === draft.supersedes).map(({ intent }) => intent);
    if (running.length > 0) return { verdict: 'conflict', holders: running };
    const definition = this.definitionOf(scope);
    const claims = draft.kind === 'intent' || (draft.kind === 'action' && draft.failed !== true);
    if (!claims || resource === undefined || definition === undefined) return { verdict: 'allow' };
    const place = { scope, resource };
    const isMine = ({ agent }: { readonly agent: string }): boolean => agent === who.agent;
    const taken = this.#takenBy(place, draft.supersedes);
    const waiting = this.#waitingOn(place).filter(({ id }) => id !== draft.supersedes);
    const mine = [...taken, ...(draft.kind === 'intent' ? waiting : [])].filter(isMine);
    if (mine.length > 0) return { verdict: 'conflict', holders: mine.map(({ id }) => id) };
    const awards = this.#awardsOn(place).map(({ agent, intent }) => ({ agent, id: intent }));
    if (awards.some(isMine)) return { verdict: 'allow' };
    const holders = [...taken, ...awards];
    const contenders = waiting.filter((claim) => !isMine(claim));
    const visible =
      definition.visibility !== 'classified' || this.#grant(who.agent).read.some((read) => isWithin(scope, read));
    const lost = (held: readonly { readonly id: string }[]): Expected =>
      visible ? { verdict: 'conflict', holders: held.map(({ id }) => id) } : { verdict: 'blocked', reason: 'busy' };
    const units = unitsOf(definition, resource);
    if (holders.length >= units) return lost(holders);
    if (definition.deferred) return { verdict: 'blocked', reason: 'pending-boundary' };
    if (holders.length + contenders.length < units) return { verdict: 'allow' };
    if (definition.conflictPolicy === 'yield-all') return { verdict: 'blocked', reason: 'awaiting-principal' };
    return lost([...holders, ...contenders]);
  }

  /** What a call that has to wait brings about. */
  #follow(claim: Expected, draft: ModelDraft, intent: string): void {
    if (claim.verdict !== 'blocked' || draft.kind !== 'intent' || draft.resource === undefined) return;
    const place = { scope: draft.scope, resource: draft.resource };
    if (claim.reason === 'awaiting-principal') this.#contest(place, intent);
    const definition = this.definitionOf(draft.scope);
    if (claim.reason !== 'pending-boundary' || definition === undefined) return;
    const expected = definition.boundary?.expected;
    if (expected === undefined) return;
    const agents = new Set(this.#waitingFor(definition).map(({ agent }) => agent));
    const allIn = typeof expected === 'number' ? agents.size >= expected : expected.every((agent) => agents.has(agent));
    if (allIn) this.#settle(definition);
  }

  /** Every call is on record. */
  #called(): void {
    this.calls += 1;
    this.recorded();
  }

  /** A boundary: every live intent of every resource that the definition governs. */
  #settle(definition: ScopeDefinition): void {
    this.recorded();
    const live = this.marks.filter(
      (mark) => mark.kind === 'intent' && this.#isLive(mark) && this.definitionOf(mark.scope) === definition,
    );
    const contests: [Place, string][] = [];
    for (const place of distinctPlaces(live)) {
      const intents = this.#waitingOn(place);
      const taken = [...this.#takenBy(place), ...this.#awardsOn(place)];
      const free = unitsOf(definition, place.resource) - taken.length;
      const ranked = [...intents].sort((a, b) =>
        definition.conflictPolicy === 'highest-confidence' ? (b.confidence ?? 0) - (a.confidence ?? 0) : 0,
      );
      const firsts = ranked.filter(
        (intent, i) =>
          ranked.findIndex(({ agent }) => agent === intent.agent) === i &&
          !taken.some(({ agent }) => agent === intent.agent),
      );
      const last = intents.at(-1);
      if (definition.conflictPolicy === 'yield-all' && free > 0 && firsts.length > free && last !== undefined) {
        contests.push([place, last.id]);
        continue;
      }
      this.#withdraw(intents.map(({ id }) => id));
      for (const winner of firsts.slice(0, Math.max(0, free))) this.#award(place, winner);
    }
    for (const [place, cause] of contests) this.#contest(place, cause);
  }

  #contest(place: Place, cause: string): void {
    if (this.#openContest(place) !== undefined) return;
    const earlier = this.marks.filter(({ id }) => id.startsWith(`${cause}/contest`)).length;
    const need = `${cause}/contest${earlier === 0 ? '' : `~${earlier + 1}`}`;
    this.#store(need, 'guard', { kind: 'need', scope: place.scope }, false);
    this.#contests.push({ ...place, need });
  }

  #openContest(place: Place): string | undefined {
    return this.#contests.find(({ need, ...about }) => sameHolder(about, place) && this.#mark(need)?.over === false)
      ?.need;
  }

  #award(place: Place, { id, agent }: ModelMark): void {
    const until = this.now + (this.definitionOf(place.scope)?.intentTtlMs ?? 0);
    this.#awards = this.#awards.filter((award) => !(sameHolder(award, place) && award.agent === agent));
    this.#awards.push({ ...place, agent, intent: id, until });
  }

  /** `counts`: it is what an agent's call came to, and takes a slot of the limits above it. */
  #store(id: string, agent: string, draft: ModelDraft, waits: boolean, counts = false): void {
    this.recorded();
    this.#answer(agent, draft);
    this.marks.push({ strength: 1, ...draft, id, agent, at: this.now, over: false, waits, counts });
    if (draft.supersedes !== undefined) this.#withdraw([draft.supersedes]);
    const { kind, scope, resource } = draft;
    // Who has acted has made use of what was awarded.
    if (kind === 'action' && resource !== undefined)
      this.#awards = this.#awards.filter((award) => !(sameHolder(award, { scope, resource }) && award.agent === agent));
  }

  /** Somebody else's action on a Need answers it: whoever had to ask there is free again. */
  #answer(agent: string, { kind, failed, supersedes }: ModelDraft): void {
    const at = this.marks.findIndex((mark) => mark.id === supersedes);
    const need = this.marks[at];
    if (kind !== 'action' || failed === true || need?.kind !== 'need' || need.over || need.agent === agent) return;
    for (const { since, scope, answered } of this.#restrictions)
      if (since !== undefined && at >= since && isWithin(need.scope, scope)) answered.push(need.agent);
  }

  #withdraw(ids: readonly string[]): void {
    for (const mark of this.marks) if (ids.includes(mark.id)) mark.over = true;
  }

  /** Those who have a unit of a resource: their tool runs, or they acted. */
  #takenBy(place: Place, except?: string): { readonly id: string; readonly agent: string }[] {
    const leases = this.#leases
      .filter((lease) => sameHolder(lease, place))
      .map(({ agent, intent }) => ({ agent, id: intent }));
    const actions = this.marks.filter(
      (mark) => mark.kind === 'action' && mark.failed !== true && !mark.over && mark.id !== except && isOn(mark, place),
    );
    return [...leases, ...actions];
  }

  #awardsOn(place: Place): { readonly agent: string; readonly intent: string }[] {
    return this.#awards.filter((award) => sameHolder(award, place) && this.now <= award.until);
  }

  /** Live intents on a resource that no tool runs for. */
  #waitingOn(place: Place): ModelMark[] {
    return this.marks.filter((mark) => mark.kind === 'intent' && this.#isLive(mark) && isOn(mark, place));
  }

  /** Live intents that wait for a definition's boundary; those that a boundary left to the principal do not. */
  #waitingFor(definition: ScopeDefinition): ModelMark[] {
    return this.marks.filter(
      (mark) =>
        mark.kind === 'intent' &&
        mark.waits &&
        this.#isLive(mark) &&
        this.definitionOf(mark.scope) === definition &&
        this.#openContest(placeOf(mark)) === undefined,
    );
  }

  #isLive(intent: ModelMark): boolean {
    return !intent.over && !this.#isExpired(intent) && !this.#leases.some((lease) => lease.intent === intent.id);
  }

  #isExpired({ at, scope }: ModelMark): boolean {
    return this.now - at > (this.definitionOf(scope)?.intentTtlMs ?? 0);
  }

  isEnded(session: string): boolean {
    return this.#endedSessions.has(session);
  }

  #mark(id: string): ModelMark | undefined {
    return this.marks.find((mark) => mark.id === id);
  }

  #grant(agent: string): Grant {
    const grant = this.#grants.find((one) => one.agent === agent);
    if (grant === undefined) throw new Error(`no grant for ${agent}`);
    return grant;
  }
}

interface Restricted {
  readonly agent: string | undefined;
  readonly scope: string;
  readonly kind: MarkKind;
  /** Where one that a Need lifts began. */
  readonly since: number | undefined;
  /** For whom it is lifted. */
  readonly answered: string[];
}

/** Needs stay writable whatever is revoked. */
const RESTRICTED_KINDS: readonly MarkKind[] = ['intent', 'action', 'observation', 'warning'];

function denied(check: string): Expected {
  return { verdict: 'denied', check };
}

function isWithin(scope: string, above: ScopeName | string): boolean {
  return scope === above || scope.startsWith(`${above}/`);
}

function isOn(mark: ModelMark, { scope, resource }: Place): boolean {
  return mark.scope === scope && mark.resource === resource;
}

function sameHolder(a: Place, b: Place): boolean {
  return a.scope === b.scope && a.resource === b.resource;
}

function placeOf({ scope, resource }: ModelMark): Place {
  return { scope, resource: resource ?? '' };
}

function distinctPlaces(marks: readonly ModelMark[]): Place[] {
  const places: Place[] = [];
  for (const place of marks.map(placeOf)) if (!places.some((one) => sameHolder(one, place))) places.push(place);
  return places;
}

function unitsOf({ units }: ScopeDefinition, resource: string): number {
  return units?.[resource] ?? 1;
}

function listsOf(
  definition: ScopeDefinition,
  kind: MarkKind,
): { readonly verbs?: readonly string[]; readonly topics?: readonly string[] } {
  if (kind === 'intent') return { verbs: definition.intentVerbs };
  if (kind === 'action') return { verbs: definition.actionVerbs };
  if (kind === 'observation') return { topics: definition.observationTopics };
  return kind === 'warning' ? { topics: definition.warningTopics } : {};
}
