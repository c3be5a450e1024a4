import { setTimeout as sleep } from 'node:timers/promises';
import {
  type CallToolResult,
  CreateMessageResultSchema,
  ElicitResultSchema,
  type ElicitRequestFormParams,
  type LoggingLevel,
  type Tool as ToolDefinition,
} from '@modelcontextprotocol/sdk/types.js';
import { PIXEL_PNG, SILENT_WAV } from './conformance-media.ts';
import { type Params, type RequestContext, stringParam } from './protocol-handlers.ts';

/** What fixtures share within one connection. */
export interface FixtureContext {
  /** Whether the client wants to hear messages of this level. */
  readonly isLogged: (level: LoggingLevel) => boolean;
}

interface FixtureTool {
  readonly definition: ToolDefinition;
  call(args: Params, request: RequestContext, fixture: FixtureContext): Promise<CallToolResult>;
}

/** How long a fixture works between two notifications, in milliseconds; the suite asks for about that. */
const STEP_MS = 50;
const REQUEST_TIMEOUT_MS = 10_000;

const image = { type: 'image', data: PIXEL_PNG, mimeType: 'image/png' } as const;

/** Tools that the conformance suite asks for by name. */
export const FIXTURE_TOOLS: readonly FixtureTool[] = [
  fixture('test_simple_text', 'gives a text', async () => said('This is a simple text response for testing.')),
  fixture('test_image_content', 'gives an image', async () => ({ content: [image] })),
  fixture('test_audio_content', 'gives a sound', async () => ({
    content: [{ type: 'audio', data: SILENT_WAV, mimeType: 'audio/wav' }],
  })),
  fixture('test_embedded_resource', 'embeds a resource', async () => ({
    content: [
      {
        type: 'resource',
        resource: {
          uri: 'test://embedded-resource',
          mimeType: 'text/plain',
          text: 'This is an embedded resource content.',
        },
      },
    ],
  })),
  fixture('test_multiple_content_types', 'gives a text, an image and a resource', async () => ({
    content: [
      { type: 'text', text: 'Multiple content types test:' },
      image,
      {
        type: 'resource',
        resource: {
          uri: 'test://mixed-content-resource',
          mimeType: 'application/json',
          text: JSON.stringify({ test: 'data', value: 123 }),
        },
      },
    ],
  })),
  fixture('test_tool_with_logging', 'logs while it works', async (_args, request, { isLogged }) => {
    for (const data of ['Tool execution started', 'Tool processing data', 'Tool execution completed']) {
      if (isLogged('info')) {
        await request.sendNotification({ method: 'notifications/message', params: { level: 'info', data } });
      }
      await sleep(STEP_MS, undefined, { signal: request.signal });
    }
    return said('Logged three messages.');
  }),
  fixture('test_error_handling', 'always fails', async () => ({
    ...said('This tool intentionally returns an error for testing'),
    isError: true,
  })),
  fixture('test_tool_with_progress', 'reports progress', async (_args, request) => {
    const progressToken = request._meta?.progressToken;
    for (const progress of [0, 50, 100]) {
      if (progressToken !== undefined) {
        await request.sendNotification({
          method: 'notifications/progress',
          params: { progressToken, progress, total: 100 },
        });
      }
      await sleep(STEP_MS, undefined, { signal: request.signal });
    }
    return said(String(progressToken ?? 'no progress token'));
  }),
  fixture(
    'test_sampling',
    "asks the client's model",
    async (args, request) => {
      const text = stringParam(args, 'prompt', 10_000);
      const answer = await request.sendRequest(
        {
          method: 'sampling/createMessage',
          params: { messages: [{ role: 'user', content: { type: 'text', text } }], maxTokens: 100 },
        },
        CreateMessageResultSchema,
        { timeout: REQUEST_TIMEOUT_MS },
      );
      return said(`LLM response: ${answer.content.type === 'text' ? answer.content.text : answer.content.type}`);
    },
    { prompt: { type: 'string', description: 'The prompt to send' } },
  ),
  fixture(
    'test_elicitation',
    'asks the user',
    (args, request) =>
      elicit(request, 'User response', {
        message: stringParam(args, 'message', 10_000),
        requestedSchema: {
          type: 'object',
          properties: {
            username: { type: 'string', description: "User's response" },
            email: { type: 'string', description: "User's email address" },
          },
          required: ['username', 'email'],
        },
      }),
    { message: { type: 'string', description: 'The message to show' } },
  ),
  fixture('test_elicitation_sep1034_defaults', 'asks the user, with defaults', (_args, request) =>
    elicit(request, 'Elicitation completed', {
      message: 'Please check the defaults',
      requestedSchema: {
        type: 'object',
        properties: {
          name: { type: 'string', default: 'John Doe' },
          age: { type: 'integer', default: 30 },
          score: { type: 'number', default: 95.5 },
          status: { type: 'string', enum: ['active', 'inactive', 'pending'], default: 'active' },
          verified: { type: 'boolean', default: true },
        },
        required: [],
      },
    }),
  ),
  fixture('test_elicitation_sep1330_enums', 'asks the user to choose', (_args, request) =>
    elicit(request, 'Elicitation completed', { message: 'Please choose', requestedSchema: ENUMS }),
  ),
  fixture('test_reconnection', 'closes its stream while it works', async (_args, request) => {
    await sleep(STEP_MS, undefined, { signal: request.signal });
    request.closeSSEStream?.();
    await sleep(2 * STEP_MS, undefined, { signal: request.signal });
    return said('Reconnected and got the answer.');
  }),
  {
    definition: {
      name: 'json_schema_2020_12_tool',
      description: 'Conformance fixture: its schema uses keywords of JSON Schema 2020-12.',
      inputSchema: {
        $schema: 'https://json-schema.org/draft/2020-12/schema',
        type: 'object',
        $defs: {
          address: { type: 'object', properties: { street: { type: 'string' }, city: { type: 'string' } } },
        },
        properties: { name: { type: 'string' }, address: { $ref: '#/$defs/address' } },
        additionalProperties: false,
      },
    },
    call: async (args) => said(`JSON Schema 2020-12 tool called with: ${JSON.stringify(args)}`),
  },
];

