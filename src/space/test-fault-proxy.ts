import { createServer, type Server, Socket } from 'node:net';

/**
 * What the proxy does to what passes. `drop-commits`: a reply that tells of a commit is lost, and its connection cut; all else passes, so
 * that there always is a next commit. `last-commit`: the same once, then a black hole. `swallow-requests`: what clients send is lost in silence. `black-hole`: what either side sends.
 */
export type Fault = 'none' | 'drop-commits' | 'last-commit' | 'swallow-requests' | 'black-hole';

/** The server's last word on a request outside of a transaction: ready for the next. */
const READY = Buffer.from([0x5a, 0, 0, 0, 5, 0x49]);

interface Pair {
  readonly client: Socket;
  readonly server: Socket;
}

/** A loopback TCP proxy that breaks connections on demand, and counts what it broke. */
export class FaultProxy {
  readonly #server: Server;
  readonly #pairs = new Set<Pair>();
  #fault: Fault = 'none';
  /** Connections cut by a reset. */
  resets = 0;
  /** Commits that the server told of and nobody heard of. */
  droppedCommits = 0;
  /** Chunks of either side that were swallowed. */
  swallowed = 0;

  private constructor(server: Server) {
    this.#server = server;
  }

  static async start(targetPort: number): Promise<FaultProxy> {
    const server = createServer();
    const proxy = new FaultProxy(server);
    server.on('connection', (client) => proxy.#accept(client, targetPort));
    await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
    return proxy;
  }

  get port(): number {
    const address = this.#server.address();
    if (address === null || typeof address === 'string') throw new Error('the proxy is not listening');
    return address.port;
  }

  get connections(): number {
    return this.#pairs.size;
  }

  #accept(client: Socket, targetPort: number): void {
    const pair = { client, server: new Socket().connect(targetPort, '127.0.0.1') };
    this.#pairs.add(pair);
    const end = (): void => {
      client.destroy();
      pair.server.destroy();
      this.#pairs.delete(pair);
    };
    for (const socket of [client, pair.server]) {
      socket.setNoDelay(true);
      socket.on('error', end).on('close', end);
    }
    client.on('data', (chunk) => {
      if (this.#fault === 'black-hole' || this.#fault === 'swallow-requests') this.swallowed += 1;
      else pair.server.write(chunk);
    });
    pair.server.on('data', (chunk) => {
      if (this.#fault === 'black-hole') this.swallowed += 1;
      else if ((this.#fault === 'drop-commits' || this.#fault === 'last-commit') && isCommit(chunk)) this.#drop(pair);
      else client.write(chunk);
    });
  }

  /** The server has done it; the client sees its connection cut instead of the answer. */
  #drop({ client }: Pair): void {
    this.droppedCommits += 1;
    if (this.#fault === 'last-commit') this.#fault = 'black-hole';
    client.resetAndDestroy();
  }

  set(fault: Fault): void {
    this.#fault = fault;
  }

  /** Cuts all connections, in the middle of whatever they are doing. */
  resetAll(): void {
    for (const { client, server } of this.#pairs) {
      this.resets += 1;
      client.resetAndDestroy();
      server.resetAndDestroy();
    }
  }

  async stop(): Promise<void> {
    this.resetAll();
    await new Promise((resolve) => this.#server.close(resolve));
  }
}

/** Whether a reply says that records were stored and announced, by a statement of its own or by the end of its transaction. */
function isCommit(reply: Buffer): boolean {
  const isStored = reply.includes('pg_notify\0') && reply.includes('SELECT 1\0');
  return (isStored || reply.includes('COMMIT\0')) && reply.subarray(-READY.length).equals(READY);
}
