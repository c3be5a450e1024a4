import { type Command, InvalidArgumentError } from 'commander';
import type { ExitCode, Surroundings } from './output.ts';
import { UsageError } from './output.ts';
import type { ExportFlags } from './space/export.ts';
import type { MarksFlags } from './space/marks.ts';
import type { ResolveFlags, RestrictionFlags, RevokeFlags } from './space/principal-commands.ts';

const WHERE =
  "a run's folder, a marks.db, an experiment's folder with one run, or postgres://... (default: HIVEMARK_DATABASE_URL, else here)";
const TOKEN = "a file with the principal's token (default: HIVEMARK_PRINCIPAL_TOKEN, else this user's configuration)";
const JSON_FLAG = 'print one JSON document';

interface JsonFlag {
  readonly json?: boolean;
}
interface TokenFlags extends JsonFlag {
  readonly tokenFile?: string;
}

/** `hivemark space <sub> <where>`: look into a space beside whoever writes it, and act in it as its principal. */
export function addSpaceCommand(program: Command, world: Surroundings, onExit: (code: ExitCode) => void): void {
  const space = program
    .command('space')
    .description('look into a space: marks, needs, restrictions, numbers; and act in it as the person in charge');
  addLooking(space, world, onExit);
  addActing(space, world, onExit);
}

function addLooking(space: Command, world: Surroundings, onExit: (code: ExitCode) => void): void {
  look(space, 'stats', 'count what is in a space: marks, verdicts, denials, needs, leases, restrictions').action(
    async (where: string | undefined, flags: JsonFlag) => {
      const { statsCommand } = await import('./space/stats.ts');
      onExit(await statsCommand(where, flags, world));
    },
  );

  look(space, 'marks', 'list marks in log order, with their strength now')
    .option('--scope <scope>', 'of exactly this scope')
    .option('--under <scope>', 'of this scope and all below it')
    .option('--kind <kind>', 'intent, action, observation, warning or need')
    .option('--topic <topic>', 'observations and warnings about it')
    .option('--resource <resource>', 'intents and actions on it')
    .option('--agent <agent>', 'written by it')
    .option('--since <time>', 'written since then: an ISO date, epoch milliseconds, or a duration before now like 2h')
    .option('--last <n>', 'the newest n of them', positive)
    .option('--live', 'leave out what counts for nothing any more')
    .action(async (where: string | undefined, flags: MarksFlags) => {
      const { marksCommand } = await import('./space/marks.ts');
      onExit(await marksCommand(where, flags, world));
    });

  look(space, 'needs', 'list what waits for a person, the most pressing first').action(
    async (where: string | undefined, flags: JsonFlag) => {
      const { needsCommand } = await import('./space/needs.ts');
      onExit(await needsCommand(where, flags, world));
    },
  );

  look(space, 'barriers', 'list what is kept from whom until it is restored').action(
    async (where: string | undefined, flags: JsonFlag) => {
      const { barriersCommand } = await import('./space/barriers.ts');
      onExit(await barriersCommand(where, flags, world));
    },
  );

  look(space, 'export', 'write all marks, decisions and events to one file')
    .option('--format <format>', 'jsonl, or parquet (needs @duckdb/node-api)', 'jsonl')
    .option('--out <file>', 'where to; - is standard output', '-')
    .action(async (where: string | undefined, flags: ExportFlags) => {
      const { exportCommand } = await import('./space/export.ts');
      onExit(await exportCommand(where, flags, world));
    });
}

function addActing(space: Command, world: Surroundings, onExit: (code: ExitCode) => void): void {
  act(space, 'resolve', 'need', 'answer a need')
    .option('--answer <text>', 'what the answer is')
    .option('--winner <intent>', 'whose intent gets the resource, where several want one')
    .option('--same', 'answer every open need that asks the same in the same scope')
    .action(async (...[first, second, flags]: [string, string | undefined, ResolveFlags]) => {
      const { resolveCommand } = await import('./space/principal-commands.ts');
      onExit(await resolveCommand(...whereAnd(first, second, 'need'), flags, world));
    });

  for (const [name, what] of [
    ['restore', 'lift every restriction that this one covers'],
    ['revoke', 'keep an agent, or everybody, from writing there; needs always may be written'],
  ] as const) {
    const command = look(space, name, what)
      .requiredOption('--scope <scope>', 'there and in all below it')
      .option('--agent <agent>', 'this agent only (default: everybody)')
      .option('--kind <kind>', 'this kind of mark only (default: every kind)')
      .option('--token-file <file>', TOKEN);
    if (name === 'revoke')
      command
        .requiredOption('--reason <text>', 'why; goes on record')
        .option('--until-need', 'only until a need that the agent writes there is resolved')
        .action(async (where: string | undefined, flags: RevokeFlags) => {
          const { revokeCommand } = await import('./space/principal-commands.ts');
          onExit(await revokeCommand(where, flags, world));
        });
    else
      command.action(async (where: string | undefined, flags: RestrictionFlags) => {
        const { restoreCommand } = await import('./space/principal-commands.ts');
        onExit(await restoreCommand(where, flags, world));
      });
  }

  act(space, 'boundary', 'scope', 'settle a deferred scope now, over all intents that wait in it').action(
    async (...[first, second, flags]: [string, string | undefined, TokenFlags]) => {
      const { boundaryCommand } = await import('./space/principal-commands.ts');
      onExit(await boundaryCommand(...whereAnd(first, second, 'scope'), flags, world));
    },
  );

  act(space, 'reset-envelope', 'agent', 'forget what is usual for an agent, and lift what its envelope imposed').action(
    async (...[first, second, flags]: [string, string | undefined, TokenFlags]) => {
      const { resetEnvelopeCommand } = await import('./space/principal-commands.ts');
      onExit(await resetEnvelopeCommand(...whereAnd(first, second, 'agent'), flags, world));
    },
  );
}

function look(space: Command, name: string, what: string): Command {
  return space.command(name).description(what).argument('[where]', WHERE).option('--json', JSON_FLAG);
}

function act(space: Command, name: string, argument: string, what: string): Command {
  return space
    .command(name)
    .usage(`[options] [where] <${argument}>`)
    .description(what)
    .argument('[where]', WHERE)
    .argument(`[${argument}]`)
    .option('--token-file <file>', TOKEN)
    .option('--json', JSON_FLAG);
}

/** `[where] <what>`: the last argument is the one that must be there. */
function whereAnd(
  first: string | undefined,
  second: string | undefined,
  what: string,
): [where: string | undefined, what: string] {
  if (first === undefined) throw new UsageError(`name the ${what}: hivemark space ... [where] <${what}>`);
  return second === undefined ? [undefined, first] : [first, second];
}

function positive(text: string): number {
  const value = Number(text);
  if (!/^\d+$/u.test(text) || !Number.isSafeInteger(value) || value < 1)
    throw new InvalidArgumentError('give a whole number from 1');
  return value;
}
