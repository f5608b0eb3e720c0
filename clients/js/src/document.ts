/** Resources, edits and conflicts as the application sees them: parsed, with edits on top. */

import type { Edit, Resolution } from "./edits.js";
import { rewrite } from "./json.js";
import type { Item } from "./replica.js";

/** One resource as the application sees it: the server's state with this replica's edit on top. */
export interface Document<T = unknown> {
  readonly id: string;
  readonly href: string;
  /** The entity tag of the server's state that is held; `undefined` where there is none yet. */
  readonly etag: string | undefined;
  /** The representation, byte for byte. */
  readonly text: string;
  /** The representation, parsed; numbers beyond a double's precision are only exact in `text`. */
  readonly value: T;
  /** `synced`, or how far this replica's edit is. */
  readonly state: "synced" | Edit["state"];
}

/** An edit that met another one. */
export interface Conflict<T = unknown> {
  readonly id: string;
  /** What the edit started from; `undefined`: nothing. */
  readonly base: T | undefined;
  /** What this replica wants; `undefined`: deleted. */
  readonly mine: T | undefined;
  /** What stands; `undefined`: deleted. */
  readonly theirs: T | undefined;
  /** Where both changed the same differently, as JSON pointers; none: `merge` ends it. */
  readonly clashes: readonly string[];
}

/** How a conflict ends; `{ value }` writes something else, `{ value: undefined }` deletes. */
export type Choice<T = unknown> = "ours" | "theirs" | "merge" | { readonly value: T | undefined };

/** A resource under its edit; `undefined` where the edit deletes it. */
export function documentOf<T>(item: Item | undefined, edit: Edit | undefined): Document<T> | undefined {
  const text = edit === undefined ? item?.text : edit.mine;
  const { id, href } = (item ?? edit) as { id: string; href: string };
  if (text === undefined || text === null) return undefined;
  return { id, href, etag: edit?.pushed?.etag ?? item?.etag, text, value: JSON.parse(text) as T, state: edit?.state ?? "synced" };
}

/** A conflict with its three sides parsed. */
export function conflictOf<T>(edit: Edit): Conflict<T> {
  return {
    id: edit.id,
    base: valueOf<T>(edit.base?.text ?? null),
    mine: valueOf<T>(edit.mine),
    theirs: valueOf<T>(edit.conflict?.theirs?.text ?? null),
    clashes: edit.conflict?.clashes ?? [],
  };
}

/** A choice in the terms of edits; what it leaves as theirs keeps its text. */
export function resolutionOf<T>(edit: Edit, choice: Choice<T>): Resolution {
  if (typeof choice === "string") return choice;
  return { text: choice.value === undefined ? null : rewrite(edit.conflict?.theirs?.text ?? null, choice.value) };
}

/** A representation, parsed. */
export function valueOf<T>(text: string | null): T | undefined {
  return text === null ? undefined : (JSON.parse(text) as T);
}
