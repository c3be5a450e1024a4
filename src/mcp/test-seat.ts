import { createToolbox } from '../agents/tools/toolbox.ts';
import type { DecisionRecord } from '../guard/decision.ts';
import { type Gate, openGate } from '../guard/gate.ts';
import { tokenSha256 } from '../guard/principal-token.ts';
import { decisionsOf } from '../guard/test-space.ts';
import type { RunShell } from '../sandbox/sandbox.ts';
import type { Log } from '../space/log.ts';
import type { Json, MarkId } from '../space/marks.ts';
import { createMemoryLog } from '../space/memory-log.ts';
import { defineScope } from '../space/scope.ts';
import { agentName, scopeName } from '../space/test-marks.ts';
import { marksAfter } from './marks-after.ts';
import type { SubmitProgress } from './participant.ts';
import { Seat, type SeatPort } from './seat.ts';

/** Of the person in charge. */
const TOKEN = 'the-principal-of-these-tests-0123456789';
const ANN = agentName('ann');
const RUNNER = agentName('runner');
const OWN = scopeName('agents/ann');
const EVALS = scopeName('evaluations/ann');
const STRATEGIES = scopeName('strategies');
const NOTES = scopeName('notes');
const ANNS_NOTES = scopeName('notes/ann');

type Noted = Parameters<SeatPort['noteRead']>[0];

/** A seat of `ann` over a real gate with a memory log; the runner's part is played by hand. */
export interface TestSeat {
  readonly seat: Seat;
  readonly gate: Gate;
  /** Reads that were noted as evidence. */
  readonly reads: readonly Noted[];
  /** What ann's calls left on record, edits' marks left out. */
  decisions(): Promise<readonly DecisionRecord[]>;
  /** The runner publishes a peer's best. */
  publish(peer: string, generation: number, files: Readonly<Record<string, string>>, score?: number): Promise<void>;
  /** The runner discloses an evaluation. */
  disclose(generation: number, files: Readonly<Record<string, string>>): Promise<void>;
  /** bob leaves an observation where ann may see it. */
  note(topic: string, content: Json): Promise<MarkId>;
  /** The person in charge answers a need. */
  resolve(need: string): Promise<void>;
  /** The round ends; nobody is told before something is committed. */
  nextRound(): void;
  /** A mark where ann may not look. */
  hide(): Promise<MarkId>;
  /** What a submission goes through; replace it to hold one up. @default at once */
  scoring: (tell: (progress: SubmitProgress) => void, signal: AbortSignal | undefined) => Promise<void>;
  /** Submissions that were taken in, and withdrawn ones. */
  readonly submissions: { taken: number; withdrawn: number };
  /** Listeners that the seat has in the gate and the run. */
  readonly listeners: () => number;
}

/** What ann begins with. */
export const BEGINNING = { 'task_agent.ts': 'export const x = 1;\nexport const y = 2;\n', 'README.md': '# ann\n' };

