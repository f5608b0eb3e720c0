/**
 * Edits: what this replica wants the server to hold, from recording to the feed showing it. Pure:
 * each function takes an edit and says what becomes of it.
 *
 * ```
 *                 ┌───────── edited again ─────────┐
 * recorded ─▶ waiting ──2xx──▶ pushed ──feed shows it──▶ gone
 *               ▲ │ ▲                 
 *      resolved │ │ └──412, merged, or our own write whose answer was lost
 *               │ ├──412──▶ conflict
 *               └─┴──4xx──▶ refused ──edited again──▶ waiting
 * ```
 *
 * An edit carries the entity tag that it started from, so a push is compare-and-swap and safe to
 * repeat. A pushed edit is shown until the feed tells of it, so that a stale page makes nobody's
 * change flicker. Nothing but an explicit answer to a conflict drops an edit.
 */

import { isSame } from "./json.js";
import { merge } from "./merge.js";
import type { Change, Problem } from "./wire.js";

/** One version of a resource. */
export interface Version {
  readonly etag: string;
  readonly text: string;
}

/** An edit of one resource; at most one each. */
export interface Edit {
  readonly href: string;
  readonly id: string;
  /** What it started from; `null`: there was nothing. */
  readonly base: Version | null;
  /** What should be; `null`: nothing. */
  readonly mine: string | null;
  /** Counts changes of `mine`, so that an answer is not taken for one to a later edit. */
  readonly revision: number;
  readonly state: "waiting" | "pushed" | "conflict" | "refused";
  /** What went out since the base without an answer that was seen, the newest last. */
  readonly sent?: readonly (string | null)[] | undefined;
  /** `pushed`: the tag that the server gave, and when, by this machine's clock in milliseconds. */
  readonly pushed?: { readonly etag: string | undefined; readonly at: number } | undefined;
  /** `conflict`: what stands instead of the base, and where both sides differ (JSON pointers). */
  readonly conflict?: { readonly theirs: Version | null; readonly clashes: readonly string[] } | undefined;
  /** `refused`: the server's reason. */
  readonly problem?: Problem | undefined;
}

/** How a conflict ends: keep it for later, or take a side, or merge, or write something else. */
export type Resolution = "keep" | "ours" | "theirs" | "merge" | { readonly text: string | null };

/** More than a few answers in a row are lost only with the connection, and then nothing goes out. */
const SENT_MAX = 16;
/** How long a pushed edit is shown at most if the feed never tells of it (it left the filter). */
export const SHOWN_MS_MAX = 60_000;

/** Records that `href` should be `mine`; `held` is what the replica shows as the server's state. */
export function record(
  edit: Edit | undefined,
  held: Version | null,
  wish: { readonly href: string; readonly id: string; readonly mine: string | null },
): Edit | undefined {
  const { href, id, mine } = wish;
  if (edit === undefined) return isUnchanged(held, mine) ? undefined : { href, id, base: held, mine, revision: 1, state: "waiting" };
  const revision = edit.revision + 1;
  if (edit.state === "conflict") return { ...edit, mine, revision };
  if (edit.state === "pushed") {
    const base = baseOfPushed(edit, held);
    if (isUnchanged(base, mine)) return edit;
    return { href, id, base, mine, revision, state: "waiting", sent: edit.pushed?.etag === undefined ? [edit.mine] : undefined };
  }
  const next: Edit = { ...edit, mine, revision, state: "waiting", problem: undefined };
  return edit.sent === undefined && isUnchanged(edit.base, mine) ? undefined : next;
}

function baseOfPushed(edit: Edit, held: Version | null): Version | null {
  if (edit.mine === null) return null;
  const etag = edit.pushed?.etag;
  return etag === undefined ? (held ?? edit.base) : { etag, text: edit.mine };
}

function isUnchanged(base: Version | null, mine: string | null): boolean {
  return base === null ? mine === null : base.text === mine;
}

