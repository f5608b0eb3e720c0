// A small shop that remembers what was looked at last, in a session. Who keeps the session is the
// one thing that differs: `express-session` as its README begins (a store in the process's memory)
// or `cookie-session` (a signed cookie).
//
//     node --expose-gc shop.js express-session 8080
//
// `/heap` is a gauge of what is left in the heap after a collection; it begins no session.
"use strict";

const [library, port] = process.argv.slice(2);
const express = require("express");
const session = require(library);

const BOOKS = ["emma", "solaris", "ulysses"];

const app = express();
app.disable("x-powered-by");
app.get("/heap", (_request, response) => {
  gc();
  response.set("cache-control", "no-store").type("text/plain").send(`heap_bytes ${process.memoryUsage().heapUsed}\n`);
});
app.use(
  library === "express-session"
    ? session({ secret: "only for the audit", resave: false, saveUninitialized: true })
    : session({ name: "session", keys: ["only for the audit"] }),
);
app.use((_request, response, next) => {
  response.set("cache-control", "no-store");
  next();
});
app.get("/", (_request, response) => response.json({ books: { href: "/books" }, recent: { href: "/recent" } }));
app.get("/books", (_request, response) => response.json({ items: BOOKS.map((id) => ({ href: `/books/${id}` })) }));
app.get("/books/:id", (request, response) => {
  if (!BOOKS.includes(request.params.id)) return response.sendStatus(404);
  request.session.last = request.params.id;
  return response.json({ id: request.params.id });
});
app.get("/recent", (request, response) => response.json({ last: request.session.last ?? null }));
app.listen(Number(port), "127.0.0.1");
