/**
 * A child process for the tests with PostgreSQL: writes to a space until a line comes on stdin or it is killed, and tells its parent
 * (one line on stdout per record) what was acknowledged. Every record carries an id of its own, so that one stored twice under
 * different keys is seen. Modes: `log`: as it is meant; `early`: the broken variant that acknowledges before the commit; `new-keys`:
 * the broken variant that repeats an append of unknown outcome under new keys; `count`: reads everything and says how much.
 */
import { writeSync } from 'node:fs';
import { CorruptLogError, type Log, type LogEntry, LogWriteError, StaleAppendError } from './log.ts';
import { openPostgresLog } from './postgres-log.ts';

const [mode = 'log', url = '', space = '', name = 'w', batch = '16'] = process.argv.slice(2);
const options = {
  space,
  statementTimeoutMs: 1_000,
  connectTimeoutMs: 1_000,
  giveUpAfterMs: mode === 'new-keys' ? 1 : 30_000,
};

function say(text: string): void {
  writeSync(1, `${text}\n`);
}

function entry(id: string, attempt: number): LogEntry {
  const key = mode === 'new-keys' ? `${id}-${attempt}` : id;
  return { key, body: { type: 'row', table: 'fault', row: { id, text: 'x'.repeat(200) } } };
}

/** Its short times are for what comes after; a busy machine may need several tries to open. */
async function openLog(): Promise<Log> {
  for (let tries = 1; ; tries += 1) {
    try {
      return await openPostgresLog(url, options);
    } catch (error) {
      if (error instanceof CorruptLogError || tries === 20) throw error;
    }
  }
}

async function store(log: Log, ids: readonly string[]): Promise<void> {
  for (let attempt = 0; ; ) {
    const entries = ids.map((id) => entry(id, attempt));
    try {
      const done = log.append(log.head().seq, entries);
      if (mode === 'early') say(ids.join('\n'));
      await done;
      return;
    } catch (error) {
      if (error instanceof StaleAppendError) await catchUp(log, error.actualSeq);
      else if (error instanceof LogWriteError) attempt += 1;
      else throw error;
    }
  }
}

/** `new-keys` gives up at once, in reading too, where only what becomes of its appends is to be seen: it reads again. */
async function catchUp(log: Log, from: number): Promise<void> {
  for (;;) {
    try {
      await countRecords(log, from);
      return;
    } catch (error) {
      if (mode !== 'new-keys' || error instanceof CorruptLogError) throw error;
    }
  }
}

async function countRecords(log: Log, from = 1): Promise<number> {
  let count = 0;
  for await (const _ of log.read(from)) count += 1;
  return count;
}

const log = await openLog();
if (mode === 'count') say(String(await countRecords(log)));
else {
  const stop = new AbortController();
  process.stdin.once('data', () => stop.abort());
  for (let i = 0; !stop.signal.aborted; i += 1) {
    const ids = Array.from({ length: Number(batch) }, (_, n) => `${name}-${i}-${n}`);
    await store(log, ids);
    if (mode !== 'early') say(ids.join('\n'));
  }
}
await log.close();
process.exit(0);
