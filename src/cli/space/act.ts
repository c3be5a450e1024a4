import { resolve } from 'node:path';
import { anchorRun, meetAnchors } from '../../experiment/open-run.ts';
import { findPrincipalToken, PrincipalTokenError } from '../../experiment/principal-file.ts';
import { tellDecisions } from '../../guard/decided.ts';
import type { Outcome } from '../../guard/decision.ts';
import { denialText } from '../../guard/denial-text.ts';
import { type Gate, openGate, type Principal } from '../../guard/gate.ts';
import { isRecord } from '../../space/json-value.ts';
import type { Log } from '../../space/log.ts';
import { writeTrace } from '../../trace/trace-writer.ts';
import { EXIT, type ExitCode, type Surroundings } from '../output.ts';
import { findSpace, openForWriting } from './place.ts';
import { oneLine } from './terminal-text.ts';

export interface ActFlags {
  /** A file that holds the principal's token. */
  readonly tokenFile?: string;
  readonly json?: boolean;
}

/** One call of the principal: what it did, in words, and the gate's answer. */
export interface Act {
  readonly did: string;
  readonly outcome: Outcome;
}

/**
 * Acts as the principal of a space that nobody else is writing (SQLite) or that others may be writing too (PostgreSQL). The space is opened
 * as it is: its own scopes, grants and name. What is done to the space of a run goes into the run's tables and under a new anchor.
 *
 * Prints the answers (with `--json` as a list); exit 1 when one was a refusal.
 *
 * @throws {PrincipalTokenError} without the token of the space's principal
 */
export async function actAsPrincipal(
  where: string | undefined,
  flags: ActFlags,
  world: Surroundings,
  act: (principal: Principal, gate: Gate) => Promise<readonly Act[]>,
): Promise<ExitCode> {
  const { cwd, env, output } = world;
  const place = await findSpace(where, world);
  const runDir = place.kind === 'file' ? place.runDir : undefined;
  const tokenFile = flags.tokenFile === undefined ? undefined : resolve(cwd, flags.tokenFile);
  const log = await openForWriting(place);
  let acts: readonly Act[];
  try {
    if (runDir !== undefined) await meetAnchors(runDir, log);
    const { run, sha256 } = await principalIn(log);
    const token = await findPrincipalToken(sha256, env, tokenFile);
    const gate = await openGate({ log, run, clock: () => Date.now(), scopes: [] });
    acts = await act(gate.principal(token), gate);
    if (runDir !== undefined) {
      await anchorRun(runDir, gate.head());
      await writeTrace(runDir, tellDecisions(gate.records()));
    }
    await gate.close();
  } finally {
    await log.close();
  }
  if (flags.json === true) output.out(`${JSON.stringify(acts)}\n`);
  else output.out(acts.map((one) => `${actText(one)}\n`).join(''));
  return acts.every(({ outcome }) => outcome.verdict === 'allow') ? EXIT.done : EXIT.failed;
}

/** Who the principal is, by the hash of its token, and what the space calls itself in its ids. */
async function principalIn(log: Log): Promise<{ readonly run: string; readonly sha256: string }> {
  let found: { readonly run: string; readonly sha256: string } | undefined;
  for await (const { key, body } of log.read()) {
    if (body.type !== 'event' || !isRecord(body.event) || body.event['what'] !== 'principal-set') continue;
    const sha256 = body.event['tokenSha256'];
    // Events are `<run>/event/<n>`.
    if (typeof sha256 === 'string') found = { run: key.slice(0, key.indexOf('/')), sha256 };
  }
  if (found !== undefined) return found;
  throw new PrincipalTokenError(
    'this space has no principal: it was begun by an earlier version, or where the token could not be kept; nobody can act in it',
  );
}

function actText({ did, outcome }: Act): string {
  if (outcome.verdict === 'denied') return `${did}: ${oneLine(denialText(outcome.denial))}`;
  if (outcome.verdict !== 'allow') return `${did}: ${outcome.verdict}`;
  return outcome.mark === undefined ? `${did}: done` : `${did}: done, by ${oneLine(outcome.mark.id)}`;
}
