import { Client, type ClientOptions } from '@modelcontextprotocol/sdk/client/index.js';
import { InMemoryTransport } from '@modelcontextprotocol/sdk/inMemory.js';
import type { CallToolResult } from '@modelcontextprotocol/sdk/types.js';
import type { SessionServer } from './mount.ts';

/** A client of the SDK's, connected to `server` in memory. Its end of the wire is JSON, as over any other transport. */
export async function connectInMemory(
  server: SessionServer,
  options: ClientOptions = {},
): Promise<{ readonly client: Client; close(): Promise<void> }> {
  const client = new Client({ name: 'test-client', version: '1' }, options);
  const [near, far] = InMemoryTransport.createLinkedPair();
  const send = near.send.bind(near);
  near.send = (message, rest) => send(JSON.parse(JSON.stringify(message)), rest);
  await server.connect(far);
  await client.connect(near);
  return { client, close: () => client.close() };
}

/** Calls a tool; the SDK's client checks the structured content against the tool's output schema once it has listed tools. */
export async function callTool(client: Client, name: string, args?: unknown): Promise<CallToolResult> {
  const result = await client.callTool({
    name,
    ...(args === undefined ? {} : { arguments: args as Record<string, unknown> }),
  });
  return result as CallToolResult;
}

/** Text blocks of a result. */
export function textsOf({ content }: Pick<CallToolResult, 'content'>): readonly string[] {
  return content.map((block) => (block.type === 'text' ? block.text : `[${block.type}]`));
}

/** The `error` of a refused call. */
export function errorOf(result: CallToolResult): { readonly code?: string; readonly message?: string } {
  if (result.isError !== true) throw new Error(`not refused: ${JSON.stringify(result)}`);
  return (result.structuredContent as { readonly error: { readonly code: string; readonly message: string } }).error;
}

/** Waits until `what` is true, looking every few milliseconds. */
export async function until(what: () => boolean, ms = 20_000): Promise<void> {
  const end = performance.now() + ms;
  while (!what()) {
    if (performance.now() > end) throw new Error(`not within ${ms} ms: ${what.toString()}`);
    await new Promise((resolve) => setTimeout(resolve, 2));
  }
}
