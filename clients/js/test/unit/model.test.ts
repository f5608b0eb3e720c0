/**
 * Followers against a model of the server, under chance: writes, deletes, transactions, prunes,
 * restores, filters, page sizes, lost and cut answers, careless caches, kills and second tabs.
 *
 * After every page the replica must show exactly a state that the server had, never an older one than
 * before, and in the end the server's present. `MILEPOST_CASES` says how many cases, `MILEPOST_SEED`
 * where they begin.
 */

import { IDBFactory, IDBKeyRange } from "fake-indexeddb";
import assert from "node:assert/strict";
import { createHash } from "node:crypto";
import { test } from "node:test";
import { indexedDbReplica, memoryReplica, Walk, type Replica } from "../../src/index.js";
import { Follower } from "../../src/follower.js";
import { collectionUrl } from "../../src/links.js";
import { fetchTransport } from "../../src/transport.js";
import { carelessCache, sharedWithOthers, unreliable, type Fetch } from "../support/caches.js";
import { VirtualClock } from "../support/clock.js";
import { BASE, Model } from "../support/model.js";
import { Random } from "../support/random.js";

globalThis.IDBKeyRange ??= IDBKeyRange;
const CASES = Number(process.env["MILEPOST_CASES"] ?? 60);
const SEED = Number(process.env["MILEPOST_SEED"] ?? 1);

/** WebCrypto answers from other threads, whenever it likes; a case must be the same case again. */
const hash = (ids: string, etag: string) => Promise.resolve(new Uint8Array(createHash("sha256").update(`${ids} ${etag}`).digest()));

type Content = Record<string, string>;

/** One follower of the model, driven page by page. */
class Subject {
  readonly collection: string;
  #last = { history: "", sequence: -1 };
  pauses = 0;
  waitedMs = 0;

  constructor(readonly model: Model, readonly replica: Replica, readonly kind: string | undefined, pageSize: number | undefined) {
    this.collection = collectionUrl(BASE, kind === undefined ? {} : { kind }, pageSize);
  }

  async content(): Promise<Content> {
    const { items } = await this.replica.readAll();
    return Object.fromEntries(items.map(({ id, etag, text }) => [id, etag + text]));
  }

  expected(position: string): Content | undefined {
    const state = this.model.at(position);
    if (state === undefined) return undefined;
    const passes = (text: string) => this.kind === undefined || (JSON.parse(text) as { kind: string }).kind === this.kind;
    return Object.fromEntries([...state].filter(([, { text }]) => passes(text)).map(([id, { etag, text }]) => [id, etag + text]));
  }

