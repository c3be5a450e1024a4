import type { Declaration, Program } from './program-text.ts';
import { closureOf, listOf, listText, parseProgram, withDeclaration } from './program-text.ts';
import { identifiersOf } from './scan-code.ts';

/** A peer's text is untrusted: what is larger than anyone could take over in one step is not looked into. */
const MOST_PASSES = 40;
const MOST_PARTS = 40;

/** Something a peer's program does that one's own does not: which declarations to copy, and where it goes in the pipeline. */
export interface Technique {
  /** The declaration it is known by, e.g. a pass. */
  readonly name: string;
  /** What is copied, as it was read, in the peer's order. */
  readonly copied: readonly Declaration[];
  /** The own program with it. */
  readonly code: string;
  /** Where it went, in words. */
  readonly place: string;
}

/**
 * What is in use in `peer` (its pipeline list `passes`, the lines of its `forward`) and made of functions that `own` lacks.
 * Found by comparing the two texts only. Techniques whose parts would collide with other things of the same name are left out.
 */
export function techniquesOf(own: Program, peer: Program): readonly Technique[] {
  return [...passTechniques(own, peer), ...forwardTechniques(own, peer)];
}

/**
 * Declarations both have and both use, but with a different text in the peer's program (a tuned constant, a reworked
 * function): what can be taken from a peer that is ahead although it does nothing new.
 */
export function updatesOf(own: Program, peer: Program): readonly Technique[] {
  return peer.declarations.flatMap((theirs) => {
    const mine = own.find(theirs.name);
    if (mine === undefined || mine.text === theirs.text || mine.kind !== theirs.kind || theirs.kind === 'type')
      return [];
    if (theirs.name === 'passes' || theirs.name === 'forward') return [];
    const needed = closureOf(peer, theirs.name, new Set(['passes', 'forward'])).filter(
      (one) => one.name !== theirs.name,
    );
    const others = missingFrom(own, needed);
    if (others === undefined) return [];
    const code = withDeclaration(withAll(own.text, others), theirs.name, theirs.text);
    return [{ name: theirs.name, copied: [...others, theirs], code, place: `in place of my ${theirs.name}` }];
  });
}

function passTechniques(own: Program, peer: Program): readonly Technique[] {
  const mine = own.find('passes');
  if (mine === undefined) return [];
  const ownList = listOf(mine);
  const peerList = listOf(peer.find('passes'));
  return peerList.slice(0, MOST_PASSES).flatMap((pass) => {
    if (ownList.includes(pass)) return [];
    const parts = missingFrom(own, closureOf(peer, pass, new Set(['passes', 'forward'])));
    if (parts === undefined || (parts.length === 0 && own.find(pass) === undefined)) return [];
    const at = placeFor(pass, ownList, peerList, peer);
    const list = ownList.toSpliced(at, 0, pass);
    const before = list[at + 1];
    const after = list[at - 1];
    const place =
      before === undefined ? (after === undefined ? 'as the only pass' : `after ${after}`) : `before ${before}`;
    return [
      {
        name: pass,
        copied: parts,
        code: withAll(withDeclaration(own.text, 'passes', listText(mine, list)), parts),
        place,
      },
    ];
  });
}

/** Beside the pass it stands beside at the peer's; with none in common, one that runs other passes goes last, any other first. */
function placeFor(pass: string, ownList: readonly string[], peerList: readonly string[], peer: Program): number {
  const index = peerList.indexOf(pass);
  for (const earlier of peerList.slice(0, index).reverse()) {
    if (ownList.includes(earlier)) return ownList.indexOf(earlier) + 1;
  }
  for (const later of peerList.slice(index + 1)) if (ownList.includes(later)) return ownList.indexOf(later);
  const runsOthers = identifiersOf(peer.find(pass)?.text ?? '').has('passes');
  return runsOthers ? ownList.length : 0;
}

function forwardTechniques(own: Program, peer: Program): readonly Technique[] {
  const mine = own.find('forward');
  const theirs = peer.find('forward');
  if (mine === undefined || theirs === undefined || mine.text === theirs.text) return [];
  const ownLines = mine.text.split('\n');
  const peerLines = theirs.text.split('\n');
  if (ownLines.length !== peerLines.length) {
    const whole = fromText(own, peer, theirs.text, () => theirs.text, 'in place of my forward');
    return whole === undefined ? [] : [whole];
  }
  return peerLines.flatMap((line, index) => {
    if (line === ownLines[index]) return [];
    const one = fromText(
      own,
      peer,
      line,
      () => ownLines.with(index, line).join('\n'),
      `in line ${index + 1} of forward`,
    );
    return one === undefined ? [] : [one];
  });
}

/** A technique out of a piece of the peer's `forward`, when it uses a function of the peer's that the own program lacks. */
function fromText(
  own: Program,
  peer: Program,
  piece: string,
  forward: () => string,
  place: string,
): Technique | undefined {
  const used = [...identifiersOf(piece)].filter((name) => name !== 'forward' && name !== 'passes');
  const stop = new Set(['passes', 'forward']);
  const parts = new Map<string, Declaration>();
  for (const name of used) for (const one of closureOf(peer, name, stop)) parts.set(one.name, one);
  const missing = missingFrom(
    own,
    peer.declarations.filter((one) => parts.get(one.name) === one),
  );
  const name = missing?.findLast((one) => one.kind === 'function' && used.includes(one.name))?.name;
  if (missing === undefined || name === undefined) return undefined;
  return { name, copied: missing, code: withAll(withDeclaration(own.text, 'forward', forward()), missing), place };
}

/** What of these the own program lacks; `undefined` when it has something else by the name of one (a constant's value and types apart), or too much is missing. */
function missingFrom(own: Program, wanted: readonly Declaration[]): readonly Declaration[] | undefined {
  const missing: Declaration[] = [];
  for (const declaration of wanted) {
    const mine = own.find(declaration.name);
    if (mine === undefined) missing.push(declaration);
    else if (declaration.kind === 'function' && mine.text !== declaration.text) return undefined;
  }
  return missing.length > MOST_PARTS ? undefined : missing;
}

function withAll(text: string, declarations: readonly Declaration[]): string {
  return declarations.reduce((code, one) => withDeclaration(code, one.name, one.text, one.comment), text);
}

/** The declarations that `forward` reaches: what of a program is in use. */
export function inUse(program: Program): Program {
  const names = new Set(closureOf(program, 'forward', new Set()).map(({ name }) => name));
  const declarations = program.declarations.filter(({ name, kind }) => names.has(name) || kind === 'type');
  return {
    ...parseProgram(program.text),
    declarations,
    find: (name) => declarations.findLast((one) => one.name === name),
  };
}
