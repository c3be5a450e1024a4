/** The gate takes no more calls: it was closed, or a commit failed (then `cause` says why) and what it knew was thrown away. */
export class GateClosedError extends Error {
  override readonly name = 'GateClosedError';
  readonly code = 'gate-closed';
}
