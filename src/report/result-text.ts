import type { AdoptionSummary, AgentSummary, RunSummary } from '../trace/run-folder.ts';
import { textTable } from './text-table.ts';

export interface ResultDocument {
  readonly experiment: string;
  readonly wallMs: number;
  readonly runs: readonly RunSummary[];
}

export interface ResultOptions {
  /** The experiment's folder. */
  readonly dir: string;
  /** The test split comes from a secret that everybody knows. */
  readonly publicSecret: boolean;
}

/** What `hivemark run` ends with: who adopted what from whom and what it did to the score, then every agent's best, then the fine print. */
export function resultText(result: ResultDocument, options: ResultOptions): string {
  const { runs } = result;
  const scripted = runs.some((run) => run.agents.some((agent) => agent.scripted));
  const parts = [
    `${result.experiment}: ${runs.length} ${runs.length === 1 ? 'run' : 'runs'} in ${(result.wallMs / 1000).toFixed(1)} s`,
    adoptionsText(runs),
    bestsText(runs),
    comparisonText(runs),
    scripted ? SCRIPTED_NOTE : '',
    options.publicSecret
      ? "The quickstart's test split comes from a fixed, public secret: its scores are for looking, not for claims."
      : '',
    `Everything is in ${options.dir}: marks.db (the log), trace/*.jsonl (tables), summary.json, report.html (open it in a browser).\nCheck a log with: hivemark verify <run folder>`,
  ];
  return `\n${parts.filter((part) => part !== '').join('\n\n')}\n`;
}

const SCRIPTED_NOTE = [
  'The models were SCRIPTED: deterministic programs in the place of language models, with the same tools.',
  "No result here is a language model's. With real ones (`hivemark doctor` checks keys):",
  '  hivemark run --models anthropic/<model> openai/<model>',
].join('\n');

function adoptionsText(runs: readonly RunSummary[]): string {
  const shared = runs.filter((run) => run.agents.length > 1);
  if (shared.length === 0) return 'No run had peers, so there was nothing to adopt.';
  const rows = shared.flatMap((run) => run.adoptions.map((row) => adoptionRow(run, row)));
  if (rows.length === 0) return 'Nobody adopted anything.';
  const head = ['run', 'agent', 'gen', 'took from', 'reuse', 'evidence', 'before', 'after', 'effect'];
  return `Adoptions (reuse: share of the new code that is the peer's; evidence: ${EVIDENCE_LADDER})\n${textTable([head, ...rows], [2, 4, 6, 7, 8])}`;
}

const EVIDENCE_LADDER = 'similar < exposed < read < stated';

function adoptionRow(run: RunSummary, row: AdoptionSummary): string[] {
  const effect = row.after - row.before;
  return [
    `s${run.seed}-${run.arm}`,
    row.agent,
    String(row.generation),
    `${row.peer} gen ${row.peerGeneration}`,
    `${Math.round(row.reuse * 100)} %`,
    row.evidence.readsObserved === false ? `${row.evidence.level} (reads unobservable)` : row.evidence.level,
    row.before.toFixed(4),
    row.after.toFixed(4),
    `${effect >= 0 ? '+' : ''}${effect.toFixed(4)}`,
  ];
}

function bestsText(runs: readonly RunSummary[]): string {
  const head = [
    'run',
    'agent',
    'model',
    'gens',
    'invalid',
    'best gen',
    'train',
    'validation',
    'test',
    'adoptions',
    'denials',
    'tokens',
    ...(runs.some((run) => run.agents.some(({ usd }) => usd > 0)) ? ['usd'] : []),
  ];
  const rows = runs.flatMap((run) =>
    run.agents.map((agent) => [
      `s${run.seed}-${run.arm}`,
      agent.name,
      agent.model,
      String(agent.generations),
      String(agent.invalid),
      agent.best.generation === null ? '-' : String(agent.best.generation),
      scoreText(agent.best.train),
      scoreText(agent.best.validation),
      scoreText(agent.best.test),
      String(agent.adoptions),
      String(agent.denials),
      `${agent.scripted ? '~' : ''}${agent.tokens}`,
      ...(head.includes('usd') ? [agent.usd.toFixed(2)] : []),
    ]),
  );
  const stopped = runs.filter((run) => run.status !== 'done').map((run) => `s${run.seed}-${run.arm} ${run.status}`);
  return `Best programs, by validation score\n${textTable([head, ...rows], [3, 4, 5, 6, 7, 8, 9, 10, 11, 12])}${stopped.length > 0 ? `\n${stopped.join('\n')}` : ''}`;
}

function scoreText(score: number | null): string {
  return score === null ? '-' : score.toFixed(4);
}

/** For every seed that has both: the best of the pair beside the best of each agent alone, at the same number of generations. */
function comparisonText(runs: readonly RunSummary[]): string {
  const lines = runs
    .filter((run) => run.arm === 'paired')
    .flatMap((pair) => {
      const alone = runs.filter((run) => run.arm === 'solo' && run.seed === pair.seed && run.task === pair.task);
      const best = (agents: readonly AgentSummary[]): number =>
        Math.max(0, ...agents.map((agent) => agent.best.validation ?? 0));
      if (alone.length === 0) return [];
      const soloBests = alone.flatMap((run) =>
        run.agents.map((agent) => `${agent.name} ${(agent.best.validation ?? 0).toFixed(4)}`),
      );
      const gain = best(pair.agents) - best(alone.flatMap((run) => run.agents));
      return [
        `Seed ${pair.seed}: the pair reached ${best(pair.agents).toFixed(4)}; alone, in as many generations: ${soloBests.join(', ')} (pairing ${gain >= 0 ? '+' : ''}${gain.toFixed(4)})`,
      ];
    });
  return lines.join('\n');
}
