import type { AgentName, ScopeName } from '../../space/marks.ts';
import { InvalidNameError, parseAgentName, parseScopeName } from '../../space/scope.ts';
import { UsageError } from '../output.ts';
import { oneLine } from './terminal-text.ts';

/** A scope named on the command line. @throws {UsageError} */
export function scopeFrom(text: string): ScopeName {
  return nameFrom(parseScopeName, text);
}

/** An agent named on the command line. @throws {UsageError} */
export function agentFrom(text: string): AgentName {
  return nameFrom(parseAgentName, text);
}

function nameFrom<Name>(parse: (text: string) => Name, text: string): Name {
  try {
    return parse(text);
  } catch (error) {
    if (error instanceof InvalidNameError) throw new UsageError(oneLine(error.message), { cause: error });
    throw error;
  }
}
