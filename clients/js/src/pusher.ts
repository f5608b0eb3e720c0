/**
 * Pushes the replica's edits, each with its precondition, one after the other. What an answer means
 * for an edit is decided in `edits.ts`; here are the requests and the waits.
 */

import type { Clock } from "./clock.js";
import { accepted, collided, outgoing, refused, request, type Edit, type Resolution, type Version } from "./edits.js";
import { retryAfterMs } from "./freshness.js";
import { follow } from "./links.js";
import type { Replica } from "./replica.js";
import type { Send } from "./transport.js";
import { isPassing, type Answer } from "./walk.js";
import { parseProblem } from "./wire.js";

/** What a pusher needs, and whom it tells. */
export interface PusherOptions {
  /** The collection's URL; edits' `href`s belong to its origin. */
  readonly collection: string;
  readonly replica: Replica;
  readonly send: Send;
  readonly clock: Clock;
  /** What to do about an edit of something that changed meanwhile. */
  readonly resolve: (edit: Edit) => Resolution;
  /** An edit changed; `before` is what it was, so that one that gave way to theirs is not lost. */
  readonly onEdit: (before: Edit, after: Edit | undefined) => void;
}

/** After a failure, how long to wait for the next try; it doubles. */
const RETRY_MS_MIN = 500;
const RETRY_MS_MAX = 60_000;
const RETRY_AFTER_MS_MAX = 300_000;
/** So often an edit whose base had moved is pushed again at once; then somebody else is given time. */
const COLLISIONS_AT_ONCE_MAX = 3;

/** What a push leaves to do: nothing, the same again on a new base, or later because nobody answered. */
type Rest = { readonly is: "done" } | { readonly is: "collided" } | { readonly is: "later"; readonly leastMs: number };
const DONE: Rest = { is: "done" };

/** Pushes edits until its signal is given. */
export class Pusher {
  readonly #options: PusherOptions;
  #nap = new AbortController();
  #isCalled = true;

  constructor(options: PusherOptions) {
    this.#options = options;
  }

  /** Runs until `signal`; rejects only where the replica itself fails. */
  async run(signal: AbortSignal): Promise<void> {
    signal.addEventListener("abort", () => this.wake(), { once: true });
    let failures = 0;
    while (!signal.aborted) {
      this.#isCalled = false;
      const rest = await this.#pushAll(signal);
      failures = rest.is === "done" ? 0 : failures + 1;
      if (this.#isCalled || signal.aborted) continue;
      await this.#sleep(this.#patience(rest, failures));
    }
  }

  #patience(rest: Rest, failures: number): number {
    if (rest.is === "done") return RETRY_MS_MAX;
    const times = rest.is === "collided" ? failures - COLLISIONS_AT_ONCE_MAX : failures;
    if (times <= 0) return 0;
    const backoff = Math.min(RETRY_MS_MIN * 2 ** Math.min(times - 1, 20), RETRY_MS_MAX);
    const leastMs = rest.is === "later" ? Math.min(rest.leastMs, RETRY_AFTER_MS_MAX) : 0;
    return Math.max(backoff, leastMs) * (0.75 + 0.5 * this.#options.clock.random());
  }

  /** There is an edit to push, or a network to push it by. */
  wake(): void {
    this.#isCalled = true;
    this.#nap.abort();
  }

  /** Pushes what waits, in order; one that collides holds up nobody, a server that is away everybody. */
  async #pushAll(signal: AbortSignal): Promise<Rest> {
    let whole = DONE;
    for (const edit of await this.#options.replica.edits()) {
      if (signal.aborted) return DONE;
      if (edit.state !== "waiting") continue;
      const rest = await this.#push(edit, signal);
      if (rest.is === "later") return rest;
      if (rest.is === "collided") whole = rest;
    }
    return whole;
  }

  async #push(listed: Edit, signal: AbortSignal): Promise<Rest> {
    const edit = await this.#change(listed, outgoing);
    if (edit?.state !== "waiting") return DONE;
    try {
      const plan = request(edit);
      if (plan === "look") return await this.#look(edit, signal);
      const url = follow(this.#options.collection, edit.href);
      const answer = await this.#options.send({ method: plan.method, url, fields: plan.fields, body: plan.body }, signal);
      return await this.#answered(edit, answer, signal);
    } catch {
      // No answer, or none that could be read to its end: the edit still waits, and knows what it sent.
      return { is: "later", leastMs: 0 };
    }
  }

  async #answered(edit: Edit, answer: Answer, signal: AbortSignal): Promise<Rest> {
    const now = this.#options.clock.now();
    const isDone = answer.status >= 200 && answer.status < 300;
    const isGoneAlready = edit.mine === null && answer.status === 404;
    if (isDone || isGoneAlready) {
      const etag = isDone ? uncoded(answer.fields.get("etag")) : undefined;
      await this.#change(edit, (held) => accepted(held, edit, etag, now));
      return DONE;
    }
    if (answer.status !== 412) return this.#declined(edit, answer);
    const { etag, current } = parseProblem(answer.status, answer.text);
    const stands = uncoded(etag ?? null);
    return stands === undefined || current === undefined ? this.#look(edit, signal) : this.#collide(edit, { etag: stands, text: current });
  }

  /** Asks what stands: the 412 did not say, or there is nothing to compare with. */
  async #look(edit: Edit, signal: AbortSignal): Promise<Rest> {
    const url = follow(this.#options.collection, edit.href);
    const answer = await this.#options.send({ method: "GET", url, fields: { "Cache-Control": "no-cache" } }, signal);
    if (answer.status === 404) return this.#collide(edit, null);
    if (answer.status !== 200) return this.#declined(edit, answer);
    const etag = uncoded(answer.fields.get("etag"));
    // A cache that still shows the base, or hides its tag, has nothing to say yet.
    if (etag === undefined || etag === edit.base?.etag) return { is: "later", leastMs: 0 };
    // Throws on half a representation: no answer, then.
    JSON.parse(answer.text);
    return this.#collide(edit, { etag, text: answer.text });
  }

  async #declined(edit: Edit, answer: Answer): Promise<Rest> {
    if (isPassing(answer.status)) return { is: "later", leastMs: retryAfterMs(answer.fields) };
    const problem = parseProblem(answer.status, answer.text);
    await this.#change(edit, (held) => refused(held, edit, problem));
    return DONE;
  }

  async #collide(edit: Edit, theirs: Version | null): Promise<Rest> {
    const outcome = { resolve: this.#options.resolve, now: this.#options.clock.now() };
    const after = await this.#change(edit, (held) => collided(held, edit, theirs, outcome));
    return after?.state === "waiting" ? { is: "collided" } : DONE;
  }

  /** Changes the edit of a resource, if it still has one; merely noting that it goes out is no news. */
  async #change(edit: Edit, change: (held: Edit) => Edit | undefined): Promise<Edit | undefined> {
    let before: Edit | undefined;
    const after = await this.#options.replica.changeEdit(edit.href, (held) => {
      before = held;
      return held && change(held);
    });
    if (before !== undefined && (after?.state !== before.state || after.revision !== before.revision)) this.#options.onEdit(before, after);
    return after;
  }

  async #sleep(ms: number): Promise<void> {
    this.#nap = new AbortController();
    await this.#options.clock.sleep(ms, this.#nap.signal);
  }
}

/** The tag of a version without the content coding it came in: what the feed calls it. */
function uncoded(etag: string | null): string | undefined {
  return etag?.replace(/^W\//, "").replace(/\+(gzip|br|zstd|deflate)"$/, '"');
}
