import type { RunContext } from './run-context.ts';

/** Whether the open round still waits for external agents that have not submitted. */
export interface RoundDoors {
  readonly closed: boolean;
  /** An agent's part of the round is over. */
  done(agent: string): void;
  /** No timer is left behind. */
  end(): void;
}

/**
 * Opens the doors of a round. They close once all agents that hivemark drives and a quorum of the external ones are done, or when the time is
 * up; whoever has submitted by then is evaluated all the same.
 */
export function openDoors(context: RunContext): RoundDoors {
  const { config, plan, outside, clock } = context;
  const left = new Set(plan.agents.map(({ name }) => name));
  const external = new Set(plan.agents.filter((agent) => agent.external !== undefined).map(({ name }) => name));
  const { quorum = external.size, timeoutMinutes } = config.rounds;
  const mayMiss = Math.max(0, external.size - quorum);
  const ms = timeoutMinutes * 60_000;
  const closesAt = clock() + ms;
  let closed = false;
  let timer: NodeJS.Timeout | undefined;
  const tell = (): void => outside.wait({ closesAt, agents: [...left], closed });
  const close = (): void => {
    closed = true;
    tell();
  };
  if (external.size > 0) {
    timer = setTimeout(close, Math.min(ms, 2 ** 31 - 1));
    tell();
  }
  return {
    get closed() {
      return closed;
    },
    done(agent) {
      left.delete(agent);
      if (external.size === 0) return;
      tell();
      if (left.size > 0 && left.size <= mayMiss && [...left].every((name) => external.has(name))) close();
    },
    end() {
      clearTimeout(timer);
      if (external.size > 0) outside.wait(undefined);
    },
  };
}
