import type { GenerationReport, RunEvent } from '../experiment/progress.ts';
import type { Output } from './output.ts';

interface AgentLine {
  readonly name: string;
  readonly model: string;
  last: GenerationReport | undefined;
  phase: string;
}

/**
 * Shows run events while they come: on a terminal a small table that is redrawn in place, below the adoptions as they happen;
 * otherwise one plain line per generation. Everything goes to `output.err`.
 */
export class ProgressView {
  readonly #output: Output;
  #agents = new Map<string, AgentLine>();
  #title = '';
  #drawn = 0;
  #round = 0;
  #generations = 0;

  constructor(output: Output) {
    this.#output = output;
  }

  on(event: RunEvent): void {
    switch (event.type) {
      case 'run-started': {
        this.#agents = new Map(event.agents.map(({ name, model }) => [name, { name, model, last: undefined, phase: 'waiting' }]));
        this.#generations = event.generations;
        this.#title = event.run;
        this.#round = event.fromRound - 1;
        const from = event.fromRound > 1 ? `, going on from round ${event.fromRound}` : '';
        const who = event.agents.map(({ name, model, scripted }) => `${name} = ${model}${scripted ? ' (scripted)' : ''}`).join(', ');
        this.#print(`${event.run}: ${event.generations} generations${from}; ${who}`);
        break;
      }
      case 'round-started':
        this.#round = event.round;
        this.#redraw();
        break;
      case 'phase': {
        const line = this.#agents.get(event.agent);
        if (line !== undefined) line.phase = event.phase;
        this.#redraw();
        break;
      }
      case 'generation-done':
        this.#generation(event);
        break;
      case 'notice':
        this.#print(`${event.run}: ${event.text}`);
        break;
      case 'run-ended':
        this.#erase();
        this.#agents = new Map();
        this.#print(`${event.run}: ${event.status}`);
        break;
    }
  }

  #generation(report: GenerationReport): void {
    const line = this.#agents.get(report.agent);
    if (line !== undefined) {
      line.last = report;
      line.phase = 'done';
    }
    for (const { peer, peerGeneration, reuse } of report.adopted) {
      this.#print(
        `  round ${report.generation}: ${report.agent} took code from ${peer}'s generation ${peerGeneration} (reuse ${percent(reuse)}), now ${score(report.score)}`,
      );
    }
    if (this.#output.interactive) {
      this.#redraw();
      return;
    }
    const reason = report.reason === undefined ? '' : `  ${oneLine(report.reason, 120)}`;
    this.#print(
      `  round ${report.generation}/${this.#generations}  ${report.agent}  ${report.status}  score ${score(report.score)}  best ${score(report.best)}  ` +
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
    if (!this.#output.interactive || this.#agents.size === 0) return;
    this.#erase();
    const rows = [
      ['agent', 'generation', 'score', 'best', 'tokens', 'denials', 'adoptions', 'now'],
      ...[...this.#agents.values()].map(({ name, last, phase }) => [
        name,
        last === undefined ? '-' : String(last.generation),
        last === undefined ? '-' : score(last.score),
        last === undefined ? '-' : score(last.best),
        String(last?.tokens ?? 0),
        String(last?.denials ?? 0),
        String(last?.adoptions ?? 0),
        phase,
      ]),
    ];
    const widths = (rows[0] ?? []).map((_, i) => Math.max(...rows.map((row) => row[i]?.length ?? 0)));
    const lines = rows.map((row) => `  ${row.map((cell, i) => cell.padEnd(widths[i] ?? 0)).join('  ')}`);
    const all = [`${this.#title}  round ${this.#round}/${this.#generations}`, ...lines].map((line) => line.slice(0, this.#output.columns - 1));
    this.#output.err(`${all.join('\n')}\n`);
    this.#drawn = all.length;
  }
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
