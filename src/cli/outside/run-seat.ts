import { randomBytes } from 'node:crypto';
import { createToolbox } from '../../agents/tools/toolbox.ts';
import { SHOWN_EVALS } from '../../experiment/generation.ts';
import type { OpenRun } from '../../experiment/open-run.ts';
import { editableBy } from '../../experiment/policy.ts';
import { rowOf } from '../../experiment/recorder.ts';
import {
  candidateId,
  evaluationScope,
  notesScope,
  ownScope,
  programFiles,
  STRATEGIES,
} from '../../experiment/run-context.ts';
import { bestOf } from '../../experiment/run-state.ts';
import { isRecord } from '../../space/json-value.ts';
import { marksAfter } from '../../mcp/marks-after.ts';
import { Seat, type SeatPort, type SeatTools } from '../../mcp/seat.ts';
import type { Sandbox } from '../../sandbox/sandbox.ts';
import type { MarkId } from '../../space/marks.ts';
import { parseAgentName } from '../../space/scope.ts';
import { briefingOf } from './briefing.ts';

/** Tools over a workspace whose shell runs in a child of its own. */
export function openSeatTools(sandbox: Sandbox): SeatPort['openTools'] {
  return (workspace, use): SeatTools =>
    createToolbox({
      workspace,
      use,
      shell: (job) => sandbox.shell(job),
      toolCallLimit: Number.MAX_SAFE_INTEGER,
    });
}

/** An id no other session of the agent has: ids of marks and decisions are made of it. */
export function newEpoch(): string {
  return `o${Date.now().toString(36)}-${randomBytes(6).toString('hex')}`;
}

/** The seat of an external agent in a run that is open. @throws {RangeError} for an agent that is not external in it */
export function openRunSeat({ context }: OpenRun, agent: string): Seat {
  const { gate, config, plan, task, state, outside, outsideSteps, recorder, meter, news, sandbox } = context;
  const external = plan.agents.find(({ name }) => name === agent)?.external;
  if (external === undefined) throw new RangeError(`${agent} is no external agent of ${plan.id}`);
  const editable = editableBy(external, config);
  const strategies = (): readonly MarkId[] =>
    Object.entries(state.last?.agents ?? {}).flatMap(([peer, { published }]) =>
      peer === agent || published === null ? [] : [published.mark],
    );
  const session = gate.session(parseAgentName(agent), newEpoch());
  return new Seat({
    external,
    session,
    briefing: briefingOf(context, agent, editable),
    ownScope: ownScope(agent),
    notesScope: notesScope(agent),
    fileNames: [...new Set([...Object.keys(programFiles(task.files)), ...editable])].sort(),
    editable,
    // Also the one of the round that is open, once it is there.
    evaluations: () =>
      session.read({ scope: evaluationScope(agent), live: true, last: SHOWN_EVALS }).map(({ id }) => id),
    strategies,
    marksAfter: (seq) => marksAfter(gate.view, seq),
    // Nobody sees another's output of the same round.
    hides: (mark) =>
      mark.scope === STRATEGIES &&
      mark.kind === 'observation' &&
      isRecord(mark.content) &&
      Number(mark.content['generation']) > (state.last?.round ?? -1),
    generation: () => outside.generation(agent),
    lastToolCall: () => outsideSteps.lastToolCall(agent, outside.generation(agent)),
    openTools: openSeatTools(sandbox),
    notYet: () =>
      state.last === undefined
        ? 'the initial programs are being scored; your files are yours once round 1 is open (standing says when)'
        : undefined,
    noteRead: async ({ generation, toolCall, tool, path, sha256 }, durably) => {
      if (generation > config.generations) return;
      const id = `${agent}/${generation}/${toolCall}/${path}`;
      const row = rowOf('reads', id, { id, agent, generation, toolCall, tool, path, sha256 });
      const recorded = recorder.record([row], { lazy: !durably });
      // If the log cannot be written, the next call that waits for it says so.
      if (durably) await recorded;
      else recorded.catch(() => undefined);
    },
    standing: () => {
      const best = bestOf(state, agent);
      const published = state.last?.agents[agent]?.published;
      const wall = meter.wallLeftMs();
      const { waiting } = outside;
      return {
        run: {
          id: plan.id,
          experiment: config.name,
          task: task.task.name,
          round: outside.round,
          generations: config.generations,
          phase: outside.phase(agent),
          closesAt: waiting?.closesAt ?? null,
          waitingFor: (waiting?.agents ?? []).filter((name) => !state.candidates.has(candidateId(name, outside.round))),
        },
        best: best === undefined ? null : { generation: best.generation, score: outside.disclosed(best.score) },
        published: published == null ? null : { generation: published.generation },
        budget: {
          roundsLeft: Math.max(0, config.generations - outside.generation(agent) + 1),
          wallMinutesLeft: Number.isFinite(wall) ? Math.max(0, Math.ceil(wall / 60_000)) : null,
        },
        denials: state.denials.get(agent) ?? 0,
      };
    },
    submit: (files, options) => outside.submit(agent, files, options),
    onChange: (listener) => {
      const offNews = news.on(listener);
      const offCommit = gate.onCommit(listener);
      return () => {
        offNews();
        offCommit();
      };
    },
  });
}
