/**
 * Serves the demo page, and passes `/v1/` on to a Milepost server, so that page and server are of one
 * origin: `node demo/serve.mjs [--server http://127.0.0.1:7070] [--port 8080]`. Makes the collection if
 * it is not there.
 */

import { readFile } from "node:fs/promises";
import { createServer, request } from "node:http";
import { fileURLToPath } from "node:url";
import { parseArgs } from "node:util";

const { values } = parseArgs({ options: { server: { type: "string", default: "http://127.0.0.1:7070" }, port: { type: "string", default: "8080" } } });
const FOLDERS = { "/client/": new URL("../dist/src/", import.meta.url), "/": new URL("./", import.meta.url) };
const TYPES = { html: "text/html; charset=utf-8", css: "text/css", js: "text/javascript", map: "application/json" };
const DEFINITION = {
  title: "Packing list",
  schema: {
    type: "object",
    required: ["title"],
    properties: { title: { type: "string", minLength: 1, maxLength: 80 }, packed: { type: "boolean" }, added: { type: "string" } },
  },
};
const BEGINNING = ["Tent", "Stove", "Head torch", "Map of the coast path"];

await prepare().catch((error) => {
  process.stderr.write(`error: ${values.server} does not answer: ${error.cause?.message ?? error.message}\nhint: start one with \`milepost demo\`, or name it with --server\n`);
  process.exit(1);
});
const server = createServer((asked, answer) => {
  if (asked.url.startsWith("/v1/")) pass(asked, answer);
  else file(asked.url, answer).catch(() => answer.writeHead(404).end("there is no such file\n"));
});
server.listen(Number(values.port), "127.0.0.1", () => process.stdout.write(`http://127.0.0.1:${server.address().port}/\n`));

async function prepare() {
  const put = (path, body) =>
    fetch(values.server + path, { method: "PUT", headers: { "Content-Type": "application/json", "If-None-Match": "*" }, body: JSON.stringify(body) });
  const made = await put("/v1/-/collections/packing-list", DEFINITION);
  if (made.status !== 201) return;
  for (const [index, title] of BEGINNING.entries()) {
    await put(`/v1/packing-list/${crypto.randomUUID()}`, { title, packed: index === 0, added: `2026-01-0${index + 1}T00:00:00Z` });
  }
}

function pass(asked, answer) {
  const headers = { ...asked.headers, host: new URL(values.server).host };
  const onward = request(values.server + asked.url, { method: asked.method, headers }, (reply) => {
    answer.writeHead(reply.statusCode, reply.headers);
    reply.pipe(answer);
  });
  onward.on("error", () => (answer.headersSent ? answer.destroy() : answer.writeHead(502).end()));
  answer.on("close", () => onward.destroy());
  asked.pipe(onward);
}

async function file(url, answer) {
  const { pathname } = new URL(url, "http://demo");
  const [prefix, folder] = Object.entries(FOLDERS).find(([start]) => pathname.startsWith(start));
  const name = pathname.slice(prefix.length) || "index.html";
  if (!/^[a-z]+(\.[a-z]+)+$/.test(name)) throw new Error("no file of the demo");
  const bytes = await readFile(fileURLToPath(new URL(name, folder)));
  answer.writeHead(200, { "Content-Type": TYPES[name.split(".").at(-1)] ?? "application/octet-stream", "Cache-Control": "no-cache" }).end(bytes);
}
