/** What stands between a client and its server in real life, as wrappers around `fetch`. */

import type { Random } from "./random.js";

export type Fetch = (input: string | URL | Request, init?: RequestInit) => Promise<Response>;

/** A response kept to be given again. */
interface Kept {
  readonly status: number;
  readonly headers: [string, string][];
  readonly text: string;
}

/** A network that loses requests, loses answers and cuts them short, once in `times` each. */
export function unreliable(fetch: Fetch, chance: Random, times: number): Fetch {
  return async (input, init) => {
    if (chance.oneIn(times)) throw new TypeError("network: the request was lost");
    const response = await fetch(input, init);
    if (chance.oneIn(times)) throw new TypeError("network: the answer was lost");
    if (!chance.oneIn(times)) return response;
    const text = await response.text();
    return new Response(response.status === 204 ? null : text.slice(0, chance.below(text.length + 1)), response);
  };
}

/** A cache that gives stale answers for ever, now and then looks again, and may ignore queries or drop fields. */
export function carelessCache(fetch: Fetch, chance: Random, habits: { ignoresQuery?: boolean; dropsFields?: boolean }): Fetch {
  const kept = new Map<string, Kept>();
  return async (input, init = {}) => {
    const url = new URL(String(input));
    if ((init.method ?? "GET") !== "GET") return fetch(input, init);
    const key = habits.ignoresQuery ? url.pathname : url.href;
    const held = kept.get(key);
    if (held !== undefined && !chance.oneIn(4)) return restored(held);
    const response = await fetch(input, init);
    const fields = [...response.headers].filter(([name]) => !habits.dropsFields || ["content-type", "etag"].includes(name));
    const fresh = { status: response.status, headers: fields, text: await response.text() };
    if (response.status === 200 || response.status === 410) kept.set(key, fresh);
    return restored(fresh);
  };
}

/** A cache that others use too, for another filter: what it kept for them lies under the same path. */
export function sharedWithOthers(fetch: Fetch, chance: Random): Fetch {
  return async (input, init) => {
    const other = new URL(String(input));
    other.search = "?kind=b";
    if (chance.oneIn(3)) await fetch(other);
    return fetch(input, init);
  };
}

function restored({ status, headers, text }: Kept): Response {
  return new Response(text, { status, headers });
}
