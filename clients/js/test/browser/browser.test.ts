/** The client in a real browser, from a page of another origin, against the real server. */

import assert from "node:assert/strict";
import { after, before, test } from "node:test";
import type { Browser, BrowserContext, Page, Request } from "playwright-core";
import { launch, openIn, Site, withThings } from "../support/browser.js";
import { Server } from "../support/server.js";

let browser: Browser;
let site: Site;
let server: Server;

before(async () => {
  browser = await launch();
  site = await Site.start();
  server = await Server.start({ words: ["--cors-origin", site.origin] });
});

after(async () => {
  await browser?.close();
  site?.stop();
  await server?.remove();
});

/** A page's requests to the server, the newest last. */
function asked(page: Page): string[] {
  const lines: string[] = [];
  page.on("request", (request: Request) => {
    const url = new URL(request.url());
    if (url.origin === server.origin && request.method() !== "OPTIONS") lines.push(`${request.method()} ${url.pathname}`);
  });
  return lines;
}

/** Waits until a page's replica has, of these ids, exactly these values. */
async function shows(page: Page, wanted: Record<string, unknown>): Promise<void> {
  await page.waitForFunction(
    async (text) => {
      const { things } = globalThis as unknown as { things: import("../support/browser.js").Things };
      const all = await things.readAll();
      return JSON.stringify(all.map(({ id, value }) => [id, value])) === text;
    },
    JSON.stringify(Object.entries(wanted).sort()),
    { polling: 50 },
  );
}

async function withContext(name: string, work: (context: BrowserContext, collection: string) => Promise<void>): Promise<void> {
  await server.define(name);
  const context = await browser.newContext();
  try {
    await work(context, server.collection(name));
  } finally {
    await context.close();
  }
}

const patience = { timeout: 90_000 };

