/**
 * Does what a {@link Walk} says: asks, writes into the replica, waits. One loop, ended by its signal.
 */

import type { Clock } from "./clock.js";
import { idsOf, type hashOf } from "./digest.js";
import { stepOf, type Applied, type Replica, type Standing } from "./replica.js";
import type { Send } from "./transport.js";
import { Walk, type Answer, type Apply, type Pause, type Why } from "./walk.js";
import type { Page } from "./wire.js";

/** What a follower needs, and whom it tells. */
export interface FollowerOptions {
  /** The collection's URL, filter included. */
  readonly collection: string;
  readonly replica: Replica;
  readonly send: Send;
  readonly clock: Clock;
  readonly waitSeconds: number;
  /** The hash of a version, for comparing digests; `undefined` compares none. */
  readonly hash: typeof hashOf | undefined;
  /** A page was applied, here or by somebody else. */
  readonly onApplied: (applied: Applied) => void;
  /** It waits, and why. */
  readonly onPause: (why: Why) => void;
}

/** What was under way does not count any more: ask anew. */
const INTERRUPTED: Pause = { kind: "pause", ms: 0, why: { is: "again", reason: "interrupted" } };

/** Follows a collection until its signal is given. */
export class Follower {
  readonly #options: FollowerOptions;
  #walk: Walk | undefined;
  #nap = new AbortController();
  #request = new AbortController();

  constructor(options: FollowerOptions) {
    this.#options = options;
  }

  /** Runs until `signal`; rejects only where the replica itself fails. */
  async run(signal: AbortSignal): Promise<void> {
    const standing = await this.#options.replica.open(this.#options.collection);
    const walk = this.#begin(standing);
    signal.addEventListener("abort", () => this.#interrupt(), { once: true });
    while (!signal.aborted) {
      const pause = await this.#step(walk);
      if (signal.aborted) return;
      this.#options.onPause(pause.why);
      if (pause.ms > 0 && !signal.aborted) await this.#sleep(pause.ms);
    }
  }

  /** Ends a wait: there is a reason to look now, such as a network that is back. */
  wake(): void {
    this.#nap.abort();
  }

  /** Starts again from the collection's URL; what is held is shown until the new state is whole. */
  resync(): void {
    this.#walk?.resync();
    this.#interrupt();
  }

  #interrupt(): void {
    this.#request.abort();
    this.wake();
  }

  #begin(standing: Standing): Walk {
    const { collection, waitSeconds, clock } = this.#options;
    const { bookmark, isExact } = standing;
    const walk = new Walk({ collection, bookmark, waitSeconds, random: () => clock.random() });
    if (isExact === false) walk.resync();
    this.#walk = walk;
    return walk;
  }

  async #step(walk: Walk): Promise<Pause> {
    const { method, url, waitMs } = walk.ask();
    const request = (this.#request = new AbortController());
    let answer: Answer;
    try {
      const body = method === "QUERY" ? { body: "{}", fields: { "Content-Type": "application/json" } } : {};
      answer = await this.#options.send({ method, url, waitMs, ...body }, request.signal);
    } catch (error) {
      if (request.signal.aborted) return INTERRUPTED;
      return walk.failed(error instanceof Error ? error.message : String(error));
    }
    if (request.signal.aborted) return INTERRUPTED;
    const outcome = walk.answered(answer);
    return outcome.kind === "pause" ? outcome : this.#apply(walk, outcome, { answer, signal: request.signal });
  }

  async #apply(walk: Walk, apply: Apply, asked: { answer: Answer; signal: AbortSignal }): Promise<Pause> {
    const { replica, clock } = this.#options;
    const hashes = await this.#hashes(apply.page);
    const applied = await replica.apply(stepOf(apply.page, { ...apply, now: clock.now() }, hashes));
    this.#options.onApplied(applied);
    const { bookmark, isExact } = applied.standing;
    if (applied.done && !asked.signal.aborted) return walk.applied(apply, asked.answer, isExact);
    walk.moved(bookmark);
    if (asked.signal.aborted) walk.resync();
    return INTERRUPTED;
  }

  async #hashes(page: Page): Promise<Map<string, Uint8Array>> {
    const { collection, hash: hashing } = this.#options;
    const pattern = new URL(collection).pathname;
    const hashes = new Map<string, Uint8Array>();
    if (hashing === undefined) return hashes;
    await Promise.all(
      page.items.map(async (change) => {
        if ("deleted" in change) return;
        const hash = await hashing(idsOf(pattern, change.href), change.etag);
        if (hash !== undefined) hashes.set(change.href, hash);
      }),
    );
    return hashes;
  }

  async #sleep(ms: number): Promise<void> {
    this.#nap = new AbortController();
    await this.#options.clock.sleep(ms, this.#nap.signal);
  }
}
