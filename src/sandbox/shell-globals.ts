/**
 * Takes the web's globals out of a shell child. To be imported before just-bash, which looks at each of them while it loads: that
 * alone would load Node's HTTP client, a fifth of the child's start, for commands that may reach no network anyway.
 */
const WEB = [
  'fetch',
  'Headers',
  'Request',
  'Response',
  'FormData',
  'WebSocket',
  'EventSource',
  'MessageEvent',
  'CloseEvent',
];
for (const name of WEB) Reflect.deleteProperty(globalThis, name);
