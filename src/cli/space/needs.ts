import { textTable } from '../../report/text-table.ts';
import { isExpired, type MarkIndex } from '../../space/mark-index.ts';
import type { Intent } from '../../space/marks.ts';
import { groupNeeds, type NeedGroup } from '../../space/needs.ts';
import { EXIT, type ExitCode, type Surroundings } from '../output.ts';
import { readSpace } from './read-space.ts';
import { oneLine, timeText } from './terminal-text.ts';

/** Where the guard asks which of several may have a resource: what `--winner` may name. */
export interface Contest {
  readonly resource: string;
  readonly contenders: readonly Pick<Intent, 'id' | 'agent' | 'action' | 'confidence'>[];
}

/** An open question as `--json` prints it. */
export type ShownNeed = NeedGroup & {
  /** What the first who asked said about it. */
  readonly context: unknown;
  readonly contest?: Contest;
};

/** `hivemark space needs <where>`: what waits for a person, the most pressing first. */
export async function needsCommand(
  where: string | undefined,
  flags: { readonly json?: boolean },
  world: Surroundings,
  now = Date.now(),
): Promise<ExitCode> {
  const { index } = await readSpace(where, world);
  const needs = groupNeeds(index, undefined).map((group) => shownNeed(index, group, now));
  world.output.out(flags.json === true ? `${JSON.stringify(needs)}\n` : needsText(needs));
  return EXIT.done;
}

function shownNeed(index: MarkIndex, group: NeedGroup, now: number): ShownNeed {
  const [first] = group.needs;
  const need = first === undefined ? undefined : index.byId(first);
  const context = need?.kind === 'need' ? need.context : null;
  const contest = need?.agent === 'guard' ? contestOf(index, group, context, now) : undefined;
  return { ...group, context, ...(contest === undefined ? {} : { contest }) };
}

function contestOf(index: MarkIndex, { scope }: NeedGroup, context: unknown, now: number): Contest | undefined {
  if (typeof context !== 'object' || context === null || !('resource' in context)) return undefined;
  const { resource } = context;
  if (typeof resource !== 'string') return undefined;
  const ttlMs = index.definitionOf(scope)?.intentTtlMs ?? Infinity;
  const contenders: Contest['contenders'][number][] = [];
  for (const claim of index.claims(scope, resource)) {
    if (claim.kind !== 'intent' || isExpired(claim, now, ttlMs)) continue;
    const { id, agent, action, confidence } = claim;
    contenders.push({ id, agent, action, confidence });
  }
  return { resource, contenders };
}

function needsText(needs: readonly ShownNeed[]): string {
  if (needs.length === 0) return '(nobody waits for an answer)\n';
  const rows = needs.map(({ blocking, priority, oldest, scope, agents, question }) => [
    blocking ? 'yes' : 'no',
    priority.toFixed(2),
    timeText(oldest),
    oneLine(scope, 32),
    oneLine(agents.join(', '), 40),
    oneLine(question, 100),
  ]);
  const ids = needs.flatMap((need, i) => [
    `${i + 1}  ${need.needs.map((id) => oneLine(id)).join('  ')}`,
    ...(need.contest?.contenders ?? []).map(
      ({ id, agent, action, confidence }) =>
        `     --winner ${oneLine(id)}  (${agent}: ${oneLine(action, 40)}, confidence ${confidence})`,
    ),
  ]);
  const head = ['', 'blocking', 'priority', 'since', 'scope', 'asked by', 'question'];
  const table = textTable([head, ...rows.map((row, i) => [String(i + 1), ...row])], [0, 2]);
  return `${table}\n\nanswer with: hivemark space resolve <where> <need> --answer <text>\n${ids.join('\n')}\n`;
}
