import { ModelError } from '../agents/model.ts';
import { ModelSpecError } from '../agents/model-spec.ts';
import { SecretError } from '../evaluate/secret.ts';
import { TaskError } from '../evaluate/load-task.ts';
import { ConfigError } from '../experiment/config.ts';
import { ResultsError } from '../experiment/experiment-folder.ts';
import { BudgetStop } from '../experiment/budget.ts';
import { PrincipalTokenError } from '../experiment/principal-file.ts';
import { Interrupted } from '../experiment/run.ts';
import { EvaluatorError } from '../evaluate/evaluator-error.ts';
import { GateClosedError } from '../guard/gate-closed-error.ts';
import { SandboxFileError } from '../sandbox/run-file.ts';
import { SandboxUnavailableError } from '../sandbox/disposable-child.ts';
import { CorruptLogError, LogUnavailableError, LogWriteError } from '../space/log.ts';
import { AnalystError } from '../mcp/analyst-error.ts';
import { HttpServerError } from '../mcp/http-server-error.ts';
import { TokenFileError } from '../mcp/token-file.ts';
import { FolderError, FolderGoneError } from '../materialize/mirror-errors.ts';
import { RemoteAwayError } from '../materialize/mirror-remote.ts';
import { RunFolderError } from '../trace/run-folder.ts';
import { HostRefusalError } from './host-client.ts';
import { ConfigFolderError } from './outside/config-folder.ts';
import type { ExitCode } from './output.ts';
import { EXIT, UsageError } from './output.ts';

/** Turns what a command threw into one line and an exit code. A defect of ours keeps its stack, so that it can be reported. */
export function failureOf(error: unknown, signal: AbortSignal): { readonly text: string; readonly exitCode: ExitCode } {
  if (error instanceof Interrupted || signal.aborted) return { text: 'interrupted', exitCode: EXIT.interrupted };
  if (error instanceof BudgetStop) return { text: error.message, exitCode: EXIT.budget };
  if (
    error instanceof UsageError ||
    error instanceof ConfigError ||
    error instanceof ModelSpecError ||
    error instanceof TaskError ||
    error instanceof SandboxFileError
  ) {
    return { text: error.message, exitCode: EXIT.usage };
  }
  if (error instanceof ModelError)
    return {
      text: error.message,
      exitCode: error.code === 'no-key' || error.code === 'bad-request' ? EXIT.usage : EXIT.failed,
    };
  if (
    error instanceof ResultsError ||
    error instanceof SecretError ||
    error instanceof CorruptLogError ||
    error instanceof LogUnavailableError ||
    error instanceof LogWriteError ||
    error instanceof PrincipalTokenError ||
    error instanceof RunFolderError ||
    error instanceof HttpServerError ||
    error instanceof TokenFileError ||
    error instanceof ConfigFolderError ||
    error instanceof FolderError ||
    error instanceof FolderGoneError ||
    error instanceof HostRefusalError ||
    error instanceof RemoteAwayError ||
    error instanceof AnalystError ||
    error instanceof SandboxUnavailableError ||
    error instanceof EvaluatorError ||
    error instanceof GateClosedError
  ) {
    return { text: error.message, exitCode: EXIT.failed };
  }
  const text = error instanceof Error ? (error.stack ?? error.message) : String(error);
  return { text: `an unexpected failure, please report it: ${text}`, exitCode: EXIT.failed };
}
