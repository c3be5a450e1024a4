import { statSync } from 'node:fs';
import { budgetLines } from '../../guard/parts/budget.ts';
import { standingRestrictions } from '../../guard/parts/barrier.ts';
import { waitingScopes } from '../../guard/parts/claims.ts';
import { principalTokenSha256 } from '../../guard/parts/sessions.ts';
import { MARK_KINDS } from '../../space/marks.ts';
import { textTable } from '../../report/text-table.ts';
import { EXIT, type ExitCode, type Surroundings } from '../output.ts';
import { awardsIn, leasesIn, subscriptionsIn } from './guard-memory.ts';
import type { SpacePlace } from './place.ts';
import { isLive, readSpace } from './read-space.ts';
import { oneLine, timeText } from './terminal-text.ts';

/** Marks that count now, and those that are over: superseded, withdrawn, resolved or expired. */
interface Counted {
  marks: number;
  live: number;
  over: number;
}

/** What is in a space, in numbers; times are epoch milliseconds. */
export interface SpaceStats {
  readonly space: string;
  readonly records: number;
  /** Of the log's file; null where it is not in a file. */
  readonly bytes: number | null;
  readonly span: { readonly first: number | null; readonly last: number | null };
  readonly marks: number;
  readonly live: number;
  readonly over: number;
  readonly kinds: Readonly<Record<string, Counted>>;
  readonly scopes: Readonly<Record<string, Counted>>;
  readonly agents: Readonly<Record<string, Counted>>;
  /** Calls that the guard decided, folded ones included. */
  readonly calls: number;
  readonly verdicts: Readonly<Record<string, number>>;
  /** By code. */
  readonly denials: Readonly<Record<string, number>>;
  readonly needs: { readonly open: number; readonly blocking: number };
  readonly leases: readonly { readonly scope: string; readonly resource: string; readonly agent: string }[];
  readonly awards: readonly {
    readonly scope: string;
    readonly resource: string;
    readonly agent: string;
    readonly until: number;
  }[];
  readonly boundaries: readonly { readonly scope: string; readonly agents: number; readonly since: number }[];
  readonly restrictions: number;
  readonly subscriptions: Readonly<Record<string, number>>;
  readonly budgets: readonly {
    readonly agent: string;
    readonly dimension: string;
    readonly used: number;
    readonly limit: number;
  }[];
  /** Whether the space has a principal, who can resolve and restore. */
  readonly principal: boolean;
}

/** `hivemark space stats <where>`. */
export async function statsCommand(
  where: string | undefined,
  flags: { readonly json?: boolean },
  world: Surroundings,
  now = Date.now(),
): Promise<ExitCode> {
  const stats = await statsOf(where, world, now);
  world.output.out(flags.json === true ? `${JSON.stringify(stats)}\n` : statsText(stats));
  return EXIT.done;
}

async function statsOf(where: string | undefined, world: Surroundings, now: number): Promise<SpaceStats> {
  const verdicts = new Map<string, number>();
  const denials = new Map<string, number>();
  let calls = 0;
  const span = new Span();
  const { place, head, index, state, grants } = await readSpace(where, world, ({ at, verdict, denial, count = 1 }) => {
    calls += count;
    add(verdicts, verdict, count);
    if (denial !== undefined) add(denials, denial.code, count);
    span.add(at);
  });
  const total: Counted = { marks: 0, live: 0, over: 0 };
  const kinds = new Map<string, Counted>();
  const scopes = new Map<string, Counted>();
  const agents = new Map<string, Counted>();
  for (const kind of MARK_KINDS) {
    for (const { mark } of index.byKind(kind)) {
      const live = isLive(index, mark, now);
      span.add(mark.createdAt);
      for (const counted of [total, of(kinds, kind), of(scopes, mark.scope), of(agents, mark.agent)]) {
        counted.marks += 1;
        if (live) counted.live += 1;
        else counted.over += 1;
      }
    }
  }
  const needs = [...index.openNeeds()];
  return {
    space: place.name,
    records: head.seq,
    bytes: bytesOf(place),
    span: { first: span.first, last: span.last },
    ...total,
    kinds: Object.fromEntries(kinds),
    scopes: sorted(scopes),
    agents: sorted(agents),
    calls,
    verdicts: sorted(verdicts),
    denials: sorted(denials),
    needs: { open: needs.length, blocking: needs.filter(({ blocking }) => blocking).length },
    leases: leasesIn(state).map(({ scope, resource, agent }) => ({ scope, resource, agent })),
    awards: awardsIn(state, now).map(({ scope, resource, agent, until }) => ({ scope, resource, agent, until })),
    boundaries: [...waitingScopes(state, now)].map(([scope, { since, agents: waiting }]) => ({
      scope,
      agents: waiting,
      since,
    })),
    restrictions: [...standingRestrictions(state)].length,
    subscriptions: Object.fromEntries(subscriptionsIn(state).map(({ agent, names }) => [agent, names.length])),
    budgets: [...grants.values()].flatMap((grant) =>
      budgetLines(state, grant).map(({ dimension, used, limit }) => ({ agent: grant.agent, dimension, used, limit })),
    ),
    principal: principalTokenSha256(state) !== undefined,
  };
}

