/** A real Chromium, and pages of another origin than the server's that have the client. */

import { readFile } from "node:fs/promises";
import { createServer, type Server as HttpServer } from "node:http";
import type { AddressInfo } from "node:net";
import { fileURLToPath } from "node:url";
import { chromium, type Browser, type Page } from "playwright-core";

const EXECUTABLE = process.env["CHROMIUM_BIN"] ?? "/usr/bin/chromium";
const FLAGS = ["--no-sandbox", "--disable-gpu", "--disable-quic", "--no-first-run", "--disable-background-networking", "--disable-component-update", "--disable-sync"];
const CLIENT = new URL("../../src/", import.meta.url);

/** Starts the browser without a window. */
export function launch(): Promise<Browser> {
  return chromium.launch({ executablePath: EXECUTABLE, headless: true, args: FLAGS });
}

/** Serves an empty page at `/` and the client at `/client/`, on a port of its own. */
export class Site {
  private constructor(readonly origin: string, readonly server: HttpServer) {}

  static async start(): Promise<Site> {
    const server = createServer((request, response) => {
      const name = /^\/client\/([a-z]+\.js)$/.exec(request.url ?? "")?.[1];
      if (name === undefined) return void response.writeHead(200, { "Content-Type": "text/html" }).end("<!doctype html><title>A page</title>");
      readFile(fileURLToPath(new URL(name, CLIENT))).then(
        (bytes) => response.writeHead(200, { "Content-Type": "text/javascript" }).end(bytes),
        () => response.writeHead(404).end(),
      );
    });
    await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
    return new Site(`http://127.0.0.1:${(server.address() as AddressInfo).port}`, server);
  }

  stop(): void {
    this.server.closeAllConnections();
    this.server.close();
  }
}

/** Opens a collection in a page, as `globalThis.things`; its replica is in the page's IndexedDB. */
export async function openIn(page: Page, site: Site, collection: string): Promise<void> {
  await page.goto(site.origin);
  await page.evaluate(async (url) => {
    const { indexedDbReplica, openCollection } = (await import("/client/index.js" as string)) as typeof import("../../src/index.js");
    const replica = await indexedDbReplica("things");
    (globalThis as { things?: unknown }).things = await openCollection(url, { replica, waitSeconds: 5 });
  }, collection);
}

/** Runs in a page, with the collection that {@link openIn} opened. */
export function withThings<T>(page: Page, work: (things: Things) => Promise<T> | T): Promise<T> {
  return page.evaluate(`(${work.toString()})(globalThis.things)`);
}

export type Things = import("../../src/index.js").Collection<Record<string, unknown>>;
