/** Editing against the real server: preconditions, problems, lost answers, several devices. */

import assert from "node:assert/strict";
import { test } from "node:test";
import { openCollection, type Collection, type OpenOptions } from "../../src/index.js";
import { Random } from "../support/random.js";
import { Server } from "../support/server.js";

type Value = Record<string, unknown>;

async function withServer(work: (server: Server) => Promise<void>): Promise<void> {
  const server = await Server.start();
  try {
    await work(server);
  } finally {
    await server.remove();
  }
}

const open = (server: Server, options: OpenOptions<Value> = {}): Promise<Collection<Value>> =>
  openCollection<Value>(server.collection("things"), { waitSeconds: 5, ...options });
const pushed = (collection: Collection<Value>) => collection.until(({ unpushed, phase }) => unpushed === 0 && phase === "live");

test("a resource is created, changed and deleted, each with its precondition", { timeout: 60_000 }, async () => {
  await withServer(async (server) => {
    await server.define("things");
    const things = await open(server);
    await things.ready();
    await things.put("a", { n: 1 });
    await pushed(things);
    assert.deepEqual(await server.read("things/a"), { n: 1 });
    await things.change("a", (value) => ({ ...value, done: true }));
    await pushed(things);
    assert.deepEqual(await server.read("things/a"), { n: 1, done: true });
    await things.remove("a");
    await pushed(things);
    assert.equal(await server.read("things/a"), undefined);
    await things.close();
  });
});

test("somebody else's change is not overwritten: it is a conflict with what stands", { timeout: 60_000 }, async () => {
  await withServer(async (server) => {
    await server.define("things");
    await server.put("things/a", { title: "tent", n: 1 });
    let isDown = false;
    const line: typeof fetch = (input, init) => (isDown ? Promise.reject(new TypeError("offline")) : fetch(input, init));
    const things = await open(server, { fetch: line });
    await things.ready();
    isDown = true;
    await things.change("a", (value) => ({ ...value, title: "my tent" }));
    await server.put("things/a", { title: "their tent", n: 2 });
    isDown = false;
    things.wake();
    await things.until(({ conflicts }) => conflicts === 1);
    assert.deepEqual(await server.read("things/a"), { title: "their tent", n: 2 });
    assert.deepEqual((await things.conflicts())[0], {
      id: "a",
      base: { title: "tent", n: 1 },
      mine: { title: "my tent", n: 1 },
      theirs: { title: "their tent", n: 2 },
      clashes: ["/title"],
    });
    await things.resolve("a", { value: { title: "our tent", n: 2 } });
    await pushed(things);
    assert.deepEqual(await server.read("things/a"), { title: "our tent", n: 2 });
    await things.close();
  });
});

test("what the collection's schema refuses is kept with the server's reason", { timeout: 60_000 }, async () => {
  await withServer(async (server) => {
    await server.define("things", { schema: { type: "object", required: ["title"] } });
    const things = await open(server);
    await things.ready();
    await things.put("a", { n: 1 });
    for (;;) {
      const [refusal] = await things.refusals();
      if (refusal?.problem.type === "urn:problem-type:milepost:invalidDocument") break;
      await new Promise<void>((resolve) => {
        const stop = things.subscribe(() => (stop(), resolve()));
      });
    }
    await things.change("a", (value) => ({ ...value, title: "tent" }));
    await pushed(things);
    assert.deepEqual(await server.read("things/a"), { n: 1, title: "tent" });
    await things.close();
  });
});

test("bytes that an edit leaves alone arrive as they were", { timeout: 60_000 }, async () => {
  await withServer(async (server) => {
    await server.define("things");
    const url = `${server.origin}/v1/things/a`;
    await fetch(url, { method: "PUT", headers: { "Content-Type": "application/json" }, body: '{ "exact": 100.00, "big": 12345678901234567890, "n": 1 }' });
    const things = await open(server);
    await things.ready();
    await things.change("a", (value) => ({ ...value, n: 2 }));
    await pushed(things);
    assert.equal(await (await fetch(url)).text(), '{"exact":100.00,"big":12345678901234567890,"n":2}');
    await things.close();
  });
});

test("three devices edit the same resources over a network that loses answers: every edit arrives", { timeout: 120_000 }, async () => {
  await withServer(async (server) => {
    await server.define("things");
    const chance = new Random(11);
    let isKind = false;
    const lossy: typeof fetch = async (input, init) => {
      if (!isKind && chance.oneIn(8)) throw new TypeError("the request was lost");
      const response = await fetch(input, init);
      if (!isKind && chance.oneIn(8)) throw new TypeError("the answer was lost");
      return response;
    };
    const devices = await Promise.all([1, 2, 3].map(() => open(server, { fetch: lossy, onConflict: "merge" })));
    const wanted: Record<string, Value> = {};
    for (let n = 0; n < 60; n += 1) {
      const id = chance.pick(["a", "b", "c"]);
      (wanted[id] ??= {})[`t${n}`] = n;
      await chance.pick(devices).change(id, (value) => ({ ...value, [`t${n}`]: n }));
    }
    isKind = true;
    await Promise.all(devices.map((device) => (device.wake(), pushed(device))));
    for (const [id, value] of Object.entries(wanted)) assert.deepEqual(await server.read(`things/${id}`), value, id);
    await Promise.all(devices.map((device) => device.close()));
  });
});
