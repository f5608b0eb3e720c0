/**
 * Three-way merge of JSON documents: what you changed and what others changed since the version
 * that both began with.
 *
 * Objects merge member by member; arrays, texts and numbers are taken whole, because merging inside
 * them guesses. Where both sides changed the same thing differently there is no result, only the
 * places.
 */

import { isSame, members, shape } from "./json.js";

/** What became of a merge. */
export type Merged =
  | { readonly clean: true; readonly text: string | null }
  | { readonly clean: false; /** JSON pointers (RFC 6901). */ readonly clashes: readonly string[] };

/**
 * Merges `mine` and `theirs`, both made from `base`; texts, `null` where there is no document.
 *
 * A deletion merges only with a deletion or with an unchanged document.
 */
export function merge(base: string | null, mine: string | null, theirs: string | null): Merged {
  const clashes: string[] = [];
  const text = join(base, mine, theirs, "", clashes);
  return clashes.length === 0 ? { clean: true, text } : { clean: false, clashes };
}

type Part = string | null;

function join(base: Part, mine: Part, theirs: Part, pointer: string, clashes: string[]): Part {
  if (agree(mine, theirs) || agree(base, theirs)) return mine;
  if (agree(base, mine)) return theirs;
  if (mine !== null && theirs !== null && shape(mine) === "object" && shape(theirs) === "object") {
    const old = base !== null && shape(base) === "object" ? members(base) : new Map<string, string>();
    return joinObjects(old, members(mine), members(theirs), pointer, clashes);
  }
  clashes.push(pointer);
  return mine;
}

function joinObjects(
  base: Map<string, string>,
  mine: Map<string, string>,
  theirs: Map<string, string>,
  pointer: string,
  clashes: string[],
): string {
  const parts: string[] = [];
  for (const name of new Set([...theirs.keys(), ...mine.keys()])) {
    const place = `${pointer}/${name.replaceAll("~", "~0").replaceAll("/", "~1")}`;
    const part = join(base.get(name) ?? null, mine.get(name) ?? null, theirs.get(name) ?? null, place, clashes);
    if (part !== null) parts.push(`${JSON.stringify(name)}:${part}`);
  }
  return `{${parts.join(",")}}`;
}

function agree(left: Part, right: Part): boolean {
  return left === right || (left !== null && right !== null && isSame(left, right));
}
