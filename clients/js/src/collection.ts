/**
 * A live collection: what applications use. It reads from the replica, records edits, and tells of
 * changes, while a follower and a pusher (in this tab or another one) keep it and the server together.
 */

import { systemClock, type Clock } from "./clock.js";
import { hashOf } from "./digest.js";
import { conflictOf, documentOf, resolutionOf, valueOf, type Choice, type Conflict, type Document } from "./document.js";
import { record, resolved, type Edit, type Resolution } from "./edits.js";
import { Follower } from "./follower.js";
import { rewrite } from "./json.js";
import { collectionUrl, resourcePath, UsageError, type Filter } from "./links.js";
import { Pusher } from "./pusher.js";
import { memoryReplica } from "./memory.js";
import type { Applied, Replica } from "./replica.js";
import { openChannel, whileLeading, type Channel, type Message } from "./tabs.js";
import { fetchTransport, type Send } from "./transport.js";
import type { Why } from "./walk.js";
import type { Problem } from "./wire.js";

/** How things stand. */
export interface Status {
  /** `connecting`: no answer yet. `live`: it follows. `offline`: nobody answers. `refused`: the server says no. */
  readonly phase: "connecting" | "live" | "offline" | "refused" | "closed";
  /** Why it is `offline` or `refused`. */
  readonly reason: string | undefined;
  readonly problem: Problem | undefined;
  /** Whether what `readAll` answers is a whole state, however old. */
  readonly isWhole: boolean;
  /** The position of the last page. */
  readonly position: string | undefined;
  /** `true`: the server's digest proves the replica exact; `undefined`: none was told for this state. */
  readonly isExact: boolean | undefined;
  /** Edits that the server has not taken yet, conflicts and refused ones included. */
  readonly unpushed: number;
  readonly conflicts: number;
}

/** What changed: the ids' URLs, or everything. */
export interface Change {
  readonly hrefs: readonly string[] | "all";
}

/** How a collection is opened; everything but the URL may be left out. */
export interface OpenOptions<T = unknown> {
  /** Which resources, by declared indexes: `{ owner: "ada", balance: "gte:100" }`. */
  readonly filter?: Filter;
  /** Items per page. */
  readonly pageSize?: number;
  /**
   * Where it is kept, from now on by this collection alone; in memory if left out. Tabs that open a
   * replica of the same name share it: one follows and pushes, all read and edit.
   */
  readonly replica?: Replica;
  /** Seconds that the server may hold a request for news (`?wait=`); 0, the default, polls by freshness. */
  readonly waitSeconds?: number;
  /** Compare the server's digest; on by default, needs WebCrypto. */
  readonly verify?: boolean;
  /** Fields of every request, such as `Authorization`; asked anew each time. */
  readonly headers?: () => Readonly<Record<string, string>> | Promise<Readonly<Record<string, string>>>;
  /** What to do about a conflict at once; `keep`, the default, leaves it in `conflicts()`. */
  readonly onConflict?: "keep" | "ours" | "theirs" | "merge" | ((conflict: Conflict<T>) => "keep" | Choice<T>);
  readonly fetch?: typeof fetch;
  readonly clock?: Clock;
}

/** Nothing more happens after `close`. */
export class ClosedError extends Error {
  override readonly name = "ClosedError";
}

const STARTING: Status = {
  phase: "connecting",
  reason: undefined,
  problem: undefined,
  isWhole: false,
  position: undefined,
  isExact: undefined,
  unpushed: 0,
  conflicts: 0,
};

/** A live collection; see {@link openCollection}. */
export class Collection<T = unknown> {
  readonly #url: string;
  readonly #replica: Replica;
  readonly #clock: Clock;
  readonly #options: OpenOptions<T>;
  readonly #closing = new AbortController();
  readonly #listeners = new Set<(change: Change) => void>();
  readonly #watchers = new Set<(status: Status) => void>();
  readonly #discards = new Set<(lost: Edit) => void>();
  readonly #channel: Channel<Status>;
  readonly #follower: Follower;
  readonly #pusher: Pusher;
  #status = STARTING;
  #isLeading = false;
  #work: Promise<void> = Promise.resolve();

