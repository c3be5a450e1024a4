import { posix } from 'node:path';
import type { ProgramLanguage } from '../loaded-run.ts';

const BY_NAME: Readonly<Record<string, ProgramLanguage>> = {
  python: 'python',
  py: 'python',
  python3: 'python',
  typescript: 'typescript',
  ts: 'typescript',
  mts: 'typescript',
  javascript: 'javascript',
  js: 'javascript',
  mjs: 'javascript',
  cjs: 'javascript',
  'c++': 'cpp',
  cpp: 'cpp',
  cxx: 'cpp',
  cc: 'cpp',
  c: 'cpp',
  h: 'cpp',
  hpp: 'cpp',
  cuda: 'cpp',
  cu: 'cpp',
  rust: 'rust',
  rs: 'rust',
};

/** The language a source names itself, in the spellings in use. */
export function languageOf(name: string | undefined): ProgramLanguage {
  return BY_NAME[name?.trim().toLowerCase() ?? ''] ?? 'other';
}

/** The language of a file by its ending. */
export function languageOfPath(path: string): ProgramLanguage {
  return languageOf(posix.extname(path).slice(1));
}
