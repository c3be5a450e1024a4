import { setTimeout as sleep } from 'node:timers/promises';
import { waitBefore } from './postgres-connection.ts';
import { channelOf, parseNotice, readHead, type StoredHead } from './postgres-head.ts';
import type { PostgresSession } from './postgres-session.ts';

/** How often the head is asked for although nothing was heard: what a lost notice costs, and how a silent connection is noticed. */
const POLL_MS = 3_000;

/** Hears of the head of a space as others move it: by notices, and by asking at every (re)connection and every few seconds. */
export class PostgresListener {
  readonly #open: () => Promise<PostgresSession>;
  readonly #space: string;
  readonly #onHead: (head: StoredHead) => void;
  readonly #stopping = new AbortController();
  readonly #running: Promise<void>;

  /** Starts at once. `onHead` may be told the same head twice, and an older one after a newer one. */
  constructor(open: () => Promise<PostgresSession>, space: string, onHead: (head: StoredHead) => void) {
    this.#open = open;
    this.#space = space;
    this.#onHead = onHead;
    this.#running = this.#run();
  }

  async stop(): Promise<void> {
    this.#stopping.abort();
    await this.#running;
  }

  async #run(): Promise<void> {
    for (let failures = 0; !this.#stopping.signal.aborted; ) {
      let session: PostgresSession | undefined;
      try {
        session = await this.#open();
        failures = 0;
        await this.#listen(session);
      } catch {
        // Whatever it was, it is over: again, less and less often.
        failures += 1;
      } finally {
        await session?.close();
      }
      if (failures > 0) await this.#pause(waitBefore(failures), []);
    }
  }

  async #listen(session: PostgresSession): Promise<void> {
    const lost = new AbortController();
    session.onLost(() => lost.abort());
    session.onNotification((notice) => {
      const head = parseNotice(notice);
      if (head !== undefined) this.#onHead(head);
    });
    await session.run(`LISTEN ${channelOf(this.#space)}`);
    while (!this.#stopping.signal.aborted) {
      this.#onHead(await readHead(session, this.#space));
      await this.#pause(POLL_MS, [lost.signal]);
    }
  }

  async #pause(ms: number, wakers: readonly AbortSignal[]): Promise<void> {
    const signal = AbortSignal.any([this.#stopping.signal, ...wakers]);
    await sleep(ms, undefined, { signal }).catch(() => undefined);
  }
}
