import { Command, InvalidArgumentError } from 'commander';
import { VERSION } from '../version.ts';
import { analyzeCommand } from './analyze-command.ts';
import { blameCommand } from './blame-command.ts';
import { addBenchCommand } from './bench-command.ts';
import { doctorCommand } from './doctor-command.ts';
import { DEFAULT_OUT, resumeCommand, runCommand } from './experiment-commands.ts';
import { sandboxCommand, tasksCommand, validateCommand, verifyCommand } from './inspect-commands.ts';
import type { ExitCode, Surroundings } from './output.ts';
import { addJoinCommand } from './join-command.ts';
import { addMcpCommand } from './mcp-command.ts';
import { addServeCommand } from './serve-command.ts';
import { addShowCommand } from './show-command.ts';
import { addSpaceCommand } from './space-command.ts';
import { addSubmitCommand } from './submit-command.ts';
import { addTokenCommand } from './token-command.ts';

const AFTER_HELP = `
Start here:
  hivemark run                          a paired experiment on two scripted models, no key needed, under a minute
  hivemark run --models anthropic/claude-sonnet-4-6 openai/gpt-5-mini --generations 5
  hivemark run my-experiment.yaml       your own: agents, task, seeds, arms, budgets
  hivemark resume results/quickstart    go on with what was stopped

Exit codes: 0 done, 1 the work failed, 2 wrong usage or config, 3 stopped by a budget, 130 interrupted (resumable).
With --json the last thing on standard output is one JSON document and nothing else is there.`;

