import { createTwoFilesPatch, FILE_HEADERS_ONLY } from 'diff';
import { z } from 'zod';
import { candidateIn, textIn } from './analyst-candidate.ts';
import { moreNote, OFFSET_ARG, textPart, textShape } from './analyst-candidate-tools.ts';
import { MAIN_NAME, sourcesOf } from './analyst-imported.ts';
import { analystTool, CANDIDATE_ARG, nameArg, RUN_ARG } from './analyst-tool.ts';
import { quoted } from './protocol-handlers.ts';
import { AnalystError } from './analyst-error.ts';

/** Texts further apart than this many line edits are called different and no more: the time of a diff grows with its square. */
const MAX_EDITS = 6_000;
const DIFF_MS = 1_000;

export const diff = analystTool({
  name: 'diff',
  title: 'Compare two programs',
  description:
    "A unified diff of one file of two programs of a run, from a to b: of two generations, or of a program and the peer's it took from.",
  input: {
    run: RUN_ARG,
    a: CANDIDATE_ARG,
    b: CANDIDATE_ARG,
    file: nameArg('Path of the file. Left out: the main program of each.').optional(),
    offset: OFFSET_ARG,
  },
  output: {
    a: z.string().describe('Id of the program.'),
    b: z.string(),
    file: z.string(),
    identical: z.boolean(),
    differs: z.array(z.string()).describe('Every file that is not the same in both, this one included.'),
    ...textShape,
  },
  run: async (results, { run, a, b, file, offset }) => {
    const open = await results.open(run);
    const [from, to] = [candidateIn(open, a).program, candidateIn(open, b).program];
    const [before, after] = [sourcesOf(from), sourcesOf(to)];
    const names = [...new Set([...Object.keys(before), ...Object.keys(after)])].sort();
    const differs = names.filter((name) => textOf(before, name) !== textOf(after, name));
    const [oldName, newName] = [file ?? from.mainFile ?? MAIN_NAME, file ?? to.mainFile ?? MAIN_NAME];
    const [old, young] = [textOf(before, oldName), textOf(after, newName)];
    // A file that only one of them has is new or gone; one that neither has is a mistake.
    if (old === undefined && young === undefined) textIn(to, newName);
    const patch =
      old === young
        ? ''
        : createTwoFilesPatch(
            `${from.id}/${oldName}`,
            `${to.id}/${newName}`,
            old ?? '',
            young ?? '',
            undefined,
            undefined,
            {
              context: 3,
              headerOptions: FILE_HEADERS_ONLY,
              maxEditLength: MAX_EDITS,
              timeout: DIFF_MS,
            },
          );
    if (patch === undefined) {
      const both = `${quoted(from.id)} and ${quoted(to.id)}`;
      throw new AnalystError(
        'too-much',
        `${both} are more than ${MAX_EDITS} line edits apart, too much for a diff; get_candidate with file shows each`,
      );
    }
    const part = textPart(patch, offset);
    const value = { a: from.id, b: to.id, file: newName, identical: old === young, differs, ...part };
    return { value, text: part.text === '' ? 'no difference' : part.text, notes: moreNote(part) };
  },
});

function textOf(sources: Readonly<Record<string, string>>, name: string): string | undefined {
  return Object.hasOwn(sources, name) ? sources[name] : undefined;
}