  /** The replica shows exactly what stood at the position it claims, and no older than before. */
  async check(position: string): Promise<void> {
    const expected = this.expected(position);
    // Of a history before a restore the model has forgotten the states.
    if (expected !== undefined) assert.deepEqual(await this.content(), expected, `at ${position}`);
    const [history = "", rest = ""] = position.split(".");
    const sequence = Number.parseInt(rest, 10);
    if (history === this.#last.history) assert.ok(sequence >= this.#last.sequence, `went back from ${this.#last.sequence} to ${sequence}`);
    this.#last = { history, sequence };
  }
}

test(`${CASES} followers end exactly equal to the server, and are at a state it had all the way`, async () => {
  for (let seed = SEED; seed < SEED + CASES; seed += 1) {
    try {
      await follow(new Random(seed));
    } catch (error) {
      throw new Error(`seed ${seed}: ${error instanceof Error ? error.stack : String(error)}`);
    }
  }
});

async function follow(chance: Random): Promise<void> {
  const model = new Model();
  model.pageSize = 1 + chance.below(5);
  const clock = new VirtualClock(chance);
  const fetch = network(model, chance);
  const replica = chance.oneIn(2) ? memoryReplica() : await indexedDbReplica("model", new IDBFactory());
  const subject = new Subject(model, replica, chance.pick([undefined, undefined, "a"]), chance.pick([undefined, 2]));
  for (let round = 0; round < 8; round += 1) {
    for (let writes = chance.below(12); writes > 0; writes -= 1) write(model, chance);
    await advance(subject, { fetch, clock, chance, steps: chance.below(30) });
  }
  // In the end the network is kind.
  const settled = { fetch: model.fetch as Fetch, clock, chance, steps: 400 };
  await advance(subject, settled, () => model.head.position);
  assert.deepEqual(await subject.content(), subject.expected(model.head.position));
}

function network(model: Model, chance: Random): Fetch {
  let fetch = model.fetch as Fetch;
  if (chance.oneIn(2)) fetch = carelessCache(fetch, chance, { ignoresQuery: chance.oneIn(2), dropsFields: chance.oneIn(2) });
  if (chance.oneIn(2)) fetch = sharedWithOthers(fetch, chance);
  return chance.oneIn(2) ? unreliable(fetch, chance, 4) : fetch;
}

function write(model: Model, chance: Random): void {
  const id = () => chance.pick(["a", "b", "c", "d", "e", "f", "g", "h"]);
  const text = () => JSON.stringify({ kind: chance.pick(["a", "b"]), n: chance.below(1000) });
  if (chance.oneIn(40)) return model.restore(chance.below(model.commits.length));
  if (chance.oneIn(15)) return model.prune(chance.below(model.commits.length));
  if (chance.oneIn(5)) return void model.putAll([[id(), text()], [id(), null], [id(), text()]]);
  if (chance.oneIn(4)) return model.delete(id());
  model.putAll([[id(), text()]]);
}

interface Way {
  readonly fetch: Fetch;
  readonly clock: VirtualClock;
  readonly chance: Random;
  readonly steps: number;
}

/** Follows for some steps from the replica's bookmark, as a process that was just started does; sometimes in two tabs. */
async function advance(subject: Subject, way: Way, until?: () => string): Promise<void> {
  const abort = new AbortController();
  const tabs = way.chance.oneIn(3) ? 2 : 1;
  let left = way.steps;
  if (left === 0) return;
  const replica = checked(subject, () => abort.abort());
  const runs = Array.from({ length: tabs }, () => {
    const follower = new Follower({
      collection: subject.collection,
      replica,
      send: fetchTransport({ fetch: way.fetch as typeof fetch, clock: way.clock }),
      clock: way.clock,
      waitSeconds: way.chance.pick([0, 20]),
      hash,
      onApplied: ({ standing }) => {
        assert.notEqual(standing.isExact, false, "the digest differs");
        if (until !== undefined && standing.isAtHead && standing.position === until()) abort.abort();
      },
      onPause: () => {
        left -= 1;
        if (left <= 0) abort.abort();
      },
    });
    return follower.run(abort.signal);
  });
  await Promise.all(runs);
}

/** The replica, which checks itself after each page that is shown, before anybody's next one. */
function checked(subject: Subject, fail: () => void): Replica {
  const { replica } = subject;
  let queue: Promise<unknown> = Promise.resolve();
  return {
    name: replica.name,
    open: (of) => replica.open(of),
    read: (href) => replica.read(href),
    readAll: () => replica.readAll(),
    edits: () => replica.edits(),
    changeEdit: (href, change) => replica.changeEdit(href, change),
    close: () => undefined,
    apply: (step) => {
      const work = queue.then(async () => {
        const applied = await replica.apply(step);
        const { standing } = applied;
        const isState = standing.shown === standing.filled && standing.isWhole;
        if (applied.done && isState) await subject.check(step.position);
        return applied;
      });
      queue = work.catch(fail);
      return work;
    },
  };
}

test("a follower whose every answer is stale, cut or lost waits longer and longer instead of spinning", () => {
  const walk = new Walk({ collection: BASE, bookmark: "/v1/things/changes/h1.1-c1", waitSeconds: 20, random: () => 0.5 });
  let waited = 0;
  for (let times = 0; times < 40; times += 1) waited += walk.failed("the network is gone").ms;
  assert.ok(waited > 30 * 60_000, `${waited} ms`);
});

test("a cache that gives one empty answer to everything costs one request a second at most", async () => {
  const model = new Model();
  const clock = new VirtualClock(new Random(1));
  model.put("a", { kind: "a" });
  const began = clock.now();
  const abort = new AbortController();
  const frozen = carelessCache(model.fetch as Fetch, { oneIn: () => false } as unknown as Random, { ignoresQuery: true });
  let requests = 0;
  const counted: Fetch = (input, init) => {
    requests += 1;
    if (requests >= 60) abort.abort();
    return frozen(input, init);
  };
  const follower = new Follower({
    collection: BASE,
    replica: memoryReplica(),
    send: fetchTransport({ fetch: counted as typeof fetch, clock }),
    clock,
    waitSeconds: 20,
    hash,
    onApplied: () => undefined,
    onPause: () => undefined,
  });
  await follower.run(abort.signal);
  assert.ok(clock.now() - began >= 55_000, `60 requests in ${clock.now() - began} ms`);
});
