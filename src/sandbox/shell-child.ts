/**
 * The disposable child that runs one shell command over files in memory, with a frozen clock, a seeded `$RANDOM`, an environment
 * and a host name of its own, no network, no interpreters. The command runs in this very process: only the parent's deadline and
 * the operating system bound it.
 */
import './shell-globals.ts';
import { Bash, getCommandNames, type CommandName } from 'just-bash';
import { serveLines, writeLine } from './child-stdio.ts';
import { READY_LINE } from './frames.ts';
import { ShellFiles } from './shell-files.ts';
import { SHELL_EPOCH_MS, type ShellAnswer, type ToShellChild } from './shell-frames.ts';

const ENVIRONMENT = { HOME: '/', USER: 'agent', HOSTNAME: 'hivemark', LANG: 'C.UTF-8', TZ: 'UTC' };
/** Not offered: they start threads or interpreters of their own. */
const LEFT_OUT: ReadonlySet<string> = new Set([
  'sqlite3',
  'python',
  'python3',
  'js-exec',
  'node',
  'curl',
  'html-to-markdown',
]);
const COMMANDS = getCommandNames().filter((name): name is CommandName => !LEFT_OUT.has(name));
/** What a command may write into its tree, over what it was given. */
const ROOM_BYTES = 64 * 1024 * 1024;

function bashOver(files: ShellFiles, cwd: string, outputBytes: number, wallMs: number): Bash {
  return new Bash({
    fs: files,
    cwd,
    env: ENVIRONMENT,
    commands: COMMANDS,
    executionLimitProfile: 'hardened',
    // The parent keeps the deadline and clips the output; these only come after it.
    executionLimits: { maxExecutionTimeMs: wallMs + 60_000, maxOutputSize: Math.max(4 * outputBytes, 4 * 1024 * 1024) },
  });
}

async function run(job: ToShellChild): Promise<ShellAnswer> {
  chance = 1;
  const files = new ShellFiles(job.files, ROOM_BYTES + job.givenBytes);
  files.mkdirSync(job.cwd, { recursive: true });
  const bash = bashOver(files, job.cwd, job.outputBytes, job.wallMs);
  const { exitCode, stdout, stderr } = await bash.exec(job.command);
  const changed = files.changes();
  const changedBytes = Object.values(changed).reduce((sum, text) => sum + Buffer.byteLength(text ?? ''), 0);
  return {
    exitCode,
    stdout: clip(stdout, job.outputBytes),
    stderr: clip(stderr, job.outputBytes),
    changed: changedBytes > job.changedBytes ? {} : changed,
    changedBytes,
    reads: files.opened,
  };
}

/** At most one byte more than allowed: enough for the parent to see that it is too much. */
function clip(text: string, maxBytes: number): string {
  const bytes = Buffer.from(text);
  return bytes.length <= maxBytes ? text : bytes.subarray(0, maxBytes + 1).toString('utf8');
}

function freezeWorld(): void {
  const NativeDate = Date;
  globalThis.Date = new Proxy(NativeDate, {
    construct: (target, args, newTarget) =>
      Reflect.construct(target, args.length === 0 ? [SHELL_EPOCH_MS] : args, newTarget),
    apply: () => new NativeDate(SHELL_EPOCH_MS).toString(),
  });
  NativeDate.now = () => SHELL_EPOCH_MS;
  Math.random = () => {
    chance = (Math.imul(chance, 1_664_525) + 1_013_904_223) >>> 0;
    return chance / 2 ** 32;
  };
}

/** What `$RANDOM` comes from; every command begins with the same. */
let chance = 1;

freezeWorld();
serveLines(async (line) => {
  const job: ToShellChild = JSON.parse(line);
  writeLine(job.nonce + JSON.stringify(await run(job)));
});
// Commands load on first use (5 to 20 ms each); the interpreter and the commonest are loaded before the child says that it is ready.
await bashOver(new ShellFiles({ '/w': 'w\n' }, ROOM_BYTES), '/', 1024, 1000).exec('cat /w; ls /');
writeLine(READY_LINE);
