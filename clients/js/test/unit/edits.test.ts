/** Edits: offline, raced, refused, merged, and pushed over networks that lose answers. */

import { IDBFactory, IDBKeyRange } from "fake-indexeddb";
import assert from "node:assert/strict";
import { test } from "node:test";
import { Collection, indexedDbReplica, memoryReplica, openCollection, UsageError, type OpenOptions, type Replica } from "../../src/index.js";
import { unreliable, type Fetch } from "../support/caches.js";
import { VirtualClock } from "../support/clock.js";
import { BASE, Model } from "../support/model.js";
import { Random } from "../support/random.js";

globalThis.IDBKeyRange ??= IDBKeyRange;

interface Thing {
  kind?: string;
  title?: string;
  done?: boolean;
  [token: string]: unknown;
}

/** A network that can be switched off. */
class Line {
  isUp = true;
  constructor(readonly to: Fetch) {}
  readonly fetch: Fetch = (input, init) => (this.isUp ? this.to(input, init) : Promise.reject(new TypeError("offline")));
}

function open(model: Model, options: OpenOptions<Thing> & { line?: Line; seed?: number } = {}): Promise<Collection<Thing>> {
  const { line, seed = 1, ...rest } = options;
  const fetch = (line ?? new Line(model.fetch as Fetch)).fetch as typeof globalThis.fetch;
  return openCollection<Thing>(BASE, { fetch, clock: new VirtualClock(new Random(seed)), ...rest });
}

const stood = (model: Model, id: string) => JSON.parse(model.head.state.get(id)?.text ?? "null") as Thing | null;
const settled = (collection: Collection<Thing>) => collection.until(({ unpushed, phase }) => unpushed === 0 && phase === "live");

test("an edit is seen at once, made offline, and pushed when the network is back", async () => {
  const model = new Model();
  model.put("a", { title: "tent" });
  const line = new Line(model.fetch as Fetch);
  const things = await open(model, { line });
  await things.ready();
  line.isUp = false;
  await things.until(({ phase }) => phase === "offline");
  await things.change("a", (thing) => ({ ...thing, done: true }));
  await things.put("b", { title: "stove" });
  assert.deepEqual((await things.readAll()).map(({ id, value, state }) => [id, value, state]), [
    ["a", { title: "tent", done: true }, "waiting"],
    ["b", { title: "stove" }, "waiting"],
  ]);
  assert.equal(things.status.unpushed, 2);
  assert.deepEqual(stood(model, "a"), { title: "tent" });
  line.isUp = true;
  things.wake();
  await settled(things);
  assert.deepEqual(stood(model, "a"), { title: "tent", done: true });
  assert.deepEqual(stood(model, "b"), { title: "stove" });
  await things.close();
});

test("edits made offline are pushed by the program that is started next, from the same replica", async () => {
  const model = new Model();
  model.put("a", { title: "tent" });
  const factory = new IDBFactory();
  const line = new Line(model.fetch as Fetch);
  const first = await open(model, { line, replica: await indexedDbReplica("trip", factory) });
  await first.ready();
  line.isUp = false;
  await first.remove("a");
  await first.put("b", { title: "stove" });
  await first.close();
  const requests = model.requests;
  const second = await open(model, { replica: await indexedDbReplica("trip", factory) });
  await second.until(({ unpushed }) => unpushed === 0);
  assert.equal(stood(model, "a"), null);
  assert.deepEqual(stood(model, "b"), { title: "stove" });
  await second.until(({ phase }) => phase === "live");
  assert.ok(model.requests - requests < 10, "it began from its bookmark");
  await second.close();
});

test("a conflict is kept with all three sides until it is resolved, and blocks no other edit", async () => {
  const model = new Model();
  model.put("a", { title: "tent" });
  const line = new Line(model.fetch as Fetch);
  const things = await open(model, { line });
  await things.ready();
  line.isUp = false;
  await things.put("a", { title: "big tent" });
  await things.put("b", { title: "stove" });
  model.put("a", { title: "small tent" });
  line.isUp = true;
  things.wake();
  await things.until(({ conflicts, unpushed }) => conflicts === 1 && unpushed === 1);
  assert.deepEqual(await things.conflicts(), [
    { id: "a", base: { title: "tent" }, mine: { title: "big tent" }, theirs: { title: "small tent" }, clashes: ["/title"] },
  ]);
  assert.deepEqual((await things.read("a"))?.value, { title: "big tent" });
  assert.deepEqual(stood(model, "b"), { title: "stove" });
  assert.equal(await things.resolve("a", "merge"), false, "a clash cannot be merged");
  assert.equal(await things.resolve("a", { value: { title: "two tents" } }), true);
  await settled(things);
  assert.deepEqual(stood(model, "a"), { title: "two tents" });
  await things.close();
});

