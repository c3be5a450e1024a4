import { randomUUID } from 'node:crypto';
import { createServer } from 'node:http';
import { McpServer } from '@modelcontextprotocol/sdk/server/mcp.js';
import { StdioServerTransport } from '@modelcontextprotocol/sdk/server/stdio.js';
import { StreamableHTTPServerTransport } from '@modelcontextprotocol/sdk/server/streamableHttp.js';
import { z } from 'zod';
import { answerUsage } from './usage-channel.ts';

/**
 * The floor: the SDK's own server with one tool that gives back what it is given, no tokens, no limits, no guard, no space. `stdio`, or
 * `http` on a free port of 127.0.0.1.
 */
async function main(): Promise<void> {
  if (process.argv[2] === 'stdio') {
    await bareServer().connect(new StdioServerTransport());
    return;
  }
  answerUsage();
  serveHttp();
}

function bareServer(): McpServer {
  const server = new McpServer({ name: 'bare', version: '1' });
  server.registerTool(
    'echo',
    { inputSchema: { text: z.string() }, outputSchema: { text: z.string() } },
    ({ text }) => ({
      content: [{ type: 'text', text }],
      structuredContent: { text },
    }),
  );
  return server;
}

/** As the SDK's examples do it: a transport and a server for each session. */
function serveHttp(): void {
  const sessions = new Map<string, StreamableHTTPServerTransport>();
  const server = createServer((request, response) => {
    void (async () => {
      const id = request.headers['mcp-session-id'];
      const known = typeof id === 'string' ? sessions.get(id) : undefined;
      const transport = known ?? (await openSession(sessions));
      await transport.handleRequest(request, response);
    })();
  });
  server.listen(0, '127.0.0.1', () => {
    const address = server.address();
    const port = typeof address === 'object' && address !== null ? address.port : 0;
    process.stderr.write(`served at http://127.0.0.1:${port}/mcp\n`);
  });
  process.once('SIGTERM', () => {
    server.close();
    server.closeAllConnections();
  });
}

async function openSession(
  sessions: Map<string, StreamableHTTPServerTransport>,
): Promise<StreamableHTTPServerTransport> {
  const server = bareServer();
  const transport: StreamableHTTPServerTransport = new StreamableHTTPServerTransport({
    sessionIdGenerator: () => randomUUID(),
    onsessioninitialized: (id) => void sessions.set(id, transport),
    onsessionclosed: (id) => void sessions.delete(id),
  });
  await server.connect(transport);
  return transport;
}

await main();