/** What to send for an edit, with its precondition; `look` where the tag must be asked for first. */
export function request(edit: Edit): { method: "PUT" | "DELETE"; fields: Record<string, string>; body?: string } | "look" {
  const condition: Record<string, string> = edit.base === null ? { "If-None-Match": "*" } : { "If-Match": edit.base.etag };
  const fields = { ...condition, Prefer: "return=representation" };
  if (edit.mine === null) return edit.base === null ? "look" : { method: "DELETE", fields };
  return { method: "PUT", fields: { ...fields, "Content-Type": "application/json" }, body: edit.mine };
}

/** Notes that an edit goes out: if the answer is lost, what stands later is known for ours. */
export function outgoing(edit: Edit): Edit {
  if (edit.state !== "waiting") return edit;
  const sent = edit.sent ?? [];
  return sent.includes(edit.mine) ? edit : { ...edit, sent: [...sent, edit.mine].slice(-SENT_MAX) };
}

/** The push of `sent` succeeded and made the version `etag` (unknown where a proxy dropped the field). */
export function accepted(edit: Edit, sent: Edit, etag: string | undefined, now: number): Edit {
  if (edit.revision === sent.revision) {
    return { ...strip(edit), state: "pushed", pushed: { etag, at: now } };
  }
  // It was edited again meanwhile: that edit starts from what was just written.
  if (sent.mine === null) return { ...strip(edit), base: null };
  if (etag === undefined) return { ...strip(edit), sent: [sent.mine] };
  return { ...strip(edit), base: { etag, text: sent.mine } };
}

/** The push of `sent` found `theirs` instead of the base; `resolve` decides what both sides changed. */
export function collided(
  edit: Edit,
  sent: Edit,
  theirs: Version | null,
  outcome: { readonly resolve: (edit: Edit) => Resolution; readonly now: number },
): Edit | undefined {
  const isOurs = (text: string | null) => (theirs === null ? text === null : text !== null && isSame(text, theirs.text));
  if (isOurs(sent.mine)) return accepted(edit, sent, theirs?.etag, outcome.now);
  if (edit.sent?.some(isOurs)) return { ...strip(edit), base: theirs };
  const conflict: Edit = { ...strip(edit), state: "conflict", conflict: { theirs, clashes: [] } };
  return resolved(conflict, outcome.resolve(conflict));
}

/** A conflict after its resolution; `undefined` where their side was taken. Never loses one that merging cannot end. */
export function resolved(edit: Edit, resolution: Resolution): Edit | undefined {
  const theirs = edit.conflict?.theirs ?? null;
  const settle = (text: string | null): Edit | undefined =>
    isUnchanged(theirs, text) ? undefined : { ...strip(edit), base: theirs, mine: text, revision: edit.revision + 1, state: "waiting" };
  if (resolution === "theirs") return undefined;
  if (resolution === "ours") return settle(edit.mine);
  if (typeof resolution === "object") return settle(resolution.text);
  const merged = merge(edit.base?.text ?? null, edit.mine, theirs?.text ?? null);
  if (resolution === "merge" && merged.clean) return settle(merged.text);
  return { ...edit, conflict: { theirs, clashes: merged.clean ? [] : merged.clashes } };
}

/** The server will not have it as it is. */
export function refused(edit: Edit, sent: Edit, problem: Problem): Edit {
  if (edit.revision !== sent.revision) return strip(edit);
  return { ...strip(edit), state: "refused", problem };
}

/** What remains of an edit when the feed tells `change` of its resource, or nothing new at `now`. */
export function settled(edit: Edit, change: Change | undefined, now: number): Edit | undefined {
  if (edit.state !== "pushed" || edit.pushed === undefined) return edit;
  if (change === undefined) return Math.abs(now - edit.pushed.at) > SHOWN_MS_MAX ? undefined : edit;
  if ("deleted" in change) return edit.mine === null || edit.pushed.etag === undefined ? undefined : edit;
  // Exactly the base came before what was pushed, so a page that tells of it is older.
  return change.etag === edit.base?.etag ? edit : undefined;
}

function strip(edit: Edit): Edit {
  const { sent: _sent, pushed: _pushed, conflict: _conflict, problem: _problem, ...rest } = edit;
  return { ...rest, state: "waiting" };
}
