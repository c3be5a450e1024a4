import { createSandbox } from '../../sandbox/create-sandbox.ts';
import { type Gate, openGate } from '../../guard/gate.ts';
import type { Grant } from '../../guard/grants.ts';
import { makePrincipal } from '../../experiment/principal-file.ts';
import { notesScope, ownScope, STRATEGIES } from '../../experiment/run-context.ts';
import type { Participant } from '../../mcp/participant.ts';
import { marksAfter } from '../../mcp/marks-after.ts';
import { Seat } from '../../mcp/seat.ts';
import type { Sandbox } from '../../sandbox/sandbox.ts';
import type { Log } from '../../space/log.ts';
import { defineScope, parseAgentName, parseScopeName, type ScopeDefinition } from '../../space/scope.ts';
import type { Surroundings } from '../output.ts';
import { newEpoch, openSeatTools } from './run-seat.ts';

/** Files that an agent of a space without a run may have. */
const FILES = ['README.md', 'meta_agent.ts', 'notes.md', 'task_agent.ts'] as const;
const MAX_FILE_BYTES = 65_536;
const NOTES = parseScopeName('notes');
const NOTE_KINDS = ['observation', 'warning', 'need'] as const;
const TOLD: readonly string[] = ['*'];

const BRIEFING = `# A shared space

There is no run here, and nothing to submit: it is a space of marks that you share with others, behind a guard.

- Your own files (${FILES.map((name) => `\`${name}\``).join(', ')}) are yours to edit, and nobody else sees them.
- Your notes (observations, warnings, needs) are seen by everybody here; read_marks shows those of the others.
- What is refused says why, and is on record like everything else.
`;

/** A space that agents share without a run: their own files, and notes that all of them see. */
export interface Commons {
  /** The seat of an agent; agents are let in as they come. */
  seat(agent: string): Promise<Participant>;
  close(): Promise<void>;
}

/** Opens a space for agents from outside; takes the log over. Several processes may have one space of PostgreSQL open. */
export async function openCommons(log: Log, { env }: Pick<Surroundings, 'env'>): Promise<Commons> {
  const principal = log.head().seq > 0 ? {} : { principalTokenSha256: await makePrincipal(env) };
  const denials = new Map<string, number>();
  const gate = await openGate({
    log,
    run: 'commons',
    clock: () => Date.now(),
    scopes: [parseScopeName('agents'), STRATEGIES]
      .map((name) => defineScope({ name, visibility: 'classified' }))
      .concat(notes(NOTES)),
    observe: ({ agent, verdict, count = 1 }) => {
      if (verdict === 'denied') denials.set(agent, (denials.get(agent) ?? 0) + count);
    },
    ...principal,
  });
  return new OpenCommons(gate, denials);
}

function notes(name: ReturnType<typeof parseScopeName>): ScopeDefinition {
  return defineScope({ name, visibility: 'open', observationTopics: TOLD, warningTopics: TOLD });
}

class OpenCommons implements Commons {
  readonly #gate: Gate;
  readonly #sandbox: Sandbox = createSandbox({ onNotice: () => undefined });
  readonly #seats = new Map<string, Promise<Participant>>();

  /** Since it was opened, by agent. */
  readonly #denials: ReadonlyMap<string, number>;

  constructor(gate: Gate, denials: ReadonlyMap<string, number>) {
    this.#gate = gate;
    this.#denials = denials;
  }

  seat(agent: string): Promise<Participant> {
    const known = this.#seats.get(agent);
    if (known !== undefined) return known;
    const seat = this.#open(agent);
    this.#seats.set(agent, seat);
    seat.catch(() => this.#seats.delete(agent));
    return seat;
  }

  async close(): Promise<void> {
    await this.#gate.close();
    await this.#sandbox.close();
  }

  async #open(name: string): Promise<Participant> {
    const agent = parseAgentName(name);
    const grant: Grant = {
      agent,
      read: [ownScope(name), NOTES, STRATEGIES],
      write: [
        { kind: 'observation', scope: ownScope(name) },
        ...NOTE_KINDS.map((kind) => ({ kind, scope: notesScope(name) })),
      ],
      edit: { scope: ownScope(name), editable: [...FILES], required: [], maxFileBytes: MAX_FILE_BYTES },
    };
    const own = defineScope({ name: ownScope(name), visibility: 'classified', observationTopics: TOLD });
    await this.#gate.admit(grant, [own, notes(notesScope(name))]);
    const session = this.#gate.session(agent, newEpoch());
    return new Seat({
      external: 'mcp',
      session,
      briefing: BRIEFING,
      ownScope: ownScope(name),
      notesScope: notesScope(name),
      fileNames: FILES,
      editable: FILES,
      evaluations: () => [],
      strategies: () => session.read({ scope: STRATEGIES, live: true }).map(({ id }) => id),
      marksAfter: (seq) => marksAfter(this.#gate.view, seq),
      hides: () => false,
      generation: () => 0,
      lastToolCall: () => 0,
      openTools: openSeatTools(this.#sandbox),
      // There is no program to hold against what was read.
      noteRead: () => Promise.resolve(),
      standing: () => ({
        run: null,
        best: null,
        published: null,
        budget: { roundsLeft: null, wallMinutesLeft: null },
        denials: this.#denials.get(name) ?? 0,
      }),
      submit: () =>
        Promise.resolve({
          ok: false,
          code: 'no-run',
          message:
            'this space has no run: there is nothing to submit to; take part in an experiment (hivemark mcp --experiment ...)',
        }),
      onChange: (listener) => this.#gate.onCommit(listener),
    });
  }
}
