/** One way to break the source: in `file`, `find` (which is there once) becomes `replace`; one of `tests` must notice. */
export interface Mutation {
  readonly file: string;
  readonly find: string;
  readonly replace: string;
  readonly tests: readonly string[];
  /** Why nothing can notice: what it leads to is the same. */
  readonly equivalent?: string;
}

const space = (name: string): string => `src/space/${name}.test.ts`;
const guard = (name: string): string => `src/guard/${name}.test.ts`;

const STRENGTH = [space('strength'), space('algebra')];
const READING = [space('mark-index'), space('algebra')];
const INDEX = [space('mark-index'), space('algebra'), space('needs'), guard('cost')];
const DECISIONS = [
  guard('decide'),
  guard('policies/conflict'),
  guard('gate-rules'),
  guard('contests'),
  guard('execute'),
  guard('history'),
];
const CLAIMS = [guard('contests'), guard('execute'), guard('cost'), guard('history')];
const GATE = [
  guard('gate'),
  guard('gate-rules'),
  guard('contests'),
  guard('execute'),
  guard('hardening'),
  guard('history'),
];
const SUBSCRIPTIONS = [guard('subscriptions'), guard('subscriptions-gate'), guard('parts/subscriptions')];

/** Whole runs with agents from outside: each takes half a minute. */
const MIXED = ['src/cli/outside/mixed-run.test.ts'];

const mutate = (
  file: string,
  tests: readonly string[],
  ...pairs: readonly (readonly [find: string, replace: string])[]
): Mutation[] => pairs.map(([find, replace]) => ({ file: `src/${file}`, find, replace, tests }));

