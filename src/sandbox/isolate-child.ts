/**
 * The disposable child that runs one program: trusted code next to an untrusted isolate. It reads jobs from stdin, answers on
 * stdout and dies when stdin ends. It keeps no deadline; its parent does (and kills it).
 */
import { createRequire, stripTypeScriptTypes } from 'node:module';
import { setFlagsFromString } from 'node:v8';
import { serveLines, writeLine } from './child-stdio.ts';
import { READY_LINE, type ToChild } from './frames.ts';
import { IsolateHost, compileOnly } from './isolate-host.ts';
import { stripAll } from './program-modules.ts';

process.env['TZ'] = 'UTC';

const ivm: typeof import('isolated-vm') = createRequire(import.meta.url)('isolated-vm');
let host: IsolateHost | undefined;

serveLines(async (line) => {
  const message: ToChild = JSON.parse(line);
  if (message.op === 'strip') {
    writeLine(`${message.nonce}S${JSON.stringify(stripAll(message.modules, stripTypeScriptTypes))}`);
  } else if (message.op === 'parse') {
    writeLine(`${message.nonce}P${JSON.stringify((await compileOnly(ivm, message.path, message.text)) ?? null)}`);
  } else if (message.op === 'job') {
    compileEagerly();
    host = new IsolateHost(ivm, message, (kind, text) => writeLine(`${message.nonce}${kind}${text}`));
  } else if (message.op === 'load') {
    await host?.load(message.seed);
  } else if (message.op === 'step') {
    await host?.step(message.input);
  } else {
    await host?.reply(message.id, message.ok, message.text);
  }
});

/**
 * Every case begins cold in an isolate of its own: compile at once and learn at once, a quarter less time for short programs. Not
 * before the job: this process' own start and the type stripper run once, and would take a third longer.
 */
function compileEagerly(): void {
  setFlagsFromString('--always-sparkplug');
  setFlagsFromString('--no-lazy-feedback-allocation');
}

writeLine(READY_LINE);
