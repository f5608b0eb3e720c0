// A service that keeps the last page of each client under a cookie: reports of its audit have
// findings and witnesses in them. It needs nothing but node and tells its port on stdout.
"use strict";

const { randomBytes } = require("node:crypto");
const { createServer } = require("node:http");

const last = new Map();

const server = createServer((request, response) => {
  let id = /(?:^|; )sid=([0-9a-f]+)/.exec(request.headers.cookie ?? "")?.[1];
  const fields = { "content-type": "application/json", "cache-control": "private, no-cache" };
  if (!last.has(id)) {
    id = randomBytes(16).toString("hex");
    last.set(id, null);
    fields["set-cookie"] = `sid=${id}; Path=/`;
  }
  const { pathname } = new URL(request.url, "http://127.0.0.1");
  const answer = (status, body) => response.writeHead(status, fields).end(JSON.stringify(body));
  if (pathname === "/") return answer(200, { links: ["/books/emma", "/books/solaris", "/recent"] });
  if (pathname === "/recent") return answer(200, { last: last.get(id), a: 1, b: 2, c: 3 });
  if (!pathname.startsWith("/books/")) return answer(404, { title: "nothing here" });
  last.set(id, pathname);
  return answer(200, { id: pathname.slice(7) });
});

server.listen(0, "127.0.0.1", () => process.stdout.write(`${server.address().port}\n`));
