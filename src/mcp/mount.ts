import type { Transport } from '@modelcontextprotocol/sdk/shared/transport.js';

/** Who a token speaks for. */
export interface Identity {
  readonly name: string;
}

/** Why a token speaks for nobody. */
export type TokenProblem = 'unknown' | 'expired' | 'revoked';

/** One session's server: an `McpServer` or a `Server` of the SDK that is connected to nothing yet. */
export interface SessionServer {
  connect(transport: Transport): Promise<void>;
  /** Closes its transport too, and aborts the calls under way. */
  close(): Promise<void>;
}

/** Something that is served at a path. */
export interface Mount {
  /** `/mcp`, `/runs/<id>/mcp`: exactly this, without a query. */
  readonly path: string;
  /**
   * A new server for a new session of `identity` (null: the server asks for no tokens). A server belongs to one session for good.
   *
   * @throws {MountRefusal} when this identity may not, or not now; told to the client. Anything else thrown is told as an internal error.
   */
  open(identity: Identity | null): Promise<SessionServer>;
}

/** A session is refused to somebody whose token is good. The message is for the client's eyes. */
export class MountRefusal extends Error {
  override readonly name = 'MountRefusal';
  readonly code = 'mount-refusal';
  /** 403: not this identity; 404: no such thing; 503: not now. */
  readonly status: 403 | 404 | 503;

  constructor(message: string, status: 403 | 404 | 503 = 403) {
    super(message);
    this.status = status;
  }
}