/** The earliest and the latest time that was added. */
class Span {
  first: number | null = null;
  last: number | null = null;
  add(at: number): void {
    this.first = Math.min(this.first ?? at, at);
    this.last = Math.max(this.last ?? at, at);
  }
}

function of(counts: Map<string, Counted>, name: string): Counted {
  let found = counts.get(name);
  if (found === undefined) counts.set(name, (found = { marks: 0, live: 0, over: 0 }));
  return found;
}

function add(counts: Map<string, number>, name: string, count: number): void {
  counts.set(name, (counts.get(name) ?? 0) + count);
}

function sorted<Value>(counts: ReadonlyMap<string, Value>): Record<string, Value> {
  return Object.fromEntries([...counts].sort(([a], [b]) => (a < b ? -1 : 1)));
}

function bytesOf(place: SpacePlace): number | null {
  if (place.kind !== 'file') return null;
  return [place.file, `${place.file}-wal`].reduce(
    (sum, file) => sum + (statSync(file, { throwIfNoEntry: false })?.size ?? 0),
    0,
  );
}

/** Rows of one table that are printed; `--json` has all. */
const MOST_ROWS = 40;

function statsText(stats: SpaceStats): string {
  const { span, verdicts, denials, needs, leases, awards, boundaries, restrictions, subscriptions, budgets } = stats;
  const size = stats.bytes === null ? '' : `, ${stats.bytes} bytes`;
  const time = span.first === null ? '' : `, ${timeText(span.first)} to ${timeText(span.last ?? span.first)}`;
  const subscribed = Object.values(subscriptions).reduce((sum, count) => sum + count, 0);
  const parts = [
    `${oneLine(stats.space)}: ${stats.records} records${size}${time}`,
    `${stats.marks} marks, ${stats.live} live, ${stats.over} over; ${stats.calls} calls`,
    countTable('kind', stats.kinds),
    countTable('scope', stats.scopes),
    countTable('agent', stats.agents),
    `verdicts: ${countsText(verdicts)}\ndenials: ${countsText(denials)}`,
    [
      `open needs: ${needs.open} (${needs.blocking} blocking)`,
      `leases: ${leases.length}, awards: ${awards.length}, waiting boundaries: ${boundaries.length}`,
      `restrictions: ${restrictions}, subscriptions: ${subscribed}, principal: ${stats.principal ? 'yes' : 'none'}`,
      ...budgets.map(({ agent, dimension, used, limit }) => `budget of ${agent}: ${dimension} ${used} of ${limit}`),
    ].join('\n'),
  ];
  return `${parts.filter((part) => part !== '').join('\n\n')}\n`;
}

function countTable(what: string, counts: Readonly<Record<string, Counted>>): string {
  const all = Object.entries(counts).sort(([, a], [, b]) => b.marks - a.marks);
  if (all.length === 0) return '';
  const rows = all
    .slice(0, MOST_ROWS)
    .map(([name, { marks, live, over }]) => [oneLine(name, 60), ...[marks, live, over].map(String)]);
  const more = all.length > MOST_ROWS ? `\n... ${all.length} in all; --json has them` : '';
  return `${textTable([[what, 'marks', 'live', 'over'], ...rows], [1, 2, 3])}${more}`;
}

function countsText(counts: Readonly<Record<string, number>>): string {
  const parts = Object.entries(counts).map(([name, count]) => `${oneLine(name)} ${count}`);
  return parts.length === 0 ? 'none' : parts.join(', ');
}
