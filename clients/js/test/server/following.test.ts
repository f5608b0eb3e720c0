/** Following the real server: exact to its digest, whatever is written, killed, pruned or restored meanwhile. */

import assert from "node:assert/strict";
import { IDBFactory, IDBKeyRange } from "fake-indexeddb";
import { rmSync } from "node:fs";
import { join } from "node:path";
import { test } from "node:test";
import { indexedDbReplica, memoryReplica, openCollection, type Collection } from "../../src/index.js";
import { carelessCache, sharedWithOthers, type Fetch } from "../support/caches.js";
import { VirtualClock } from "../support/clock.js";
import { Random } from "../support/random.js";
import { milepost, Server } from "../support/server.js";

globalThis.IDBKeyRange ??= IDBKeyRange;

/** What a replica shows, in the form of {@link Server.listed}. */
async function shown(collection: Collection): Promise<Record<string, [string, unknown]>> {
  return Object.fromEntries((await collection.readAll()).map(({ href, etag, value }) => [href, [etag ?? "", value]]));
}

/** Waits until the replica shows exactly what the server lists. */
async function converged(collection: Collection, server: Server, path: string): Promise<void> {
  const wanted = JSON.stringify(Object.entries(await server.listed(path)).sort());
  for (;;) {
    const changed = new Promise<void>((resolve) => {
      const stop = collection.subscribe(() => (stop(), resolve()));
    });
    const now = await shown(collection);
    if (JSON.stringify(Object.entries(now).sort()) === wanted) return;
    await changed;
  }
}

/** Counts requests by what they ask for. */
function counting(): { fetch: typeof fetch; asked: string[] } {
  const asked: string[] = [];
  const counted: typeof fetch = (input, init) => {
    asked.push(`${init?.method ?? "GET"} ${new URL(String(input)).pathname}`);
    return fetch(input, init);
  };
  return { fetch: counted, asked };
}

async function withServer(work: (server: Server) => Promise<void>): Promise<void> {
  const server = await Server.start();
  try {
    await work(server);
  } finally {
    await server.remove();
  }
}

const live = { waitSeconds: 5 };

test("a replica is exact to the server's digest, through pages, writes, deletes and transactions", { timeout: 60_000 }, async () => {
  await withServer(async (server) => {
    await server.define("things");
    const operations = Array.from({ length: 250 }, (_, index) => ({ method: "PUT", href: `/v1/things/t${index}`, value: { n: index } }));
    await server.transact(operations);
    const things = await openCollection(server.collection("things"), { ...live, pageSize: 40 });
    const chance = new Random(7);
    for (let step = 0; step < 60; step += 1) {
      const id = `things/t${chance.below(260)}`;
      if ((await server.read(id)) !== undefined && chance.oneIn(3)) await server.delete(id);
      else await server.put(id, { step });
    }
    await converged(things, server, "things");
    await things.until(({ isExact }) => isExact === true);
    await things.close();
  });
});

test("a filtered replica sees resources enter and leave", { timeout: 60_000 }, async () => {
  await withServer(async (server) => {
    await server.define("tasks", { schema: { properties: { who: { type: "string" } } }, indexes: { who: "/who" } });
    for (const [id, who] of [["a", "ada"], ["b", "bo"], ["c", "ada"]] as const) await server.put(`tasks/${id}`, { who });
    const tasks = await openCollection<{ who: string }>(server.collection("tasks"), { ...live, filter: { who: "ada" } });
    await tasks.ready();
    await server.put("tasks/a", { who: "bo" });
    await server.put("tasks/b", { who: "ada" });
    await server.delete("tasks/c");
    await converged(tasks as Collection, server, "tasks?who=ada");
    assert.deepEqual((await tasks.readAll()).map(({ id }) => id), ["b"]);
    await tasks.close();
  });
});