test("two tabs share one replica: one asks the server, both show, both edit, and the other takes over", patience, async () => {
  await withContext("shared", async (context, collection) => {
    await server.put("shared/a", { n: 1 });
    const [one, two] = [await context.newPage(), await context.newPage()];
    const [byOne, byTwo] = [asked(one), asked(two)];
    await openIn(one, site, collection);
    await shows(one, { a: { n: 1 } });
    await openIn(two, site, collection);
    await shows(two, { a: { n: 1 } });
    await server.put("shared/b", { n: 2 });
    await shows(two, { a: { n: 1 }, b: { n: 2 } });
    await withThings(two, (things) => things.put("c", { n: 3 }));
    await shows(one, { a: { n: 1 }, b: { n: 2 }, c: { n: 3 } });
    await withThings(two, (things) => things.until(({ unpushed, isExact }) => unpushed === 0 && isExact === true));
    assert.deepEqual(await server.read("shared/c"), { n: 3 });
    assert.ok(byOne.length > 0);
    assert.deepEqual(byTwo, [], "the second tab asked the server nothing");
    // The browser tells of a request when it comes to it, which may be after the page has the answer.
    const takesOver = two.waitForRequest(() => true);
    await one.close();
    await server.put("shared/d", { n: 4 });
    await shows(two, { a: { n: 1 }, b: { n: 2 }, c: { n: 3 }, d: { n: 4 } });
    await takesOver;
    assert.match(byTwo[0] ?? "", /^GET \/v1\/shared\/changes\//, "it went on from the shared bookmark");
  });
});

test("edits made offline survive the page and are pushed when the network is back", patience, async () => {
  await withContext("offline", async (context, collection) => {
    await server.put("offline/a", { title: "tent" });
    const page = await context.newPage();
    await openIn(page, site, collection);
    await shows(page, { a: { title: "tent" } });
    await context.setOffline(true);
    await withThings(page, (things) => things.until(({ phase }) => phase === "offline"));
    await withThings(page, async (things) => {
      await things.put("a", { title: "big tent" });
      await things.put("b", { title: "stove" });
    });
    // A page that is being closed is let out of the emulated silence before its scripts are stopped.
    await withThings(page, (things) => things.close());
    await page.close();
    assert.deepEqual(await server.read("offline/a"), { title: "tent" });
    await context.setOffline(false);
    const next = await context.newPage();
    await openIn(next, site, collection);
    await shows(next, { a: { title: "big tent" }, b: { title: "stove" } });
    await withThings(next, (things) => things.until(({ unpushed }) => unpushed === 0));
    assert.deepEqual(await server.read("offline/a"), { title: "big tent" });
    assert.deepEqual(await server.read("offline/b"), { title: "stove" });
  });
});

test("going online again is enough: the page that stayed open pushes by itself", patience, async () => {
  await withContext("again", async (context, collection) => {
    const page = await context.newPage();
    await openIn(page, site, collection);
    await withThings(page, (things) => things.ready());
    await context.setOffline(true);
    await withThings(page, (things) => things.until(({ phase }) => phase === "offline"));
    await withThings(page, (things) => things.put("a", { title: "tent" }));
    await context.setOffline(false);
    await withThings(page, (things) => things.until(({ unpushed, phase }) => unpushed === 0 && phase === "live"));
    assert.deepEqual(await server.read("again/a"), { title: "tent" });
  });
});

test("a conflict in the browser has what stands, across origins, and its resolution arrives", patience, async () => {
  await withContext("conflict", async (context, collection) => {
    await server.put("conflict/a", { title: "tent", n: 1 });
    const page = await context.newPage();
    await openIn(page, site, collection);
    await shows(page, { a: { title: "tent", n: 1 } });
    await context.setOffline(true);
    await withThings(page, (things) => things.until(({ phase }) => phase === "offline"));
    await withThings(page, (things) => things.put("a", { title: "my tent", n: 1 }));
    await server.put("conflict/a", { title: "tent", n: 2 });
    await context.setOffline(false);
    await withThings(page, (things) => things.until(({ conflicts }) => conflicts === 1));
    const [conflict] = await withThings(page, (things) => things.conflicts());
    assert.deepEqual(conflict?.theirs, { title: "tent", n: 2 });
    assert.deepEqual(conflict?.clashes, []);
    assert.equal(await withThings(page, (things) => things.resolve("a", "merge")), true);
    await withThings(page, (things) => things.until(({ unpushed }) => unpushed === 0));
    assert.deepEqual(await server.read("conflict/a"), { title: "my tent", n: 2 });
  });
});

test("a page of another origin may start again past all caches: the server lets QUERY in", patience, async () => {
  await withContext("queried", async (context, collection) => {
    await server.put("queried/a", { n: 1 });
    const page = await context.newPage();
    const lines = asked(page);
    await openIn(page, site, collection);
    await withThings(page, (things) => things.until(({ isExact }) => isExact === true));
    await withThings(page, async (things) => {
      things.resync();
      await things.until(({ isExact }) => isExact !== true);
      await things.until(({ isExact }) => isExact === true);
    });
    assert.ok(lines.includes("QUERY /v1/queried"), lines.join("\n"));
  });
});

test("a page that is closed in the middle of its first load goes on where it was", patience, async () => {
  await withContext("large", async (context, collection) => {
    const operations = Array.from({ length: 900 }, (_, n) => ({ method: "PUT", href: `/v1/large/a${n}`, value: { n } }));
    await server.transact(operations);
    const page = await context.newPage();
    const middle = new Promise<void>((resolve) => {
      page.on("request", (request) => request.url().includes("after=a5") && resolve());
    });
    void openIn(page, site, collection).catch(() => undefined);
    await middle;
    await page.close();
    const next = await context.newPage();
    const lines = asked(next);
    await openIn(next, site, collection);
    await withThings(next, (things) => things.until(({ isExact }) => isExact === true));
    assert.equal(await withThings(next, async (things) => (await things.readAll()).length), 900);
    assert.ok(!lines.includes("GET /v1/large"), "it did not begin again");
  });
});

test("a replica restored from last week's backup goes on from its bookmark and ends exact", patience, async () => {
  await withContext("restored", async (context, collection) => {
    for (let n = 0; n < 5; n += 1) await server.put(`restored/a${n}`, { n });
    const page = await context.newPage();
    await openIn(page, site, collection);
    await withThings(page, (things) => things.until(({ isExact }) => isExact === true));
    const backup = await page.evaluate(dump);
    await server.delete("restored/a0");
    await server.put("restored/a1", { n: "changed" });
    await shows(page, { a1: { n: "changed" }, a2: { n: 2 }, a3: { n: 3 }, a4: { n: 4 } });
    await page.close();

    const next = await context.newPage();
    const lines = asked(next);
    await next.goto(site.origin);
    await next.evaluate(restore, backup);
    await openIn(next, site, collection);
    await shows(next, { a1: { n: "changed" }, a2: { n: 2 }, a3: { n: 3 }, a4: { n: 4 } });
    await withThings(next, (things) => things.until(({ isExact }) => isExact === true));
    assert.match(lines[0] ?? "", /^GET \/v1\/restored\/changes\//);
    assert.ok(!lines.includes("GET /v1/restored"), "nothing was read from the beginning");
  });
});

interface Backup {
  readonly standing: unknown;
  readonly items: readonly unknown[];
}

/** Everything in the page's replica; runs in the page. */
async function dump(): Promise<Backup> {
  const ask = <T>(request: IDBRequest<T>) => new Promise<T>((resolve, reject) => ((request.onsuccess = () => resolve(request.result)), (request.onerror = () => reject(request.error))));
  const database = await ask(indexedDB.open("things"));
  const transaction = database.transaction(["standing", "items"]);
  const standing = await ask(transaction.objectStore("standing").get("standing"));
  const items = await ask(transaction.objectStore("items").getAll());
  database.close();
  return { standing, items: items.map((item: { hash: Uint8Array }) => ({ ...item, hash: [...item.hash] })) };
}

/** Puts a backup in the place of the page's replica; runs in the page. */
async function restore({ standing, items }: Backup): Promise<void> {
  const ask = <T>(request: IDBRequest<T>) => new Promise<T>((resolve, reject) => ((request.onsuccess = () => resolve(request.result)), (request.onerror = () => reject(request.error))));
  const database = await ask(indexedDB.open("things"));
  const transaction = database.transaction(["standing", "items"], "readwrite");
  transaction.objectStore("items").clear();
  transaction.objectStore("standing").put(standing, "standing");
  for (const item of items as { hash: number[] }[]) transaction.objectStore("items").put({ ...item, hash: new Uint8Array(item.hash) });
  await new Promise<void>((resolve) => (transaction.oncomplete = () => resolve()));
  database.close();
}
