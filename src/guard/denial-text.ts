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
    case 'stale-edit':
      return `refused: ${q(denial.path)} was changed meanwhile; look at it again, then repeat the edit`;
    case 'required-file':
      return `refused: ${q(denial.path)} must exist and cannot be deleted`;
    case 'file-too-large':
      return `refused: ${q(denial.path)} would be ${denial.bytes} bytes, more than the ${denial.maxBytes} allowed`;
    case 'syntax':
      return `refused: ${q(denial.path)} does not parse: ${denial.problem}`;
    case 'confidence-not-allowed':
      return `refused: no right to claim a confidence above ${denial.ceiling}`;
    case 'revoked':
      return denial.needs === true
        ? `refused: write a need in scope ${q(denial.scope)} first; once it is resolved, a mark of kind ${denial.kind} may be written there`
        : `refused: the right to write marks of kind ${denial.kind} was taken away until the principal restores it in scope ${q(denial.scope)}; needs may be written`;
    case 'restricted':
      return denial.scope === undefined
        ? 'refused: unusual behaviour; only needs may be written until the principal resets it'
        : `refused: unusual behaviour; only needs may be written in scope ${q(denial.scope)} until the principal resets it`;
    case 'rate-limit':
      return `refused: ${denial.limit} marks in ${denial.windowMs} ms are the most that ${denial.per === 'agent' ? 'one agent' : 'all agents together'} may write here; try again at ${denial.until}`;
    case 'content':
      return `refused: content policy ${q(denial.policy)} ${denial.problem}`;
    case 'token-budget':
      return `refused: the budget of ${denial.dimension} is used up (${denial.used} of ${denial.limit}); only needs may be written`;
    case 'fenced':
      return `refused: the lease on ${q(denial.resource)} had ended before its tool came back; nothing was recorded`;
    case 'no-such-need':
      return `refused: there is no open need ${q(denial.target)}`;
    case 'tool-budget':
      return `refused: the tool-call budget is used up (${denial.used} of ${denial.limit})`;
  }
}

const LONGEST_NAME = 200;

function q(name: string): string {
  return JSON.stringify(name.length > LONGEST_NAME ? `${name.slice(0, LONGEST_NAME)}...` : name);
}
