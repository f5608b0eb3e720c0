/**
 * A model of a Milepost server: one collection, `/v1/things`, filtered by `kind`, answered by a
 * function with the shape of `fetch`. It keeps every state it ever had, so tests can compare.
 */

import { SetDigest } from "../../src/index.js";
import { createHash } from "node:crypto";

interface Stored {
  readonly text: string;
  readonly etag: string;
}
type State = ReadonlyMap<string, Stored>;
interface Commit {
  readonly position: string;
  readonly ids: readonly string[];
  readonly state: State;
}

export const BASE = "http://model.example/v1/things";
const PATH = "/v1/things";

export class Model {
  /** Sequence is index; the first commit is an empty store. */
  commits: Commit[] = [];
  /** The oldest sequence that changes are told from. */
  floor = 0;
  pageSize = 3;
  maxAge = 1;
  requests = 0;
  #history = 0;

  constructor() {
    this.#begin(new Map());
  }

  get head(): Commit {
    return this.commits.at(-1)!;
  }

  put(id: string, value: unknown): string {
    return this.putAll([[id, JSON.stringify(value)]]);
  }

  putAll(entries: readonly (readonly [string, string | null])[]): string {
    const position = this.#position(this.commits.length);
    const state = new Map(this.head.state);
    for (const [id, text] of entries) {
      if (text === null) state.delete(id);
      else state.set(id, { text, etag: `"${position}"` });
    }
    this.commits.push({ position, ids: entries.map(([id]) => id), state });
    return `"${position}"`;
  }

  delete(id: string): void {
    this.putAll([[id, null]]);
  }

  /** Forgets what changed before `sequence`. */
  prune(sequence: number): void {
    this.floor = Math.max(this.floor, Math.min(sequence, this.commits.length - 1));
  }

  /** The store as it was at `sequence`, restored from a backup: a new history. */
  restore(sequence: number): void {
    const { state } = this.commits[sequence]!;
    this.#begin(state);
  }

  /** What stood at a position, or nothing where it is unknown. */
  at(position: string): State | undefined {
    return this.commits.find((commit) => commit.position === position)?.state;
  }

  digest(state: State): string {
    let digest = SetDigest.empty;
    for (const [id, { etag }] of state) digest = digest.add(createHash("sha256").update(`${id} ${etag}`).digest());
    return digest.toString();
  }

