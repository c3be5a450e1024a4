import { deny, type Policy } from './policy.ts';

/** A file that does not parse is not stored; whether it does was found out before the call's turn. */
export const syntax: Policy = ({ facts }) =>
  facts.syntax === undefined ? undefined : deny({ code: 'syntax', check: 'syntax', ...facts.syntax });