  /** @internal */
  constructor(url: string, replica: Replica, options: OpenOptions<T>) {
    this.#url = url;
    this.#replica = replica;
    this.#options = options;
    this.#clock = options.clock ?? systemClock;
    const send = this.#transport();
    const both = { collection: url, replica, send, clock: this.#clock };
    const { waitSeconds = 0, verify = true } = options;
    const told = { onApplied: (applied: Applied) => this.#applied(applied), onPause: (why: Why) => this.#paused(why) };
    this.#follower = new Follower({ ...both, ...told, waitSeconds, hash: verify ? hashOf : undefined });
    this.#pusher = new Pusher({ ...both, resolve: (edit) => this.#resolve(edit), onEdit: (before, after) => this.#edited(before, after) });
    this.#channel = openChannel(this.#sharedName, (message) => this.#heard(message));
  }

  /** @internal */
  async start(): Promise<void> {
    const { position, isWhole, isExact } = await this.#replica.open(this.#url);
    this.#become({ position, isWhole, isExact });
    await this.#count();
    this.#work = whileLeading(this.#sharedName, this.#closing.signal, () => this.#lead()).catch((error: unknown) => {
      this.#become({ phase: "refused", reason: error instanceof Error ? error.message : String(error) });
    });
    this.#channel.tell({ kind: "hello" });
  }

  /** One resource, this replica's edit included. */
  async read(id: string): Promise<Document<T> | undefined> {
    const { item, edit } = await this.#replica.read(this.#href(id));
    return documentOf<T>(item, edit);
  }

  /** All resources, this replica's edits included, in the order of their URLs. */
  async readAll(): Promise<Document<T>[]> {
    const { items, edits } = await this.#replica.readAll();
    const open = new Map(edits.map((edit) => [edit.href, edit]));
    const known = items.map((item) => documentOf<T>(item, open.get(item.href)));
    const held = new Set(items.map((item) => item.href));
    const made = edits.filter((edit) => !held.has(edit.href)).map((edit) => documentOf<T>(undefined, edit));
    return [...known, ...made].filter((document) => document !== undefined).sort((one, other) => (one.href < other.href ? -1 : 1));
  }

  /** Writes a resource: at once here, on the server as soon as it can be reached. */
  async put(id: string, value: T): Promise<void> {
    await this.change(id, () => value);
  }

  /**
   * Changes a resource by a function of its present value, `undefined` where there is none; members
   * that it leaves alone keep their exact text. The function may run at any time until this resolves.
   */
  async change(id: string, work: (value: T | undefined) => T): Promise<void> {
    await this.#record(id, (text) => rewrite(text, work(text === null ? undefined : (JSON.parse(text) as T))));
  }

  /** Deletes a resource, here at once. */
  async remove(id: string): Promise<void> {
    await this.#record(id, () => null);
  }

  /** Edits that met another one and wait for a choice. */
  async conflicts(): Promise<Conflict<T>[]> {
    return (await this.#replica.edits()).filter((edit) => edit.state === "conflict").map((edit) => conflictOf<T>(edit));
  }

  /** Edits that the server will not have as they are, with its reason. */
  async refusals(): Promise<{ id: string; problem: Problem }[]> {
    const refused = (await this.#replica.edits()).filter((edit) => edit.state === "refused");
    return refused.flatMap(({ id, problem }) => (problem === undefined ? [] : [{ id, problem }]));
  }

  /** Ends a conflict; `false` where there is none, or where `merge` finds clashes, which then stand in it. */
  async resolve(id: string, choice: Choice<T>): Promise<boolean> {
    let before: Edit | undefined;
    const after = await this.#replica.changeEdit(this.#href(id), (edit) => {
      before = edit;
      return edit?.state === "conflict" ? resolved(edit, resolutionOf(edit, choice)) : edit;
    });
    if (before?.state !== "conflict") return false;
    this.#edited(before, after);
    this.#wakePusher();
    return after?.state !== "conflict";
  }

