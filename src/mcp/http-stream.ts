import type { ServerResponse } from 'node:http';

/**
 * An answer on its way to a client. It is read from the SDK as fast as it comes and handed to the socket at once: what a slow client
 * has not taken is then in one place, where it is counted.
 */
export class AnswerStream {
  /** Settles when the answer was handed over to its end, or its client went before. */
  readonly finished: Promise<void>;
  readonly #response: ServerResponse;
  readonly #reader: ReadableStreamDefaultReader<Uint8Array> | undefined;
  readonly #room: () => void;
  #seen = { written: -1, at: 0 };

  /** @param room called before each piece: the place to look at how much waits */
  constructor(answer: Response, response: ServerResponse, room: () => void) {
    this.#response = response;
    this.#room = room;
    const { connection: _, ...headers } = Object.fromEntries(answer.headers);
    // Whether the connection is kept is between the client and Node, whatever the SDK says of it.
    response.writeHead(answer.status, { 'X-Content-Type-Options': 'nosniff', ...headers });
    this.#reader = answer.body?.getReader();
    this.finished = this.#pump();
  }

  /** Bytes that the client has not taken. */
  get unread(): number {
    return this.#response.destroyed ? 0 : this.#response.writableLength;
  }

  /** Ends the answer where it is: nothing more of it is sent. */
  stop(): void {
    void this.#reader?.cancel().catch(() => undefined);
  }

  /** Ends the connection too, with what waits on it. */
  cut(): void {
    this.#response.destroy();
  }

  /** Whether the client has taken nothing for so long, though something waits; to be asked now and then. */
  isStalled(now: number, afterMs: number): boolean {
    const written = this.#response.socket?.bytesWritten ?? 0;
    const handed = written - (this.#response.socket?.writableLength ?? 0);
    if (this.unread === 0 || handed !== this.#seen.written) {
      this.#seen = { written: handed, at: now };
      return false;
    }
    return now - this.#seen.at >= afterMs;
  }

  async #pump(): Promise<void> {
    const response = this.#response;
    const reader = this.#reader;
    if (reader === undefined) {
      response.end();
      return;
    }
    const onClose = () => void reader.cancel().catch(() => undefined);
    response.once('close', onClose);
    // An answer without a first message yet: its head tells the client that it is on its way.
    response.flushHeaders();
    try {
      if (response.destroyed) onClose();
      for (;;) {
        const { done, value } = await reader.read();
        if (done) break;
        this.#room();
        if (response.destroyed) break;
        response.write(value);
      }
    } catch {
      // A stream of the SDK that failed: for the client, a connection that broke.
      response.destroy();
    } finally {
      response.off('close', onClose);
    }
    response.end();
  }
}
