import { randomBytes } from 'node:crypto';
import { afterAll, expect, test } from 'vitest';
import { createSandbox } from '../../src/sandbox/create-sandbox.ts';
import { asForward, BRIEF, jobOf, runOnce } from './containment.ts';

const CANARY = `CANARY_ENV_${randomBytes(6).toString('hex')}`;
process.env['HIVEMARK_TEST_CANARY'] = CANARY;
const sandbox = createSandbox({ shellPoolSize: 0 });
afterAll(() => sandbox.close());

/** Everything that would tell about the host: absolute paths, installed packages, names of our own files, the environment. */
const TELLTALE = new RegExp(
  `${CANARY}|node_modules|file://|node:internal|isolate-host|isolate-child|/(?:src|usr|home|root|work|tmp|proc)/`,
);

async function everythingSaid(source: string, host = {}, limits = {}): Promise<string> {
  return JSON.stringify(await runOnce(sandbox.run, jobOf(source, limits, { host })));
}

test('ISO-09 a host function that throws tells a code and nothing else', async () => {
  const host = {
    tool: () =>
      Promise.reject(
        Object.assign(new Error(`ENOENT: no such file, open '${process.cwd()}/${CANARY}'`), {
          code: 'ENOENT',
          path: process.cwd(),
        }),
      ),
  };
  const said = await everythingSaid(
    `export async function forward(input, ctx) {
      try { await ctx.tool('read', { path: '../../eval/expected.json' }); return 'answered'; }
      catch (e) { return JSON.stringify([e.message, e.stack, Object.getOwnPropertyNames(e), e.code, e.path, String(e.cause)]); }
    }`,
    host,
  );
  expect(said).toContain('the host refused');
  expect(said).not.toMatch(TELLTALE);
  expect(said).not.toContain('ENOENT');
});

test('EV-04 the environment of the call tells nothing', async () => {
  const script = `var r=[];try{r.push(arguments.callee.caller+'')}catch(e){r.push(e.stack)};try{r.push(JSON.stringify(Object.getOwnPropertyNames(globalThis)))}catch(e){};try{r.push(new Error().stack)}catch(e){};try{null.x}catch(e){r.push(e.stack)};
    Error.prepareStackTrace=(e,s)=>s.map(f=>[f.getFileName(),f.getThis&&typeof f.getThis(),f.getFunction&&String(f.getFunction())]);try{r.push(JSON.stringify(new Error().stack))}catch(e){};return r.join('\\n')`;
  const sloppy = await everythingSaid(
    `export const forward = new Function('input', 'ctx', ${JSON.stringify(script)});`,
  );
  expect(sloppy).toContain('"status":"value"');
  expect(sloppy).not.toMatch(TELLTALE);
  // No function of the host's side is reachable through a stack walk.
  expect(sloppy).not.toMatch(/textOf|uncurry|settings|sink|resultChars/);
  const strict = await everythingSaid(asForward(script));
  expect(strict).not.toMatch(TELLTALE);
});

test.each([
  ['a missing global', 'return process.env'],
  ['a missing module', "return import('node:fs').then(() => 'imported', (e) => [e.message, e.stack].join())"],
  ['a stack overflow', 'const f = () => f(); f()'],
  ['an eval that fails', "return eval('}')"],
  ['a thrown object', 'throw { message: 1 }'],
  [
    'the constructor of everything',
    "return ({}).constructor.constructor('return typeof process + typeof require + typeof globalThis.global')()",
  ],
  [
    'the functions of ctx',
    'return Object.getOwnPropertyNames(ctx).map((k) => [k, String(ctx[k]), String(ctx[k].constructor)])',
  ],
])('%s tells nothing of the host', async (_, script) => {
  const said = await everythingSaid(asForward(script));
  expect(said).not.toMatch(TELLTALE);
  expect(said).not.toContain('imported');
});

test('a module that fails to parse, link or load tells nothing of the host', async () => {
  const sources = [
    'let = ;',
    "import x from '/etc/passwd';",
    "import x from 'node:fs';",
    "throw new Error('x');",
    'await new Promise(() => {});',
  ];
  for (const source of sources) expect(await everythingSaid(source, {}, BRIEF)).not.toMatch(TELLTALE);
});

test('the garbage collector tells nothing and calls nobody', async () => {
  const source = asForward('return [typeof FinalizationRegistry, typeof WeakRef]');
  expect(JSON.parse(await everythingSaid(source))).toMatchObject({ value: ['undefined', 'undefined'] });
});

test('there is no clock: neither dates, nor formats, nor waiting tell the time', async () => {
  const source = asForward(
    `return [Date.now(), new Date().getTime(), new Date(NaN).constructor.now(), typeof Intl.DateTimeFormat, typeof performance, typeof setTimeout, typeof Temporal]`,
  );
  expect(JSON.parse(await everythingSaid(source))).toMatchObject({
    value: [0, 0, 0, 'undefined', 'undefined', 'undefined', 'undefined'],
  });
});
