import { GateClosedError } from '../guard/gate.ts';
import type { Change, Participant, Refused } from './participant.ts';

const OVER: Refused = {
  ok: false,
  code: 'run-stopped',
  message: 'the run is over, or was stopped; if there is a next one, standing says so once it is open',
};
const EVERYTHING = { marks: true, standing: true } as const;

/** One agent's seat over all runs of an experiment: connections stay, the run under them changes. */
export class FollowingSeat implements Participant {
  readonly agent: string;
  readonly external: 'mcp' | 'folder';
  #seat: Participant;
  readonly #watchers = new Set<(change: Change) => void>();
  #unwatch: (() => void) | undefined;

  constructor(seat: Participant) {
    this.agent = seat.agent;
    this.external = seat.external;
    this.#seat = seat;
  }

  /** From now on it is this seat, of the run that has opened. */
  follow(seat: Participant): void {
    const files = [...this.#paths(), ...seat.files().map(({ path }) => path)];
    this.#unwatch?.();
    this.#seat = seat;
    this.#unwatch = this.#watchers.size === 0 ? undefined : seat.watch((change) => this.#tell(change));
    this.#tell({ files: [...new Set(files)], ...EVERYTHING });
  }

  get briefing(): string {
    return this.#seat.briefing;
  }

  get notes(): string {
    return this.#seat.notes;
  }

  standing(): ReturnType<Participant['standing']> {
    return this.#seat.standing();
  }

  files(): ReturnType<Participant['files']> {
    return this.#seat.files();
  }

  read(...args: Parameters<Participant['read']>): ReturnType<Participant['read']> {
    return unlessOver(this.#seat.read(...args));
  }

  edit(...args: Parameters<Participant['edit']>): ReturnType<Participant['edit']> {
    return unlessOver(this.#seat.edit(...args));
  }

  put(...args: Parameters<Participant['put']>): ReturnType<Participant['put']> {
    return unlessOver(this.#seat.put(...args));
  }

  shell(...args: Parameters<Participant['shell']>): ReturnType<Participant['shell']> {
    return unlessOver(this.#seat.shell(...args));
  }

  submit(...args: Parameters<Participant['submit']>): ReturnType<Participant['submit']> {
    return unlessOver(this.#seat.submit(...args));
  }

  leave(draft: unknown): ReturnType<Participant['leave']> {
    return this.#seat.leave(draft);
  }

  marks(...args: Parameters<Participant['marks']>): ReturnType<Participant['marks']> {
    return this.#seat.marks(...args);
  }

  mark(id: string): ReturnType<Participant['mark']> {
    return this.#seat.mark(id);
  }

  async look(tool: string): Promise<void> {
    // A run that is over keeps no record any more, and may be looked at.
    await this.#seat.look(tool).catch((error: unknown) => {
      if (!(error instanceof GateClosedError)) throw error;
    });
  }

  refuse(tool: string, problem: string): Promise<void> {
    return this.#seat.refuse(tool, problem);
  }

  watch(listener: (change: Change) => void): () => void {
    const mine = (change: Change): void => listener(change);
    this.#watchers.add(mine);
    this.#unwatch ??= this.#seat.watch((change) => this.#tell(change));
    return () => {
      this.#watchers.delete(mine);
      if (this.#watchers.size > 0) return;
      this.#unwatch?.();
      this.#unwatch = undefined;
    };
  }

  #tell(change: Change): void {
    for (const watcher of this.#watchers) watcher(change);
  }

  /** Of the seat it leaves, whose space may be closed. */
  #paths(): string[] {
    try {
      return this.#seat.files().map(({ path }) => path);
    } catch (error) {
      if (error instanceof GateClosedError) return [];
      throw error;
    }
  }
}

async function unlessOver<T>(answer: Promise<T>): Promise<T | Refused> {
  try {
    return await answer;
  } catch (error) {
    if (error instanceof GateClosedError) return OVER;
    throw error;
  }
}
