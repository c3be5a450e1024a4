import { McpServer } from '@modelcontextprotocol/sdk/server/mcp.js';
import { ErrorCode, McpError } from '@modelcontextprotocol/sdk/types.js';
import { AjvJsonSchemaValidator } from '@modelcontextprotocol/sdk/validation/ajv';
import { GateClosedError } from '../guard/gate-closed-error.ts';
import { VERSION } from '../version.ts';
import { conformanceHandlers } from './conformance.ts';
import type { Participant } from './participant.ts';
import { completeTemplates } from './participant-completion.ts';
import { getPrompt, listPrompts, PARTICIPANT_INSTRUCTIONS } from './participant-prompt.ts';
import { listResources, listTemplates, readResource } from './participant-resources.ts';
import { PARTICIPANT_TOOLS } from './participant-tools.ts';
import { type Handler, type Handlers, serveHandlers } from './protocol-handlers.ts';
import { ResourceWatch } from './resource-watch.ts';
import { callTool, listTools } from './tool-calls.ts';

export interface ParticipantServerOptions {
  /** Adds the tools, resources and prompts that the official conformance suite asks for. Only on a throwaway space. @default false */
  readonly conformance?: boolean;
  /** Hears of faults inside, which clients are told of without a word of detail. */
  readonly onFailure?: (error: unknown) => void;
}

/**
 * An MCP server for one connection of an outside agent: what the agent may do, as tools, resources and a prompt. Who it is was settled
 * when the participant was made; nothing that is said over the connection can change it. Every tool call and every read leaves one
 * decision on record, refused ones too. When the connection ends, what is under way is cancelled and nothing of it is held.
 */
export function participantServer(participant: Participant, options: ParticipantServerOptions = {}): McpServer {
  const server = new McpServer(
    { name: 'hivemark', title: 'hivemark: participant', version: VERSION },
    { instructions: PARTICIPANT_INSTRUCTIONS, jsonSchemaValidator: VALIDATOR },
  );
  server.server.registerCapabilities({
    tools: {},
    resources: { subscribe: true, listChanged: true },
    prompts: {},
    completions: {},
  });
  const watch = new ResourceWatch(server, participant);
  const handlers = participantHandlers(participant, watch);
  serveHandlers(
    server,
    options.conformance ? conformanceHandlers(handlers, server) : handlers,
    options.onFailure ?? (() => undefined),
  );
  server.server.oninitialized = () => watch.start();
  // oxlint-disable-next-line unicorn/prefer-add-event-listener -- the SDK's server is no event target
  server.server.onclose = () => watch.close();
  return server;
}

function participantHandlers(participant: Participant, watch: ResourceWatch): Handlers {
  const handlers: readonly [string, Handler][] = [
    ['tools/list', LIST_TOOLS],
    ['tools/call', recordingLooks(participant)],
    ['resources/list', listResources(participant)],
    ['resources/templates/list', listTemplates],
    ['resources/read', readResource(participant)],
    ['resources/subscribe', watch.subscribe],
    ['resources/unsubscribe', watch.unsubscribe],
    ['prompts/list', listPrompts],
    ['prompts/get', getPrompt(participant)],
    ['completion/complete', completeTemplates(participant)],
  ];
  return new Map(handlers.map(([method, handler]) => [method, sayingClosed(handler)]));
}

/** One for all connections: the SDK would make one for each, and they are large. It checks what a client's user answered. */
const VALIDATOR = new AjvJsonSchemaValidator();

/** Tools that go on record by no act of the participant's. */
const LOOKING: readonly unknown[] = [
  'list_files',
  'list_strategies',
  'list_evaluations',
  'standing',
  'read_marks',
  'read_mark',
];

/** `tools/call`, each on record. @see security rule 12 */
function recordingLooks(participant: Participant): Handler {
  const call = callTool(PARTICIPANT_TOOLS, participant, (tool, problem) => participant.refuse(tool, problem));
  return async (params, context) => {
    const result = await call(params, context);
    const refused = 'isError' in result && result.isError === true;
    if (LOOKING.includes(params['name']) && !refused) await participant.look(String(params['name']));
    return result;
  };
}

const LIST_TOOLS = listTools(PARTICIPANT_TOOLS);

/** A space that takes no more calls is no fault of the call's: the client is told in words what to do. */
function sayingClosed(handler: Handler): Handler {
  return async (params, context) => {
    try {
      return await handler(params, context);
    } catch (error) {
      if (!(error instanceof GateClosedError)) throw error;
      throw new McpError(
        ErrorCode.InternalError,
        'The space takes no more calls: the run has ended or its process is shutting down. What was answered before is kept; connect again later.',
      );
    }
  };
}
