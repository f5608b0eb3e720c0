/**
 * The client algorithm (the protocol's *Changes*) as a state machine without I/O and without a
 * clock: it says what to ask, what to apply and how long to wait; somebody else does it.
 *
 * What it makes sure of, whatever stands between it and the server:
 * - a response is applied whole or not at all, and only if it answers the question that was asked:
 *   a cache that ignores query strings is asked again by QUERY, which no cache answers;
 * - it never goes back: a page applies only at the bookmark that it was asked from, and a replica that
 *   has to start again without a link asks for the collection past all caches;
 * - it never spins: whatever does not lead further is followed by a wait that grows;
 * - 410, a position the server no longer takes, and a digest that differs lead to a fresh start, whose
 *   first page replaces what was held;
 * - no link to another origin is followed.
 */

import { freshMs, retryAfterMs, type Fields } from "./freshness.js";
import { follow, isAnswerTo, isSameFilter, withWait } from "./links.js";
import { parsePage, parseProblem, type Page, type Problem } from "./wire.js";

/** What to send. */
export interface Ask {
  readonly kind: "ask";
  readonly method: "GET" | "QUERY";
  readonly url: string;
  /** How long the server may hold the answer, in milliseconds. */
  readonly waitMs: number;
}

/** What to write, in one transaction, if the replica still holds `from`. */
export interface Apply {
  readonly kind: "apply";
  readonly from: string | null;
  /** Begin anew: what is held belongs to an earlier state and goes once this one is whole. */
  readonly begin: boolean;
  /** The replica is whole with this page. */
  readonly finish: boolean;
  readonly bookmark: string;
  readonly page: Page;
}

/** What to wait for, in milliseconds, and why. */
export interface Pause {
  readonly kind: "pause";
  readonly ms: number;
  readonly why: Why;
}

/** Why the walk waits. */
export type Why =
  | { readonly is: "fresh" }
  | { readonly is: "unreachable"; readonly reason: string }
  | { readonly is: "refused"; readonly problem: Problem }
  | { readonly is: "again"; readonly reason: string };

/** A response as the transport read it, to its end. */
export interface Answer {
  readonly status: number;
  /** Where it came from, after redirects. */
  readonly url: string;
  readonly fields: Fields;
  readonly text: string;
  /** How long it took, from sending to its last byte. */
  readonly elapsedMs: number;
}

/** How a walk behaves. */
export interface WalkOptions {
  /** The collection, filter included. */
  readonly collection: string;
  /** Where the replica stands; `null` where it is empty. */
  readonly bookmark: string | null;
  /** Seconds for `?wait=`; 0 polls by freshness lifetime. */
  readonly waitSeconds: number;
  /** Uniform in [0, 1). */
  readonly random: () => number;
}

/** The least time between two polls, and between two answers without progress. */
const POLL_MS_MIN = 1_000;
/** A lifetime of a year must not keep a replica from news for a year. */
const POLL_MS_MAX = 60_000;
/** Between answers that each brought news. */
const NEWS_MS_MIN = 20;
/** The first wait after a failure; it doubles. */
const RETRY_MS_MIN = 500;
const RETRY_MS_MAX = 60_000;
/** A server may ask for more patience than that, but not for ever. */
const RETRY_AFTER_MS_MAX = 300_000;

/** One replica's way through a feed. */
export class Walk {
  readonly #options: WalkOptions;
  #held: string | null;
  #url: string;
  /**
   * Whether the last answer was of changes, up to the head: only then is news waited for. The first question and
   * one after a failure or a snapshot are answered at once, so that it is soon known how things stand.
   */
  #isAtHead = false;
  #isStart: boolean;
  #byQuery = false;
  #failures = 0;
  #restarts = 0;
  #turtle = { url: "", steps: 0, limit: 1 };

  constructor(options: WalkOptions) {
    this.#options = options;
    this.#held = options.bookmark;
    this.#isStart = options.bookmark === null;
    this.#url = options.bookmark === null ? options.collection : follow(options.collection, options.bookmark);
  }

