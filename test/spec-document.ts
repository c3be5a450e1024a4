import type { Citation } from './spec-citations.ts';
import { type Rule, RULE_GROUPS } from './spec-rules.ts';

const HEAD = `# The mark protocol, rule by rule

hivemark implements the markspace coordination protocol (Opinionated Systems, specification 2026-03-23 with content policies,
CC-BY 4.0). P1 to P70 are the properties of that specification, by their numbers there, in our words; S1 to S15 are ours and
stricter: each closes a hole that was shown in the reference implementation. A test proves a rule by citing its id in its title;
\`test/spec-coverage.test.ts\` fails for a rule that no test cites, for a citation of no rule, and when this page is not what
\`test/spec-rules.ts\` and the tests say. \`npx vitest run test/spec-coverage.test.ts -u\` writes it anew.
`;

/** The text of SPEC.md: every rule with its source, where it is enforced, and the files of the tests that cite it. */
export function specText(citations: readonly Citation[]): string {
  const tests = new Map<string, Set<string>>();
  for (const { id, file } of citations) tests.set(id, (tests.get(id) ?? new Set()).add(file));
  const groups = RULE_GROUPS.map(({ title, rules }) => {
    const rows = rules.map((rule) => rowOf(rule, [...(tests.get(rule.id) ?? [])].sort()));
    return [
      `## ${title}`,
      '',
      '| id | rule | source | enforced by | proved by |',
      '|---|---|---|---|---|',
      ...rows,
    ].join('\n');
  });
  return `${[HEAD, ...groups].join('\n\n').replaceAll('\n\n\n', '\n\n')}\n`;
}

function rowOf({ id, text, files }: Rule, tests: readonly string[]): string {
  const source = id.startsWith('P') ? `markspace ${id}` : 'hivemark';
  const linked = (paths: readonly string[]): string => paths.map((path) => `[${shortOf(path)}](${path})`).join(', ');
  return `| ${id} | ${text} | ${source} | ${linked(files.map((file) => `src/${file}`))} | ${linked(tests)} |`;
}

/** `src/guard/x.test.ts` as `guard/x`. */
function shortOf(path: string): string {
  return path.replace(/^src\//, '').replace(/(?:\.test)?\.ts$/, '');
}
