import type { MarkView } from './mark-index.ts';
import type { AgentName, MarkId, ScopeName } from './marks.ts';
import { accessOf, type Reader } from './query.ts';
import { aggregateStrength } from './strength.ts';

/** One question that waits for a person, however many agents ask it. */
export interface NeedGroup {
  /** Empty where the reader may see only the structure; such needs are not put together. */
  readonly question: string;
  readonly scope: ScopeName;
  /** The open needs that ask it, in log order; resolving means resolving each. */
  readonly needs: readonly MarkId[];
  /** Who asks, in the order they first did. */
  readonly agents: readonly AgentName[];
  /** 0..1: the strongest plus 0.3 of the rest, at most 1. @see protocol, "Marks" (aggregate) */
  readonly priority: number;
  /** Somebody cannot go on without an answer. */
  readonly blocking: boolean;
  /** `createdAt` of the oldest, epoch ms. */
  readonly oldest: number;
}

/** What the needs of a space are told from. */
export type NeedView = Pick<MarkView, 'openNeeds' | 'definitionOf'>;

/**
 * The open needs that a reader may see, equal questions of one scope as one: blocking ones first, then by priority, then by age. Costs the
 * open needs, not those that were ever asked.
 */
export function groupNeeds(view: NeedView, reader: Reader | undefined): readonly NeedGroup[] {
  const groups = new Map<string, GroupSoFar>();
  for (const need of view.openNeeds()) {
    const access = accessOf(view, reader, need.scope);
    if (access === 'none') continue;
    const question = access === 'full' ? need.question : '';
    // Scopes have no control characters; a need whose question may not be seen is alone under its id.
    const key = access === 'full' ? `${need.scope}\0${question}` : `\0${need.id}`;
    let group = groups.get(key);
    if (group === undefined) {
      group = {
        question,
        scope: need.scope,
        needs: [],
        agents: new Set(),
        priorities: [],
        blocking: false,
        oldest: need.createdAt,
      };
      groups.set(key, group);
    }
    group.needs.push(need.id);
    group.agents.add(need.agent);
    group.priorities.push(need.priority);
    group.blocking ||= need.blocking;
  }
  return [...groups.values()]
    .map(({ priorities, agents, ...group }) => ({
      ...group,
      agents: [...agents],
      priority: aggregateStrength(priorities, 1),
    }))
    .sort((a, b) => Number(b.blocking) - Number(a.blocking) || b.priority - a.priority || a.oldest - b.oldest);
}

interface GroupSoFar {
  readonly question: string;
  readonly scope: ScopeName;
  readonly needs: MarkId[];
  readonly agents: Set<AgentName>;
  readonly priorities: number[];
  blocking: boolean;
  readonly oldest: number;
}
