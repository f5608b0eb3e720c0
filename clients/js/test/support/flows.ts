/** The demo's flows on a server, and what the server has stored since. */

import { readFile } from "node:fs/promises";
import { Server } from "./server.js";

const DEMO = new URL("../../../../../crates/milepost-cli/demo/", import.meta.url);

async function demo(name: string): Promise<Record<string, unknown>> {
  return JSON.parse(await readFile(new URL(`${name}.json`, DEMO), "utf8")) as Record<string, unknown>;
}

/** Defines the demo's flows and all that they write and show. */
export async function withFlows(server: Server): Promise<void> {
  for (const name of ["flows", "documents", "registrations", "editions", "orders"]) await server.define(name, await demo(`definitions/${name}`));
  for (const name of ["registration", "checkout"]) await server.put(`flows/${name}`, await demo(`flows/${name}`));
  await server.put("editions/solaris-1961", { title: "Solaris", priceCents: 1000 });
}

/** Everything stored from now on, of whatever collection: the hrefs, as the feed of all collections tells them. */
export async function watched(server: Server): Promise<(origin: string) => Promise<string[]>> {
  const read = async (origin: string, path: string): Promise<Page> => {
    const response = await fetch(origin + path, { headers: { "Cache-Control": "no-cache" } });
    if (!response.ok) throw new Error(`${path}: ${response.status}`);
    return (await response.json()) as Page;
  };
  const { snapshot } = await read(server.origin, "/v1/-/changes");
  let page = await read(server.origin, snapshot!);
  while (page.next !== undefined) page = await read(server.origin, page.next);
  const from = page.resume!;
  return async (origin) => {
    const page = await read(origin, from);
    return page.items!.map(({ href }) => href);
  };
}

interface Page {
  readonly items?: { href: string }[];
  readonly snapshot?: string;
  readonly next?: string;
  readonly resume?: string;
}
