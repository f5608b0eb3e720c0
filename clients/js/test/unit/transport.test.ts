/** The transport against a real socket: answers that are cut, that stop, that come from elsewhere. */

import assert from "node:assert/strict";
import { createServer, type RequestListener, type Server } from "node:http";
import type { AddressInfo } from "node:net";
import { test } from "node:test";
import { systemClock, type Clock } from "../../src/clock.js";
import { fetchTransport } from "../../src/transport.js";

async function served<T>(listener: RequestListener, work: (origin: string) => Promise<T>): Promise<T> {
  const server: Server = createServer(listener);
  await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
  try {
    return await work(`http://127.0.0.1:${(server.address() as AddressInfo).port}`);
  } finally {
    server.closeAllConnections();
    server.close();
  }
}

const never = new AbortController().signal;
const transport = (clock: Clock = systemClock, headers?: () => Record<string, string>) => fetchTransport({ fetch, clock, headers });

test("an answer that ends before its length, or within a chunk, is no answer", async () => {
  const cut: RequestListener = (request, response) => {
    if (request.url === "/length") response.setHeader("Content-Length", "100");
    response.write('{"items":[]', () => response.destroy());
  };
  await served(cut, async (origin) => {
    await assert.rejects(transport()({ method: "GET", url: `${origin}/length` }, never));
    await assert.rejects(transport()({ method: "GET", url: `${origin}/chunked` }, never));
  });
});

test("bytes that are no UTF-8 are no answer", async () => {
  await served((_, response) => response.end(Buffer.from([0x22, 0xff, 0x22])), async (origin) => {
    await assert.rejects(transport()({ method: "GET", url: origin }, never));
  });
});

test("an answer that stops coming is given up, when patience ends", async () => {
  let alarm = () => {};
  const clock: Clock = { now: () => 0, random: () => 0, sleep: () => new Promise((resolve) => (alarm = resolve)) };
  await served((_, response) => void response.write("{"), async (origin) => {
    const asked = transport(clock)({ method: "GET", url: origin }, never);
    await new Promise((resolve) => setImmediate(resolve));
    alarm();
    await assert.rejects(asked, /stopped answering|aborted/);
  });
});

test("a redirect within the origin is followed, one to another origin is refused", async () => {
  await served((_, response) => response.end("{}"), (elsewhere) =>
    served(
      (request, response) => {
        if (request.url === "/end") return void response.end("{}");
        response.writeHead(308, { Location: request.url === "/far" ? `${elsewhere}/end` : "/end" }).end();
      },
      async (origin) => {
        const near = await transport()({ method: "GET", url: `${origin}/near` }, never);
        assert.equal(near.url, `${origin}/end`);
        await assert.rejects(transport()({ method: "GET", url: `${origin}/far` }, never), /another origin/);
      },
    ),
  );
});

test("each request asks for its fields anew", async () => {
  const seen: (string | undefined)[] = [];
  let token = 0;
  await served(
    (request, response) => {
      seen.push(request.headers.authorization);
      response.end("{}");
    },
    async (origin) => {
      const send = transport(systemClock, () => ({ Authorization: `Bearer ${(token += 1)}` }));
      await send({ method: "GET", url: origin }, never);
      await send({ method: "GET", url: origin }, never);
    },
  );
  assert.deepEqual(seen, ["Bearer 1", "Bearer 2"]);
});
