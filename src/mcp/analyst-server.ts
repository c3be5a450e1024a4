import { McpServer } from '@modelcontextprotocol/sdk/server/mcp.js';
import { VERSION } from '../version.ts';
import { getAdoption, listAdoptions } from './analyst-adoption-tools.ts';
import { blame } from './analyst-blame-tool.ts';
import { getCandidate, listCandidates } from './analyst-candidate-tools.ts';
import { completeVariables } from './analyst-completion.ts';
import { diagnose, listDiagnostics } from './analyst-diagnose-tools.ts';
import { diff } from './analyst-diff-tool.ts';
import { lineage } from './analyst-lineage-tool.ts';
import { ANALYST_INSTRUCTIONS, getPrompt, listPrompts } from './analyst-prompt.ts';
import { listCalls, listDecisions, query } from './analyst-record-tools.ts';
import { listResources, listTemplates, readResource } from './analyst-resources.ts';
import type { Results } from './analyst-results.ts';
import { getRun, listRuns } from './analyst-run-tools.ts';
import { type Handler, serveHandlers } from './protocol-handlers.ts';
import { callTool, listTools } from './tool-calls.ts';
import type { Tool } from './tool.ts';

/** In the order in which they are mostly wanted. */
export const ANALYST_TOOLS: readonly Tool<Results>[] = [
  listRuns,
  getRun,
  listAdoptions,
  getAdoption,
  listCandidates,
  getCandidate,
  diff,
  blame,
  lineage,
  listDiagnostics,
  diagnose,
  listDecisions,
  listCalls,
  query,
];

export interface AnalystServerOptions {
  /** Hears of faults inside, which clients are told of without a word of detail. */
  readonly onFailure?: (error: unknown) => void;
}

/**
 * An MCP server for one connection of an analyst: questions to the runs in `results`, as tools, resources and a prompt. It only reads,
 * and only below the results' folder; what hidden cases evaluations were made of and where the folder lies are in no answer. Connections
 * may share one `results`.
 */
export function analystServer(results: Results, options: AnalystServerOptions = {}): McpServer {
  const server = new McpServer(
    { name: 'hivemark', title: 'hivemark: analyst', version: VERSION },
    { instructions: ANALYST_INSTRUCTIONS },
  );
  server.server.registerCapabilities({ tools: {}, resources: {}, prompts: {}, completions: {} });
  const handlers: readonly [string, Handler][] = [
    ['tools/list', LIST_TOOLS],
    // Nothing is on record of an analyst: there is no space to put it in.
    ['tools/call', callTool(ANALYST_TOOLS, results, () => Promise.resolve())],
    ['resources/list', listResources(results)],
    ['resources/templates/list', listTemplates],
    ['resources/read', readResource(results)],
    ['prompts/list', listPrompts],
    ['prompts/get', getPrompt(results)],
    ['completion/complete', completeVariables(results)],
  ];
  serveHandlers(server, new Map(handlers), options.onFailure ?? (() => undefined));
  return server;
}

const LIST_TOOLS = listTools(ANALYST_TOOLS);
