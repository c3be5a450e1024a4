import { parseForeignJson } from './json-text.ts';
import { CHILD_LIMITS } from './limits.ts';
import type { HostFunction, Json, SandboxLimits } from './sandbox.ts';

/** One for all: the stack of a new one costs more than the rest of ending a case. */
const CASE_OVER = new DOMException('the case is over', 'AbortError');

type Reply = (id: number, ok: boolean, text: string) => void;

/**
 * The host functions of one run: counts and caps the calls, runs them, and turns whatever they throw into a code. Calls that are
 * still under way when their case ends are aborted, and their answers dropped.
 */
export class HostCalls {
  readonly names: readonly string[];
  readonly #functions: Readonly<Record<string, HostFunction>>;
  readonly #limits: SandboxLimits;
  #made = 0;
  #abort = new AbortController();
  #reply: Reply = () => {};
  #outstanding = 0;
  #delivered = 0;

  constructor(functions: Readonly<Record<string, HostFunction>>, limits: SandboxLimits) {
    this.#functions = functions;
    this.names = Object.keys(functions);
    this.#limits = limits;
  }

  /** Calls of this case that are not answered yet. */
  get outstanding(): number {
    return this.#outstanding;
  }

  /** Replies sent to the child in this case. */
  get deliveredCount(): number {
    return this.#delivered;
  }

  /** A new case begins: from here on `reply` hears the answers. */
  reset(reply: Reply): void {
    this.stop();
    this.#abort = new AbortController();
    this.#reply = reply;
    this.#outstanding = 0;
    this.#delivered = 0;
  }

  /** The case is over. */
  stop(): void {
    this.#abort.abort(CASE_OVER);
    this.#reply = () => {};
  }

  /** Notes that a reply goes out now. */
  delivered(): void {
    this.#outstanding--;
    this.#delivered++;
  }

  /** Starts the call a frame asks for; false when the frame is malformed (then the child is not what it should be). */
  call(payload: string): boolean {
    const asked = parseForeignJson(payload, CHILD_LIMITS.jsonDepth + 2);
    if (typeof asked !== 'object' || asked === null || !('id' in asked && 'name' in asked && 'args' in asked))
      return false;
    const { id, name, args } = asked;
    if (typeof id !== 'number' || typeof name !== 'string' || !Array.isArray(args)) return false;
    this.#outstanding++;
    const { signal } = this.#abort;
    const reply = this.#reply;
    void this.#run(name, args, signal).then(({ ok, text }) => {
      if (!signal.aborted) reply(id, ok, text);
    });
    return true;
  }

  async #run(name: string, args: readonly Json[], signal: AbortSignal): Promise<{ ok: boolean; text: string }> {
    const run = Object.hasOwn(this.#functions, name) ? this.#functions[name] : undefined;
    if (run === undefined) return { ok: false, text: 'unknown-call' };
    if (++this.#made > this.#limits.hostCalls) return { ok: false, text: 'call-limit' };
    try {
      const text = JSON.stringify((await run(args, signal)) ?? null);
      return Buffer.byteLength(text) > this.#limits.hostBytes
        ? { ok: false, text: 'reply-too-large' }
        : { ok: true, text };
    } catch (error) {
      return { ok: false, text: codeOf(error) };
    }
  }
}

/** Only a code in kebab case crosses; system codes and messages would tell about the host. */
function codeOf(error: unknown): string {
  const code = typeof error === 'object' && error !== null && 'code' in error ? error.code : undefined;
  return typeof code === 'string' && /^[a-z][a-z0-9-]{0,39}$/.test(code) ? code : 'failed';
}
