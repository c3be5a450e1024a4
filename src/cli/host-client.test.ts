import { expect, onTestFinished, test } from 'vitest';
import { RemoteAwayError } from '../materialize/mirror-remote.ts';
import { type HttpServer, startHttpServer } from '../mcp/http-server.ts';
import { participantServer } from '../mcp/participant-server.ts';
import { openTestSeat } from '../mcp/test-seat.ts';
import { connectToHost } from './host-client.ts';

test('who listens is told when a session is opened anew: nobody told of what became different before', async () => {
  const { seat } = await openTestSeat();
  const serve = async (): Promise<HttpServer> => {
    const server = await startHttpServer({
      port: 0,
      mounts: [{ path: '/mcp', open: () => Promise.resolve(participantServer(seat)) }],
      authenticate: () => Promise.resolve({ name: 'ann' }),
    });
    onTestFinished(() => server.close());
    return server;
  };
  const first = await serve();
  let there: string | undefined;
  const client = await connectToHost({ url: `${first.url}/mcp`, token: 'any', find: () => Promise.resolve(there) });
  onTestFinished(() => client.close());
  await first.close();
  await expect(client.list()).rejects.toBeInstanceOf(RemoteAwayError);
  let told = 0;
  client.onChange(() => (told += 1));
  there = `${(await serve()).url}/mcp`;
  expect((await client.list()).map(({ path }) => path)).toContain('task_agent.ts');
  expect(told).toBe(1);
});
