import type { Outcome } from '../../guard/decision.ts';
import type { Principal } from '../../guard/gate.ts';
import type { Restriction } from '../../guard/guard-event.ts';
import type { MarkView } from '../../space/mark-index.ts';
import type { MarkId } from '../../space/marks.ts';
import { type ExitCode, type Surroundings, UsageError } from '../output.ts';
import { type Act, type ActFlags, actAsPrincipal } from './act.ts';
import { parseKind } from './marks.ts';
import { agentFrom, scopeFrom } from './names.ts';
import { oneLine } from './terminal-text.ts';

export interface ResolveFlags extends ActFlags {
  readonly answer?: string;
  readonly winner?: string;
  /** Answer every open need that asks the same in the same scope. */
  readonly same?: boolean;
}

export interface RestrictionFlags extends ActFlags {
  readonly scope: string;
  readonly agent?: string;
  readonly kind?: string;
}

export interface RevokeFlags extends RestrictionFlags {
  readonly reason: string;
  readonly untilNeed?: boolean;
}

/** `hivemark space resolve <where> <need>`: answers a need; where it asks who may have a resource, `--winner` says who. */
export function resolveCommand(
  where: string | undefined,
  need: string,
  flags: ResolveFlags,
  world: Surroundings,
): Promise<ExitCode> {
  const { answer, winner, same } = flags;
  if (same === true && winner !== undefined) throw new UsageError('--same and --winner exclude each other');
  if (answer === undefined && winner === undefined)
    throw new UsageError('say what the answer is: --answer <text>, or --winner <intent> where several want a resource');
  return actAsPrincipal(where, flags, world, async (principal, { view }) => {
    // oxlint-disable-next-line typescript/no-unsafe-type-assertion -- an id that is none is refused
    const [asked, picked] = [need as MarkId, winner as MarkId | undefined];
    const options = picked === undefined ? {} : { winner: picked };
    const others = same === true ? sameNeeds(view, asked) : [];
    const acts: Act[] = [];
    for (const id of [asked, ...others])
      acts.push({ did: `resolve ${oneLine(id)}`, outcome: await principal.resolve(id, answer ?? null, options) });
    return acts;
  });
}

/** The other open needs that ask the same. */
function sameNeeds(view: MarkView, id: MarkId): readonly MarkId[] {
  const need = view.byId(id);
  if (need?.kind !== 'need') return [];
  return [...view.openNeeds()]
    .filter((other) => other.id !== id && other.scope === need.scope && other.question === need.question)
    .map((other) => other.id);
}

/** `hivemark space restore <where> --scope ...`: lifts every restriction that this one covers. */
export function restoreCommand(
  where: string | undefined,
  flags: RestrictionFlags,
  world: Surroundings,
): Promise<ExitCode> {
  const restriction = restrictionOf(flags);
  return one(where, flags, world, `restore ${textOf(restriction)}`, (principal) => principal.restore(restriction));
}

/** `hivemark space revoke <where> --scope ... --reason ...`: keeps somebody, or everybody, from writing there. */
export function revokeCommand(where: string | undefined, flags: RevokeFlags, world: Surroundings): Promise<ExitCode> {
  const restriction = restrictionOf(flags);
  const { reason, untilNeed } = flags;
  return one(where, flags, world, `revoke ${textOf(restriction)}`, (principal) =>
    untilNeed === true ? principal.requireNeed(restriction, reason) : principal.revoke(restriction, reason),
  );
}

/** `hivemark space boundary <where> <scope>`: settles a deferred scope now. */
export function boundaryCommand(
  where: string | undefined,
  scope: string,
  flags: ActFlags,
  world: Surroundings,
): Promise<ExitCode> {
  const name = scopeFrom(scope);
  return one(where, flags, world, `boundary of ${oneLine(name)}`, (principal) => principal.boundary(name));
}

/** `hivemark space reset-envelope <where> <agent>`: sets what is usual for an agent back to its cold start. */
export function resetEnvelopeCommand(
  where: string | undefined,
  agent: string,
  flags: ActFlags,
  world: Surroundings,
): Promise<ExitCode> {
  const name = agentFrom(agent);
  return one(where, flags, world, `reset the envelope of ${name}`, (principal) => principal.resetEnvelope(name));
}

type Call = (principal: Principal) => Promise<Outcome>;

function one(
  where: string | undefined,
  flags: ActFlags,
  world: Surroundings,
  did: string,
  call: Call,
): Promise<ExitCode> {
  return actAsPrincipal(where, flags, world, async (principal) => [{ did, outcome: await call(principal) }]);
}

function restrictionOf({ scope, agent, kind }: RestrictionFlags): Restriction {
  return {
    scope: scopeFrom(scope),
    ...(agent === undefined ? {} : { agent: agentFrom(agent) }),
    ...(kind === undefined ? {} : { kind: parseKind(kind) }),
  };
}

function textOf({ scope, agent, kind }: Restriction): string {
  return `${agent ?? 'everybody'}: ${kind ?? 'every kind'} in ${oneLine(scope)}`;
}
