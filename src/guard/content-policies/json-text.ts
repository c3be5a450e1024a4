import { isRecord } from '../../space/json-value.ts';
import type { Json } from '../../space/marks.ts';

/** All texts in a content, keys included, in order. */
export function* textsIn(content: Json): Iterable<string> {
  if (typeof content === 'string') yield content;
  else if (isList(content)) for (const item of content) yield* textsIn(item);
  else if (isRecord(content)) {
    for (const [key, member] of Object.entries(content)) {
      yield key;
      yield* textsIn(member);
    }
  }
}

/**
 * A content with all its texts, keys included, replaced by what `replace` makes of them; `under` is the key that the text, or the list it is
 * in, is the value of. Members whose keys become equal are kept apart by a number.
 */
export function mapTexts(content: Json, replace: (text: string, under?: string) => string, under?: string): Json {
  if (typeof content === 'string') return replace(content, under);
  if (isList(content)) return content.map((item) => mapTexts(item, replace, under));
  if (!isRecord(content)) return content;
  const members = new Map<string, Json>();
  const times = new Map<string, number>();
  for (const [key, member] of Object.entries(content)) {
    const replaced = replace(key);
    let name = replaced;
    for (let n = times.get(replaced) ?? 2; members.has(name); n += 1) {
      name = `${replaced} ${n}`;
      times.set(replaced, n + 1);
    }
    members.set(name, mapTexts(member, replace, key));
  }
  return Object.fromEntries(members);
}

function isList(content: Json): content is readonly Json[] {
  return Array.isArray(content);
}
