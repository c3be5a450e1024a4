import type { Server } from 'node:http';
import type { Duplex } from 'node:stream';
import { RPC } from './http-answer.ts';
import { HttpServerError } from './http-server-error.ts';

/** Starts listening. @returns the port @throws {HttpServerError} */
export async function listen(server: Server, host: string, port: number): Promise<number> {
  await new Promise<void>((resolve, reject) => {
    const onError = (error: NodeJS.ErrnoException) => reject(listenError(error, host, port));
    server.once('error', onError);
    server.listen(port, host, () => {
      server.off('error', onError);
      resolve();
    });
  });
  const address = server.address();
  return typeof address === 'object' && address !== null ? address.port : port;
}

/** Answers what is no HTTP, too much of it, or too slow, and ends the connection. */
export function answerClientError(error: NodeJS.ErrnoException, socket: Duplex): void {
  if (!socket.writable || error.code === 'ECONNRESET') {
    socket.destroy();
    return;
  }
  const [status, message] =
    error.code === 'HPE_HEADER_OVERFLOW'
      ? ['431 Request Header Fields Too Large', 'the headers are too large']
      : error.code === 'ERR_HTTP_REQUEST_TIMEOUT'
        ? ['408 Request Timeout', 'the request took too long to arrive']
        : ['400 Bad Request', 'this is not HTTP/1.1'];
  const body = JSON.stringify({ jsonrpc: '2.0', id: null, error: { code: RPC.refused, message } });
  socket.end(
    `HTTP/1.1 ${status}\r\nContent-Type: application/json\r\nContent-Length: ${Buffer.byteLength(body)}\r\nConnection: close\r\n\r\n${body}`,
    () => socket.destroy(),
  );
}

function listenError(error: NodeJS.ErrnoException, host: string, port: number): HttpServerError {
  const cause = { cause: error };
  if (error.code === 'EADDRINUSE')
    return new HttpServerError(
      'port-in-use',
      `port ${port} of ${host} is in use by another program; give another port, or 0 for any that is free`,
      cause,
    );
  return new HttpServerError(
    'address',
    `${host}:${port} cannot be listened on (${error.code ?? 'unknown error'}); give an address of this machine and a port you may use`,
    cause,
  );
}
