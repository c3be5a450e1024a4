import type { Parser, Sandbox, ShellSession } from '../sandbox/sandbox.ts';

/**
 * The children of the sandbox that each agent of a run keeps for all its generations, since starting one costs more than most
 * uses: a shell for its commands and a parser for its files. No two agents share one.
 */
export class AgentChildren {
  readonly #sandbox: Sandbox;
  readonly #shells = new Map<string, ShellSession>();
  readonly #parsers = new Map<string, Parser>();

  constructor(sandbox: Sandbox) {
    this.#sandbox = sandbox;
  }

  shell(agent: string): ShellSession {
    return kept(this.#shells, agent, () => this.#sandbox.openShell());
  }

  parser(agent: string): Parser {
    return kept(this.#parsers, agent, () => this.#sandbox.openParser());
  }

  close(): void {
    for (const child of [...this.#shells.values(), ...this.#parsers.values()]) child.close();
  }
}

function kept<T>(children: Map<string, T>, agent: string, open: () => T): T {
  const child = children.get(agent) ?? open();
  children.set(agent, child);
  return child;
}
