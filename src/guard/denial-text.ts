import type { Denial } from './decision.ts';

/**
 * A denial as a sentence, for agents, clients and people: the only place where one is worded. Names that the caller made up are
 * quoted as JSON, so that they cannot pass for the guard's own words.
 */
export function denialText(denial: Denial): string {
  switch (denial.code) {
    case 'malformed':
      return `refused: ${q(denial.field)} ${denial.problem}`;
    case 'session-revoked':
      return 'refused: this session has been revoked';
    case 'no-right':
      return `refused: no right to write a mark of kind ${denial.kind} in scope ${q(denial.scope)}`;
    case 'verb-not-allowed':
      return `refused: scope ${q(denial.scope)} does not take the verb ${q(denial.verb)}`;
    case 'topic-not-allowed':
      return `refused: topic ${q(denial.topic)} may not be written in scope ${q(denial.scope)}`;
    case 'source-not-allowed':
      return `refused: no right to claim the source ${q(denial.source)}`;
    case 'target-not-yours':
      return `refused: mark ${q(denial.target)} is not there or not yours to overrule`;
    case 'id-taken':
      return `refused: the id ${q(denial.id)} is not free for this content`;
    case 'not-editable':
      return `refused: ${q(denial.path)} is not an editable file; nothing was changed`;
    case 'required-file':
      return `refused: ${q(denial.path)} must exist and cannot be deleted`;
    case 'file-too-large':
      return `refused: ${q(denial.path)} would be ${denial.bytes} bytes, more than the ${denial.maxBytes} allowed`;
    case 'syntax':
      return `refused: ${q(denial.path)} does not parse: ${denial.problem}`;
    case 'tool-budget':
      break;
  }
  return `refused: the tool-call budget is used up (${denial.used} of ${denial.limit})`;
}

const LONGEST_NAME = 200;

function q(name: string): string {
  return JSON.stringify(name.length > LONGEST_NAME ? `${name.slice(0, LONGEST_NAME)}...` : name);
}