test("a replica across all parents is exact by the ids of both levels", { timeout: 60_000 }, async () => {
  await withServer(async (server) => {
    await server.define("accounts");
    await server.define("accounts.transactions");
    for (const id of ["17", "18"]) await server.put(`accounts/${id}`, {});
    for (const [parent, id] of [["17", "t1"], ["17", "t2"], ["18", "t1"]] as const) await server.put(`accounts/${parent}/transactions/${id}`, { id });
    const all = await openCollection(server.collection("accounts/-/transactions"), live);
    await all.until(({ isExact }) => isExact === true);
    assert.equal((await all.readAll()).length, 3);
    assert.deepEqual((await all.read("/v1/accounts/18/transactions/t1"))?.value, { id: "t1" });
    await all.close();
  });
});

test("news comes by a held request, not by asking again and again", { timeout: 60_000 }, async () => {
  await withServer(async (server) => {
    await server.define("things", { caching: { maxAge: 60 } });
    const { fetch, asked } = counting();
    const things = await openCollection(server.collection("things"), { waitSeconds: 20, fetch });
    await things.until(({ phase }) => phase === "live");
    const before = asked.length;
    for (let n = 0; n < 5; n += 1) {
      await server.put("things/a", { n });
      await converged(things, server, "things");
    }
    assert.ok(asked.length - before <= 8, asked.join("\n"));
    await things.close();
  });
});

test("the server may be killed and replaced: nothing is asked for twice", { timeout: 60_000 }, async () => {
  let server = await Server.start();
  try {
    await server.define("things");
    await server.put("things/a", { n: 1 });
    const { fetch, asked } = counting();
    const things = await openCollection(server.collection("things"), { ...live, fetch });
    await things.until(({ phase }) => phase === "live");
    await server.kill();
    await things.until(({ phase }) => phase === "offline");
    server = await Server.start({ folder: server.folder, port: server.port });
    await server.put("things/b", { n: 2 });
    things.wake();
    await converged(things, server, "things");
    assert.equal(asked.filter((line) => line === "GET /v1/things").length, 1, "the listing was read once");
    await things.close();
  } finally {
    await server.remove();
  }
});

test("clients of a store that was restored from a backup converge on what was restored", { timeout: 60_000 }, async () => {
  let server = await Server.start();
  try {
    await server.define("things");
    await server.put("things/kept", { n: 1 });
    const backup = join(server.folder, "monday.milepost");
    milepost("backup", join(server.folder, "data"), backup);
    await server.put("things/lost", { n: 2 });
    await server.put("things/kept", { n: 3 });
    const things = await openCollection(server.collection("things"), live);
    await converged(things, server, "things");
    await server.kill();
    rmSync(join(server.folder, "data"), { recursive: true });
    milepost("restore", backup, join(server.folder, "data"));
    server = await Server.start({ folder: server.folder, port: server.port });
    things.wake();
    await converged(things, server, "things");
    assert.deepEqual((await things.readAll()).map(({ id, value }) => [id, value]), [["kept", { n: 1 }]]);
    await things.until(({ isExact }) => isExact === true);
    await things.close();
  } finally {
    await server.remove();
  }
});

