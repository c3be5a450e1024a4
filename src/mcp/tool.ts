import type { CallToolResult, Tool as ToolDefinition } from '@modelcontextprotocol/sdk/types.js';
import { z } from 'zod';
import { copyJson, isRecord, type JsonBounds, problemIn } from '../space/json-value.ts';
import type { Json } from '../space/marks.ts';
import { argumentProblem } from './argument-problem.ts';
import type { Refused } from './participant.ts';
import type { RequestContext } from './protocol-handlers.ts';

/** How large the arguments of one call may be, as JSON. @see security rule 11 */
export const ARGUMENT_BOUNDS: JsonBounds = { maxTextBytes: 4 * 1024 * 1024, maxBytes: 5 * 1024 * 1024, maxDepth: 64 };

type DeepReadonly<T> = T extends readonly (infer Item)[]
  ? readonly DeepReadonly<Item>[]
  : T extends object
    ? { readonly [Key in keyof T]: DeepReadonly<T[Key]> }
    : T;

/** What a tool gave: its structured value, and how it reads as text (default: the value as JSON). `notes` are text blocks of their own. */
export interface Given<Value> {
  readonly ok: true;
  readonly value: Value;
  readonly text?: string;
  readonly notes?: readonly string[];
}

/** A refusal; `more` goes into the structured error beside code and message. */
export type Denied = Refused & { readonly more?: Readonly<Record<string, Json>> };

/** What a tool promises about itself. @see https://modelcontextprotocol.io/specification/2025-11-25/schema#toolannotations */
export interface ToolHints {
  readonly readOnly: boolean;
  /** May take something away that was there. @default false */
  readonly destructive?: boolean;
  /** Calling it again with the same arguments changes nothing more. @default that it is read-only */
  readonly idempotent?: boolean;
}

interface ToolSpec<Subject, Input extends z.ZodRawShape, Output extends z.ZodRawShape> {
  readonly name: string;
  readonly title: string;
  readonly description: string;
  readonly input: Input;
  readonly output: Output;
  readonly hints: ToolHints;
  run(
    subject: Subject,
    args: z.output<z.ZodObject<Input>>,
    context: RequestContext,
  ): Promise<Given<DeepReadonly<z.output<z.ZodObject<Output>>>> | Denied>;
}

/** A call whose arguments fit, ready to be made; or what is wrong with them, in the client's terms. */
export type PreparedCall =
  | { readonly ok: true; run(context: RequestContext): Promise<CallToolResult> }
  | { readonly ok: false; readonly problem: string };

/** One tool over a subject. Name, descriptions and schemas are constants, whatever the subject holds. @see security rule 10 */
export interface Tool<Subject> {
  readonly definition: ToolDefinition;
  /** Checks arguments as they came over the wire; runs nothing. */
  prepare(subject: Subject, args: unknown): PreparedCall;
}

/** Makes a tool of its schemas and what it does. Unknown arguments are refused, so that nothing passes unseen. */
export function defineTool<Subject, Input extends z.ZodRawShape, Output extends z.ZodRawShape>(
  spec: ToolSpec<Subject, Input, Output>,
): Tool<Subject> {
  const input = z.strictObject(spec.input);
  const { hints } = spec;
  const definition: ToolDefinition = {
    name: spec.name,
    title: spec.title,
    description: spec.description,
    inputSchema: { ...jsonSchemaOf(input, 'input'), type: 'object' },
    // A refusal is structured too; clients check what they get against this, refused or not.
    outputSchema: { type: 'object', anyOf: [jsonSchemaOf(z.strictObject(spec.output), 'output'), FAILURE] },
    annotations: {
      title: spec.title,
      readOnlyHint: hints.readOnly,
      destructiveHint: hints.destructive ?? false,
      idempotentHint: hints.idempotent ?? hints.readOnly,
      openWorldHint: false,
    },
  };
  return {
    definition,
    prepare(subject, args) {
      const checked = checkArguments(spec.name, input, args);
      if (!checked.ok) return checked;
      return {
        ok: true,
        async run(context) {
          const answer = await spec.run(subject, checked.args, context);
          return answer.ok ? resultOf(answer) : refusalResult(answer);
        },
      };
    },
  };
}

function checkArguments<Input extends z.ZodObject>(
  tool: string,
  input: Input,
  args: unknown,
): { readonly ok: true; readonly args: z.output<Input> } | { readonly ok: false; readonly problem: string } {
  let copy: Json;
  try {
    copy = copyJson(args ?? {}, ARGUMENT_BOUNDS);
  } catch (error) {
    const { path, problem } = problemIn(error);
    return { ok: false, problem: `${path === '' ? 'the arguments' : JSON.stringify(path)} ${problem}` };
  }
  if (!isRecord(copy) || args === null) return { ok: false, problem: 'the arguments must be one object' };
  const parsed = input.safeParse(copy);
  return parsed.success
    ? { ok: true, args: parsed.data }
    : { ok: false, problem: argumentProblem(tool, Object.keys(input.shape), parsed.error, copy) };
}

function resultOf({ value, text, notes = [] }: Given<object>): CallToolResult {
  return {
    content: [text ?? JSON.stringify(value), ...notes].map((block) => ({ type: 'text', text: block })),
    structuredContent: { ...value },
  };
}

/** The answer to a call that was refused: an error of the tool, not of the protocol, so that the model sees it and can do better. */
export function refusalResult({ code, message, more }: Denied): CallToolResult {
  const plain = message.replace(/^Error: /, '');
  return {
    isError: true,
    content: [{ type: 'text', text: `Error: ${plain}` }],
    structuredContent: { error: { ...more, code, message: plain } },
  };
}

/** Every tool's structured content when `isError` is true. */
const FAILURE = {
  type: 'object',
  properties: {
    error: {
      type: 'object',
      description: 'Why it was not done: code for machines, message in words.',
      properties: { code: { type: 'string' }, message: { type: 'string' } },
      required: ['code', 'message'],
    },
  },
  required: ['error'],
  additionalProperties: false,
} as const;

function jsonSchemaOf(schema: z.ZodObject, io: 'input' | 'output'): Record<string, unknown> {
  const { $schema: _, ...rest } = z.toJSONSchema(schema, {
    io,
    target: 'draft-2020-12',
    override({ jsonSchema }) {
      if (jsonSchema.maximum === Number.MAX_SAFE_INTEGER) delete jsonSchema.maximum;
      if (jsonSchema.minimum === Number.MIN_SAFE_INTEGER) delete jsonSchema.minimum;
      // A client of today's schema must not refuse an answer in which a field was added.
      if (io === 'output') delete jsonSchema.additionalProperties;
    },
  });
  // Without `$schema` the protocol reads it as draft 2020-12, which validators of older drafts would refuse by name.
  return rest;
}
