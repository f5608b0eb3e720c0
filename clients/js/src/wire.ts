/**
 * The documents that come over the wire, read strictly: a page of a listing, a snapshot or the
 * changes, and problem documents (RFC 9457).
 *
 * What is not exactly a page is refused as a whole, so that a response that was cut short, or that
 * another program answered, changes nothing.
 */

import { elements, members } from "./json.js";

/** One resource as it is now: its URL, id, strong entity tag, and representation as text. */
export interface Live {
  readonly href: string;
  readonly id: string;
  readonly etag: string;
  readonly text: string;
}

/** One resource that is gone, or left the filter. */
export interface Gone {
  readonly href: string;
  readonly id: string;
  readonly deleted: true;
}

/** What a page says of one resource. */
export type Change = Live | Gone;

/** A page, checked. */
export interface Page {
  readonly self: string;
  readonly kind: "snapshot" | "changes";
  readonly replace: boolean;
  readonly items: readonly Change[];
  /** `next`: more now. `resume`: this is all for now. `closed`: a listing that leads nowhere. */
  readonly end: { readonly rel: "next" | "resume"; readonly href: string } | { readonly rel: "closed" };
  readonly position: string;
  readonly digest: string | undefined;
}

/** A problem document, as far as a client acts on it. */
export interface Problem {
  readonly type: string;
  readonly title: string;
  readonly status: number;
  readonly detail: string | undefined;
  /** Names the cause in the server's log. */
  readonly instance: string | undefined;
  /** On 410: the complete representation to start again from. */
  readonly resync: string | undefined;
  /** On 412: the tag of what stands. */
  readonly etag: string | undefined;
  /** On 412: what stands, as text. */
  readonly current: string | undefined;
}

/** A document that is not what it should be. */
export class WireError extends Error {
  override readonly name = "WireError";
}

const STRONG_TAG = /^"[\x21\x23-\x7e\x80-\uffff]*"$/;

/**
 * Reads a page.
 *
 * @throws WireError when the text is not wholly and exactly a page
 */
export function parsePage(text: string): Page {
  const document = object(parsed(text), "the page");
  const items = list(document["items"], "items");
  const kind = oneOf(document["kind"], ["snapshot", "changes"] as const, "kind");
  const slices = elements(members(text).get("items") ?? "[]");
  return {
    self: reference(document["self"], "self"),
    kind,
    replace: flag(document["replace"], "replace"),
    items: items.map((item, index) => change(item, slices[index] ?? "null", `items/${index}`)),
    end: end(document),
    position: words(document["position"], "position"),
    digest: optional(document["digest"], "digest", words),
  };
}

function end(document: Record<string, unknown>): Page["end"] {
  const next = optional(document["next"], "next", reference);
  const resume = optional(document["resume"], "resume", reference);
  if (next !== undefined && resume !== undefined) throw new WireError("the page has both next and resume");
  if (next !== undefined) return { rel: "next", href: next };
  return resume === undefined ? { rel: "closed" } : { rel: "resume", href: resume };
}

function change(item: unknown, slice: string, place: string): Change {
  const entry = object(item, place);
  const href = reference(entry["href"], `${place}/href`);
  const id = words(entry["id"], `${place}/id`);
  if (entry["deleted"] === true) return { href, id, deleted: true };
  const etag = words(entry["etag"], `${place}/etag`);
  if (!STRONG_TAG.test(etag)) throw new WireError(`${place}/etag is not a strong entity tag`);
  const text = members(slice).get("value");
  if (text === undefined) throw new WireError(`${place} has neither value nor deleted`);
  return { href, id, etag, text };
}

/** Reads a problem; what is no problem document becomes one, so that every refusal can be told. */
export function parseProblem(status: number, text: string): Problem {
  let document: Record<string, unknown> = {};
  let current: string | undefined;
  try {
    document = object(parsed(text), "the problem");
    current = members(text).get("current");
  } catch {
    // Something else answered; its status is all there is.
  }
  const say = (name: string) => (typeof document[name] === "string" ? (document[name] as string) : undefined);
  return {
    type: say("type") ?? "about:blank",
    title: say("title") ?? `the server answered ${status}`,
    status,
    detail: say("detail"),
    instance: say("instance"),
    resync: say("resync"),
    etag: say("etag"),
    current,
  };
}

function parsed(text: string): unknown {
  try {
    return JSON.parse(text) as unknown;
  } catch (cause) {
    throw new WireError("the response is not whole JSON", { cause });
  }
}

function object(value: unknown, place: string): Record<string, unknown> {
  if (value === null || typeof value !== "object" || Array.isArray(value)) throw new WireError(`${place} is no object`);
  return value as Record<string, unknown>;
}

function list(value: unknown, place: string): unknown[] {
  if (!Array.isArray(value)) throw new WireError(`${place} is no array`);
  return value;
}

function words(value: unknown, place: string): string {
  if (typeof value !== "string" || value === "") throw new WireError(`${place} is no text`);
  return value;
}

function flag(value: unknown, place: string): boolean {
  if (typeof value !== "boolean") throw new WireError(`${place} is neither true nor false`);
  return value;
}

/** Links are path-absolute, so that none can lead to another origin. */
function reference(value: unknown, place: string): string {
  const link = words(value, place);
  if (!/^\/(?![/\\])[^\\\s#]*$/.test(link)) throw new WireError(`${place} is not a link within this origin: ${link}`);
  return link;
}

function optional<T>(value: unknown, place: string, read: (value: unknown, place: string) => T): T | undefined {
  return value === undefined ? undefined : read(value, place);
}

function oneOf<T extends string>(value: unknown, allowed: readonly T[], place: string): T {
  const found = allowed.find((word) => word === value);
  if (found === undefined) throw new WireError(`${place} is none of ${allowed.join(", ")}`);
  return found;
}
