import type { McpServer } from '@modelcontextprotocol/sdk/server/mcp.js';
import { LoggingLevelSchema, type Prompt, type Resource } from '@modelcontextprotocol/sdk/types.js';
import { isRecord } from '../space/json-value.ts';
import { FIXTURE_PROMPTS, fixturePrompt } from './conformance-prompts.ts';
import { FIXTURE_TOOLS, type FixtureContext } from './conformance-tools.ts';
import { PIXEL_PNG } from './conformance-media.ts';
import { type Handler, type Handlers, invalidParams, type Params, stringParam } from './protocol-handlers.ts';

/**
 * The handlers of a server with the tools, resources and prompts added that the official conformance suite asks for by name. Whatever is
 * not a fixture goes to the handler that was there.
 *
 * @see https://github.com/modelcontextprotocol/conformance
 */
export function conformanceHandlers(base: Handlers, server: McpServer): Handlers {
  server.server.registerCapabilities({ logging: {} });
  let level = 0;
  const context: FixtureContext = { isLogged: (asked) => LEVELS.indexOf(asked) >= level };
  const added: readonly [string, Handler][] = [
    [
      'logging/setLevel',
      async (params) => {
        const asked = LoggingLevelSchema.safeParse(params['level']);
        if (!asked.success) throw invalidParams(`level must be one of ${LEVELS.join(', ')}`);
        level = LEVELS.indexOf(asked.data);
        return {};
      },
    ],
    [
      'tools/list',
      withMore(
        base,
        'tools/list',
        'tools',
        FIXTURE_TOOLS.map(({ definition }) => definition),
      ),
    ],
    ['resources/list', withMore(base, 'resources/list', 'resources', RESOURCES)],
    ['resources/templates/list', withMore(base, 'resources/templates/list', 'resourceTemplates', TEMPLATES)],
    ['prompts/list', withMore(base, 'prompts/list', 'prompts', FIXTURE_PROMPTS)],
    [
      'tools/call',
      (params, request) => {
        const tool = FIXTURE_TOOLS.find(({ definition }) => definition.name === params['name']);
        const args = params['arguments'];
        return tool === undefined
          ? ask(base, 'tools/call', params, request)
          : tool.call(isRecord(args) ? args : {}, request, context);
      },
    ],
    [
      'resources/read',
      async (params, request) => {
        const uri = stringParam(params, 'uri', 4096);
        const content = fixtureContent(uri);
        return content === undefined
          ? ask(base, 'resources/read', params, request)
          : { contents: [{ uri, ...content }] };
      },
    ],
    ['resources/subscribe', unlessFixture(base, 'resources/subscribe')],
    ['resources/unsubscribe', unlessFixture(base, 'resources/unsubscribe')],
    ['prompts/get', async (params, request) => fixturePrompt(params) ?? ask(base, 'prompts/get', params, request)],
    [
      'completion/complete',
      async (params, request) => {
        const ref = params['ref'];
        const isFixture = isRecord(ref) && FIXTURE_PROMPTS.some(({ name }) => name === ref['name']);
        if (!isFixture) return ask(base, 'completion/complete', params, request);
        return { completion: { values: [], total: 0, hasMore: false } };
      },
    ],
  ];
  return new Map([...base, ...added]);
}

const LEVELS: readonly string[] = LoggingLevelSchema.options;

const RESOURCES: readonly Resource[] = [
  {
    uri: 'test://static-text',
    name: 'Static text',
    description: 'Conformance fixture: a text.',
    mimeType: 'text/plain',
  },
  {
    uri: 'test://static-binary',
    name: 'Static binary',
    description: 'Conformance fixture: an image.',
    mimeType: 'image/png',
  },
  {
    uri: 'test://watched-resource',
    name: 'Watched resource',
    description: 'Conformance fixture: may be subscribed to.',
    mimeType: 'text/plain',
  },
];

const TEMPLATES = [
  {
    uriTemplate: 'test://template/{id}/data',
    name: 'Template',
    description: 'Conformance fixture: data for an id.',
    mimeType: 'application/json',
  },
];

type Content =
  | { readonly mimeType: string; readonly text: string }
  | { readonly mimeType: string; readonly blob: string };

function fixtureContent(uri: string): Content | undefined {
  switch (uri) {
    case 'test://static-text':
      return { mimeType: 'text/plain', text: 'This is the content of the static text resource.' };
    case 'test://static-binary':
      return { mimeType: 'image/png', blob: PIXEL_PNG };
    case 'test://watched-resource':
      return { mimeType: 'text/plain', text: 'Watched resource content.' };
  }
  const [, id] = /^test:\/\/template\/([^/]+)\/data$/u.exec(uri) ?? [];
  if (id === undefined) return undefined;
  return { mimeType: 'application/json', text: JSON.stringify({ id, templateTest: true, data: `Data for ID: ${id}` }) };
}

/** The list of `method`, with fixtures after what is on its last page. */
function withMore(base: Handlers, method: string, field: string, more: readonly (object | Prompt)[]): Handler {
  return async (params, request) => {
    const result: Readonly<Record<string, unknown>> = await ask(base, method, params, request);
    const listed = result[field];
    if (result['nextCursor'] !== undefined || !Array.isArray(listed)) return result;
    return { ...result, [field]: [...listed, ...more] };
  };
}

function unlessFixture(base: Handlers, method: string): Handler {
  return async (params: Params, request) =>
    stringParam(params, 'uri', 4096).startsWith('test://') ? {} : ask(base, method, params, request);
}

function ask(base: Handlers, method: string, ...rest: Parameters<Handler>): ReturnType<Handler> {
  const handler = base.get(method);
  if (handler === undefined) throw new Error(`there is no handler of ${method} to add fixtures to`);
  return handler(...rest);
}
