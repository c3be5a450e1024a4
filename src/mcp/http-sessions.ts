import { randomUUID } from 'node:crypto';
import { type Refusal, RPC } from './http-answer.ts';
import type { HttpLimits } from './http-limits.ts';
import { HttpSession } from './http-session.ts';
import type { Gauges, Metrics } from './metrics.ts';
import { type Identity, type Mount, MountRefusal } from './mount.ts';
import { TokenBucket } from './rate-limit.ts';

/** Whose request it is. */
export interface Caller {
  /** Null where no tokens are asked for. */
  readonly identity: Identity | null;
  readonly token: string | undefined;
  /** Hash of the token; '' without one. */
  readonly owner: string;
}

interface Owner {
  readonly token: string | undefined;
  readonly sessions: Set<HttpSession>;
  /** Of new sessions. */
  readonly bucket: TokenBucket;
  /** Being opened. */
  opening: number;
}

/** All sessions of one server, each bound to the token it was opened with. */
export class SessionTable {
  readonly #sessions = new Map<string, HttpSession>();
  readonly #owners = new Map<string, Owner>();
  readonly #limits: HttpLimits;
  readonly #metrics: Metrics;
  readonly #now: () => number;
  readonly #onFailure: (what: string, error: unknown) => void;
  #opening = 0;

  constructor(
    limits: HttpLimits,
    metrics: Metrics,
    now: () => number,
    onFailure: (what: string, error: unknown) => void,
  ) {
    this.#limits = limits;
    this.#metrics = metrics;
    this.#now = now;
    this.#onFailure = onFailure;
  }

  /** The session with this id, for who opened it and where: to anybody else it is not there. */
  find(id: string, path: string, owner: string): HttpSession | undefined {
    const session = this.#sessions.get(id);
    return session?.setting.path === path && session.setting.owner === owner ? session : undefined;
  }

  /** Opens a session, or says why not. */
  async open(mount: Pick<Mount, 'open'>, path: string, caller: Caller): Promise<HttpSession | Refusal> {
    const owner = this.#ownerOf(caller);
    const problem = this.#openProblem(owner);
    if (problem !== undefined) return problem;
    owner.opening++;
    this.#opening++;
    try {
      const server = await mount.open(caller.identity);
      const session = await HttpSession.open(server, {
        id: randomUUID(),
        path,
        owner: caller.owner,
        limits: this.#limits,
        metrics: this.#metrics,
        now: this.#now,
        onFailure: this.#onFailure,
        onClosed: (closed) => {
          this.#sessions.delete(closed.setting.id);
          owner.sessions.delete(closed);
        },
      });
      this.#sessions.set(session.setting.id, session);
      owner.sessions.add(session);
      this.#owners.set(caller.owner, owner);
      this.#metrics.opened();
      return session;
    } catch (error) {
      if (error instanceof MountRefusal)
        return { status: error.status, code: RPC.refused, message: error.message, reason: 'mount' };
      this.#onFailure('a session could not be opened', error);
      return { status: 500, code: RPC.internal, message: 'internal error', reason: 'internal' };
    } finally {
      owner.opening--;
      this.#opening--;
    }
  }

  gauges(): Gauges {
    const all = [...this.#sessions.values()];
    const sum = (of: (session: HttpSession) => number) => all.reduce((total, session) => total + of(session), 0);
    return {
      sessions: all.length,
      streams: sum((session) => session.streams),
      calls: sum((session) => session.callsUnderWay),
      unreadBytes: sum((session) => session.unreadBytes),
    };
  }

  get callsUnderWay(): number {
    let calls = 0;
    for (const session of this.#sessions.values()) calls += session.callsUnderWay;
    return calls;
  }

  /** The tokens that have sessions open. */
  tokens(): readonly { readonly owner: string; readonly token: string }[] {
    return [...this.#owners].flatMap(([owner, { token, sessions }]) =>
      token === undefined || sessions.size === 0 ? [] : [{ owner, token }],
    );
  }

  /** Ends the sessions that are so. */
  async end(which: (session: HttpSession) => boolean): Promise<void> {
    await Promise.all([...this.#sessions.values()].filter(which).map((session) => session.close()));
  }

  /** Ends what nobody uses any more, in every session and of sessions. */
  async sweep(): Promise<void> {
    const now = this.#now();
    for (const session of this.#sessions.values()) session.sweep(now);
    const { idleSessionMs } = this.#limits;
    await this.end((session) => !session.connected && now - session.lastUsedAt >= idleSessionMs);
    // An owner without sessions is remembered for as long as its bucket may not be full again.
    for (const [hash, { sessions, bucket, opening }] of this.#owners)
      if (sessions.size === 0 && opening === 0 && bucket.isFull(now)) this.#owners.delete(hash);
  }

  #ownerOf({ owner: hash, token }: Caller): Owner {
    const known = this.#owners.get(hash);
    if (known !== undefined) return known;
    const { requestsPerSecond, requestBurst } = this.#limits;
    const bucket = new TokenBucket(requestsPerSecond, requestBurst, this.#now());
    const owner: Owner = { token, sessions: new Set(), bucket, opening: 0 };
    this.#owners.set(hash, owner);
    return owner;
  }

  #openProblem(owner: Owner): Refusal | undefined {
    const { maxSessions, maxSessionsPerToken } = this.#limits;
    const retryAfterMs = owner.bucket.take(1, this.#now());
    if (retryAfterMs > 0)
      return { status: 429, code: RPC.busy, message: 'too many new sessions', reason: 'rate', retryAfterMs };
    if (owner.sessions.size + owner.opening >= maxSessionsPerToken && !this.#makeRoom(owner))
      return {
        status: 429,
        code: RPC.busy,
        message: `${maxSessionsPerToken} sessions of this token are in use; end one (DELETE) or disconnect it`,
        reason: 'sessions-of-token',
        retryAfterMs: 5000,
      };
    if (this.#sessions.size + this.#opening < maxSessions || this.#makeRoom(owner)) return undefined;
    return {
      status: 503,
      code: RPC.busy,
      message: 'this server has as many sessions as it takes; try again later',
      reason: 'sessions',
      retryAfterMs: 5000,
    };
  }

  /** Ends the owner's session that was unused for longest, if there is one that nobody is connected to: clients rarely say goodbye. */
  #makeRoom(owner: Owner): boolean {
    let oldest: HttpSession | undefined;
    for (const session of owner.sessions)
      if (!session.connected && (oldest === undefined || session.lastUsedAt < oldest.lastUsedAt)) oldest = session;
    if (oldest === undefined) return false;
    owner.sessions.delete(oldest);
    this.#sessions.delete(oldest.setting.id);
    void oldest.close();
    return true;
  }
}
