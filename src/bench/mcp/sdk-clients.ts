import { Client } from '@modelcontextprotocol/sdk/client/index.js';
import { StdioClientTransport } from '@modelcontextprotocol/sdk/client/stdio.js';
import { StreamableHTTPClientTransport } from '@modelcontextprotocol/sdk/client/streamableHttp.js';
import type { CallToolResult } from '@modelcontextprotocol/sdk/types.js';
import { setTimeout as sleep } from 'node:timers/promises';
import { z } from 'zod';
import type { Command } from './bench-process.ts';

const CALL_MS = 60_000;

/** The SDK's own client, and how one calls a tool with it. */
export interface SdkClient {
  /** @throws when the call is refused: nothing else is to be measured */
  call(name: string, args: Readonly<Record<string, unknown>>): Promise<CallToolResult>;
  close(): Promise<void>;
}

/** Starts a server over standard streams and connects to it. */
export function connectStdio({ args, env }: Command): Promise<SdkClient> {
  const transport = new StdioClientTransport({
    command: process.execPath,
    args: [...args],
    env: { ...env },
    stderr: 'ignore',
  });
  return connect(transport);
}

/** Connects to a server over Streamable HTTP. */
export function connectHttp(url: string, token: string): Promise<SdkClient> {
  const transport = new StreamableHTTPClientTransport(new URL(url), {
    requestInit: { headers: { Authorization: `Bearer ${token}` } },
  });
  return connect(transport);
}

async function connect(transport: StdioClientTransport | StreamableHTTPClientTransport): Promise<SdkClient> {
  const client = new Client({ name: 'hivemark-bench', version: '1' });
  await client.connect(transport, { timeout: CALL_MS });
  // As clients do: from now on it checks what tools answer.
  await client.listTools();
  return {
    async call(name, args) {
      // oxlint-disable-next-line typescript/no-unsafe-type-assertion -- tools of today's servers answer in no other shape
      const result = (await client.callTool({ name, arguments: args }, undefined, {
        timeout: CALL_MS,
      })) as CallToolResult;
      if (result.isError === true) throw new Error(`${name} was refused: ${JSON.stringify(result.content)}`);
      return result;
    },
    async close() {
      if (transport instanceof StreamableHTTPClientTransport) await transport.terminateSession();
      await client.close();
    },
  };
}

const OPENS_MS = 120_000;
const STANDING = z.object({ run: z.object({ phase: z.string() }).nullable() });

/** Waits until the round is open: what an agent edits before may be given back to it as it was. */
export async function roundOpen(client: SdkClient): Promise<void> {
  for (const until = performance.now() + OPENS_MS; ; ) {
    const { run } = STANDING.parse((await client.call('standing', {})).structuredContent);
    if (run?.phase === 'open') return;
    if (performance.now() > until)
      throw new Error(`the round of the benchmark's run is ${run?.phase ?? 'in no run'}, not open`);
    await sleep(50);
  }
}