/** The command tree. Commands are functions of their arguments and the world; their exit code goes to `onExit`. */
export function createProgram(world: Surroundings, onExit: (code: ExitCode) => void): Command {
  const { output } = world;
  const program = new Command('hivemark')
    .description(
      'Self-modifying agents, each on a different language model, improve the same kind of program side by side.\n' +
        "Each sees its peers' best code; every adoption of it is on record, with evidence.",
    )
    .version(VERSION, '-V, --version', 'print the version')
    .helpOption('-h, --help', 'print help')
    .addHelpText('after', AFTER_HELP)
    .showSuggestionAfterError()
    .showHelpAfterError('(hivemark --help, or hivemark <command> --help, says what there is)')
    .configureOutput({ writeOut: output.out, writeErr: output.err })
    .exitOverride();

  program
    .command('run')
    .description('run an experiment: every pair (or agent), task, seed and arm of a config')
    .argument('[config]', 'a YAML file; without one, the quickstart on scripted models')
    .option('--models <models...>', 'agents on these models instead, e.g. anthropic/claude-sonnet-4-6 scripted/tuner')
    .option('--task <task>', 'another task: a name of `hivemark tasks`, or a folder of your own')
    .option('--generations <n>', 'generations per agent', positive)
    .option('--seed <n>', "one seed instead of the config's", seed)
    .option('--out <dir>', `where the experiment's folder is made (default: ${DEFAULT_OUT})`)
    .option('--json', 'print the result as one JSON document')
    .action(async (config: string | undefined, flags: Parameters<typeof runCommand>[1]) =>
      onExit(await runCommand(config, flags, world)),
    );

  program
    .command('resume')
    .description('go on with a stopped or killed run, or with all runs of an experiment')
    .argument('<folder>', "a run's or an experiment's folder")
    .option('--json', 'print the result as one JSON document')
    .action(async (folder: string, flags: { json?: boolean }) => onExit(await resumeCommand(folder, flags, world)));

  program
    .command('tasks')
    .description('list the benchmark tasks')
    .option('--json', 'print them as one JSON document')
    .action(async (flags: { json?: boolean }) => onExit(await tasksCommand(flags, world)));

  program
    .command('validate')
    .description('check a config without running it: keys, task, models, keys of providers')
    .argument('<config>', 'a YAML file')
    .option('--json', 'print the resolved config and its runs as one JSON document')
    .action(async (config: string, flags: { json?: boolean }) => onExit(await validateCommand(config, flags, world)));

  program
    .command('doctor')
    .description('check this machine, and which providers have a key and answer')
    .argument('[config]', 'check the models of this config instead of all providers')
    .option('--no-ping', 'look for keys only, ask no provider')
    .option('--json', 'print the checks as one JSON document')
    .action(async (config: string | undefined, flags: { ping?: boolean; json?: boolean }) =>
      onExit(await doctorCommand({ ...flags, ...(config === undefined ? {} : { config }) }, world)),
    );

  program
    .command('verify')
    .description("check that no record of a run's log was changed, removed, added or moved")
    .argument('<run>', "a run's folder")
    .option('--json', 'print { ok, records, firstBad? }')
    .action(async (run: string, flags: { json?: boolean }) => onExit(await verifyCommand(run, flags, world)));

  addBenchCommand(program, world, onExit);
  addSpaceCommand(program, world, onExit);
  addMcpCommand(program, world, onExit);
  addJoinCommand(program, world, onExit);
  addSubmitCommand(program, world, onExit);
  addShowCommand(program, world, onExit);
  addTokenCommand(program, world, onExit);
  addServeCommand(program, world, onExit);

  program
    .command('sandbox')
    .description("run a module's forward(input, ctx) in the sandbox and print the verdict")
    .argument('<file>', 'a TypeScript or JavaScript module; relative imports beside it are taken along')
    .option('--input <json>', 'what forward is called with (default: {})')
    .option('--deadline <ms>', 'compute milliseconds it may use, up to a day (default: 1000)', deadline)
    .option('--json', 'print the verdict on one line')
    .action(async (file: string, flags: Parameters<typeof sandboxCommand>[1]) =>
      onExit(await sandboxCommand(file, flags, world)),
    );

  program
    .command('analyze')
    .description('ask traces a question: runs of ours, hyperspace, OpenEvolve, SkyDiscover, EvoTrace, ShinkaEvolve')
    .argument('[kind]', 'the question; without one, they are listed')
    .argument('[paths...]', 'folders with runs in them (or runs)')
    .option('--rule <rule>', 'how to judge, where there are several ways')
    .option('--pairs', 'adoption: give every comparison, not only the adoptions')
    .option('--json', 'print one JSON document')
    .option('--csv', 'print the table as CSV')
    .option('--html <file>', 'write a page that needs nothing else')
    .action(async (kind: string | undefined, paths: string[], flags: Parameters<typeof analyzeCommand>[2]) =>
      onExit(await analyzeCommand(kind, paths, flags, world)),
    );

  program
    .command('blame')
    .description("say for every line of an agent's program which agent and generation first wrote it")
    .argument('<run>', "a run's folder")
    .argument('<agent>', "the agent's name")
    .argument('<generation>', "which of its programs: a generation, a program's id, or best")
    .argument('[file]', 'one of its files (default: its program)')
    .option('--json', 'print one JSON document')
    .option('--html <file>', 'write a page that needs nothing else')
    .action(
      async (
        run: string,
        agent: string,
        which: string,
        file: string | undefined,
        flags: Parameters<typeof blameCommand>[4],
      ) => onExit(await blameCommand(run, agent, which, file, flags, world)),
    );

  return program;
}

function positive(text: string): number {
  const value = Number(text);
  if (!/^\d+$/u.test(text) || !Number.isSafeInteger(value) || value < 1)
    throw new InvalidArgumentError('give a whole number from 1');
  return value;
}

function deadline(text: string): number {
  const value = positive(text);
  if (value > 86_400_000) throw new InvalidArgumentError('give at most 86400000, a day');
  return value;
}

function seed(text: string): number {
  const value = Number(text);
  if (!/^\d+$/u.test(text) || value > 2 ** 31 - 1)
    throw new InvalidArgumentError('give a whole number from 0 to 2147483647');
  return value;
}
