import type { McpServer } from '@modelcontextprotocol/sdk/server/mcp.js';
import type { RequestHandlerExtra } from '@modelcontextprotocol/sdk/shared/protocol.js';
import {
  ErrorCode,
  McpError,
  type ServerNotification,
  type ServerRequest,
  type ServerResult,
} from '@modelcontextprotocol/sdk/types.js';
import { isRecord } from '../space/json-value.ts';

/** What the SDK knows of the request that is being answered: its signal, its id, ways to send notifications that belong to it. */
export type RequestContext = RequestHandlerExtra<ServerRequest, ServerNotification>;

/** Parameters of a request as they came over the wire: an object, nothing in it checked. */
export type Params = Readonly<Record<string, unknown>>;

/** Answers one method. A thrown {@link McpError} is the client's answer; anything else that is thrown is a fault of ours. */
export type Handler = (params: Params, context: RequestContext) => Promise<ServerResult>;

/** Method -> its handler. */
export type Handlers = ReadonlyMap<string, Handler>;

/** A resource that is not there or may not be seen. @see https://modelcontextprotocol.io/specification/2025-11-25/server/resources#error-handling */
export const RESOURCE_NOT_FOUND = -32_002;

/**
 * Lets `handlers` answer every request that the SDK does not answer itself (initialize, ping, logging/setLevel). They get requests unparsed:
 * the SDK's own registration checks arguments before a handler is asked, and would leave refused calls off the record.
 */
export function serveHandlers(server: McpServer, handlers: Handlers, onFailure: (error: unknown) => void): void {
  // The SDK would refuse calls that carry `task`, unheard; a receiver that offers no tasks has to ignore it.
  // @see https://modelcontextprotocol.io/specification/2025-11-25/basic/utilities/tasks#capability-negotiation
  Object.defineProperty(server.server, 'assertTaskHandlerCapability', { value: () => undefined });
  server.server.fallbackRequestHandler = async (request, context) => {
    const handler = handlers.get(request.method);
    if (handler === undefined) throw new McpError(ErrorCode.MethodNotFound, 'Method not found');
    const params: unknown = request.params;
    try {
      return await handler(isRecord(params) ? params : {}, context);
    } catch (error) {
      if (error instanceof McpError || context.signal.aborted) throw error;
      onFailure(error);
      throw new McpError(ErrorCode.InternalError, 'The server failed inside; this was not caused by your request.');
    }
  };
}

/** The error for parameters of the wrong shape. */
export function invalidParams(message: string, data?: Readonly<Record<string, unknown>>): McpError {
  return new McpError(ErrorCode.InvalidParams, message, data);
}

/** One parameter that must be an object. @throws {McpError} when it is not. */
export function recordParam(params: Params, name: string): Params {
  const value = params[name];
  if (!isRecord(value)) throw invalidParams(`${name} must be an object`);
  return value;
}

/** `completion/complete`: values that were chosen for other variables of the template. */
export function chosenIn(params: Params): Params {
  const { context } = params;
  const chosen = isRecord(context) ? context['arguments'] : undefined;
  return isRecord(chosen) ? chosen : {};
}

/** One parameter that must be a string of at most so many characters. @throws {McpError} when it is not. */
export function stringParam(params: Params, name: string, maxChars: number): string {
  const value = Object.hasOwn(params, name) ? params[name] : undefined;
  if (typeof value !== 'string') throw invalidParams(`${name} must be a string`);
  if (value.length > maxChars) throw invalidParams(`${name} is longer than ${maxChars} characters`);
  return value;
}

/** An optional cursor; the answer to a list that has no further pages knows none. */
export function cursorParam(params: Params): string | undefined {
  return params['cursor'] === undefined ? undefined : stringParam(params, 'cursor', MAX_CURSOR_CHARS);
}

const MAX_CURSOR_CHARS = 8192;
/** Untrusted text is quoted and cut before it goes into a message. */
const QUOTED_CHARS = 80;

/** Text of a client for a message of ours: as a JSON string, cut, so that it cannot pass for our words. */
export function quoted(text: string): string {
  const kept = text.slice(0, QUOTED_CHARS).toWellFormed();
  return JSON.stringify(kept) + (kept.length < text.length ? '...' : '');
}
