import type { Client } from '@modelcontextprotocol/sdk/client/index.js';
import { expect } from 'vitest';
import { openResults } from './analyst-folder.ts';
import { analystServer } from './analyst-server.ts';
import { callTool, connectInMemory, errorOf, textsOf } from './test-mcp-client.ts';

export interface Answer {
  readonly rows: readonly Record<string, unknown>[];
  readonly nextCursor?: string;
  readonly total?: number;
  readonly notes: readonly string[];
}

/** A connected client that asks, and what went wrong inside meanwhile. */
export class TestAnalyst {
  readonly client: Client;
  readonly failures: unknown[];

  private constructor(client: Client, failures: unknown[]) {
    this.client = client;
    this.failures = failures;
  }

  static async open(root: string): Promise<TestAnalyst> {
    const failures: unknown[] = [];
    const results = await openResults(root, { rescanAfterMs: 0 });
    const { client } = await connectInMemory(analystServer(results, { onFailure: (error) => failures.push(error) }));
    // From now on the client checks structured content against the tools' schemas.
    await client.listTools();
    return new TestAnalyst(client, failures);
  }

  /** The structured content of an answer, which must be one and of bounded size. */
  async ask<T = Answer>(name: string, args: Record<string, unknown> = {}): Promise<T> {
    const result = await callTool(this.client, name, args);
    if (result.isError === true) throw new Error(textsOf(result).join('\n'));
    expect(Buffer.byteLength(JSON.stringify(result))).toBeLessThan(120_000);
    return result.structuredContent as T;
  }

  /** `code: message` of a refusal. */
  async refusal(name: string, args: Record<string, unknown> = {}): Promise<string> {
    const { code, message } = errorOf(await callTool(this.client, name, args));
    return `${code}: ${message}`;
  }

  /** The rows of all pages. */
  async rowsOf(name: string, args: Record<string, unknown>): Promise<readonly Record<string, unknown>[]> {
    const rows: Record<string, unknown>[] = [];
    for (let cursor: string | undefined, n = 0; n < 500; n++) {
      const page = await this.ask(name, { ...args, ...(cursor !== undefined && { cursor }) });
      rows.push(...page.rows);
      cursor = page.nextCursor;
      if (cursor === undefined) return rows;
    }
    throw new Error('no end');
  }

  async read(uri: string): Promise<string> {
    const { contents } = await this.client.readResource({ uri });
    const [first] = contents;
    return first && 'text' in first ? first.text : '';
  }
}
