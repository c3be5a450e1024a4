import { startHttpServer } from '../../mcp/http-server.ts';
import { participantServer } from '../../mcp/participant-server.ts';
import { createMemoryLog } from '../../space/memory-log.ts';
import { EXIT, type ExitCode, type Surroundings } from '../output.ts';
import { openCommons } from './commons.ts';
import { healthOf } from './host.ts';
import { aborted } from './aborted.ts';
import type { HttpAddress } from './http-address.ts';

/** Serves the fixtures that the official conformance suite asks for, beside the participant's tools, on a space that is thrown away. */
export async function serveConformance(http: HttpAddress, world: Surroundings): Promise<ExitCode> {
  const { output, signal } = world;
  const commons = await openCommons(createMemoryLog(), {
    env: { HIVEMARK_PRINCIPAL_TOKEN: 'hmp_of-a-space-that-is-thrown-away-at-once' },
  });
  const seat = await commons.seat('conformance');
  const server = await startHttpServer({
    ...http,
    mounts: [
      {
        path: '/mcp',
        open: () => Promise.resolve(participantServer(seat, { conformance: true })),
      },
    ],
    authenticate: undefined,
    health: healthOf,
    onNotice: (text) => output.err(`hivemark: ${text}\n`),
  });
  output.err(`hivemark: conformance fixtures at ${server.url}/mcp, without a token\n`);
  await aborted(signal);
  await server.close();
  await commons.close();
  return EXIT.done;
}
