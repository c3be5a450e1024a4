/** The server could not be started; the message says what to do. */
export class HttpServerError extends Error {
  override readonly name = 'HttpServerError';
  readonly code: 'port-in-use' | 'address' | 'unsafe';

  constructor(code: HttpServerError['code'], message: string, options: { readonly cause?: unknown } = {}) {
    super(message, options);
    this.code = code;
  }
}
