/** One rule of the mark protocol. */
export interface Rule {
  /** `P<n>`: a property of the markspace specification (2026-03-23), by its number there. `S<n>`: ours, stricter. */
  readonly id: string;
  /** The rule in one sentence of ours. */
  readonly text: string;
  /** Where it is enforced: files below `src`. */
  readonly files: readonly string[];
}

/** Rules that belong together, in the order of the specification. */
export interface RuleGroup {
  readonly title: string;
  readonly rules: readonly Rule[];
}

const rule = (id: string, text: string, ...files: readonly string[]): Rule => ({ id, text, files });

const STRENGTH = 'space/strength.ts';
const INDEX = 'space/mark-index.ts';
const QUERY = 'space/query.ts';
const SCOPE = 'space/scope.ts';
const WATCH = 'space/watch.ts';
const SCHEMA = 'space/mark-schema.ts';
const GATE = 'guard/gate.ts';
const SESSION = 'guard/gate-session.ts';
const TURN = 'guard/turn.ts';
const EXECUTION = 'guard/execution.ts';
const SUBSCRIPTIONS = 'guard/subscriptions.ts';
const PRINCIPAL = 'guard/principal.ts';
const BOUNDARY = 'guard/boundary.ts';
const AUTHORIZATION = 'guard/policies/authorization.ts';
const CONFLICT = 'guard/policies/conflict.ts';
const BARRIER = 'guard/policies/barrier.ts';
const ENVELOPE = 'guard/policies/envelope.ts';
const RATE = 'guard/policies/rate.ts';
const BUDGET = 'guard/policies/budget.ts';
const CONTENT = 'guard/policies/content.ts';
const CHAIN = 'guard/content-chain.ts';
const CLAIMS = 'guard/parts/claims.ts';

