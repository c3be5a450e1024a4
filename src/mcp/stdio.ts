/* oxlint-disable unicorn/prefer-add-event-listener -- a transport of the SDK has one listener of each kind, as a property */
import { Transform, type Readable, type TransformCallback, type Writable } from 'node:stream';
import { StdioServerTransport } from '@modelcontextprotocol/sdk/server/stdio.js';
import type { Transport } from '@modelcontextprotocol/sdk/shared/transport.js';
import { isJSONRPCRequest, type JSONRPCMessage, type RequestId } from '@modelcontextprotocol/sdk/types.js';
import { RPC } from './http-answer.ts';
import type { SessionServer } from './mount.ts';

/** What one line may have. @default 8 MiB */
const MAX_LINE_BYTES = 8 * 1024 * 1024;
/** For calls under way when the client has said its last. @default 5 s */
const END_GRACE_MS = 5000;

export interface StdioOptions {
  /** @default process.stdin */
  readonly stdin?: Readable;
  /** @default process.stdout */
  readonly stdout?: Writable;
  /** @default 8 MiB */
  readonly maxLineBytes?: number;
  /** How long calls under way may go on after the input's end. @default 5000 */
  readonly endGraceMs?: number;
}

/**
 * MCP over this process's standard streams. A line that is too long, no JSON or no message is answered with an error, and the next one
 * is read; nothing is read while the client does not take what it was sent. When the input ends, calls under way are answered, for a
 * while, and the transport closes. Nothing else may write to the output.
 */
export function createStdioTransport(options: StdioOptions = {}): Transport {
  const { stdin = process.stdin, stdout = process.stdout, maxLineBytes = MAX_LINE_BYTES } = options;
  const { endGraceMs = END_GRACE_MS } = options;
  const lines = new Lines(maxLineBytes, () => refuse(RPC.invalid, `a message may have ${maxLineBytes} bytes`));
  const inner = new StdioServerTransport(lines, stdout, { maxBufferSize: 2 * maxLineBytes });
  const underWay = new Set<RequestId>();
  let onIdle: (() => void) | undefined;
  let closed = false;

  const outer: Transport = {
    start: async () => {
      await inner.start();
      stdin.on('error', close).pipe(lines);
      // The SDK waits for room with a listener for each message that waits.
      stdout.on('error', close).on('close', close).setMaxListeners(0);
      lines.once('end', () => void finish());
    },
    send: async (message) => {
      if (closed) return;
      const sent = inner.send(message);
      if (!('method' in message) && message.id !== undefined) {
        underWay.delete(message.id);
        if (underWay.size === 0) onIdle?.();
      }
      if (!stdout.writableNeedDrain) return sent;
      // A client that does not read is not read from either.
      lines.pause();
      await Promise.race([sent, gone]);
      if (!stdout.writableNeedDrain) lines.resume();
    },
    close: () => {
      close();
      return Promise.resolve();
    },
  };
  const { promise: gone, resolve: leave } = Promise.withResolvers<void>();

  inner.onmessage = (message) => {
    if (isJSONRPCRequest(message)) underWay.add(message.id);
    else forgetCancelled(message);
    outer.onmessage?.(message);
  };
  inner.onerror = (error) => {
    // The SDK tells of a line it could not use in this way only.
    if (error instanceof SyntaxError) refuse(RPC.parse, 'a line is not JSON');
    else if (error.name === 'ZodError' || error.name === '$ZodError')
      refuse(RPC.invalid, 'a line is not a JSON-RPC 2.0 message');
    outer.onerror?.(error);
  };

  function refuse(code: number, message: string): void {
    if (!closed) stdout.write(`${JSON.stringify({ jsonrpc: '2.0', id: null, error: { code, message } })}\n`);
  }

  /** A cancelled request is not answered. */
  function forgetCancelled(message: JSONRPCMessage): void {
    if (!('method' in message) || message.method !== 'notifications/cancelled') return;
    const id = message.params?.['requestId'];
    // The SDK does not hear of 0 and '': such a call goes on and is answered.
    if ((typeof id === 'string' || typeof id === 'number') && Boolean(id)) underWay.delete(id);
  }

  async function finish(): Promise<void> {
    // What was in the last line is on its way to its handler.
    await new Promise((resolve) => setImmediate(resolve));
    if (underWay.size > 0) {
      const { promise: idle, resolve } = Promise.withResolvers<void>();
      onIdle = resolve;
      const timer = setTimeout(resolve, endGraceMs);
      await Promise.race([idle, gone]);
      clearTimeout(timer);
    }
    close();
  }

  function close(): void {
    if (closed) return;
    closed = true;
    stdin.unpipe(lines);
    stdin.pause();
    stdin.off('error', close);
    stdout.off('close', close);
    leave();
    void inner.close();
    outer.onclose?.();
  }

  return outer;
}

/** Serves one server over standard streams until the client is gone or `signal` aborts. */
export async function serveStdio(
  server: SessionServer,
  options: StdioOptions & { readonly signal?: AbortSignal } = {},
): Promise<void> {
  const transport = createStdioTransport(options);
  const { promise: closed, resolve } = Promise.withResolvers<void>();
  transport.onclose = resolve;
  await server.connect(transport);
  const stop = () => void server.close();
  if (options.signal?.aborted === true) stop();
  options.signal?.addEventListener('abort', stop, { once: true });
  await closed;
  options.signal?.removeEventListener('abort', stop);
}

/** Passes whole lines on, one a chunk; one that is too long is left out, and told. */
class Lines extends Transform {
  readonly #maxBytes: number;
  readonly #onTooLong: () => void;
  #parts: Buffer[] = [];
  #bytes = 0;

  constructor(maxBytes: number, onTooLong: () => void) {
    super({ readableHighWaterMark: 256 * 1024 });
    this.#maxBytes = maxBytes;
    this.#onTooLong = onTooLong;
  }

  override _transform(chunk: Buffer, _encoding: BufferEncoding, done: TransformCallback): void {
    let from = 0;
    for (let end = chunk.indexOf(10); end >= 0; end = chunk.indexOf(10, from)) {
      this.#take(chunk.subarray(from, end + 1));
      this.#flushLine();
      from = end + 1;
    }
    this.#take(chunk.subarray(from));
    done();
  }

  override _flush(done: TransformCallback): void {
    // The last line of a file may lack its end.
    if (this.#bytes > 0) {
      this.#take(Buffer.from('\n'));
      this.#flushLine();
    }
    done();
  }

  #take(part: Buffer): void {
    this.#bytes += part.length;
    if (this.#bytes > this.#maxBytes) this.#parts = [];
    else if (part.length > 0) this.#parts.push(part);
  }

  #flushLine(): void {
    const line = Buffer.concat(this.#parts);
    if (this.#bytes > this.#maxBytes) this.#onTooLong();
    else if (!isBlank(line)) this.push(line);
    this.#parts = [];
    this.#bytes = 0;
  }
}

function isBlank(line: Buffer): boolean {
  return line.every((byte) => byte === 10 || byte === 13 || byte === 32 || byte === 9);
}
