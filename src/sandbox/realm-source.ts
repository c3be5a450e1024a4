/**
 * What runs inside the isolate before the program does: JavaScript text of a function that takes the settings record and the log
 * sink (fire and forget) and returns one function, `api(op, value)`, held by the child alone.
 *
 * Everything it will need later is captured here, before a line of the program runs, and nothing of it is reachable from the
 * program: strict functions hide from stack walks, no prototype, iterator or array method is looked up after the capture
 * (linked lists instead of arrays), and what crosses is text made by reading each property exactly once.
 *
 * Operations: `load` (the module namespace), `step` (input as JSON text), `poll` (next frame: see `frames.ts`), `reply`
 * (`[id, ok, text]` spread over three arguments). After `step` and `reply` return, the realm has no work left.
 */
export const REALM_SOURCE = String.raw`(function realm(settings, sink) {
'use strict';
const { seed, resultChars, logChars, logLines, hostCalls, hostChars, maxDepth, hostNames, withoutGlobals } = settings;
const G = globalThis;
const NativeDate = G.Date, NativeError = G.Error, NativePromise = G.Promise, NativeProxy = G.Proxy;
const parse = G.JSON.parse, stringify = G.JSON.stringify, isArray = G.Array.isArray;
const getProto = G.Object.getPrototypeOf, keysOf = G.Object.keys, symbolsOf = G.Object.getOwnPropertySymbols;
const define = G.Object.defineProperty, construct = G.Reflect.construct, imul = G.Math.imul;
const ObjectProto = G.Object.prototype, ArrayProto = G.Array.prototype, RangeErrorProto = G.RangeError.prototype;
const uncurry = G.Function.prototype.bind.bind(G.Function.prototype.call);
const slice = uncurry(G.String.prototype.slice);
const dateString = uncurry(NativeDate.prototype.toString);

delete G.WebAssembly; delete G.SharedArrayBuffer; delete G.Atomics; delete G.Temporal; delete G.FinalizationRegistry; delete G.WeakRef; delete G.Intl.DateTimeFormat;

let state = seed >>> 0;
function random() {
  state = (state + 0x6d2b79f5) >>> 0;
  let t = state;
  t = imul(t ^ (t >>> 15), t | 1);
  t ^= t + imul(t ^ (t >>> 7), t | 61);
  return ((t ^ (t >>> 14)) >>> 0) / 4294967296;
}
function hidden(target, name, value) { define(target, name, { __proto__: null, value, writable: true, configurable: true, enumerable: false }); }
hidden(G.Math, 'random', () => random());

const FrozenDate = new NativeProxy(NativeDate, {
  __proto__: null,
  apply() { return dateString(new NativeDate(0)); },
  construct(target, args, newTarget) { return args.length === 0 ? construct(target, [0], newTarget) : construct(target, args, newTarget); },
});
hidden(NativeDate, 'now', () => 0);
hidden(NativeDate.prototype, 'constructor', FrozenDate);
hidden(G, 'Date', FrozenDate);

const OVER = { __proto__: null }, BAD = { __proto__: null, why: '' };
function bad(why) { BAD.why = why; throw BAD; }
/* JSON text of a value, or throws OVER / BAD (or whatever the program's getters throw). */
function textOf(root, limit) {
  let size = 0;
  function add(text) { size += text.length; if (size > limit) throw OVER; return text; }
  function write(v, where, depth) {
    switch (typeof v) {
      case 'string': if (v.length > limit) throw OVER; return add(stringify(v));
      case 'boolean': return add(v ? 'true' : 'false');
      case 'number': if (v - v !== 0) bad(where + ' is ' + v); return add('' + v);
      case 'object': break;
      default: bad(where + ' is ' + (typeof v === 'undefined' ? 'undefined' : 'a ' + typeof v));
    }
    if (v === null) return add('null');
    if (depth >= maxDepth) bad('it is cyclic or nested deeper than ' + maxDepth);
    const proto = getProto(v);
    if (isArray(v)) {
      if (proto !== ArrayProto) bad(where + ' is not a plain array');
      const length = v.length;
      if (typeof length !== 'number' || 2 * length > limit + 2) throw OVER;
      let text = add('[');
      for (let i = 0; i < length; i++) {
        if (i > 0) text += add(',');
        text += write(v[i], depth < 3 ? where + '[' + i + ']' : where, depth + 1);
      }
      return text + add(']');
    }
    if (proto !== ObjectProto && proto !== null) bad(where + ' is not a plain object');
    if (symbolsOf(v).length > 0) bad(where + ' has a symbol as key');
    const keys = keysOf(v);
    let text = add('{');
    for (let i = 0; i < keys.length; i++) {
      const key = keys[i];
      if (key === '__proto__' || key === 'constructor') bad(where + ' has a key ' + key);
      if (i > 0) text += add(',');
      if (key.length > limit) throw OVER;
      text += add(stringify(key) + ':');
      text += write(v[key], depth < 3 && key.length < 40 ? where + '.' + key : where, depth + 1);
    }
    return text + add('}');
  }
  return write(root, 'the answer', 0);
}

/* Frames for the child: a linked list, first in first out. */
let head = null, tail = null;
function post(text) {
  const node = { __proto__: null, text, next: null };
  if (tail === null) head = node; else tail.next = node;
  tail = node;
}
function text(value, max) { return typeof value === 'string' ? (value.length > max ? slice(value, 0, max) : value) : ''; }
function failed(thrown) {
  let name = '', message = '', stack = '';
  if (thrown === OVER) { post('O'); return; }
  if (thrown === BAD) { post('B' + slice(BAD.why, 0, 200)); return; }
  if ((typeof thrown === 'object' && thrown !== null) || typeof thrown === 'function') {
    try { name = text(thrown.name, 60); } catch {}
    try { message = text(thrown.message, 600); } catch {}
    try { stack = text(thrown.stack, 4000); } catch {}
    try { if (message === 'Array buffer allocation failed' && getProto(thrown) === RangeErrorProto) { post('M'); return; } } catch {}
  } else {
    name = 'thrown';
    message = typeof thrown === 'symbol' ? 'a symbol' : typeof thrown === 'bigint' ? 'a bigint' : text('' + thrown, 600);
  }
  post('E' + stringify({ __proto__: null, name, message, stack }));
}

let logged = 0, lines = 0, full = false;
function emit(line) {
  if (full) return;
  if (lines >= logLines || logged + line.length > logChars) {
    full = true;
    line = (lines >= logLines ? '' : slice(line, 0, logChars - logged)) + ' [log limit reached]';
  }
  lines++;
  logged += line.length + 1;
  sink(line);
}
function log(...args) {
  if (full) return;
  let line = '';
  for (let i = 0; i < args.length; i++) {
    const arg = args[i];
    let part;
    if (typeof arg === 'string') part = arg;
    else { try { part = textOf(arg, logChars); } catch (e) { part = arg instanceof NativeError ? text(arg.message, 600) : arg === undefined ? 'undefined' : '[' + typeof arg + ']'; } }
    line += (i > 0 ? ' ' : '') + part;
    if (line.length > logChars) break;
  }
  emit(line);
}
const console = {};
hidden(console, 'log', log); hidden(console, 'info', log); hidden(console, 'warn', log); hidden(console, 'error', log); hidden(console, 'debug', log);
hidden(G, 'console', console);

let calls = 0;
const waiting = { __proto__: null };
function refusal(code) {
  const error = new NativeError('the host refused: ' + code);
  define(error, 'code', { __proto__: null, value: code, writable: true, configurable: true, enumerable: true });
  define(error, 'stack', { __proto__: null, value: 'Error: ' + 'the host refused: ' + code, writable: true, configurable: true, enumerable: false });
  return error;
}
function hostFunction(name) {
  return (...args) => new NativePromise((resolve, reject) => {
    if (calls >= hostCalls) { reject(refusal('call-limit')); return; }
    let encoded;
    try {
      while (args.length > 0 && args[args.length - 1] === undefined) args.length = args.length - 1;
      encoded = textOf(args, hostChars);
    } catch (e) { reject(refusal(e === OVER ? 'too-large' : 'bad-arguments')); return; }
    const id = ++calls;
    waiting[id] = { __proto__: null, resolve, reject };
    post('C{"id":' + id + ',"name":' + stringify(name) + ',"args":' + encoded + '}');
  });
}
const ctx = {};
ctx.log = log;
ctx.random = () => random();
for (let i = 0; i < hostNames.length; i++) define(ctx, hostNames[i], { __proto__: null, value: hostFunction(hostNames[i]), writable: true, configurable: true, enumerable: true });

const deleteProperty = G.Reflect.deleteProperty;
for (let i = 0; i < withoutGlobals.length; i++) {
  const parts = withoutGlobals[i].split('.');
  let owner = G;
  for (let j = 0; j < parts.length - 1 && owner !== undefined; j++) owner = owner[parts[j]];
  if (owner !== undefined) deleteProperty(owner, parts[parts.length - 1]);
}

let forward;
async function step(input) {
  try { post('V' + textOf(await forward(parse(input), ctx), resultChars)); } catch (thrown) { failed(thrown); }
}
return function api(op, value, ok, reply) {
  switch (op) {
    case 'load':
      try { forward = value.forward; } catch { forward = undefined; }
      return typeof forward === 'function';
    case 'step': step(value); return '';
    case 'reply': {
      const entry = waiting[value];
      if (entry === undefined) return '';
      delete waiting[value];
      if (ok) entry.resolve(parse(reply)); else entry.reject(refusal(reply));
      return '';
    }
    default: {
      if (head === null) return '';
      const next = head.text;
      head = head.next;
      if (head === null) tail = null;
      return next;
    }
  }
};
})`;
