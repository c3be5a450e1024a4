import { spawn } from 'node:child_process';
import { describe, expect, it } from 'vitest';
import { ChildSession, type Outcome } from './child-session.ts';
import { ComputeSlots } from './compute-slots.ts';
import { DisposableChild } from './disposable-child.ts';
import { HostCalls } from './host-calls.ts';
import { DEFAULT_LIMITS } from './limits.ts';

/** A child that answers its second line (the first is the job) with `body`; `nonce` and `say` are at hand there. */
function childThat(body: string): DisposableChild {
  const script = `
    console.log('ready');
    let nonce, text = '';
    const say = (line) => process.stdout.write(line + '\\n');
    process.stdin.on('data', (bytes) => {
      text += bytes;
      const lines = text.split('\\n');
      if (nonce === undefined && lines.length > 1) nonce = JSON.parse(lines[0]).nonce;
      if (lines.length > 2) { text = lines[0] + '\\n'; ${body} }
    });`;
  return new DisposableChild(
    spawn(process.execPath, ['-e', script], { detached: true, stdio: ['pipe', 'pipe', 'pipe'] }),
  );
}

function sessionWith(child: DisposableChild): ChildSession {
  const limits = { ...DEFAULT_LIMITS, resultBytes: 1_000, hostBytes: 1_000, logBytes: 1_000 };
  const host = new HostCalls({ ask: () => Promise.resolve(1) }, limits);
  return new ChildSession(child, { modules: {}, broken: {}, entry: 'a.js' }, limits, new ComputeSlots(1), host);
}

/** What comes of a child that ends by itself, unless there is a `budgetMs` for it. */
async function outcomeOf(body: string, budgetMs = 20_000): Promise<Outcome> {
  const child = childThat(body);
  await child.ready;
  const session = sessionWith(child);
  const outcome = await session.open(1, budgetMs, {});
  session.end(outcome);
  await child.gone;
  return outcome;
}

describe('ChildSession, whatever its child writes', () => {
  it('takes the frame with the nonce', async () => {
    expect(await outcomeOf("say(nonce + 'V[1]');")).toEqual({ status: 'value', value: [1] });
  });

  it('does not see frames without it', async () => {
    const forged = "say('V[1]'); say('0'.repeat(32) + 'V[2]'); say(nonce.slice(1) + 'V[3]'); say(''); say('ready');";
    expect(await outcomeOf(forged, 300)).toMatchObject({ status: 'timeout' });
    expect(await outcomeOf(`${forged} say(nonce + 'V[4]');`)).toEqual({ status: 'value', value: [4] });
  });

  it.each([
    ['a line without end', "process.stdout.write('x'.repeat(5e6));", 'output-limit'],
    ['a value over the cap', "say(nonce + 'V' + JSON.stringify('x'.repeat(5e6)));", 'output-limit'],
    [
      'noise on stderr without end',
      "for (let i = 0; i < 100; i++) process.stderr.write('x'.repeat(1e4));",
      'output-limit',
    ],
    ['polluting keys', `say(nonce + 'V{"__proto__":{"x":1}}');`, 'bad-result'],
    ['a value that is not JSON', "say(nonce + 'V{score:1}');", 'bad-result'],
    ['a malformed call', 'say(nonce + \'C{"id":"x"}\');', 'crash'],
    ['exit', 'process.exit(0);', 'crash'],
    ['a signal', "process.kill(process.pid, 'SIGSEGV');", 'crash'],
    [
      'the last words of a heap',
      "process.stderr.write('FATAL ERROR: JavaScript heap out of memory\\n', () => process.abort());",
      'memory',
    ],
    ['unknown letters', "say(nonce + 'Z'); say(nonce); say(nonce + 'E5');", 'error'],
  ])('%s', async (_, body, status) => {
    expect(await outcomeOf(body)).toMatchObject({ status });
  });

  it('nothing', async () => {
    expect(await outcomeOf('', 300)).toMatchObject({ status: 'timeout', error: { code: 'deadline' } });
  });

  it('idleness while nothing is owed', async () => {
    const outcome = await outcomeOf("say(nonce + 'I0');");
    expect(outcome).toMatchObject({ status: 'timeout', error: { code: 'never-settles' } });
  });

  it('the last words of a heap, in two parts, by one that does not get to die', async () => {
    const node = spawn(process.execPath, ['-e', 'setInterval(() => {}, 1e6);'], { detached: true });
    const child = new DisposableChild(node);
    const outcome = sessionWith(child).open(1, 20_000, {});
    node.stderr.emit('data', Buffer.from('FATAL ERROR: '));
    node.stderr.emit('data', Buffer.from('JavaScript heap out of memory\n'));
    expect(await outcome).toMatchObject({ status: 'memory' });
    await child.gone;
  });
});

describe('DisposableChild', () => {
  it('that never becomes ready rejects its wait and is gone', async () => {
    const child = new DisposableChild(spawn(process.execPath, ['-e', 'process.exit(3)'], { detached: true }));
    await expect(child.ready).rejects.toThrow('exit');
    expect((await child.gone).code).toBe(3);
  });

  it('that cannot be spawned at all says so', async () => {
    const child = new DisposableChild(spawn('/no/such/program', [], { detached: true }));
    await expect(child.ready).rejects.toMatchObject({ name: 'SandboxUnavailableError', code: 'sandbox-unavailable' });
  });
});
