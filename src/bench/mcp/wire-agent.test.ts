import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import { type Started, startTiny } from '../../mcp/test-http.ts';
import { openConnections, WireAgent } from './wire-agent.ts';

describe('an agent of the load', () => {
  let server: Started;
  let connections: ReturnType<typeof openConnections>;

  beforeEach(async () => {
    server = await startTiny();
    connections = openConnections();
  });
  afterEach(async () => {
    connections.destroy();
    await server.close(0);
  });
  const connect = (token = 'token-ann'): Promise<WireAgent> =>
    WireAgent.connect(`${server.url}/mcp`, token, connections);

  test('has a session of its own, with its stream, until it is closed', async () => {
    const agents = await Promise.all([connect(), connect('token-bob')]);
    await Promise.all(agents.map((agent) => agent.listen()));
    expect(server.sessions).toBe(2);
    await Promise.all(agents.flatMap((agent) => [1, 2, 3].map((n) => agent.call('echo', { text: `\n${n}\ndata: {` }))));
    await Promise.all(agents.map((agent) => agent.close()));
    expect(server.sessions).toBe(0);
  });

  test('takes no refusal for an answer', async () => {
    const agent = await connect();
    await expect(agent.call('echo', { text: 1 })).rejects.toThrow('echo was refused');
    await expect(connect('nobody')).rejects.toThrow('a request was answered 401');
    await agent.close();
    await expect(agent.call('echo', { text: 'gone' })).rejects.toThrow('a request was answered 404');
  });
});
