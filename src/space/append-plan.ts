import { assertKey, sealText, type StoredRecord } from './chain.ts';
import type { EntryBody, LogEntry, LogHead, LogRecord } from './log.ts';

/** An entry with its body's text as it was when it was handed over. */
export interface KeptEntry {
  readonly key: string;
  readonly text: string;
  readonly body: EntryBody;
}

/** An append that waits for its transaction. */
export interface WaitingAppend {
  readonly expectedSeq: number;
  /** How often the head had been moved by others when the caller asked. */
  readonly epoch: number;
  readonly entries: readonly KeptEntry[];
  readonly resolve: (records: readonly LogRecord[]) => void;
  readonly reject: (error: Error) => void;
}

/** What becomes of the appends of one transaction, if what is `sealed` can be stored. */
export interface AppendPlan {
  readonly sealed: readonly StoredRecord[];
  readonly accepted: readonly { readonly of: WaitingAppend; readonly appended: readonly LogRecord[] }[];
  readonly stale: readonly { readonly of: WaitingAppend; readonly actualSeq: number }[];
}

/** What one transaction stores at most, in records and characters; a single larger append stands alone. */
const GROUP_RECORDS = 4_096;
const GROUP_CHARS = 8_388_608;

/** @throws {TypeError} for a key that a log cannot hold. */
export function keepEntry({ key, body }: LogEntry): KeptEntry {
  assertKey(key);
  return { key, text: JSON.stringify(body), body };
}

/** Takes from the front of `waiting` what goes into one transaction. */
export function takeGroup(waiting: WaitingAppend[]): WaitingAppend[] {
  let records = 0;
  let chars = 0;
  const end = waiting.findIndex(({ entries }, i) => {
    records += entries.length;
    for (const { text } of entries) chars += text.length;
    return i > 0 && (records > GROUP_RECORDS || chars > GROUP_CHARS);
  });
  return waiting.splice(0, end === -1 ? waiting.length : end);
}

/**
 * Checks each append against the head that those before it will leave, and seals the entries whose keys are not in `known`. An append
 * of an older `epoch` is stale whatever position it names: that position has another record now.
 */
export function planAppends(
  group: readonly WaitingAppend[],
  head: LogHead,
  epoch: number,
  known: ReadonlySet<string>,
): AppendPlan {
  const sealed: StoredRecord[] = [];
  const accepted: { of: WaitingAppend; appended: LogRecord[] }[] = [];
  const stale: { of: WaitingAppend; actualSeq: number }[] = [];
  const fresh = new Set<string>();
  let end = head;
  for (const append of group) {
    if (append.epoch !== epoch || append.expectedSeq !== end.seq) {
      stale.push({ of: append, actualSeq: end.seq });
      continue;
    }
    const appended: LogRecord[] = [];
    for (const { key, text, body } of append.entries) {
      if (known.has(key) || fresh.has(key)) continue;
      fresh.add(key);
      const record = sealText(end, key, text);
      sealed.push(record);
      appended.push({ seq: record.seq, hash: record.hash, key, body });
      end = record;
    }
    accepted.push({ of: append, appended });
  }
  return { sealed, accepted, stale };
}