  /** What to send now. */
  ask(): Ask {
    const { waitSeconds } = this.#options;
    const seconds = this.#isAtHead ? waitSeconds : 0;
    return { kind: "ask", method: this.#byQuery ? "QUERY" : "GET", url: withWait(this.#url, seconds), waitMs: seconds * 1000 };
  }

  /** What an answer to the last question means. */
  answered(answer: Answer): Apply | Pause {
    try {
      return this.#read(answer);
    } catch (error) {
      return this.failed(error instanceof Error ? error.message : String(error));
    }
  }

  /** No answer came, or none that could be understood. */
  failed(reason: string): Pause {
    return this.#retry({ is: "unreachable", reason }, 0);
  }

  /** The page was written; `isExact` tells how its digest compared, where it had one. */
  applied(apply: Apply, answer: Answer, isExact: boolean | undefined): Pause {
    const asked = this.#url;
    this.#stand(apply.bookmark, apply.finish && apply.page.kind === "changes");
    this.#failures = 0;
    if (isExact === false) return this.#restart(this.#options.collection, "the replica's digest differs from the server's");
    if (!apply.finish) return this.#turn();
    // A snapshot alone is no way on yet: the feed from there may lead back to the start.
    if (apply.page.kind === "changes") this.#restarts = 0;
    this.#turtle = { url: "", steps: 0, limit: 1 };
    return { kind: "pause", ms: this.#patience(answer, !isAnswerTo(asked, this.#url)), why: { is: "fresh" } };
  }

  /** Somebody else moved the replica meanwhile: go on from there. */
  moved(bookmark: string | null): void {
    this.#held = bookmark;
    if (bookmark === null) this.#begin(this.#options.collection);
    else this.#stand(bookmark, false);
  }

  /** Forget where this stands and begin at the collection's URL. */
  resync(): void {
    this.#begin(this.#options.collection);
  }

  #read(answer: Answer): Apply | Pause {
    follow(this.#options.collection, answer.url);
    if (answer.status !== 200) return this.#refused(answer);
    const page = parsePage(answer.text);
    if (!isAnswerTo(this.#url, page.self)) return this.#confused(page);
    if (page.end.rel === "closed") throw new Error("this listing leads to no changes: follow a collection without sort or q");
    if (this.#isStart && page.kind !== "snapshot") throw new Error("a complete representation was asked for, and changes came");
    const apply = {
      kind: "apply",
      from: this.#held,
      begin: page.replace || this.#isStart,
      finish: page.end.rel === "resume",
      bookmark: page.end.href,
      page,
    } as const;
    follow(this.#options.collection, apply.bookmark);
    if (!apply.finish && isAnswerTo(this.#url, apply.bookmark)) throw new Error("the page leads to itself");
    return apply;
  }

  /** A cache answered with another page: QUERY passes through every cache (RFC 10008). */
  #confused(page: Page): Pause {
    const reason = `a cache answered with another page (${page.self}): it must not ignore query strings`;
    if (this.#byQuery) return this.#retry({ is: "unreachable", reason }, 0);
    this.#byQuery = true;
    return { kind: "pause", ms: NEWS_MS_MIN, why: { is: "again", reason } };
  }

  /** Changes have no QUERY: the collection has, and from its present on there are URLs that no cache has seen. */
  #unqueried(problem: Problem): Pause {
    const { collection } = this.#options;
    if (this.#url !== collection) return this.#restart(collection, "a cache answers with other pages");
    return this.#retry({ is: "refused", problem }, 0, { byQuery: false });
  }

  #refused(answer: Answer): Pause {
    const problem = parseProblem(answer.status, answer.text);
    if (this.#byQuery && [405, 501].includes(answer.status)) return this.#unqueried(problem);
    if (answer.status === 410) return this.#restart(this.#wayOn(problem, answer.fields), problem.title);
    // A position that the server does not take, or a collection that moved: there is one more way.
    const isLost = answer.status === 400 || answer.status === 404;
    if (isLost && this.#url !== this.#options.collection) return this.#restart(this.#options.collection, problem.title);
    if (isPassing(answer.status)) {
      return this.#retry({ is: "unreachable", reason: problem.title }, retryAfterMs(answer.fields));
    }
    return this.#retry({ is: "refused", problem }, retryAfterMs(answer.fields));
  }

  /** The link of a 410 in its body, which no proxy drops, or in its field; for another filter it was a cache's mistake. */
  #wayOn(problem: Problem, fields: Fields): string {
    const { collection } = this.#options;
    const link = problem.resync ?? fields.get("location");
    const url = link === null ? collection : follow(collection, link);
    return isSameFilter(url, collection) ? url : collection;
  }

  #restart(url: string, reason: string): Pause {
    this.#begin(url);
    this.#restarts += 1;
    // The first is on the server's advice and at once; one after another is a fault somewhere.
    const ms = this.#restarts === 1 ? 0 : this.#backoff(this.#restarts - 1);
    return { kind: "pause", ms, why: { is: "again", reason } };
  }

  #begin(url: string): void {
    this.#url = url;
    this.#isStart = true;
    this.#isAtHead = false;
    // The collection's URL may be answered from before what is held; a snapshot's never.
    this.#byQuery = url === this.#options.collection && this.#held !== null;
    this.#turtle = { url: "", steps: 0, limit: 1 };
  }

  #stand(bookmark: string, isAtHead: boolean): void {
    this.#held = bookmark;
    this.#url = follow(this.#options.collection, bookmark);
    this.#isStart = false;
    this.#isAtHead = isAtHead;
    this.#byQuery = false;
  }

  /** `next` follows `next`: Brent's turtle notices a circle without remembering the way. */
  #turn(): Pause {
    const turtle = this.#turtle;
    if (turtle.url === this.#url) return this.#restart(this.#options.collection, "the pages lead in a circle");
    turtle.steps += 1;
    if (turtle.steps === turtle.limit) this.#turtle = { url: this.#url, steps: 0, limit: turtle.limit * 2 };
    return { kind: "pause", ms: 0, why: { is: "fresh" } };
  }

  #patience(answer: Answer, isNews: boolean): number {
    if (this.#options.waitSeconds > 0) return isNews ? NEWS_MS_MIN : Math.max(NEWS_MS_MIN, POLL_MS_MIN - answer.elapsedMs);
    const fresh = Math.min(Math.max(freshMs(answer.fields), POLL_MS_MIN), POLL_MS_MAX);
    return Math.round(fresh * (1 + 0.1 * this.#options.random()));
  }

  #retry(why: Why, leastMs: number, next = { byQuery: this.#byQuery }): Pause {
    this.#byQuery = next.byQuery;
    this.#failures += 1;
    this.#isAtHead = false;
    const ms = Math.max(this.#backoff(this.#failures), Math.min(leastMs, RETRY_AFTER_MS_MAX));
    return { kind: "pause", ms, why };
  }

  #backoff(times: number): number {
    const ms = Math.min(RETRY_MS_MIN * 2 ** Math.min(times - 1, 20), RETRY_MS_MAX);
    return Math.round(ms * (0.75 + 0.5 * this.#options.random()));
  }
}

/** Whether a status says "not now" rather than "not so". */
export function isPassing(status: number): boolean {
  return status >= 500 || status < 400 || [401, 408, 421, 425, 429].includes(status);
}
