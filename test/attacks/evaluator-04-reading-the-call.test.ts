import { afterAll, expect, test } from 'vitest';
import { disclosedFiles } from '../../src/evaluate/disclosure.ts';
import { createSandbox } from '../../src/sandbox/create-sandbox.ts';
import { canaries, doublingTask, evaluate } from './evaluator-task.ts';

process.env['HIVEMARK_TEST_CANARY'] = canaries.environment;
const sandbox = createSandbox();
afterAll(() => {
  delete process.env['HIVEMARK_TEST_CANARY'];
  return sandbox.close();
});

/** Gathers whatever the realm, the call stack and the errors let it see, and reports it on every channel. */
const gather = `
const collect = function () {
  const r = [];
  const attempt = (f) => { try { const v = f(); r.push(typeof v === 'string' ? v : JSON.stringify(v)); } catch (e) { r.push(String(e && e.stack)); } };
  attempt(() => (0, eval)('(function () { return String(arguments.callee.caller); })()'));
  attempt(() => JSON.stringify(Object.getOwnPropertyNames(globalThis)));
  attempt(() => new Error().stack);
  attempt(() => null.x);
  attempt(() => globalThis.process.env);
  attempt(() => globalThis.process.mainModule.require('fs').readdirSync('.'));
  attempt(() => globalThis.constructor.constructor('return process')().cwd());
  attempt(() => collect.constructor('return this')().process.argv);
  attempt(() => import.meta.url);
  attempt(() => require('node:fs').readFileSync('/proc/self/environ', 'utf8'));
  attempt(() => {
    Error.prepareStackTrace = (e, s) => s.map((f) => [f.getFileName(), f.getThis && typeof f.getThis(), f.getFunction && String(f.getFunction())]);
    return JSON.stringify(new Error().stack);
  });
  return r.join('\\n');
};
`;

const sources = {
  returns: `${gather} export const forward = (input, ctx) => collect();`,
  logs: `${gather} export const forward = (input, ctx) => { const all = collect(); ctx.log(all); console.log(all); return String(Object.keys(ctx)); };`,
  throws: `${gather} export const forward = () => { throw new Error(collect()); };`,
  'asks its context': `${gather}
    export const forward = (input, ctx) => {
      const seen = [];
      for (let o = ctx; o; o = Object.getPrototypeOf(o)) for (const k of Reflect.ownKeys(o)) {
        let text; try { text = String(o[k]); } catch (e) { text = String(e && e.stack); }
        seen.push(String(k) + '=' + text);
        try { seen.push(String(o[k].constructor.constructor('return typeof process + JSON.stringify(globalThis.process?.env)')())); } catch (e) { seen.push(String(e)); }
      }
      return seen.join('\\n');
    };`,
  'imports a host module': `export const forward = async () => { try { return JSON.stringify(Object.keys(await import('node:fs'))); } catch (e) { return String(e && e.stack); } };`,
};

// EV-04
for (const [name, source] of Object.entries(sources)) {
  test(`a program that ${name} learns nothing but its own input`, async () => {
    const task = doublingTask();
    const train = await evaluate(task, source, sandbox.run);
    const validation = await evaluate(task, source, sandbox.run, 'validation');
    expect(train.score).toBe(0);
    const files = disclosedFiles([train, validation], { train: 'cases', validation: 'score' });
    // Everything that is kept of the train evaluation, and everything that an agent is shown.
    const text = JSON.stringify(train) + Object.values(files).join('');
    for (const canary of Object.values(canaries)) expect(text).not.toContain(canary);
    for (const path of [process.cwd(), 'node_modules', '/src/sandbox', 'file://', '/proc/']) {
      expect(text.replaceAll("require('node:fs').readFileSync('/proc/", '')).not.toContain(path);
    }
    // The inputs of other cases are no more its own than the answers are.
    for (const one of train.cases) {
      const own = JSON.stringify([one.output, one.logs, one.error]);
      const known = [0, 1, 2, 3, 4, 5, 6, 7, 8, 9].filter((index) => own.includes(`case ${index}`));
      expect(known.filter((index) => index !== one.index)).toEqual([]);
    }
  });
}
