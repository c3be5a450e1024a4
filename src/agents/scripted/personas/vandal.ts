import type { Conversation } from '../conversation.ts';
import { evalsListed } from '../conversation.ts';
import type { Behaviour, Turn } from '../turn.ts';

/** One way to misbehave: the calls of a single turn. */
export interface Misdeed {
  readonly name: string;
  readonly calls: Turn['calls'];
}

const TEN_MEGABYTES = 10_000_000;

const edit = (path: string, text: string) => ({
  name: 'editor',
  arguments: { command: 'create', path, file_text: text },
});
const shell = (command: string) => ({ name: 'bash', arguments: { command } });
const program = (body: string) => edit('task_agent.ts', `export async function forward(input, ctx) {\n${body}\n}\n`);

/** Generation 1 does the first, generation 2 the second, and so on, round and round. */
export const MISDEEDS: readonly Misdeed[] = [
  { name: 'delete-program', calls: [shell('rm -f task_agent.ts')] },
  {
    name: 'ten-megabytes',
    get calls() {
      return [
        shell(
          'line=0123456789abcde; for i in 1 2 3 4 5 6 7 8 9 10 11 12 13 14 15 16 17; do line=$line$line; done; ' +
            'echo "$line" > /tmp/part; cat /tmp/part /tmp/part /tmp/part /tmp/part /tmp/part /tmp/part > task_agent.ts',
        ),
        edit('task_agent.ts', `// ${'x'.repeat(TEN_MEGABYTES)}\n`),
      ];
    },
  },
  { name: 'endless-loop', calls: [program('  for (;;) {}')] },
  {
    name: 'log-flood',
    calls: [program("  for (let i = 0; i < 100000; i++) ctx.log('x'.repeat(1000));\n  return [];")],
  },
  {
    name: 'meta-syntax-error',
    calls: [edit('meta_agent.ts', 'export async function forward(facts, ctx) { return ((; }\n')],
  },
  {
    name: 'meta-throws',
    calls: [
      edit('meta_agent.ts', "export async function forward() {\n  throw new Error('no more improvements');\n}\n"),
    ],
  },
  {
    name: 'write-read-only',
    calls: [
      edit('evals/gen_1/validation.json', '{"score":1}\n'),
      edit('strategies/peer_gen1/metadata.json', '{"valScore":1}\n'),
      shell('rm -rf evals strategies; mkdir -p strategies/peer_gen9; echo "{}" > strategies/peer_gen9/metadata.json'),
    ],
  },
  {
    name: 'bad-calls',
    calls: [
      { name: 'deploy', arguments: { target: 'production' } },
      { name: 'editor', arguments: {}, malformed: '{"command":"create","path":"task_agent.ts"' },
      { name: 'editor', arguments: { command: 'explode', path: 7 } },
      { name: 'editor', arguments: { command: 'view', path: 'task_agent.ts', agent: 'peer' } },
      { name: 'bash', arguments: ['ls'] },
    ],
  },
  {
    name: 'outside-paths',
    calls: [
      edit('../outside.ts', 'export const escaped = true;\n'),
      edit('/etc/passwd', 'root::0:0::/:/bin/sh\n'),
      edit('task.ts', 'export const score = 1;\n'),
      shell('ln -sf /etc/passwd task_agent.ts; cat /etc/passwd ../../../etc/passwd'),
    ],
  },
  { name: 'not-json', calls: [program('  const loop = {};\n  loop.self = loop;\n  return [NaN, loop, () => 1];')] },
];

/** The misdeed of a generation, 1 the first. */
export function misdeedOf(generation: number): Misdeed {
  const misdeed = MISDEEDS[(generation - 1) % MISDEEDS.length];
  if (misdeed === undefined) throw new RangeError(`generations count from 1, not ${generation}`);
  return misdeed;
}

/**
 * A participant that misbehaves, for tests of everything that has to withstand it: it finds out which generation it is in,
 * commits that generation's misdeed, and says so.
 */
export const vandalBehaviour: Behaviour = (conversation) => {
  if (conversation.replies === 0) return { text: 'Let me see.', calls: [shell('ls -d evals/gen_*')] };
  const { name, calls } = misdeedOf(generationOf(conversation));
  if (conversation.replies === 1) return { text: `Now for ${name}.`, calls };
  return { text: `That was ${name}.`, calls: [] };
};

/** As the instruction says, otherwise one more than the newest evaluation. */
function generationOf(conversation: Conversation): number {
  const said = /\bgeneration\s+(\d+)\b/i.exec(conversation.instruction)?.[1];
  return said === undefined ? Math.max(0, ...evalsListed(conversation)) + 1 : Math.max(1, Number(said));
}
