import type { EventStore } from '@modelcontextprotocol/sdk/server/streamableHttp.js';
import type { JSONRPCMessage, RequestId } from '@modelcontextprotocol/sdk/types.js';

/** Streams that ended and are still known by name. */
const MAX_ENDED = 512;

interface Stream {
  readonly id: string;
  readonly number: number;
  /** Of its next event. */
  next: number;
  /** No more will come. @default undefined: more may */
  ended?: readonly RequestId[];
  /** The last event that is not kept any more. */
  dropped: number;
}

interface Kept {
  readonly stream: Stream;
  readonly seq: number;
  readonly message: JSONRPCMessage;
  readonly bytes: number;
  readonly at: number;
}

/** What a client gets that comes back to a stream that ended meanwhile. */
export interface Rest {
  readonly events: readonly { readonly id: string; readonly message: JSONRPCMessage }[];
  /** Requests whose answers were on the stream; with `lost` some of it is not kept any more. */
  readonly ids: readonly RequestId[];
  readonly lost: boolean;
}

/** The newest messages of one session's streams, for a client that lost its connection: the oldest go first when they take too much. */
export class EventBuffer implements EventStore {
  readonly #maxBytes: number;
  readonly #now: () => number;
  readonly #onStream: (streamId: string) => void;
  readonly #streams = new Map<string, Stream>();
  readonly #byNumber = new Map<number, Stream>();
  /** By event id, oldest first. */
  readonly #kept = new Map<string, Kept>();
  #bytes = 0;
  #numbers = 0;

  /** @param onStream told the id of each new stream while it is made */
  constructor(maxBytes: number, now: () => number, onStream: (streamId: string) => void) {
    this.#maxBytes = maxBytes;
    this.#now = now;
    this.#onStream = onStream;
  }

  storeEvent(streamId: string, message: JSONRPCMessage): Promise<string> {
    const stream = this.#streams.get(streamId) ?? this.#newStream(streamId);
    const seq = stream.next++;
    const id = `${stream.number}-${seq}`;
    // The SDK opens a stream with an event that carries nothing; what comes after a stream was ended is for nobody.
    if ('jsonrpc' in message && stream.ended === undefined) {
      const bytes = JSON.stringify(message).length;
      this.#kept.set(id, { stream, seq, message, bytes, at: this.#now() });
      this.#bytes += bytes;
      for (const [oldest] of this.#kept) {
        if (this.#bytes <= this.#maxBytes) break;
        this.#drop(oldest);
      }
    }
    return Promise.resolve(id);
  }

  getStreamIdForEventId(eventId: string): Promise<string | undefined> {
    return Promise.resolve(this.streamOf(eventId));
  }

  async replayEventsAfter(
    lastEventId: string,
    { send }: { readonly send: (eventId: string, message: JSONRPCMessage) => Promise<void> },
  ): Promise<string> {
    const found = this.#find(lastEventId);
    if (found === undefined) return '';
    for (const { id, message } of this.#after(found.stream, found.seq)) await send(id, message);
    return found.stream.id;
  }

  /** The stream that an event was on; undefined for what was never an event's id here. */
  streamOf(eventId: string): string | undefined {
    return this.#find(eventId)?.stream.id;
  }

  /** What there is after an event, if its stream has ended; undefined: it has not, or is not known. */
  rest(lastEventId: string): Rest | undefined {
    const found = this.#find(lastEventId);
    if (found === undefined) return undefined;
    const { stream, seq } = found;
    const { ended: ids, dropped } = stream;
    return ids && { events: this.#after(stream, seq), ids, lost: dropped > seq };
  }

  /** No more comes on a stream. With `forget`, nothing that came is told any more either. */
  end(streamId: string, ids: readonly RequestId[], forget = false): void {
    const stream = this.#streams.get(streamId);
    if (stream === undefined) return;
    stream.ended = ids;
    if (forget) {
      for (const { id } of this.#after(stream, -1)) this.#drop(id);
      stream.dropped = -1;
    }
    if (this.#streams.size <= MAX_ENDED) return;
    for (const [id, old] of this.#streams) {
      if (old.ended === undefined) continue;
      this.#streams.delete(id);
      this.#byNumber.delete(old.number);
      break;
    }
  }

  /** Drops what was kept before `before` of streams that have ended. */
  expire(before: number): void {
    for (const [id, { stream, at }] of this.#kept) {
      if (at >= before) break;
      if (stream.ended !== undefined) this.#drop(id);
    }
  }

  #newStream(id: string): Stream {
    const stream: Stream = { id, number: this.#numbers++, next: 0, dropped: -1 };
    this.#streams.set(id, stream);
    this.#byNumber.set(stream.number, stream);
    this.#onStream(id);
    return stream;
  }

  #find(eventId: string): { readonly stream: Stream; readonly seq: number } | undefined {
    const match = /^(\d{1,15})-(\d{1,15})$/u.exec(eventId);
    const stream = this.#byNumber.get(Number(match?.[1]));
    const seq = Number(match?.[2]);
    return stream === undefined || seq >= stream.next ? undefined : { stream, seq };
  }

  #after(stream: Stream, seq: number): Rest['events'] {
    const events: { id: string; message: JSONRPCMessage }[] = [];
    for (const [id, kept] of this.#kept)
      if (kept.stream === stream && kept.seq > seq) events.push({ id, message: kept.message });
    return events;
  }

  #drop(id: string): void {
    const kept = this.#kept.get(id);
    if (kept === undefined) return;
    this.#kept.delete(id);
    this.#bytes -= kept.bytes;
    kept.stream.dropped = Math.max(kept.stream.dropped, kept.seq);
  }
}