/** Opens one. `shell` answers in the place of a sandbox. */
export async function openTestSeat(options: { readonly shell?: RunShell; readonly log?: Log } = {}): Promise<TestSeat> {
  const log = options.log ?? createMemoryLog();
  let now = 1_000_000;
  const gate = await openGate({
    log,
    run: 'run-1',
    principalTokenSha256: tokenSha256(TOKEN),
    clock: () => (now += 1),
    scopes: [
      ...[scopeName('agents'), scopeName('evaluations'), STRATEGIES, scopeName('hidden')].map((name) =>
        defineScope({ name, visibility: 'classified', observationTopics: ['*'] }),
      ),
      defineScope({ name: NOTES, visibility: 'classified', observationTopics: ['*'], warningTopics: ['*'] }),
    ],
    grants: [
      {
        agent: RUNNER,
        read: [OWN, EVALS, STRATEGIES],
        write: ['agents', 'evaluations', 'strategies', 'hidden'].map((scope) => ({
          kind: 'observation',
          scope: scopeName(scope),
        })),
        principal: true,
      },
      {
        agent: ANN,
        read: [OWN, EVALS, STRATEGIES, NOTES],
        write: [
          { kind: 'observation', scope: OWN },
          ...(['observation', 'warning', 'need'] as const).map((kind) => ({ kind, scope: ANNS_NOTES })),
        ],
        edit: {
          scope: OWN,
          editable: ['task_agent.ts', 'notes.md'],
          required: ['task_agent.ts'],
          maxFileBytes: 400_000,
        },
      },
      { agent: agentName('bob'), read: [NOTES], write: [{ kind: 'observation', scope: scopeName('notes/bob') }] },
    ],
  });
  const runner = gate.session(RUNNER, 'runner-1');
  const bob = gate.session(agentName('bob'), 'bob-1');
  const session = gate.session(ANN, 'ann-1');
  const write = async (by: typeof runner, draft: Readonly<Record<string, unknown>>): Promise<MarkId> => {
    const outcome = await by.write({ confidence: 1, source: 'fleet', ...draft });
    if (outcome.verdict !== 'allow' || outcome.mark === undefined) throw new Error(JSON.stringify(outcome));
    return outcome.mark.id;
  };
  for (const [topic, text] of Object.entries(BEGINNING)) await write(runner, { scope: OWN, topic, content: { text } });

  const published = new Map<string, MarkId>();
  const evaluations: MarkId[] = [];
  const reads: Noted[] = [];
  const submissions = { taken: 0, withdrawn: 0 };
  let listeners = 0;
  let generation = 1;
  const test: TestSeat = {
    seat: new Seat({
      external: 'mcp',
      session,
      briefing: '# The task\n\nMake `forward` better.',
      ownScope: OWN,
      notesScope: ANNS_NOTES,
      fileNames: ['README.md', 'notes.md', 'task_agent.ts'],
      editable: ['notes.md', 'task_agent.ts'],
      evaluations: () => evaluations,
      strategies: () => [...published.values()],
      marksAfter: (seq) => marksAfter(gate.view, seq),
      hides: () => false,
      generation: () => generation,
      lastToolCall: () => 0,
      openTools: (workspace, use) =>
        createToolbox({
          workspace,
          use,
          shell: options.shell ?? (() => Promise.reject(new Error('this test has no shell'))),
          toolCallLimit: Number.MAX_SAFE_INTEGER,
        }),
      noteRead: (read) => {
        reads.push(read);
        return Promise.resolve();
      },
      standing: () => ({
        run: {
          id: 'run-1',
          experiment: 'test',
          task: 'sorting',
          round: generation,
          generations: 5,
          phase: 'open',
          closesAt: null,
          waitingFor: ['bob'],
        },
        best: generation === 1 ? null : { generation: generation - 1, score: 0.5 },
        published: null,
        budget: { roundsLeft: 5 - generation, wallMinutesLeft: null },
        denials: 0,
      }),
      async submit(_files, { signal, onProgress }) {
        submissions.taken += 1;
        try {
          await test.scoring((progress) => onProgress?.(progress), signal);
          signal?.throwIfAborted();
        } catch (error) {
          submissions.withdrawn += 1;
          throw error;
        }
        const scored = generation;
        await test.disclose(scored, { 'train.json': '[{"score":1}]\n', 'validation.json': '{"score":0.5}\n' });
        generation += 1;
        return {
          ok: true,
          generation: scored,
          status: 'accepted',
          score: 0.5,
          best: 0.5,
          published: true,
          evaluation: `evals/gen_${scored}`,
          adopted: [],
        };
      },
      onChange(listener) {
        listeners += 1;
        const off = gate.onCommit(listener);
        return () => {
          listeners -= 1;
          off();
        };
      },
    }),
    gate,
    reads,
    submissions,
    scoring: async (tell) => {
      tell({ step: 'queued', done: 0, total: 0 });
      for (const done of [0, 1]) tell({ step: 'evaluating', done, total: 4 });
      tell({ step: 'validating', done: 2, total: 4 });
      tell({ step: 'recording', done: 3, total: 4 });
    },
    async decisions() {
      await gate.flush();
      return (await decisionsOf({ read: () => gate.records() })).filter(({ agent }) => agent === ANN);
    },
    async publish(peer, at, files, score = 0.7) {
      const before = published.get(peer);
      const id = await write(runner, {
        scope: STRATEGIES,
        topic: peer,
        content: { generation: at, score, model: 'scripted', files },
        ...(before === undefined ? {} : { supersedes: before }),
      });
      published.set(peer, id);
    },
    async disclose(at, files) {
      evaluations.push(await write(runner, { scope: EVALS, topic: `gen_${at}`, content: { files } }));
    },
    note: (topic, content) => write(bob, { scope: scopeName('notes/bob'), topic, content }),
    async resolve(need) {
      const mark = session.read().find(({ id }) => id === need);
      if (mark === undefined) throw new Error(`there is no need ${need}`);
      const outcome = await gate.principal(TOKEN).resolve(mark.id, 'yes');
      if (outcome.verdict !== 'allow') throw new Error(JSON.stringify(outcome));
    },
    nextRound: () => {
      generation += 1;
    },
    hide: () => write(runner, { scope: scopeName('hidden'), topic: 'secret', content: 'gold' }),
    listeners: () => listeners,
  };
  return test;
}
