import type { GenerationReport, RunEvent } from '../experiment/progress.ts';
import { textTable } from '../report/text-table.ts';
import type { Output } from './output.ts';

interface AgentLine {
  readonly name: string;
  last: GenerationReport | undefined;
  phase: string;
}

/** One run that is under way. */
interface RunLine {
  readonly run: string;
  readonly generations: number;
  round: number;
  readonly agents: Map<string, AgentLine>;
}

const HEAD = ['agent', 'generation', 'score', 'best', 'tokens', 'denials', 'adoptions', 'now'];

/**
 * Shows run events while they come: on a terminal a small table that is redrawn in place, below what has happened; otherwise
 * one plain line per generation. Everything goes to `output.err`.
 */
export class ProgressView {
  readonly #output: Output;
  readonly #runs = new Map<string, RunLine>();
  #drawn = 0;

  constructor(output: Output) {
    this.#output = output;
  }

  on(event: RunEvent): void {
    const run = this.#runs.get(event.run);
    switch (event.type) {
      case 'run-started': {
        this.#runs.set(event.run, {
          run: event.run,
          generations: event.generations,
          round: event.fromRound,
          agents: new Map(event.agents.map(({ name }) => [name, { name, last: undefined, phase: 'waiting' }])),
        });
        const from = event.fromRound > 0 ? `, going on from round ${event.fromRound}` : '';
        const who = event.agents
          .map(({ name, model, scripted }) => `${name} = ${model}${scripted ? ' (scripted)' : ''}`)
          .join(', ');
        this.#print(`${event.run}: ${event.generations} generations${from}; ${who}`);
        break;
      }
      case 'round-started':
        if (run !== undefined) run.round = event.round;
        this.#redraw();
        break;
      case 'phase': {
        const line = run?.agents.get(event.agent);
        if (line !== undefined) line.phase = event.phase;
        this.#redraw();
        break;
      }
      case 'awaiting': {
        const line = run?.agents.get(event.agent);
        if (line !== undefined) line.phase = 'awaited';
        const until = new Date(event.closesAt).toLocaleTimeString('en-GB');
        if (this.#output.interactive) this.#redraw();
        else
          this.#print(
            `${event.run}  round ${event.generation}/${run?.generations ?? '?'}  waits for ${event.agent} until ${until}`,
          );
        break;
      }
      case 'generation-done':
        if (run !== undefined) this.#generation(run, event);
        break;
      case 'notice':
        this.#print(`${event.run}: ${event.text}`);
        break;
      case 'run-ended':
        this.#runs.delete(event.run);
        this.#print(`${event.run}: ${event.status}`);
        break;
    }
  }

  #generation(run: RunLine, report: GenerationReport): void {
    const line = run.agents.get(report.agent);
    if (line !== undefined) {
      line.last = report;
      line.phase = 'done';
    }
    const at = `${run.run}  round ${report.generation}/${run.generations}`;
    for (const { peer, peerGeneration, reuse } of report.adopted) {
      this.#print(
        `${at}  ${report.agent} took code from ${peer}'s generation ${peerGeneration}: ${percent(reuse)} of its new code, score ${score(report.score)}`,
      );
    }
    if (this.#output.interactive) {
      this.#redraw();
      return;
    }
    const reason = report.reason === undefined ? '' : `  ${oneLine(report.reason, 120)}`;
    this.#print(
      `${at}  ${report.agent}  ${report.status}  score ${score(report.score)}  best ${score(report.best)}  ` +
        `tokens ${report.tokens}  denials ${report.denials}  adoptions ${report.adoptions}${reason}`,
    );
  }

  /** A line that stays, above the table. */
  #print(text: string): void {
    this.#erase();
    this.#output.err(`${text}\n`);
    this.#redraw();
  }

  #erase(): void {
    if (this.#drawn > 0) this.#output.err(`\u001b[${this.#drawn}A\u001b[0J`);
    this.#drawn = 0;
  }

  #redraw(): void {
    if (!this.#output.interactive || this.#runs.size === 0) return;
    this.#erase();
    const lines = [...this.#runs.values()].flatMap((run) => [
      `${run.run}  round ${Math.max(run.round, 0)}/${run.generations}`,
      ...textTable([HEAD, ...[...run.agents.values()].map(cellsOf)], [1, 2, 3, 4, 5, 6])
        .split('\n')
        .map((line) => `  ${line}`),
    ]);
    this.#output.err(`${lines.map((line) => line.slice(0, this.#output.columns - 1)).join('\n')}\n`);
    this.#drawn = lines.length;
  }
}

function cellsOf({ name, last, phase }: AgentLine): string[] {
  if (last === undefined) return [name, '-', '-', '-', '0', '0', '0', phase];
  const { generation, tokens, denials, adoptions } = last;
  return [
    name,
    String(generation),
    score(last.score),
    score(last.best),
    String(tokens),
    String(denials),
    String(adoptions),
    phase,
  ];
}

function score(value: number): string {
  return value.toFixed(4);
}

function percent(share: number): string {
  return `${Math.round(share * 100)} %`;
}

function oneLine(text: string, max: number): string {
  const flat = text.replaceAll(/[\s\p{Cc}]+/gu, ' ');
  return flat.length <= max ? flat : `${flat.slice(0, max - 3)}...`;
}