  /** Answers a request as the protocol says. */
  readonly fetch = (input: string | URL | Request, init: RequestInit = {}): Promise<Response> => {
    this.requests += 1;
    const url = new URL(String(input));
    const fields = new Headers(init.headers);
    const method = init.method ?? "GET";
    const rest = url.pathname.slice(PATH.length + 1).split("/");
    if (url.pathname === PATH) return done(this.#listing(url, this.commits.length - 1));
    if (rest[0] === "snapshots") return done(this.#positioned(url, rest[1] ?? "", (sequence) => this.#listing(url, sequence)));
    if (rest[0] === "changes" && method === "QUERY") return done(problem(405, {}));
    if (rest[0] === "changes") return done(this.#positioned(url, rest[1] ?? "", (sequence) => this.#changes(url, sequence)));
    return done(this.#resource(rest[0] ?? "", { method, fields, body: String(init.body ?? "") }));
  };

  #begin(state: State): void {
    this.#history += 1;
    this.commits = [{ position: this.#position(0), ids: [], state }];
    this.floor = 0;
  }

  #position(sequence: number): string {
    return `h${this.#history}.${sequence}-c${(sequence * 7 + this.#history) % 10}`;
  }

  #positioned(url: URL, position: string, answer: (sequence: number) => Response): Response {
    const sequence = this.commits.findIndex((commit) => commit.position === position);
    if (sequence >= this.floor) return answer(sequence);
    const kind = url.searchParams.getAll("kind").map((value) => `?kind=${value}`).join("");
    const resync = `${PATH}/snapshots/${this.head.position}${kind}`;
    return problem(410, { type: "urn:problem-type:milepost:positionExpired", title: "The position is no longer answerable", resync }, { Location: resync, "Cache-Control": "public, max-age=60" });
  }

  #matching(state: State, url: URL): [string, Stored][] {
    const kinds = url.searchParams.getAll("kind");
    const passes = ([, { text }]: [string, Stored]) => kinds.length === 0 || kinds.includes(String((JSON.parse(text) as { kind?: string }).kind));
    return [...state].filter(passes).sort(([one], [other]) => (one < other ? -1 : 1));
  }

  #listing(url: URL, sequence: number): Response {
    const { state, position } = this.commits[sequence]!;
    const after = url.searchParams.get("after");
    const size = Number(url.searchParams.get("pageSize") ?? this.pageSize);
    const all = this.#matching(state, url).filter(([id]) => after === null || id > after);
    const items = all.slice(0, size).map(([id, stored]) => live(id, stored));
    const more = all.length > size ? link(url, `snapshots/${position}`, { after: all[size - 1]![0] }) : undefined;
    const end = more === undefined ? { resume: link(url, `changes/${position}`, {}) } : { next: more };
    const isFixed = url.pathname !== PATH;
    return page({ self: url.pathname + url.search, kind: "snapshot", replace: after === null, items, ...end, position, ...this.#proof(state, url, more === undefined) }, isFixed ? 31536000 : this.maxAge);
  }

  #changes(url: URL, since: number): Response {
    const end = this.#pageEnd(since);
    const isHead = end === this.commits.length - 1;
    const [before, now] = [this.commits[since]!.state, this.commits[end]!];
    const touched = new Set(this.commits.slice(since + 1, end + 1).flatMap((commit) => commit.ids));
    const held = new Set(this.#matching(before, url).map(([id]) => id));
    const shown = new Map(this.#matching(now.state, url));
    const items = [...touched].flatMap((id) => {
      const stored = shown.get(id);
      if (stored !== undefined) return [live(id, stored)];
      return held.has(id) || !now.state.has(id) ? [{ href: `${PATH}/${id}`, id, deleted: true, position: now.position }] : [];
    });
    const to = link(url, `changes/${now.position}`, isHead && items.length === 0 ? { tick: String(this.requests) } : {});
    return page({ self: url.pathname + url.search, kind: "changes", replace: false, items, [isHead ? "resume" : "next"]: to, position: now.position, ...this.#proof(now.state, url, isHead) }, isHead ? this.maxAge : 31536000);
  }

  #pageEnd(since: number): number {
    const block = Math.ceil((since + 1) / 4) * 4;
    return Math.min(block, this.commits.length - 1);
  }

  #proof(state: State, url: URL, isLast: boolean): { digest?: string } {
    return isLast && !url.searchParams.has("kind") ? { digest: this.digest(state) } : {};
  }

  #resource(id: string, request: { method: string; fields: Headers; body: string }): Response {
    const stored = this.head.state.get(id);
    const refusal = precondition(request, stored);
    if (refusal !== undefined) return refusal;
    if (request.method === "GET") return stored ? new Response(stored.text, { headers: { ETag: stored.etag } }) : problem(404, { type: "urn:problem-type:milepost:notFound" });
    if (request.method === "DELETE" && stored === undefined) return problem(404, { type: "urn:problem-type:milepost:notFound" });
    if (request.body.includes('"invalid"')) return problem(400, { type: "urn:problem-type:milepost:invalidDocument", title: "The document violates the collection's schema" });
    if (request.method === "PUT" && stored?.text === request.body) return new Response(null, { status: 204, headers: { ETag: stored.etag } });
    const etag = this.putAll([[id, request.method === "DELETE" ? null : request.body]]);
    return new Response(null, { status: 204, headers: { ETag: etag } });
  }
}

function precondition({ method, fields }: { method: string; fields: Headers }, stored: Stored | undefined): Response | undefined {
  if (method === "GET") return undefined;
  const [match, noneMatch] = [fields.get("If-Match"), fields.get("If-None-Match")];
  const fails = match !== null ? stored?.etag !== match : noneMatch === "*" ? stored !== undefined : false;
  if (!fails) return match === null && noneMatch === null && stored !== undefined ? problem(428, {}) : undefined;
  if (method === "DELETE" && stored === undefined) return problem(404, {});
  const current = stored === undefined ? {} : { etag: stored.etag, current: JSON.parse(stored.text) as unknown };
  return problem(412, { type: "urn:problem-type:milepost:preconditionFailed", title: "A precondition is false", ...current });
}

function live(id: string, { text, etag }: Stored): object {
  return { href: `${PATH}/${id}`, id, etag, value: JSON.parse(text) as unknown };
}

function link(url: URL, rest: string, add: Record<string, string>): string {
  const pairs = [...url.searchParams].filter(([key]) => !["after", "tick", "wait"].includes(key)).concat(Object.entries(add));
  const query = pairs.sort().map(([key, value]) => `${key}=${value}`).join("&");
  return `${PATH}/${rest}${query === "" ? "" : `?${query}`}`;
}

function page(document: object, maxAge: number): Response {
  return new Response(JSON.stringify(document), { headers: { "Cache-Control": `public, max-age=${maxAge}`, "Content-Type": "application/json" } });
}

function problem(status: number, document: object, fields: Record<string, string> = {}): Response {
  return new Response(JSON.stringify({ status, ...document }), { status, headers: { "Content-Type": "application/problem+json", ...fields } });
}

function done(response: Response): Promise<Response> {
  return Promise.resolve(response);
}