export const RULE_GROUPS: readonly RuleGroup[] = [
  {
    title: 'Decay',
    rules: [
      rule('P1', 'The strength of an observation or warning never grows with time.', STRENGTH),
      rule('P2', 'The base strength of an action is constant.', STRENGTH),
      rule('P3', 'With no new marks, the strength of everything transient tends to 0.', STRENGTH),
      rule('P4', 'An intent is at full strength up to and at its time to live, and 0 after it.', STRENGTH),
      rule('P5', 'A need keeps its strength until it is resolved.', STRENGTH),
    ],
  },
  {
    title: 'Trust',
    rules: [
      rule('P6', 'A more trusted source never weighs less than a less trusted one.', STRENGTH),
      rule('P7', 'Trust never amplifies: no mark is stronger than it was written.', STRENGTH),
    ],
  },
  {
    title: 'Reinforcement',
    rules: [
      rule('P8', 'n equal marks on one topic weigh less than n times one of them.', STRENGTH),
      rule('P9', 'The aggregate of any number of marks is bounded by twice the strongest possible mark.', STRENGTH),
      rule('P10', 'Adding a mark of positive strength never lowers an aggregate.', STRENGTH),
    ],
  },
  {
    title: 'Conflict',
    rules: [
      rule('P11', 'The same intents, in whatever order they are looked at, have the same winner.', CONFLICT),
      rule('P12', 'Unless all must yield, somebody among the contenders can always proceed.', CONFLICT, BOUNDARY),
      rule('P13', "A loser is not locked out once the winner's claim is gone.", CONFLICT, CLAIMS),
      rule('P14', 'A boundary considers every live intent of its definition.', BOUNDARY),
      rule(
        'P15',
        'At a boundary the highest confidence wins whatever the order of arrival, ties to the earliest.',
        CONFLICT,
      ),
      rule(
        'P16',
        'A boundary happens by itself: when its timer is over, or when all expected claims are in.',
        GATE,
        CLAIMS,
      ),
      rule('P17', 'A boundary allows at most one agent per unit of a resource.', BOUNDARY),
      rule('P18', 'A boundary leaves no live intent undecided, except those it hands to the principal.', BOUNDARY),
    ],
  },
  {
    title: 'Scope',
    rules: [
      rule(
        'P19',
        'Nothing is written without a right to its kind in its scope, and the verb or topic listed there.',
        AUTHORIZATION,
        'guard/policies/verbs-topics.ts',
      ),
      rule('P20', 'Everybody reads open scopes in full; infrastructure reads everything in full.', QUERY),
      rule('P21', 'The content of a protected scope is read only with the right to it.', QUERY),
      rule('P22', 'A classified scope is invisible without the right: not even that something is there.', QUERY),
      rule('P23', 'A right to a scope covers its descendants, by whole segments.', SCOPE, AUTHORIZATION),
      rule('P24', 'A projected mark keeps every structural field and loses every content field.', QUERY),
      rule('P25', 'A classified scope never falls back to projection.', QUERY),
      rule('P26', "A scope without a definition of its own has its nearest ancestor's, visibility included.", SCOPE),
    ],
  },
  {
    title: 'Space',
    rules: [
      rule('P27', 'A mark that was acknowledged is seen by the next read.', GATE, INDEX),
      rule('P28', 'Reading changes nothing.', QUERY, INDEX),
      rule('P29', 'Resolving a need takes it off the open needs at once.', INDEX, 'space/needs.ts'),
      rule('P30', 'A stored mark never changes, at any depth.', SCHEMA, 'space/stored-mark.ts'),
      rule('P31', 'Every mark has an id of its own.', INDEX, SESSION),
      rule(
        'P32',
        'Marks are totally ordered, and time in the log never runs backwards even if the clock does.',
        GATE,
        INDEX,
      ),
      rule('P33', 'Whoever is told of a write cannot hurt it: what a hook throws is dropped.', GATE),
    ],
  },
  {
    title: 'Guard',
    rules: [
      rule('P34', 'Warnings never push a mark below 0.', STRENGTH),
      rule(
        'P35',
        'What a warning takes away comes back as the warning fades, each by the half-lives of its own scope.',
        STRENGTH,
      ),
      rule('P36', 'The same state and the same input give the same verdict.', 'guard/decide.ts'),
      rule('P37', 'The tool of an execution never runs unless the execution was allowed.', EXECUTION),
      rule(
        'P38',
        'A decision explains itself: it names the holder, the reason, or the check that failed.',
        'guard/decision.ts',
        'guard/denial-text.ts',
      ),
      rule(
        'P39',
        "A finished action beats others' new intents whatever its strength and whatever warnings are on it.",
        CONFLICT,
      ),
    ],
  },
  {
    title: 'Envelope',
    rules: [
      rule('P40', 'Who is restricted stays restricted until the principal resets it.', ENVELOPE),
      rule('P41', 'Nobody is judged before the baseline is ready.', ENVELOPE),
      rule('P42', 'A rejected write stores no mark.', 'guard/rulings.ts', TURN),
      rule('P43', 'One anomaly restricts at most one scope; everything only from the threshold on.', ENVELOPE),
    ],
  },
  {
    title: 'Barrier',
    rules: [
      rule(
        'P44',
        'A revocation stays until the principal restores it, for every path that uses the permission.',
        BARRIER,
      ),
      rule('P45', "Only the principal's token makes its holder the principal.", GATE, 'guard/principal-token.ts'),
    ],
  },
  {
    title: 'Probe and supersession',
    rules: [
      rule('P46', 'The probe can write only its own scope.', 'guard/probe.ts'),
      rule('P47', 'Supersession is transitive: of a chain only the last mark counts.', INDEX, STRENGTH),
    ],
  },
  {
    title: 'Composition',
    rules: [
      rule(
        'P48',
        'Subscribing again under a name replaces the subscription.',
        SUBSCRIPTIONS,
        'guard/parts/subscriptions.ts',
      ),
      rule('P49', 'A subscription is not retroactive.', SUBSCRIPTIONS, 'guard/parts/subscriptions.ts'),
      rule('P50', 'Only matching marks are delivered.', WATCH),
      rule(
        'P51',
        'A session is given a mark at most once; across restarts, until it is acknowledged, at least once.',
        SUBSCRIPTIONS,
      ),
      rule('P52', 'Delivery is in write order.', WATCH, 'space/merge-tails.ts'),
      rule('P53', 'Validating a pipeline is a pure function of the manifests, grants and scopes.', 'guard/pipeline.ts'),
      rule('P54', "A manifest's outputs lie within its agent's permissions.", 'guard/pipeline.ts'),
      rule('P55', 'Matching is pure.', WATCH),
    ],
  },
  {
    title: 'Scheduling and telemetry',
    rules: [
      rule('P56', 'An agent never runs more often than its interval.', 'guard/scheduler.ts'),
      rule('P57', 'Telemetry never interferes with a verdict or a write.', GATE),
      rule('P58', 'Every guarded call emits one event.', TURN, PRINCIPAL),
    ],
  },
  {
    title: 'Budgets',
    rules: [
      rule('P59', 'Without a budget nothing is counted against anybody.', BUDGET),
      rule('P60', 'One non-blocking need per dimension is written at the threshold.', BUDGET),
      rule('P61', 'At the limit everything but needs is refused.', BUDGET),
      rule('P62', 'A larger budget resumes.', BUDGET),
      rule('P63', 'Counters never fall.', BUDGET),
    ],
  },
  {
    title: 'Rate limits',
    rules: [
      rule('P64', 'One agent writes at most its share of a window, and the envelope sees what was rejected.', RATE),
      rule('P65', 'All agents together write at most theirs.', RATE),
      rule('P66', 'A rate limit works by itself, with or without envelope, barrier and content policies.', RATE),
    ],
  },
  {
    title: 'Content',
    rules: [
      rule('P67', 'Rejected content stores nothing.', CONTENT),
      rule('P68', 'Policies are asked in order: a rewrite feeds the next, the first rejection ends the chain.', CHAIN),
      rule('P69', 'Content policies see observations only, and change nothing but their content.', CONTENT, CHAIN),
      rule('P70', 'Content policies touch neither envelope nor barrier nor limits.', CONTENT, CHAIN),
    ],
  },
  {
    title: 'Stricter than the reference',
    rules: [
      rule(
        'S1',
        'From an allow to its action nobody else is allowed on that resource, however long the tool runs, whatever the time to live and the confidence; nobody books twice; a lease ends with its session or is fenced off.',
        CONFLICT,
        CLAIMS,
        EXECUTION,
      ),
      rule(
        'S2',
        "A loser's intent goes with its verdict, a retry never loses to itself, and a boundary runs once per set of intents.",
        CONFLICT,
        BOUNDARY,
        'guard/rulings.ts',
      ),
      rule(
        'S3',
        "Superseding or invalidating takes write rights on the target's scope and, for others' intents and actions, the principal's.",
        AUTHORIZATION,
      ),
      rule(
        'S4',
        'Visibility holds on every path: reads through a parent, subscriptions, look-up by id, needs, counts, errors, telemetry.',
        QUERY,
        WATCH,
        CONFLICT,
      ),
      rule(
        'S5',
        'The kind follows from the shape; what is assigned cannot be supplied; strength, texts and payloads are bounded.',
        SCHEMA,
      ),
      rule('S6', 'Identity is a session, a capability that cannot be forged and that can be revoked.', GATE, SESSION),
      rule(
        'S7',
        'Authorization comes first: who is not authorised consumes no quota or slot, triggers no policy and learns nothing.',
        'guard/decide.ts',
        SESSION,
      ),
      rule('S8', 'Listings are in log order: the same log always yields the same listing.', QUERY),
      rule(
        'S9',
        'A restricted agent can still write needs; revoking actions stops executions; reset and restore take the token; who asked a need cannot resolve it.',
        AUTHORIZATION,
        BARRIER,
        PRINCIPAL,
      ),
      rule(
        'S10',
        'Subscriptions have cursors, bounded queues and back-pressure; nothing is kept for agents that left.',
        SUBSCRIPTIONS,
        'guard/parts/subscriptions.ts',
      ),
      rule(
        'S11',
        'Everything survives a restart: marks, barriers, budgets, rate windows, leases, cursors, grants.',
        'guard/parts.ts',
        GATE,
      ),
      rule(
        'S12',
        'The log is hash-chained; verification names the first record that is changed, missing or out of order.',
        'space/chain.ts',
        'space/verify-log.ts',
      ),
      rule('S13', "No operation's cost grows with marks that it does not return.", INDEX, CONFLICT, WATCH),
      rule(
        'S14',
        'Rate limits count by the definition that imposes them: names of children are not a way round.',
        RATE,
      ),
      rule(
        'S15',
        'Every path leaves its one decision record, exceptions included; slow sinks are off the write path; floods of one refusal are folded.',
        TURN,
        'guard/refusal-book.ts',
      ),
    ],
  },
];

export const RULES: readonly Rule[] = RULE_GROUPS.flatMap(({ rules }) => rules);
