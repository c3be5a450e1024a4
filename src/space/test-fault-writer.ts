/**
 * A child process for the fault tests: writes to a log until it is killed, and tells its parent (one line on stdout per
 * append) what it was told. Modes: `log`: 8 writers on the log itself; `early`: the broken variant that
 * acknowledges before the commit and must be caught; `fill`: 64 KiB records until one fails, then again when a line comes on stdin;
 * `count`: reads everything and says how much.
 */
import { writeSync } from 'node:fs';
import { LogWriteError, StaleAppendError, type Log } from './log.ts';
import { openSqliteLog } from './sqlite-log.ts';

const [mode = 'log', file = '', round = '0'] = process.argv.slice(2);
const WRITERS = 8;

function say(line: string): void {
  writeSync(1, `${line}\n`);
}

async function appendRow(log: Log, key: string, row: string, early: boolean): Promise<void> {
  for (let at = log.head().seq; ; ) {
    try {
      const done = log.append(at, [{ key, body: { type: 'row', table: 'fault', row } }]);
      if (early) say(key);
      await done;
      if (!early) say(key);
      return;
    } catch (error) {
      if (!(error instanceof StaleAppendError)) throw error;
      at = error.actualSeq;
    }
  }
}

async function write(log: Log, writer: number, early: boolean): Promise<void> {
  for (let i = 0; ; i += 1) await appendRow(log, `r${round}-w${writer}-${i}`, 'x'.repeat(200), early);
}

async function fill(log: Log, name: string): Promise<void> {
  for (let i = 0; i < 1_000; i += 1) {
    try {
      await appendRow(log, `${name}-${i}`, 'x'.repeat(65_536), false);
    } catch (error) {
      if (!(error instanceof LogWriteError)) throw error;
      const cause = error.cause instanceof Error && 'errcode' in error.cause ? error.cause.errcode : 'none';
      say(`failed ${String(cause)} readable ${await countRecords(log)}`);
      return;
    }
  }
  say('never failed');
}

async function countRecords(log: Log): Promise<number> {
  let count = 0;
  for await (const _ of log.read()) count += 1;
  return count;
}

const log = await openSqliteLog(file);
if (mode === 'count') {
  say(`readable ${await countRecords(log)}`);
  await log.close();
} else if (mode === 'fill') {
  await fill(log, 'before');
  process.stdin.once('data', () => {
    void (async () => {
      await appendRow(log, 'after', 'x'.repeat(65_536), false);
      say(`readable ${await countRecords(log)}`);
      await log.close();
      process.exit(0);
    })();
  });
} else {
  await Promise.all(Array.from({ length: WRITERS }, (_, writer) => write(log, writer, mode === 'early')));
}
