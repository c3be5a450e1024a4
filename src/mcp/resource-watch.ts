import type { McpServer } from '@modelcontextprotocol/sdk/server/mcp.js';
import { ErrorCode, McpError } from '@modelcontextprotocol/sdk/types.js';
import type { Change, Participant } from './participant.ts';
import { type Handler, stringParam } from './protocol-handlers.ts';
import { MAX_URI_CHARS, parseResourceUri, type ResourceTarget } from './resource-uris.ts';
import { strategyFolders } from './view-folders.ts';

/** Resources that one connection may be subscribed to. */
export const MAX_SUBSCRIPTIONS = 1000;
/** Milliseconds over which changes are told as one. */
const COALESCE_MS = 20;

type Told = { readonly files: Set<string>; marks: boolean; standing: boolean };

/**
 * The subscriptions of one connection. Tells its client which of the resources it subscribed to became different, and when files came or
 * went; a burst of changes is told once. Follows the participant from `start` until the connection ends.
 */
export class ResourceWatch {
  readonly #server: McpServer;
  readonly #participant: Participant;
  readonly #subscriptions = new Map<string, ResourceTarget>();
  /** What a subscriber was last told by: the generation of a peer's best, the answer to a need. */
  readonly #states = new Map<string, string>();
  #paths: readonly string[] = [];
  #pending: Told | undefined;
  #timer: NodeJS.Timeout | undefined;
  #unwatch: (() => void) | undefined;
  #closed = false;

  constructor(server: McpServer, participant: Participant) {
    this.#server = server;
    this.#participant = participant;
  }

  /** `resources/subscribe`. What is not there (yet) may be subscribed to: the answer tells nothing. */
  readonly subscribe: Handler = async (params) => {
    const uri = stringParam(params, 'uri', MAX_URI_CHARS);
    const target = parseResourceUri(uri);
    if (!this.#subscriptions.has(uri) && this.#subscriptions.size >= MAX_SUBSCRIPTIONS) {
      throw new McpError(
        ErrorCode.InvalidRequest,
        `this connection is subscribed to ${MAX_SUBSCRIPTIONS} resources, the most there may be; unsubscribe from some first`,
      );
    }
    this.start();
    this.#subscriptions.set(uri, target);
    this.#states.set(uri, this.#stateOf(target));
    return {};
  };

  /** `resources/unsubscribe`. */
  readonly unsubscribe: Handler = async (params) => {
    const uri = stringParam(params, 'uri', MAX_URI_CHARS);
    this.#subscriptions.delete(uri);
    this.#states.delete(uri);
    return {};
  };

  /** Begins to follow the participant; once is enough. */
  start(): void {
    if (this.#unwatch !== undefined || this.#closed) return;
    this.#paths = this.#pathsNow();
    this.#unwatch = this.#participant.watch((change) => this.#note(change));
  }

  /** Lets go of the participant for good. */
  close(): void {
    this.#closed = true;
    this.#unwatch?.();
    this.#unwatch = undefined;
    clearTimeout(this.#timer);
    this.#subscriptions.clear();
    this.#states.clear();
    this.#paths = [];
  }

  #note({ files, marks, standing }: Change): void {
    // Whoever took over the server's `onclose` has not told us: let go all the same.
    if (!this.#server.isConnected()) return this.close();
    this.#pending ??= { files: new Set(), marks: false, standing: false };
    for (const path of files) this.#pending.files.add(path);
    this.#pending.marks ||= marks;
    this.#pending.standing ||= standing;
    this.#timer ??= setTimeout(() => this.#tell(), COALESCE_MS).unref();
  }

  #tell(): void {
    const told = this.#pending;
    this.#pending = undefined;
    this.#timer = undefined;
    if (told === undefined || !this.#server.isConnected()) return;
    try {
      if (told.files.size > 0 && this.#listChanged()) this.#send(() => this.#server.server.sendResourceListChanged());
      for (const [uri, target] of this.#subscriptions) {
        if (this.#isNews(uri, target, told)) this.#send(() => this.#server.server.sendResourceUpdated({ uri }));
      }
    } catch {
      // The space was closed meanwhile: the next call of the client's says so.
      this.close();
    }
  }

  /** A client that is gone or slow is the transport's to deal with. */
  #send(notify: () => Promise<void>): void {
    notify().catch(() => undefined);
  }

  #listChanged(): boolean {
    const before = this.#paths;
    this.#paths = this.#pathsNow();
    return before.length !== this.#paths.length || before.some((path, at) => path !== this.#paths[at]);
  }

  #pathsNow(): readonly string[] {
    return this.#participant.files().map(({ path }) => path);
  }

  #isNews(uri: string, target: ResourceTarget, told: Told): boolean {
    switch (target.kind) {
      case 'file':
        return told.files.has(target.path);
      case 'marks':
        return told.marks;
      case 'standing':
        return told.standing;
      case 'strategy':
      case 'strategy-file':
        return told.files.size > 0 && this.#isOther(uri, target);
      case 'mark':
        return told.marks && this.#isOther(uri, target);
    }
  }

  #isOther(uri: string, target: ResourceTarget): boolean {
    const state = this.#stateOf(target);
    if (this.#states.get(uri) === state) return false;
    this.#states.set(uri, state);
    return true;
  }

  /** What of the resource can become different, where a list of changed paths does not tell. */
  #stateOf(target: ResourceTarget): string {
    switch (target.kind) {
      case 'strategy': {
        const strategy = strategyFolders(this.#participant).find(({ peer }) => peer === target.peer);
        return strategy?.folder ?? '';
      }
      case 'strategy-file': {
        const strategy = strategyFolders(this.#participant).find(({ peer }) => peer === target.peer);
        return strategy?.files.find(({ path }) => path === `${strategy.folder}/${target.path}`)?.sha256 ?? '';
      }
      case 'mark': {
        const mark = this.#participant.mark(target.id);
        return mark === undefined ? '' : `seen ${mark.kind === 'need' ? (mark.resolvedBy ?? '') : ''}`;
      }
      case 'file':
      case 'marks':
      case 'standing':
        return '';
    }
  }
}
