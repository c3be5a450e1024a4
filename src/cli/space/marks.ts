import { nearestName } from '../../agents/model-spec.ts';
import { textTable } from '../../report/text-table.ts';
import type { MarkIndex } from '../../space/mark-index.ts';
import { isMarkKind, type Mark, MARK_KINDS, type MarkKind, type ProjectedMark } from '../../space/marks.ts';
import { type MarkQuery, queryMarks } from '../../space/query.ts';
import { effectiveStrength } from '../../space/strength.ts';
import { EXIT, type ExitCode, type Surroundings, UsageError } from '../output.ts';
import { agentFrom, scopeFrom } from './names.ts';
import { isLive, readSpace } from './read-space.ts';
import { oneLine, timeText } from './terminal-text.ts';

export interface MarksFlags {
  readonly scope?: string;
  readonly under?: string;
  readonly kind?: string;
  readonly topic?: string;
  readonly resource?: string;
  readonly agent?: string;
  readonly since?: string;
  readonly last?: number;
  readonly live?: boolean;
  readonly json?: boolean;
}

/** A mark as `--json` prints it: whole, with its place in the log and what counts of it now. */
export type ShownMark = (Mark | ProjectedMark) & {
  readonly seq: number;
  /** By the protocol's trust weights. */
  readonly strengthNow: number;
  readonly live: boolean;
};

/** `hivemark space marks <where>`: marks in log order, with their strength now. With `--json` one array. */
export async function marksCommand(
  where: string | undefined,
  flags: MarksFlags,
  world: Surroundings,
  now = Date.now(),
): Promise<ExitCode> {
  const query = queryOf(flags);
  const since = flags.since === undefined ? undefined : parseSince(flags.since, now);
  const { index } = await readSpace(where, world);
  const found = queryMarks(index, undefined, query, now)
    .filter((mark) => since === undefined || mark.createdAt >= since)
    .map((mark) => shownMark(index, mark, now))
    .filter(({ live }) => live || flags.live !== true);
  const marks = flags.last === undefined ? found : found.slice(-flags.last);
  if (flags.json === true) printJson(marks, world);
  else world.output.out(marksText(marks));
  return EXIT.done;
}

/** Mark by mark: all of a large space need not be one string. */
function printJson(marks: readonly ShownMark[], { output, signal }: Surroundings): void {
  for (const [i, mark] of marks.entries()) {
    if (i % 512 === 0) signal.throwIfAborted();
    output.out(`${i === 0 ? '[' : ',\n'}${JSON.stringify(mark)}`);
  }
  output.out(marks.length === 0 ? '[]\n' : ']\n');
}

function shownMark(index: MarkIndex, mark: Mark | ProjectedMark, now: number): ShownMark {
  const strengthNow = effectiveStrength(index, mark, now);
  return { seq: index.seqOf(mark.id) ?? 0, ...mark, strengthNow, live: isLive(index, mark, now) };
}

function queryOf({ scope, under, kind, topic, resource, agent }: MarksFlags): MarkQuery {
  return {
    ...(scope === undefined ? {} : { scope: scopeFrom(scope) }),
    ...(under === undefined ? {} : { under: scopeFrom(under) }),
    ...(kind === undefined ? {} : { kind: parseKind(kind) }),
    ...(topic === undefined ? {} : { topic }),
    ...(resource === undefined ? {} : { resource }),
    ...(agent === undefined ? {} : { agent: agentFrom(agent) }),
  };
}

/** @throws {UsageError} */
export function parseKind(kind: string): MarkKind {
  if (isMarkKind(kind)) return kind;
  const nearest = nearestName(kind, MARK_KINDS);
  const hint = nearest === undefined ? '' : `. Did you mean ${nearest}?`;
  throw new UsageError(`${JSON.stringify(oneLine(kind, 40))} is not a kind of mark (${MARK_KINDS.join(', ')})${hint}`);
}

const UNIT_MS: Readonly<Record<string, number>> = {
  ms: 1,
  s: 1000,
  m: 60_000,
  h: 3_600_000,
  d: 86_400_000,
  w: 604_800_000,
};

/**
 * A time as people give it: a duration before now (`90s`, `2h`, `1.5d`), epoch milliseconds, or an ISO date.
 *
 * @returns epoch milliseconds
 * @throws {UsageError}
 */
export function parseSince(text: string, now: number): number {
  const [, amount, unit] = /^(\d+(?:\.\d+)?)(ms|s|m|h|d|w)$/u.exec(text) ?? [];
  const unitMs = UNIT_MS[unit ?? ''];
  if (amount !== undefined && unitMs !== undefined) return now - Number(amount) * unitMs;
  if (/^\d{9,}$/u.test(text)) return Number(text);
  const at = /^\d{4}-\d\d-\d\d/u.test(text) ? Date.parse(text) : Number.NaN;
  if (!Number.isNaN(at)) return at;
  throw new UsageError(
    `${JSON.stringify(oneLine(text, 40))} is no time: give a duration (90s, 2h, 1d), an ISO date (2026-11-21T08:00:00Z) or epoch milliseconds`,
  );
}

const HEAD = ['seq', 'kind', 'agent', 'scope', 'about', 'strength', 'written', 'says', 'id'];

function marksText(marks: readonly ShownMark[]): string {
  if (marks.length === 0) return '(no marks)\n';
  const rows = marks.map((mark) => [
    String(mark.seq),
    mark.kind,
    mark.agent,
    oneLine(mark.scope, 32),
    oneLine(aboutOf(mark), 32),
    mark.live ? mark.strengthNow.toFixed(2) : 'over',
    timeText(mark.createdAt),
    oneLine(contentOf(mark), 60),
    oneLine(mark.id, 120),
  ]);
  return `${textTable([HEAD, ...rows], [0, 5])}\n`;
}

function aboutOf(mark: Mark): string {
  if ('topic' in mark) return mark.topic;
  return 'resource' in mark && mark.resource !== undefined ? mark.resource : '-';
}

function contentOf(mark: Mark): string {
  switch (mark.kind) {
    case 'intent':
      return mark.action;
    case 'action':
      return `${mark.action}${mark.failed === true ? ' (failed)' : ''}: ${JSON.stringify(mark.result)}`;
    case 'observation':
      return JSON.stringify(mark.content);
    case 'warning':
      return `${mark.severity}: ${mark.reason}`;
    case 'need':
      return mark.question;
  }
}
