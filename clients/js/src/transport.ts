/**
 * Requests by `fetch`, read to their end or not at all.
 *
 * A response that stops arriving, or is larger than any page, is given up. Nothing here retries, and
 * nothing here knows what a page is.
 */

import type { Clock } from "./clock.js";
import { ForeignLinkError } from "./links.js";
import type { Answer } from "./walk.js";

/** One request. */
export interface Outgoing {
  readonly method: string;
  readonly url: string;
  readonly fields?: Readonly<Record<string, string>>;
  readonly body?: string | undefined;
  /** How long the server may hold the answer on purpose, in milliseconds. */
  readonly waitMs?: number;
}

/** Sends one request; rejects where no whole response comes back. */
export type Send = (outgoing: Outgoing, signal: AbortSignal) => Promise<Answer>;

/** What {@link fetchTransport} needs. */
export interface TransportOptions {
  readonly fetch: typeof fetch;
  readonly clock: Clock;
  /** Fields for every request, such as `Authorization`; asked anew each time, so a token can change. */
  readonly headers?: (() => Readonly<Record<string, string>> | Promise<Readonly<Record<string, string>>>) | undefined;
}

/** A response that makes no progress for this long is dropped. */
const SILENCE_MS_MAX = 30_000;
/** A page has at most 8 MiB of representations; what is far beyond that is no page. */
const BODY_BYTES_MAX = 64 * 1024 * 1024;

/** A response that is longer than any page, or stopped arriving. */
export class TransportError extends Error {
  override readonly name = "TransportError";
}

/** Sends by `fetch`. No cookie is sent or taken: each request carries what it needs. */
export function fetchTransport(options: TransportOptions): Send {
  return async (outgoing, signal) => {
    const began = options.clock.now();
    const patience = new Patience(options.clock, signal);
    try {
      patience.extend(SILENCE_MS_MAX + (outgoing.waitMs ?? 0));
      const response = await options.fetch(outgoing.url, {
        method: outgoing.method,
        headers: { Accept: "application/json", ...(await options.headers?.()), ...outgoing.fields },
        credentials: "omit",
        signal: patience.signal,
        ...(outgoing.body === undefined ? {} : { body: outgoing.body }),
      });
      const url = response.url === "" ? outgoing.url : response.url;
      if (new URL(url).origin !== new URL(outgoing.url).origin) {
        throw new ForeignLinkError(`${url}: a redirect to another origin is not followed`);
      }
      const text = await read(response, () => patience.extend(SILENCE_MS_MAX));
      return { status: response.status, url, fields: response.headers, text, elapsedMs: options.clock.now() - began };
    } finally {
      patience.end();
    }
  };
}

async function read(response: Response, progressed: () => void): Promise<string> {
  if (response.body === null) return "";
  const decoder = new TextDecoder("utf-8", { fatal: true });
  const reader = response.body.getReader();
  let [text, bytes] = ["", 0];
  for (;;) {
    const { done, value } = await reader.read();
    if (done) return text + decoder.decode();
    progressed();
    bytes += value.byteLength;
    if (bytes > BODY_BYTES_MAX) {
      await reader.cancel();
      throw new TransportError(`the response is longer than ${BODY_BYTES_MAX} bytes`);
    }
    text += decoder.decode(value, { stream: true });
  }
}

/** Gives a request up when nothing happens for too long, or when the caller does. */
class Patience {
  readonly #abort = new AbortController();
  readonly #caller: AbortSignal;
  readonly #clock: Clock;
  #current = new AbortController();

  constructor(clock: Clock, caller: AbortSignal) {
    this.#clock = clock;
    this.#caller = caller;
    if (caller.aborted) this.#giveUp();
    else caller.addEventListener("abort", this.#giveUp, { once: true });
  }

  get signal(): AbortSignal {
    return this.#abort.signal;
  }

  readonly #giveUp = (): void => {
    this.#abort.abort(this.#caller.aborted ? this.#caller.reason : new TransportError("the server stopped answering"));
  };

  extend(ms: number): void {
    this.#current.abort();
    const current = new AbortController();
    this.#current = current;
    void this.#clock.sleep(ms, current.signal).then(() => {
      if (!current.signal.aborted) this.#giveUp();
    });
  }

  end(): void {
    this.#current.abort();
    this.#caller.removeEventListener("abort", this.#giveUp);
  }
}
