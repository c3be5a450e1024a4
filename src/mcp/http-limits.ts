/** What one HTTP server takes of its clients: one field a limit, its unit in its name. */
export interface HttpLimits {
  /** Of a request's body. @default 4 MiB */
  readonly maxBodyBytes: number;
  /** Messages of one batch. @default 50 */
  readonly maxBatch: number;
  /** Nesting of arrays and objects in a body. @default 64 */
  readonly maxJsonDepth: number;
  /** Values in a body. @default 200 000 */
  readonly maxJsonValues: number;
  /** For a request's head to arrive. @default 10 s */
  readonly headersTimeoutMs: number;
  /** For a whole request to arrive. @default 30 s */
  readonly requestTimeoutMs: number;
  /** Connections at a time. @default 2048 */
  readonly maxConnections: number;
  /** Sessions at a time. @default 1024 */
  readonly maxSessions: number;
  /** Sessions of one token; past it the one unused for longest gives way, if nothing is connected to it. @default 16 */
  readonly maxSessionsPerToken: number;
  /** A session nobody is connected to and nobody used. @default 30 min */
  readonly idleSessionMs: number;
  /** How long a call goes on whose client was cut off, for the client to come back to it. @default 2 min */
  readonly resumeMs: number;
  /** Calls under way in one session. @default 64 */
  readonly maxCallsPerSession: number;
  /** Requests a second in one session, on average. @default 200 */
  readonly requestsPerSecond: number;
  /** Requests at once in one session. @default 1000 */
  readonly requestBurst: number;
  /** Of a session's answers that its client has not taken yet, over all its streams; past it no further message is added. @default 4 MiB */
  readonly maxUnreadBytes: number;
  /** A client that takes nothing of an answer for this long is cut off. @default 30 s */
  readonly stalledReaderMs: number;
  /** Of messages kept for clients that come back, per session. @default 1 MiB */
  readonly maxReplayBytes: number;
  /** Between two rounds of looking for what has run out: sessions, tokens, stalled readers. @default 5 s */
  readonly sweepMs: number;
  /** Between two signs of life on a stream without messages. @default 15 s */
  readonly keepAliveMs: number;
  /** What a client is told to wait before it comes back to a stream. @default 1 s */
  readonly retryMs: number;
}

export const DEFAULT_HTTP_LIMITS: HttpLimits = {
  maxBodyBytes: 4 * 1024 * 1024,
  maxBatch: 50,
  maxJsonDepth: 64,
  maxJsonValues: 200_000,
  headersTimeoutMs: 10_000,
  requestTimeoutMs: 30_000,
  maxConnections: 2048,
  maxSessions: 1024,
  maxSessionsPerToken: 16,
  idleSessionMs: 30 * 60_000,
  resumeMs: 2 * 60_000,
  maxCallsPerSession: 64,
  requestsPerSecond: 200,
  requestBurst: 1000,
  maxUnreadBytes: 4 * 1024 * 1024,
  stalledReaderMs: 30_000,
  maxReplayBytes: 1024 * 1024,
  sweepMs: 5000,
  keepAliveMs: 15_000,
  retryMs: 1000,
};