export const MUTATIONS: readonly Mutation[] = [
  ...mutate(
    'space/strength.ts',
    STRENGTH,
    ['ageMs <= definition.intentTtlMs', 'ageMs < definition.intentTtlMs'],
    ['2 ** (-ageMs / definition.observationHalfLifeMs)', '2 ** (-ageMs / definition.warningHalfLifeMs)'],
    ['2 ** (-ageMs / definition.warningHalfLifeMs)', 'Math.max(0.01, 2 ** (-ageMs / definition.warningHalfLifeMs))'],
    ['mark.resolvedBy === undefined ? 1 : 0', '1'],
    ['if (view.isSuperseded(mark.id)) return 0;', ''],
    ["mark.kind === 'observation' ? trust[mark.source] : 1", '1'],
    ['parent.left -= result', 'parent.left -= result / 2'],
    ['const result = Math.max(0, frame.left)', 'const result = frame.left'],
    ['strongest + REINFORCEMENT * (sum - strongest)', 'REINFORCEMENT * sum'],
    ['Math.min(cap, strongest', 'Math.max(0, strongest'],
    ['unverified <= verified', 'unverified <= 1'],
  ),
  ...mutate(
    'space/scope.ts',
    [space('scope'), space('algebra'), guard('decide')],
    ["other.startsWith(scope) && other[scope.length] === '/'", 'other.startsWith(scope)'],
    [
      'if (found !== undefined) return found;\n  }\n  return undefined;\n}\n\n/** Whether a list of topics',
      'return found;\n  }\n  return undefined;\n}\n\n/** Whether a list of topics',
    ],
    ['verbs.length === 0 || verbs.includes(verb)', 'verbs.includes(verb)'],
  ),
  ...mutate(
    'space/query.ts',
    READING,
    ["      return 'projected';", "      return 'full';"],
    [
      "    case 'classified':\n    case undefined:\n      break;",
      "    case 'classified':\n      return 'projected';\n    case undefined:\n      break;",
    ],
    ["      return { ...mark, reason: '' };", '      return mark;'],
    ["if (access === 'none') return undefined;", ''],
    ['found.sort((a, b) => a.placed.seq - b.placed.seq);', ''],
    ['if (query.live === true && view.isSuperseded(mark.id)) return false;', ''],
  ),
  ...mutate(
    'space/mark-index.ts',
    INDEX,
    ['this.#end(target);\n    }\n  }', '}\n  }'],
    ['if (record.seq !== this.#seq + 1)', 'if (record.seq <= this.#seq)'],
    ['if (mark.failed !== true) resource.actions', 'resource.actions'],
    ["if (mark.kind === 'need') this.#needs.delete(mark.id);", ''],
    ['dropExpired(resource.intents, intent.createdAt, ttlMs);', ''],
    ['else resource.actions = withoutOne(resource.actions, mark.id);', ''],
  ),
  ...mutate(
    'space/watch.ts',
    [space('watch'), ...SUBSCRIPTIONS],
    ['if (!matchesPattern(pattern, placed.mark)) continue;', ''],
    ['if (read === undefined) continue;\n    marks.push(read);', 'marks.push(read ?? placed.mark);'],
    [
      'if (marks.length >= limit) return { marks, seq: placed.seq };',
      'if (marks.length >= limit) return { marks, seq: view.seq };',
    ],
  ),
  ...mutate(
    'space/merge-tails.ts',
    [space('watch'), ...SUBSCRIPTIONS],
    ['right.placed.seq < left.placed.seq', 'right.placed.seq > left.placed.seq'],
    ['(list[middle]?.seq ?? Infinity) <= seq', '(list[middle]?.seq ?? Infinity) < seq'],
  ),
  ...mutate(
    'space/chain.ts',
    [space('chain'), space('verify-log'), space('memory-log'), space('sqlite-log')],
    ["if (prev !== head.hash) return problem('its previous hash is not the hash of the record before it');", ''],
    ["if (stored !== chainHash(prev, seq, key, body)) return problem('its hash does not fit its content');", ''],
    ['${key.length}\\n${key}', '${key}'],
  ),
  ...mutate(
    'space/memory-log.ts',
    [space('memory-log'), guard('gate')],
    ['if (this.#keys.length !== expectedSeq) throw new StaleAppendError(expectedSeq, this.#keys.length);', ''],
    ['if (this.#known.add(entry.key).size === before) continue;', 'this.#known.add(entry.key);'],
  ),
  ...mutate(
    'guard/policies/authorization.ts',
    DECISIONS,
    ['rights.length === 0 || view.definitionOf', 'view.definitionOf'],
    ['&& !mayClaimSource(grant, draft.source)', '&& false'],
    ['draft.confidence > confidenceCeiling', 'draft.confidence > 1'],
    ['if (!mayWrite && !mayWarn) return false;', ''],
    ['id !== draft.supersedes && rightsFor', 'rightsFor'],
    ['return own || grant.principal === true;', 'return true;'],
    ['return !own && grant.principal === true;', 'return grant.principal === true;'],
  ),
  ...mutate('guard/policies/verbs-topics.ts', DECISIONS, [
    'if (allowsVerb(verbs, draft.action)) return undefined;',
    'if (verbs.length >= 0) return undefined;',
  ]),
  ...mutate(
    'guard/policies/conflict.ts',
    DECISIONS,
    ['if (running !== undefined) return conflictWith(running);', ''],
    ['if (standing.own !== undefined) return conflictWith(standing.own);', ''],
    ['if (standing.awarded) return undefined;', ''],
    ['standing.held >= units) return hidden', 'standing.held > units) return hidden'],
    ['return hidden ? BUSY : conflictWith(standing.holder)', 'return conflictWith(standing.holder)'],
    ['if (definition.deferred) return PENDING;', ''],
    ["if (definition.conflictPolicy === 'yield-all') return YIELDED;", ''],
    ['claim.id === draft.supersedes || claim.id === facts.self', 'claim.id === facts.self'],
    ['for (const lease of leases) if (lease.holder !== facts.self) hold(lease.holder, lease.agent);', ''],
    ['else hold(award.intent, award.agent);', ''],
    ['!isExpired(claim, now, definition.intentTtlMs) && ', ''],
    ['b.confidence - a.confidence || earlier(a, b)', 'earlier(a, b)'],
    ['a.createdAt - b.createdAt || seqOf(a.id) - seqOf(b.id)', 'a.createdAt - b.createdAt'],
    ['if (!first.has(intent.agent)) first.set(intent.agent, intent);', 'first.set(intent.agent, intent);'],
    ['ranked.slice(0, Math.max(0, free))', 'ranked.slice(0, Math.max(1, free))'],
  ),
  ...mutate(
    'guard/boundary.ts',
    [guard('contests'), guard('history')],
    ['const eligible = contenders.filter(({ agent }) => !holders.includes(agent));', 'const eligible = contenders;'],
    ['until: now + definition.intentTtlMs', 'until: now'],
    ['consumed.push(...contenders.map(({ id }) => id));', 'consumed.push(...won);'],
    ['if (isExpired(intent, now, definition.intentTtlMs)) continue;', ''],
    [
      'if (view.definitionOf(scope)?.name === definition.name) yield scope;',
      'if (scope === definition.name) yield scope;',
    ],
  ),
  ...mutate(
    'guard/parts/claims.ts',
    CLAIMS,
    ['if (mark.supersedes !== undefined) endLease(state, key, mark.supersedes);', ''],
    ['endAwardsOf(state, key, mark.agent);', ''],
    ['award.agent === agent && now <= award.until', 'award.agent === agent'],
    ['now <= until', 'now < until'],
    ["if (call.call === 'execute' && verdict === 'allow') {", "if (verdict === 'allow') {"],
    ['if (lease.session === session) endLease(state, key, lease.holder);', ''],
    ['endAwards(state, key, ({ intent }) => intent === event.intent);', ''],
    ['leave(state, view.definitionOf(event.scope)?.name, event.intent);', ''],
    ["if (over?.kind === 'intent') leave(state, view.definitionOf(over.scope)?.name, over.id);", ''],
    ['if (until < now) continue;', ''],
    ['for (const [id] of state.map(PENDING, event.scope).entries()) leave(state, event.scope, id);', ''],
    ['if (intents === 0) state.map(WAITING)', 'state.map(WAITING)'],
    ['if (until >= waits.since) break;', 'break;'],
  ),
  ...mutate(
    'guard/rulings.ts',
    GATE,
    ['if (!sameContent(stored, draft)) return taken(id);', ''],
    ["if (standing === 'pending') return { decision: PENDING, recorded: id };", ''],
    ['(own?.id ?? ownAward(batch, grant, booking))', 'own?.id'],
    ['decideAdmission(inputFor(batch, grant, done, {})) ?? decide', 'decide'],
    ['if (open !== undefined && !batch.view.isSuperseded(open)) return;', ''],
    [
      "return (decision === PENDING || decision === YIELDED) && draft.kind === 'intent';",
      'return decision === PENDING || decision === YIELDED;',
    ],
  ),
  ...mutate(
    'guard/gate.ts',
    GATE,
    ['if (Number.isFinite(now) && now >= this.#lastAt) return now;', 'if (Number.isFinite(now)) return now;'],
    ['Math.max(0, Math.floor(this.#monotonic() - this.#lastSeen))', '0'],
    ["if (body.type === 'event') this.#comeTo(timeOf(body.event));", ''],
    ['if (due <= batch.now) addBoundary(batch, scope);', 'if (due < batch.now) addBoundary(batch, scope);'],
    ['if (!isToken(token, principalTokenSha256(this.#state)))', 'if (token.length === 0)'],
    ['if (earlier !== undefined) this.revoke(earlier);', ''],
    [
      "batch.addEvent({ what: 'session-ended', run, agent, epoch, revoked: false }, leased);",
      "batch.addEvent({ what: 'session-ended', run, agent, epoch, revoked: false });",
    ],
  ),
  ...mutate(
    'guard/gate-session.ts',
    GATE,
    [
      "if (mark?.kind !== 'intent' || mark.agent !== this.agent) return { decision: denied };",
      "if (mark?.kind !== 'intent') return { decision: denied };",
    ],
    [
      "if (objection !== undefined) return this.#settle(n, 'write', subjectOfMark(draft), () => ({ decision: objection }));",
      '',
    ],
    ['&& !booked.includes(n) && !booked.includes(n - 1)', ''],
    ['const number = retryOf === undefined ? this.#marks : 0;', 'const number = this.#marks;'],
  ),
  ...mutate(
    'guard/execution.ts',
    GATE,
    ['?.fence !== this.#fence) return;', '?.fence === undefined) return;'],
    [
      "if (outcome.verdict !== 'allow' || outcome.repeated === true)",
      "if (outcome.verdict === 'denied' || outcome.repeated === true)",
    ],
    ['await this.#record(null, true);', ''],
    ['if (revoked) return REVOKED_RULING;\n', ''],
    ['if (!port.ledger.isNew(prefix, number + 1, true) && batch.view.byId(actionId) !== undefined) return;', ''],
  ),
  ...mutate(
    'guard/turn.ts',
    GATE,
    ['return this.caller.revoked ? REVOKED_RULING : this.#rule(batch);', 'return this.#rule(batch);'],
    [
      "if (ruling.decision.verdict === 'allow' && ruling.repeated === undefined) this.granted",
      "if (ruling.decision.verdict === 'allow') this.granted",
    ],
  ),
  ...mutate(
    'guard/decision-ledger.ts',
    [guard('decision-ledger'), ...GATE],
    ['(number > noted.stored && (booked || number > noted.booked))', '(booked || number > noted.booked)'],
    ['(number > noted.stored && (booked || number > noted.booked))', 'number > noted.stored'],
    ['if (isExecution) noted.booked', 'noted.booked'],
    ['digests[this.#places[i] ?? 0] = 0;', ''],
  ),
  ...mutate(
    'guard/state.ts',
    [guard('state'), ...GATE],
    [
      'if (before === undefined) this.#values.delete(key);\n      else this.#values.set(key, before);',
      'if (before !== undefined) this.#values.set(key, before);',
    ],
    ['for (let i = this.#keys.length - 1; i >= 0; i -= 1) {', 'for (let i = 0; i < this.#keys.length; i += 1) {'],
    ['for (const key of this.#keys) if (this.#values.get(key) === GONE) this.#values.delete(key);', ''],
    ['for (const map of this.#staged) map.drop();', ''],
  ),
  ...mutate(
    'guard/staged-view.ts',
    [guard('staged-view'), ...GATE],
    ['this.#free = undefined;\n    this.#marks', 'this.#marks'],
    ['isSuperseded(id: MarkId): boolean {\n    this.#sort();', 'isSuperseded(id: MarkId): boolean {'],
    ['if (scope !== this.#scope) {', 'if (this.#scope === undefined) {'],
    ['resource !== last.resource || scope !== last.scope', 'resource !== last.resource'],
  ),
  ...mutate(
    'guard/principal.ts',
    [guard('contests'), guard('gate-rules'), guard('history')],
    ["if (asked?.kind !== 'need' || batch.view.isSuperseded(need))", "if (asked?.kind !== 'need')"],
    ['if (winner !== undefined && picked === undefined)', 'if (false)'],
    ['return contenders.filter(({ id }) => !leases.some(({ holder }) => holder === id));', 'return contenders;'],
  ),
  ...mutate(
    'guard/refusal-book.ts',
    [guard('gate-rules'), guard('forged-marks'), guard('history')],
    ['if (page.recorded < this.#after) {', 'if (page.recorded <= this.#after) {'],
    ['if (now !== undefined && now - page.since < this.#windowMs) break;', ''],
  ),
  ...mutate(
    'guard/subscriptions.ts',
    SUBSCRIPTIONS,
    [
      'if (mark === undefined || seq === undefined || !matchesPattern(subscription.pattern, mark))',
      'if (mark === undefined || seq === undefined)',
    ],
    ['if (own?.from !== from) return', 'if (own === undefined) return'],
  ),
  ...mutate(
    'guard/parts/subscriptions.ts',
    SUBSCRIPTIONS,
    ['{ pattern, from: seq, acknowledged: seq }', '{ pattern, from: 0, acknowledged: 0 }'],
    ['event.seq <= subscription.acknowledged', 'event.seq < 0'],
  ),
  ...mutate(
    'guard/parts/barrier.ts',
    [guard('parts/barrier'), guard('gate-rules'), guard('history')],
    ['at = parentScope(at)) {\n    const mine', 'at = undefined) {\n    const mine'],
    ['if (agent !== undefined && agent !== who) continue;', ''],
    ["if (by.kind !== 'action' || by.failed === true || by.agent === agent) return;", ''],
    ['([, asked]) => asked > asking', '() => false'],
  ),
  ...mutate(
    'guard/policies/barrier.ts',
    [guard('parts/barrier'), guard('gate-rules'), guard('history')],
    ['of touchedBy(input)', 'of [input.draft]'],
  ),
  ...mutate(
    'guard/parts/rate.ts',
    [guard('parts/rate'), guard('gate-rules'), guard('history')],
    ['at = parentScope(name);', 'at = undefined;'],
    ['happened.mark === undefined || happened.repeated === true', 'happened.mark === undefined'],
    ['tally.start === windowStart(now, windowMs)', 'tally.start <= now'],
  ),
  ...mutate(
    'guard/policies/budget.ts',
    [guard('parts/budget'), guard('gate-rules'), guard('history')],
    [" || touchedBy(input).every(({ kind }) => kind === 'need')", ''],
    ["touchedBy(input).every(({ kind }) => kind === 'need')", "input.draft.kind === 'need'"],
  ),
  ...mutate(
    'guard/parts/budget.ts',
    [guard('parts/budget'), guard('history')],
    ['used >= limit', 'used > limit'],
    ['peak >= NOTICE_SHARE * limit', 'peak > limit'],
    ['Number.isFinite(reported) ? Math.max(0, reported) : 0', 'reported'],
  ),
  ...mutate(
    'guard/parts/envelope.ts',
    [guard('parts/envelope'), guard('gate-rules')],
    ["!isCounted(call) || call.check === 'envelope'", '!isCounted(call)'],
    ['if (flagged.length > 0) return turned;', ''],
    ['learnt.length < settings.coldWindows', 'learnt.length < 1'],
    ['anomalies >= settings.globalAfter', 'anomalies >= 1'],
    ['counts[kind] + (before?.[kind] ?? 0) > 2 * ordinary', 'false'],
  ),
  ...mutate(
    'guard/parts/probe.ts',
    [guard('parts/probe'), guard('probe')],
    ['active && !answered && now > deadline', 'active && now > deadline'],
  ),
  {
    file: 'src/guard/parts/probe.ts',
    find: 'mark.createdAt > canary.deadline || ',
    replace: '',
    tests: [guard('parts/probe'), guard('probe')],
    equivalent: 'what is over its deadline is put with what was missed before the answer is noted, and stays there',
  },
  ...mutate(
    'guard/content-chain.ts',
    [guard('content-chain'), guard('gate-rules')],
    ["if (answer.verdict === 'rewrite') content = answer.content;", ''],
    ["return rejected('failed');", 'continue;'],
    ["if (answer.verdict === 'reject') return rejected(answer.problem);", ''],
  ),
  ...mutate(
    'guard/policies/content.ts',
    [guard('content-chain'), guard('gate-rules')],
    ["draft.kind !== 'observation' || ", ''],
  ),
  ...mutate(
    'guard/policies/stale-edit.ts',
    [guard('gate')],
    [' || !view.isSuperseded(draft.supersedes)', ''],
    ["return deny({ code: 'stale-edit', check: 'edit-scope', path: draft.topic });", 'return undefined;'],
  ),
  ...mutate('experiment/outside-agents.ts', MIXED, ['this.#claimed.has(keyOf(row)) || n >', 'n >']),
  ...mutate('experiment/outside-agents.ts', MIXED, [
    'if (this.submission(row.agent, row.generation)?.n !== row.n) return false;',
    'return false;',
  ]),
  ...mutate('experiment/outside-generation.ts', MIXED, [
    'if (state.evaluations.has(`${candidateId(agent, generation)}/${split}`))\n    return scoreCandidate(context, agent, generation, split, files);',
    '',
  ]),
  ...mutate('experiment/round-doors.ts', MIXED, ['left.size <= mayMiss', 'left.size < mayMiss']),
  ...mutate('experiment/assess-generation.ts', MIXED, ["?.external !== 'folder'", '?.external !== undefined']),
  ...mutate('mcp/seat.ts', MIXED, [
    "entry?.kind === 'own' ? { ...refusal, now: nowOf(entry) } : refusal",
    '{ ...refusal, now: nowOf(entry) }',
  ]),
  ...mutate('cli/outside/run-seat.ts', MIXED, [
    "Number(mark.content['generation']) > (state.last?.round ?? -1)",
    'Number(mark.content) > 0',
  ]),
];