test("each choice ends a conflict as it says", async () => {
  for (const [choice, outcome] of [["ours", { title: "ours", done: false }], ["theirs", { title: "tent", done: true }], ["merge", { title: "ours", done: true }]] as const) {
    const model = new Model();
    model.put("a", { title: "tent", done: false });
    const line = new Line(model.fetch as Fetch);
    const things = await open(model, { line, onConflict: choice });
    const lost: unknown[] = [];
    things.onDiscarded(({ mine }) => lost.push(mine));
    await things.ready();
    line.isUp = false;
    await things.change("a", (thing) => ({ ...thing, title: "ours" }));
    model.put("a", { title: "tent", done: true });
    line.isUp = true;
    things.wake();
    await settled(things);
    assert.deepEqual(stood(model, "a"), outcome, choice);
    assert.deepEqual(lost, choice === "theirs" ? [{ title: "ours", done: false }] : [], "what gives way is told");
    await things.close();
  }
});

test("a deletion and an edit of the same resource are a conflict on either side", async () => {
  const model = new Model();
  model.put("a", { title: "tent" });
  model.put("b", { title: "stove" });
  const line = new Line(model.fetch as Fetch);
  const things = await open(model, { line });
  await things.ready();
  line.isUp = false;
  await things.remove("a");
  await things.put("b", { title: "gas stove" });
  model.put("a", { title: "big tent" });
  model.delete("b");
  line.isUp = true;
  things.wake();
  await things.until(({ conflicts }) => conflicts === 2);
  assert.deepEqual((await things.conflicts()).map(({ id, mine, theirs }) => [id, mine, theirs]), [
    ["a", undefined, { title: "big tent" }],
    ["b", { title: "gas stove" }, undefined],
  ]);
  await things.resolve("a", "ours");
  await things.resolve("b", "ours");
  await settled(things);
  assert.equal(stood(model, "a"), null);
  assert.deepEqual(stood(model, "b"), { title: "gas stove" });
  await things.close();
});

test("what the server refuses is kept with its reason until it is corrected", async () => {
  const model = new Model();
  const things = await open(model);
  await things.ready();
  await things.put("a", { title: "invalid" });
  await things.until(({ unpushed }) => unpushed === 1);
  while ((await things.refusals()).length === 0) await new Promise(setImmediate);
  assert.equal((await things.refusals())[0]?.problem.type, "urn:problem-type:milepost:invalidDocument");
  assert.equal((await things.read("a"))?.state, "refused");
  await things.put("a", { title: "tent" });
  await settled(things);
  assert.deepEqual(stood(model, "a"), { title: "tent" });
  assert.deepEqual(await things.discard("a"), undefined);
  await things.close();
});

test("an edit made while the one before it is under way starts from that one", async () => {
  const model = new Model();
  let release = () => {};
  const gate = new Promise<void>((resolve) => (release = resolve));
  const slow: Fetch = async (input, init) => {
    if (init?.method === "PUT") await gate;
    return (model.fetch as Fetch)(input, init);
  };
  const things = await open(model, { line: new Line(slow) });
  await things.ready();
  await things.put("a", { title: "tent" });
  for (let turn = 0; turn < 20; turn += 1) await new Promise(setImmediate);
  await things.put("a", { title: "big tent" });
  release();
  await settled(things);
  assert.deepEqual(stood(model, "a"), { title: "big tent" });
  assert.equal(things.status.conflicts, 0);
  await things.close();
});

test("a numeral that a double cannot hold survives an edit of its neighbour", async () => {
  const model = new Model();
  model.putAll([["a", '{"exact":1e400,"n":1}']]);
  const raw: Fetch = async (input, init) => {
    const response = await (model.fetch as Fetch)(input, init);
    return new Response((await response.text()).replaceAll('"exact":null', '"exact":1e400') || null, response);
  };
  const things = await open(model, { line: new Line(raw), verify: false });
  await things.ready();
  await things.change("a", (thing) => ({ ...thing, n: 2 }));
  await settled(things);
  assert.equal(model.head.state.get("a")?.text, '{"exact":1e400,"n":2}');
  await things.close();
});

