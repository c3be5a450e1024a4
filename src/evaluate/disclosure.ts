import type { Json } from '../sandbox/sandbox.ts';
import type { CaseRecord, Evaluation } from './task.ts';

/** What an agent may know of its own evaluations. The test split is never part of it. */
export interface DisclosurePolicy {
  /** `cases`: inputs, own outputs and feedback; `score`: the score and whether it is valid; `none`: nothing. */
  readonly train: 'cases' | 'score' | 'none';
  /** `score`: the score; `coarse`: the score rounded to two digits; `none`: nothing. */
  readonly validation: 'score' | 'coarse' | 'none';
}

export interface DisclosureLimits {
  /** Bytes of `train.json`. @default 200_000 */
  readonly maxBytes?: number;
  /** Bytes of one case's input and of its output as JSON text, each; what is longer is clipped. @default 4_000 */
  readonly maxValueBytes?: number;
  /** Bytes of one case's log lines together, and of its error message. @default 2_000 */
  readonly maxLogBytes?: number;
}

/**
 * The files an agent sees in `evals/gen_<n>/` of one generation's evaluations: `train.json` and `validation.json`, as far
 * as the policy lets it. They hold no times, which differ from run to run and tell about cases that are not disclosed;
 * of the validation split the score and nothing else; of the test split nothing, whatever is passed in.
 *
 * @returns file name -> JSON text; the same evaluations give the same bytes.
 */
export function disclosedFiles(
  evaluations: readonly Evaluation[],
  policy: DisclosurePolicy,
  limits: DisclosureLimits = {},
): Readonly<Record<string, string>> {
  const files: Record<string, string> = {};
  for (const evaluation of evaluations) {
    if (evaluation.split === 'train' && policy.train !== 'none') {
      const { score, valid } = evaluation;
      files['train.json'] =
        policy.train === 'cases' ? trainCases(evaluation, limits) : `${JSON.stringify({ score, valid })}\n`;
    }
    if (evaluation.split === 'validation' && policy.validation !== 'none') {
      const score = policy.validation === 'coarse' ? Math.round(evaluation.score * 100) / 100 : evaluation.score;
      files['validation.json'] = `${JSON.stringify({ score })}\n`;
    }
  }
  return files;
}

/** One line a case, so that `grep` and `head` are useful on it; the worst cases first, the best left out when it is too long. */
function trainCases(evaluation: Evaluation, limits: DisclosureLimits): string {
  const { maxBytes = 200_000 } = limits;
  const { score, valid, metrics, feedback, stagePassed, better = 'higher' } = evaluation;
  const worstFirst = [...evaluation.cases].sort((a, b) => compareWorst(a, b, better));
  const notRun = worstFirst.filter((one) => one.status === 'not-run').length;
  const lines = worstFirst.map((one) => JSON.stringify(disclosedCase(one, limits)));
  const head = (leftOut: number): string =>
    JSON.stringify({
      score,
      valid,
      metrics,
      feedback: clipText(feedback, 2_000),
      stagePassed,
      cases: worstFirst.length,
      notRun,
      leftOut,
    }).slice(0, -1);

  let room = maxBytes - Buffer.byteLength(head(lines.length)) - 32;
  const kept: string[] = [];
  for (const line of lines) {
    room -= Buffer.byteLength(line) + 2;
    if (room < 0) break;
    kept.push(line);
  }
  return `${head(lines.length - kept.length)},"worstFirst":[\n${kept.join(',\n')}\n]}\n`;
}

/** Cases that ran and failed, then those that did not run, then valid ones from the worst value up; ties by index. */
function compareWorst(a: CaseRecord, b: CaseRecord, better: 'lower' | 'higher'): number {
  const rank = (one: CaseRecord): number => (one.valid ? 2 : one.status === 'not-run' ? 1 : 0);
  const byValue = better === 'higher' ? a.value - b.value : b.value - a.value;
  return rank(a) - rank(b) || byValue || a.index - b.index;
}

function disclosedCase(one: CaseRecord, limits: DisclosureLimits): Json {
  if (one.status === 'not-run') return { index: one.index, status: one.status };
  const { maxValueBytes = 4_000, maxLogBytes = 2_000 } = limits;
  return {
    index: one.index,
    status: one.status,
    valid: one.valid,
    value: one.value,
    feedback: clipText(one.feedback, 2_000),
    ...clippedValue('input', one.input, maxValueBytes),
    ...(one.output === undefined ? {} : clippedValue('output', one.output, maxValueBytes)),
    ...(one.logs.length === 0 ? {} : { logs: clipLines(one.logs, maxLogBytes) }),
    ...(one.error === undefined
      ? {}
      : { error: { code: one.error.code, message: clipText(one.error.message, maxLogBytes) } }),
  };
}

/** The value itself, or the beginning of its JSON text and how long that is. */
function clippedValue(name: string, value: Json, maxBytes: number): Readonly<Record<string, Json>> {
  const text = JSON.stringify(value);
  const bytes = Buffer.byteLength(text);
  return bytes <= maxBytes
    ? { [name]: value }
    : { [`${name}Begins`]: Buffer.from(text).subarray(0, maxBytes).toString(), [`${name}Bytes`]: bytes };
}

function clipText(text: string, maxBytes: number): string {
  const bytes = Buffer.byteLength(text);
  return bytes <= maxBytes ? text : `${Buffer.from(text).subarray(0, maxBytes).toString()}... (${bytes} bytes in all)`;
}

function clipLines(lines: readonly string[], maxBytes: number): readonly string[] {
  const kept: string[] = [];
  let room = maxBytes;
  for (const line of lines) {
    room -= Buffer.byteLength(line);
    if (room < 0) {
      kept.push(`(${lines.length - kept.length} of ${lines.length} lines left out)`);
      break;
    }
    kept.push(line);
  }
  return kept;
}
