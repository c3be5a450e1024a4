import { answerUsage } from './usage-channel.ts';

/** The command line as people start it, in a process that tells its parent what it uses: `<url of cli> <arguments...>`. */
async function main(): Promise<void> {
  const [cli = '', ...args] = process.argv.slice(2);
  answerUsage();
  // oxlint-disable-next-line typescript/no-unsafe-type-assertion -- our own parent names our own module
  const commandLine = (await import(cli)) as { readonly main: (argv: readonly string[]) => Promise<void> };
  await commandLine.main(args);
}

await main();