  /** Drops this replica's edit of a resource, if the server has not taken it yet; the outcome is what it wanted. */
  async discard(id: string): Promise<T | undefined> {
    let dropped: Edit | undefined;
    await this.#replica.changeEdit(this.#href(id), (edit) => {
      dropped = edit?.state === "pushed" ? undefined : edit;
      return edit?.state === "pushed" ? edit : undefined;
    });
    if (dropped !== undefined) this.#edited(dropped, undefined);
    return dropped?.mine == null ? undefined : (JSON.parse(dropped.mine) as T);
  }

  /** How things stand now. */
  get status(): Status {
    return this.#status;
  }

  /** Calls `listener` after every change of what `read` answers; the outcome ends it. */
  subscribe(listener: (change: Change) => void): () => void {
    this.#listeners.add(listener);
    return () => this.#listeners.delete(listener);
  }

  /** Calls `watcher` with the status now and after every change of it; the outcome ends it. */
  watch(watcher: (status: Status) => void): () => void {
    this.#watchers.add(watcher);
    watcher(this.#status);
    return () => this.#watchers.delete(watcher);
  }

  /** Calls `listener` with each edit that gave way to somebody else's, so that it can be shown or kept. */
  onDiscarded(listener: (lost: { id: string; mine: T | undefined }) => void): () => void {
    const tell = (edit: Edit) => listener({ id: edit.id, mine: valueOf<T>(edit.mine) });
    this.#discards.add(tell);
    return () => this.#discards.delete(tell);
  }

  /** Resolves once the replica holds a whole state; rejects where the server refuses. */
  ready(): Promise<void> {
    return this.until((status) => status.isWhole);
  }

  /** Resolves once `holds` of the status; rejects when the collection is closed or the server refuses. */
  until(holds: (status: Status) => boolean): Promise<void> {
    return new Promise((resolve, reject) => {
      const watcher = (status: Status) => {
        const isOver = status.phase === "refused" || status.phase === "closed";
        if (!holds(status) && !isOver) return;
        this.#watchers.delete(watcher);
        if (holds(status)) resolve();
        else reject(new ClosedError(status.reason ?? "the collection is closed"));
      };
      this.#watchers.add(watcher);
      watcher(this.#status);
    });
  }

  /** Starts again from the collection's URL; what is held is shown until the new state is whole. */
  resync(): void {
    this.#follower.resync();
    this.#channel.tell({ kind: "resync" });
  }

  /** Looks for news and pushes edits now, where this tab leads: the network is back, say. */
  wake(): void {
    this.#follower.wake();
    this.#wakePusher();
  }

  /** Stops, and lets go of the replica; edits that were not pushed stay in it. */
  async close(): Promise<void> {
    this.#become({ phase: "closed", reason: "the collection was closed" });
    this.#closing.abort();
    this.#channel.close();
    await this.#work;
    this.#replica.close();
  }

  async #lead(): Promise<void> {
    const failing = new AbortController();
    const signal = AbortSignal.any([this.#closing.signal, failing.signal]);
    const wake = () => this.wake();
    globalThis.addEventListener?.("online", wake);
    this.#isLeading = true;
    try {
      await this.#count();
      await Promise.all([this.#follower.run(signal), this.#pusher.run(signal)]);
    } finally {
      failing.abort();
      this.#isLeading = false;
      globalThis.removeEventListener?.("online", wake);
    }
  }

  get #sharedName(): string | undefined {
    const { name } = this.#replica;
    return name === undefined ? undefined : `milepost:${name}`;
  }

  async #record(id: string, mine: (text: string | null) => string | null): Promise<void> {
    if (this.#closing.signal.aborted) throw new ClosedError("the collection is closed");
    const href = this.#href(id);
    const last = href.slice(href.lastIndexOf("/") + 1);
    await this.#replica.changeEdit(href, (edit, held) => {
      const text = edit === undefined ? (held?.text ?? null) : edit.mine;
      return record(edit, held === undefined ? null : { etag: held.etag, text: held.text }, { href, id: last, mine: mine(text) });
    });
    await this.#count();
    this.#changed([href]);
    this.#wakePusher();
  }

  #wakePusher(): void {
    this.#pusher.wake();
    this.#channel.tell({ kind: "edited" });
  }

  #href(id: string): string {
    return id.startsWith("/") ? id : resourcePath(this.#url, id);
  }

  #transport(): Send {
    const { fetch = globalThis.fetch.bind(globalThis), headers } = this.#options;
    return fetchTransport({ fetch, clock: this.#clock, headers });
  }

  #resolve(edit: Edit): Resolution {
    const { onConflict = "keep" } = this.#options;
    try {
      const choice = typeof onConflict === "function" ? onConflict(conflictOf<T>(edit)) : onConflict;
      return choice === "keep" ? "keep" : resolutionOf(edit, choice);
    } catch (error) {
      queueMicrotask(() => {
        throw error;
      });
      return "keep";
    }
  }

  #edited(before: Edit, after: Edit | undefined): void {
    const gaveWay = before.state === "waiting" || before.state === "conflict";
    if (after === undefined && gaveWay) {
      this.#channel.tell({ kind: "discarded", edit: before });
      call(this.#discards, before);
    }
    this.#changed([before.href]);
    this.#recount();
  }

  #changed(hrefs: readonly string[] | "all"): void {
    if (hrefs !== "all" && hrefs.length === 0) return;
    this.#channel.tell({ kind: "changed", hrefs });
    call(this.#listeners, { hrefs });
  }

  async #count(): Promise<void> {
    const edits = await this.#replica.edits();
    this.#become({
      unpushed: edits.filter((edit) => edit.state !== "pushed").length,
      conflicts: edits.filter((edit) => edit.state === "conflict").length,
    });
  }

  #applied(applied: Applied): void {
    const { position, isExact, isWhole, isAtHead } = applied.standing;
    if (applied.done) this.#changed(applied.changed);
    this.#become({ position, isExact, isWhole, ...(isAtHead ? { phase: "live", reason: undefined, problem: undefined } : {}) });
    this.#recount();
  }

  #recount(): void {
    this.#count().catch((error: unknown) => {
      if (!this.#closing.signal.aborted) this.#become({ reason: error instanceof Error ? error.message : String(error) });
    });
  }

  #paused(why: Why): void {
    if (why.is === "unreachable") this.#become({ phase: "offline", reason: why.reason });
    if (why.is === "refused") this.#become({ phase: "refused", reason: why.problem.detail ?? why.problem.title, problem: why.problem });
  }

  #become(part: Partial<Status>): void {
    const next = { ...this.#status, ...part };
    const isSame = Object.keys(next).every((key) => next[key as keyof Status] === this.#status[key as keyof Status]);
    if (isSame || this.#status.phase === "closed") return;
    this.#status = next;
    if (this.#isLeading && next.phase !== "closed") this.#channel.tell({ kind: "status", status: next });
    call(this.#watchers, next);
  }

  #heardEdit(): void {
    if (!this.#isLeading) return;
    this.#pusher.wake();
    this.#recount();
  }

  #heard(message: Message<Status>): void {
    if (this.#closing.signal.aborted) return;
    if (message.kind === "changed") call(this.#listeners, { hrefs: message.hrefs });
    if (message.kind === "discarded") call(this.#discards, message.edit);
    if (message.kind === "edited") this.#heardEdit();
    if (message.kind === "resync" && this.#isLeading) this.#follower.resync();
    if (message.kind === "status" && !this.#isLeading) this.#become(message.status);
    if (message.kind === "hello" && this.#isLeading) this.#channel.tell({ kind: "status", status: this.#status });
  }
}

/** Calls listeners in a turn of their own, where an error of theirs is reported as theirs and stops nothing here. */
function call<V>(listeners: ReadonlySet<(value: V) => void>, value: V): void {
  for (const listener of listeners) {
    queueMicrotask(() => {
      if (listeners.has(listener)) listener(value);
    });
  }
}

/**
 * Opens a collection and begins to follow it.
 *
 * @throws UsageError when the URL or the filter cannot be used
 */
export async function openCollection<T = unknown>(url: string | URL, options: OpenOptions<T> = {}): Promise<Collection<T>> {
  const { waitSeconds = 0, replica = memoryReplica() } = options;
  if (!Number.isInteger(waitSeconds) || waitSeconds < 0) throw new UsageError("waitSeconds: give a whole number of seconds, 0 to poll");
  const collection = new Collection<T>(collectionUrl(url, options.filter, options.pageSize), replica, options);
  await collection.start();
  return collection;
}