test("a bookmark that is older than what is remembered leads to a fresh snapshot, the old state shown until it is whole", { timeout: 60_000 }, async () => {
  await withServer(async (server) => {
    await server.define("things", { retention: { history: { count: 2 }, tombstones: { count: 2 } } });
    for (let n = 0; n < 5; n += 1) await server.put(`things/old${n}`, { n });
    const factory = new IDBFactory();
    const first = await openCollection(server.collection("things"), { replica: await indexedDbReplica("old", factory), pageSize: 2 });
    await converged(first, server, "things");
    await first.until(({ phase }) => phase === "live");
    const sequence = (position: string) => Number(position.split(".")[1]?.split("-")[0]);
    const held = sequence(first.status.position ?? "");
    await first.close();
    for (let n = 0; n < 5; n += 1) await server.delete(`things/old${n}`);
    // The server forgets beside its writes: each takes it a little further.
    const oldest = async () => sequence(((await server.read("things/changes")) as { oldest: string }).oldest);
    for (let n = 0; (await oldest()) <= held; n += 1) await server.put(`things/new${n % 8}`, { n });
    const { fetch, asked } = counting();
    const again = await openCollection(server.collection("things"), { ...live, replica: await indexedDbReplica("old", factory), pageSize: 2, fetch });
    const seen = new Set<string>();
    again.subscribe(() => void again.readAll().then((all) => seen.add(all.map(({ id }) => id.slice(0, 3)).join())));
    await converged(again, server, "things");
    await again.until(({ isExact }) => isExact === true);
    assert.ok(asked.some((line) => line.startsWith("GET /v1/things/snapshots/")), asked.join("\n"));
    assert.ok([...seen].every((ids) => !(ids.includes("old") && ids.includes("new"))), [...seen].join(" | "));
    await again.close();
  });
});

test("a resync that is asked for reads everything past all caches, and shows the old state until it has", { timeout: 60_000 }, async () => {
  await withServer(async (server) => {
    await server.define("things");
    for (let n = 0; n < 6; n += 1) await server.put(`things/a${n}`, { n });
    const { fetch, asked } = counting();
    const things = await openCollection(server.collection("things"), { ...live, fetch, pageSize: 2 });
    await things.until(({ isExact }) => isExact === true);
    const sizes: number[] = [];
    things.subscribe(() => void things.readAll().then(({ length }) => sizes.push(length)));
    await server.put("things/b", { n: 6 });
    things.resync();
    await converged(things, server, "things");
    await things.until(({ isExact }) => isExact === true);
    assert.ok(asked.includes("QUERY /v1/things"), asked.join("\n"));
    assert.ok(sizes.every((size) => size >= 6), sizes.join());
    await things.close();
  });
});

test("behind a cache that is stale, ignores query strings, drops fields and serves other filters too, a replica ends exact", { timeout: 60_000 }, async () => {
  await withServer(async (server) => {
    await server.define("tasks", { schema: { properties: { kind: { type: "string" } } }, indexes: { kind: "/kind" } });
    const chance = new Random(3);
    for (let n = 0; n < 20; n += 1) await server.put(`tasks/t${n}`, { kind: chance.pick(["a", "b"]), n });
    const cache = carelessCache(fetch as Fetch, chance, { ignoresQuery: true, dropsFields: true });
    const behind = { fetch: sharedWithOthers(cache, chance) as typeof fetch, clock: new VirtualClock(chance), pageSize: 3 };
    const all = await openCollection(server.collection("tasks"), behind);
    const some = await openCollection(server.collection("tasks"), { ...behind, filter: { kind: "a" } });
    for (let n = 0; n < 20; n += 1) {
      await server.put(`tasks/t${chance.below(25)}`, { kind: chance.pick(["a", "b"]), again: n });
      if (chance.oneIn(4)) await server.delete(`tasks/t${n % 5}`).catch(() => undefined);
    }
    await converged(all, server, "tasks");
    await converged(some, server, "tasks?kind=a");
    await all.until(({ isExact }) => isExact === true);
    await all.close();
    await some.close();
  });
});

test("a replica that was closed goes on from its bookmark", { timeout: 60_000 }, async () => {
  await withServer(async (server) => {
    await server.define("things");
    await server.put("things/a", { n: 1 });
    const replica = memoryReplica();
    const things = await openCollection(server.collection("things"), { ...live, replica });
    await converged(things, server, "things");
    await things.close();
    await server.put("things/b", { n: 2 });
    const { fetch, asked } = counting();
    const again = await openCollection(server.collection("things"), { ...live, replica, fetch });
    await converged(again, server, "things");
    assert.match(asked[0] ?? "", /^GET \/v1\/things\/changes\//);
    await again.close();
  });
});