const ENUMS: ElicitRequestFormParams['requestedSchema'] = {
  type: 'object',
  properties: {
    untitledSingle: { type: 'string', enum: ['option1', 'option2', 'option3'] },
    titledSingle: {
      type: 'string',
      oneOf: [
        { const: 'value1', title: 'First Option' },
        { const: 'value2', title: 'Second Option' },
        { const: 'value3', title: 'Third Option' },
      ],
    },
    legacyEnum: {
      type: 'string',
      enum: ['opt1', 'opt2', 'opt3'],
      enumNames: ['Option One', 'Option Two', 'Option Three'],
    },
    untitledMulti: { type: 'array', items: { type: 'string', enum: ['option1', 'option2', 'option3'] } },
    titledMulti: {
      type: 'array',
      items: {
        anyOf: [
          { const: 'value1', title: 'First Choice' },
          { const: 'value2', title: 'Second Choice' },
          { const: 'value3', title: 'Third Choice' },
        ],
      },
    },
  },
  required: [],
};

function fixture(
  name: string,
  does: string,
  call: FixtureTool['call'],
  properties: Readonly<Record<string, { readonly type: string; readonly description: string }>> = {},
): FixtureTool {
  return {
    definition: {
      name,
      description: `Conformance fixture: ${does}.`,
      inputSchema: { type: 'object', properties: { ...properties }, required: Object.keys(properties) },
    },
    call,
  };
}

async function elicit(
  request: RequestContext,
  words: string,
  params: ElicitRequestFormParams,
): Promise<CallToolResult> {
  const { action, content } = await request.sendRequest({ method: 'elicitation/create', params }, ElicitResultSchema, {
    timeout: REQUEST_TIMEOUT_MS,
  });
  return said(`${words}: action=${action}, content=${JSON.stringify(content ?? {})}`);
}

function said(text: string): CallToolResult {
  return { content: [{ type: 'text', text }] };
}
