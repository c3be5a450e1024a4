import { type StandingRestriction, standingRestrictions } from '../../guard/parts/barrier.ts';
import { textTable } from '../../report/text-table.ts';
import { EXIT, type ExitCode, type Surroundings } from '../output.ts';
import { readSpace } from './read-space.ts';
import { oneLine } from './terminal-text.ts';

/** `hivemark space barriers <where>`: what is kept from whom until the principal restores it. */
export async function barriersCommand(
  where: string | undefined,
  flags: { readonly json?: boolean },
  world: Surroundings,
): Promise<ExitCode> {
  const { state } = await readSpace(where, world);
  const restrictions = [...standingRestrictions(state)];
  world.output.out(flags.json === true ? `${JSON.stringify(restrictions)}\n` : barriersText(restrictions));
  return EXIT.done;
}

function barriersText(restrictions: readonly StandingRestriction[]): string {
  if (restrictions.length === 0) return '(nothing is kept from anybody)\n';
  const rows = restrictions.map(({ agent, scope, kind, needed }) => [
    agent ?? '(everybody)',
    oneLine(scope),
    kind,
    needed ? 'a need of theirs there is resolved, or restored' : 'restored',
  ]);
  return `${textTable([['agent', 'scope', 'kind', 'until'], ...rows])}\n`;
}
