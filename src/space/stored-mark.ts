import { freezeJson, isRecord, JsonProblem } from './json-value.ts';
import { MAX_STRENGTH, type Mark, type MarkId, type MarkKind, SEVERITIES, SOURCES } from './marks.ts';
import { isAgentName, isScopeName } from './scope.ts';

/** A field of a stored mark: what its value must be, in words, and whether a mark may lack it. */
interface FieldRule {
  readonly must: string;
  readonly holds: (value: unknown) => boolean;
  readonly optional?: true;
}

/** One rule for every field of every kind; the compiler asks for a rule when a kind gets a field. */
type MarkRules = { readonly [K in MarkKind]: { readonly [F in keyof Extract<Mark, { kind: K }>]-?: FieldRule } };

const LONGEST_NAME = 1024;

function numberFrom(low: number, high: number): FieldRule {
  return {
    must: `be a number from ${low} to ${high}`,
    holds: (value) => typeof value === 'number' && value >= low && value <= high && value !== Infinity,
  };
}
function oneOf(values: readonly unknown[]): FieldRule {
  return { must: `be one of ${values.join(', ')}`, holds: (value) => values.includes(value) };
}
function optional(rule: FieldRule): FieldRule {
  return { ...rule, optional: true };
}

const id: FieldRule = { must: 'be a mark id', holds: isMarkId };
const name: FieldRule = {
  must: `be 1 to ${LONGEST_NAME} well-formed characters`,
  holds: (value) =>
    typeof value === 'string' && value.length > 0 && value.length <= LONGEST_NAME && value.isWellFormed(),
};
const text: FieldRule = { must: 'be text', holds: (value) => typeof value === 'string' };
const flag: FieldRule = { must: 'be true or false', holds: (value) => typeof value === 'boolean' };
const json: FieldRule = { must: 'be there', holds: (value) => value !== undefined };
const share = numberFrom(0, 1);

const common = {
  id,
  agent: { must: 'be the name of an agent', holds: (value) => typeof value === 'string' && isAgentName(value) },
  scope: { must: 'be the name of a scope', holds: (value) => typeof value === 'string' && isScopeName(value) },
  createdAt: numberFrom(0, Infinity),
  strength: numberFrom(0, MAX_STRENGTH),
  supersedes: optional(id),
} satisfies Record<string, FieldRule>;

const RULES: MarkRules = {
  intent: { kind: oneOf(['intent']), ...common, resource: name, action: name, confidence: share },
  action: {
    kind: oneOf(['action']),
    ...common,
    resource: optional(name),
    action: name,
    result: json,
    failed: optional(oneOf([true])),
  },
  observation: {
    kind: oneOf(['observation']),
    ...common,
    topic: name,
    content: json,
    confidence: share,
    source: oneOf(SOURCES),
  },
  warning: {
    kind: oneOf(['warning']),
    ...common,
    topic: name,
    reason: text,
    severity: oneOf(SEVERITIES),
    invalidates: optional(id),
  },
  need: {
    kind: oneOf(['need']),
    ...common,
    question: text,
    context: json,
    priority: share,
    blocking: flag,
    resolvedBy: optional(id),
  },
};

/** What the gate assigns: no draft may have it. */
const ASSIGNED: ReadonlySet<string> = new Set(['kind', 'id', 'agent', 'createdAt', 'resolvedBy']);

interface KindRules {
  readonly fields: ReadonlyMap<string, FieldRule>;
  /** Those that a draft may have. */
  readonly drafted: ReadonlyMap<string, FieldRule>;
  readonly required: readonly string[];
}
const KINDS: ReadonlyMap<unknown, KindRules> = new Map(
  Object.entries(RULES).map(([kind, rules]): [string, KindRules] => {
    const fields = Object.entries<FieldRule>(rules);
    return [
      kind,
      {
        fields: new Map(fields),
        drafted: new Map(fields.filter(([field]) => !ASSIGNED.has(field))),
        required: fields.filter(([, rule]) => rule.optional !== true).map(([field]) => field),
      },
    ];
  }),
);

export function isMarkId(value: unknown): value is MarkId {
  return typeof value === 'string' && value.length > 0 && value.length <= LONGEST_NAME;
}

/** Whether `fields` are all that a draft of this kind must have and nothing that it may not; its strength may be left out. */
export function fitsDraft(kind: MarkKind, fields: Readonly<Record<string, unknown>>): boolean {
  const rules = KINDS.get(kind);
  if (rules === undefined) return false;
  let missing = rules.required.length - REQUIRED_OF_GATE;
  let hasStrength = false;
  for (const field of Object.keys(fields)) {
    const rule = rules.drafted.get(field);
    if (rule === undefined || !rule.holds(fields[field])) return false;
    if (field === 'strength') hasStrength = true;
    if (rule.optional !== true) missing -= 1;
  }
  return missing === 0 || (missing === 1 && !hasStrength);
}

/** `kind`, `id`, `agent` and `createdAt`. */
const REQUIRED_OF_GATE = 4;

/**
 * Reads a mark from a record's body, fresh from `JSON.parse`, and freezes it in place to the bottom. Written by hand because every
 * record of a space passes here when it is opened; as strict as the schema of drafts: unknown, missing and malformed fields are refused.
 *
 * @throws {JsonProblem} when it is not a mark.
 */
export function parseMark(input: unknown): Mark {
  if (!isRecord(input)) throw new JsonProblem('', 'is not an object');
  const rules = KINDS.get(input['kind']);
  if (rules === undefined) throw new JsonProblem('kind', 'is not a kind of mark');
  let required = 0;
  for (const field of Object.keys(input)) {
    const rule = rules.fields.get(field);
    if (rule === undefined) throw new JsonProblem(field, 'is not a field of this kind of mark');
    const value = input[field];
    if (!rule.holds(value)) throw new JsonProblem(field, `must ${rule.must}`);
    if (typeof value === 'object') freezeJson(value, 1);
    if (rule.optional !== true) required += 1;
  }
  if (required !== rules.required.length) {
    const missing = rules.required.find((field) => !Object.hasOwn(input, field));
    throw new JsonProblem(missing ?? '', 'is missing');
  }
  // oxlint-disable-next-line typescript/no-unsafe-type-assertion -- every field of its kind was checked above
  return Object.freeze(input) as unknown as Mark;
}
