import { z } from 'zod';
import { readInside } from './file-text.ts';
import type { FileEntry, Participant } from './participant.ts';
import { refuseHere } from './participant-file-tools.ts';
import { standingShape, textShape } from './participant-shapes.ts';
import { quoted } from './protocol-handlers.ts';
import { defineTool, type Tool } from './tool.ts';
import { type EvaluationFolder, evaluationFolders, pathInside, strategyFolders } from './view-folders.ts';

/** Files named of one folder, and evaluations listed at once. */
const MOST_NAMED = 200;

const count = z.int().min(0);
const named = z.object({ path: z.string(), bytes: count, sha256: z.string() });
const generation = count.max(999_999_999);

const listStrategies = defineTool({
  name: 'list_strategies',
  title: "List peers' published bests",
  description:
    "Lists the published best program of every peer that you may see, with its validation score and its files. Reading a file's text is read_strategy's.",
  input: {},
  output: {
    strategies: z.array(
      z.object({
        peer: z.string(),
        generation: count,
        score: z.number().nullable(),
        model: z.string().exactOptional(),
        folder: z.string(),
        files: z.array(named),
        moreFiles: count,
      }),
    ),
  },
  hints: { readOnly: true },
  async run(participant: Participant) {
    const { peers } = participant.standing();
    const strategies = strategyFolders(participant).map(({ peer, generation, folder, files }) => {
      const known = peers.find((other) => other.agent === peer && other.generation === generation);
      const model = known?.model === undefined ? {} : { model: known.model };
      return { peer, generation, score: known?.score ?? null, ...model, folder, ...namesOf(files) };
    });
    return { ok: true, value: { strategies } };
  },
});

const readStrategy = defineTool({
  name: 'read_strategy',
  title: "Read a file of a peer's published best",
  description:
    "Gives the text of one file of a peer's published best program; task_agent.ts when no path is given. On record as a read: it is evidence when you take code over.",
  input: {
    peer: z.string().describe('Name of the peer, as list_strategies gives it.'),
    path: z.string().exactOptional().describe('Path inside its folder.'),
  },
  output: { peer: z.string(), generation: count, ...textShape },
  hints: { readOnly: true },
  async run(participant: Participant, { peer, path }) {
    const folders = strategyFolders(participant);
    const folder = folders.find((strategy) => strategy.peer === peer);
    if (folder === undefined) {
      const seen = folders.length === 0 ? 'none has yet' : `those who have: ${folders.map((f) => f.peer).join(', ')}`;
      const problem = `no peer ${quoted(peer)} has published a program that you may see; ${seen}`;
      return { ...(await refuseHere(participant, 'read_strategy', problem)), code: 'no-such-strategy' };
    }
    const read = await readInside(participant, 'read_strategy', folder, path ?? mainFileOf(folder, 'task_agent.ts'));
    return read.ok ? { ...read, value: { peer, generation: folder.generation, ...read.value } } : read;
  },
});

const listEvaluations = defineTool({
  name: 'list_evaluations',
  title: 'List your evaluations',
  description: 'Lists the disclosed evaluations of your programs, newest first.',
  input: { before: generation.exactOptional().describe('Only generations before this one.') },
  output: {
    evaluations: z.array(z.object({ generation: count, folder: z.string(), files: z.array(named), moreFiles: count })),
    more: count.describe('Older evaluations that are not listed; ask for them with before.'),
  },
  hints: { readOnly: true },
  async run(participant: Participant, { before = Infinity }) {
    const all = evaluationFolders(participant).filter(({ generation }) => generation < before);
    const evaluations = all
      .slice(0, MOST_NAMED)
      .map(({ generation, folder, files }) => ({ generation, folder, ...namesOf(files) }));
    return { ok: true, value: { evaluations, more: all.length - evaluations.length } };
  },
});

const readEvaluation = defineTool({
  name: 'read_evaluation',
  title: 'Read one of your evaluations',
  description:
    'Gives the text of one file of a disclosed evaluation: of the newest when no generation is given, train.json (or else its first file) when no file is given.',
  input: { generation: generation.exactOptional(), file: z.string().exactOptional() },
  output: { generation: count, ...textShape },
  hints: { readOnly: true },
  async run(participant: Participant, { generation: asked, file }) {
    const folders = evaluationFolders(participant);
    const folder = asked === undefined ? folders[0] : folders.find(({ generation }) => generation === asked);
    if (folder === undefined) {
      const problem =
        asked === undefined ? 'you have no evaluation yet' : `you have no evaluation of generation ${asked}`;
      return { ...(await refuseHere(participant, 'read_evaluation', problem)), code: 'no-such-evaluation' };
    }
    const read = await readInside(participant, 'read_evaluation', folder, file ?? mainFileOf(folder, 'train.json'));
    return read.ok ? { ...read, value: { generation: folder.generation, ...read.value } } : read;
  },
});

const standing = defineTool({
  name: 'standing',
  title: 'Your standing and budget',
  description:
    'Tells where you stand: round and phase of the run, your best, what peers have published, what is left of your budget, and refusals on record.',
  input: {},
  output: standingShape,
  hints: { readOnly: true },
  run: (participant: Participant) => Promise.resolve({ ok: true, value: participant.standing() }),
});

/** Tools that tell what there is to know; none changes anything. */
export const READ_TOOLS: readonly Tool<Participant>[] = [
  listStrategies,
  readStrategy,
  listEvaluations,
  readEvaluation,
  standing,
];

function namesOf(files: readonly FileEntry[]): {
  readonly files: readonly { readonly path: string; readonly bytes: number; readonly sha256: string }[];
  readonly moreFiles: number;
} {
  const shown = files.slice(0, MOST_NAMED).map(({ path, bytes, sha256 }) => ({ path, bytes, sha256 }));
  return { files: shown, moreFiles: files.length - shown.length };
}

/** The file that is meant when none is named: `name`, or the first. */
function mainFileOf({ folder, files }: Pick<EvaluationFolder, 'folder' | 'files'>, name: string): string {
  const main = files.find(({ path }) => path === `${folder}/${name}`) ?? files[0];
  return main === undefined ? name : pathInside(folder, main.path);
}