test("a listener that fails, or a choice that does, stops nobody", async () => {
  const failures: unknown[] = [];
  const hear = (error: unknown) => failures.push(error);
  const others = process.listeners("uncaughtException");
  process.removeAllListeners("uncaughtException").on("uncaughtException", hear);
  try {
    const model = new Model();
    model.put("a", { title: "tent" });
    const line = new Line(model.fetch as Fetch);
    const things = await open(model, { line, onConflict: () => { throw new Error("no choice"); } });
    things.subscribe(() => { throw new Error("no drawing"); });
    await things.ready();
    line.isUp = false;
    await things.put("a", { title: "big tent" });
    model.put("a", { title: "small tent" });
    line.isUp = true;
    things.wake();
    await things.until(({ conflicts, phase }) => conflicts === 1 && phase === "live");
    await new Promise(setImmediate);
    assert.deepEqual(new Set(failures.map((error) => (error as Error).message)), new Set(["no choice", "no drawing"]));
    await things.close();
  } finally {
    process.removeAllListeners("uncaughtException");
    for (const other of others) process.on("uncaughtException", other);
  }
});

test("a replica that cannot be written to any more says so, and still answers", async () => {
  const model = new Model();
  model.put("a", { title: "tent" });
  const replica = memoryReplica();
  const things = await open(model, { replica });
  await things.ready();
  replica.apply = () => Promise.reject(new Error("the disk is full"));
  model.put("b", { title: "stove" });
  await assert.rejects(things.until(() => false), /disk is full/);
  assert.equal((await things.readAll()).length, 1);
  await things.close();
});

test("ids and collections that cannot be are refused before anything is sent", async () => {
  const model = new Model();
  const things = await open(model);
  await assert.rejects(things.put("a/b", {}), UsageError);
  await assert.rejects(openCollection("http://model.example/v1/things", { waitSeconds: 0.5 }), UsageError);
  await things.close();
  await assert.rejects(things.put("a", {}), /closed/);
});

test("of random edits on several devices over networks that lose and cut answers none is lost and none is made twice", async () => {
  const cases = Number(process.env["MILEPOST_CASES"] ?? 15);
  for (let seed = 1; seed <= cases; seed += 1) {
    try {
      await converge(new Random(seed), seed);
    } catch (error) {
      throw new Error(`seed ${seed}: ${error instanceof Error ? error.stack : String(error)}`);
    }
  }
});

/** Every edit adds a member of its own, so that the end shows which arrived. */
async function converge(chance: Random, seed: number): Promise<void> {
  const model = new Model();
  const isKind = { now: false };
  const flaky = unreliable(model.fetch as Fetch, chance, 5);
  const line = new Line((input, init) => (isKind.now ? (model.fetch as Fetch)(input, init) : flaky(input, init)));
  const factory = new IDBFactory();
  const replicas: Replica[] = [memoryReplica(), await indexedDbReplica("one", factory), memoryReplica()];
  const devices = await Promise.all(replicas.map((replica) => open(model, { line, replica, onConflict: "merge", seed })));
  const wanted = new Map<string, Set<string>>();
  for (let token = 0; token < 30; token += 1) {
    const id = chance.pick(["a", "b", "c"]);
    wanted.set(id, (wanted.get(id) ?? new Set()).add(`t${token}`));
    await chance.pick(devices).change(id, (thing) => ({ ...thing, [`t${token}`]: token }));
    for (let turn = chance.below(60); turn > 0; turn -= 1) await new Promise(setImmediate);
  }
  isKind.now = true;
  await Promise.all(devices.map((device) => (device.wake(), settled(device))));
  for (const [id, tokens] of wanted) assert.deepEqual(new Set(Object.keys(stood(model, id) ?? {})), tokens, id);
  for (const device of devices) {
    await device.until(({ position }) => position === model.head.position);
    const shown = Object.fromEntries((await device.readAll()).map(({ id, value }) => [id, value]));
    assert.deepEqual(shown, Object.fromEntries([...model.head.state.keys()].map((id) => [id, stood(model, id)])));
    await device.close();
  }
}
