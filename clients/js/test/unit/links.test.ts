/** URLs: canonical questions, links within the origin, and how long answers are fresh. */

import assert from "node:assert/strict";
import { test } from "node:test";
import { freshMs, retryAfterMs } from "../../src/freshness.js";
import { collectionUrl, follow, ForeignLinkError, isAnswerTo, resourcePath, UsageError, withWait } from "../../src/links.js";

const HOST = "https://api.example";

test("one question has one URL, however the filter is written", () => {
  const url = collectionUrl(`${HOST}/v1/books`, { year: "gte:1960", author: ["lem", "le-guin"], title: "A b&c=ü'(1)" }, 5);
  assert.equal(url, `${HOST}/v1/books?author=le-guin&author=lem&pageSize=5&title=A%20b%26c%3D%C3%BC%27%281%29&year=gte:1960`);
  assert.equal(collectionUrl(`${HOST}/v1/books/`), `${HOST}/v1/books`);
});

test("what no replica can be of is refused with what to do instead", () => {
  assert.throws(() => collectionUrl(`${HOST}/v1/books`, { sort: "-year" }), UsageError);
  assert.throws(() => collectionUrl(`${HOST}/v1/books?author=lem`), UsageError);
  assert.throws(() => collectionUrl("https://ada:pw@api.example/v1/books"), UsageError);
  assert.throws(() => collectionUrl("file:///v1/books"), UsageError);
  for (const id of ["", ".", "..", "-", "a/b", "a b", "x".repeat(129)]) assert.throws(() => resourcePath(`${HOST}/v1/books`, id), UsageError);
});

test("a link to another origin is not followed", () => {
  assert.equal(follow(`${HOST}/v1/books`, "/v1/books/changes/k.1"), `${HOST}/v1/books/changes/k.1`);
  for (const link of ["https://evil.example/v1", "//evil.example/v1", "http://api.example/v1", "javascript:alert(1)"]) {
    assert.throws(() => follow(`${HOST}/v1/books`, link), ForeignLinkError);
  }
});

test("a page answers a question of the same place and filter, whatever its ticks and waits", () => {
  const asked = `${HOST}/v1/books/changes/k.1?author=lem&tick=3&wait=20`;
  assert.ok(isAnswerTo(asked, "/v1/books/changes/k.1?author=lem"));
  assert.ok(!isAnswerTo(asked, "/v1/books/changes/k.1"));
  assert.ok(!isAnswerTo(asked, "/v1/books/changes/k.2?author=lem"));
  assert.ok(!isAnswerTo(`${HOST}/v1/books/snapshots/k.1?after=a`, "/v1/books/snapshots/k.1?after=b"));
});

test("a wait takes its canonical place among the keys", () => {
  assert.equal(withWait(`${HOST}/v1/books/changes/k.1?author=lem&year=1961`, 20), `${HOST}/v1/books/changes/k.1?author=lem&wait=20&year=1961`);
});

test("freshness is what Cache-Control and Age say, and a few seconds where nothing is said", () => {
  const fields = (pairs: Record<string, string>) => new Headers(pairs);
  assert.equal(freshMs(fields({ "Cache-Control": "public, max-age=9, stale-while-revalidate=5", Age: "4" })), 5000);
  assert.equal(freshMs(fields({ "Cache-Control": "max-age=1", Age: "40" })), 0);
  assert.equal(freshMs(fields({ "Cache-Control": "no-cache" })), 0);
  assert.equal(freshMs(fields({ "Cache-Control": "max-age=soon" })), 5000);
  assert.equal(retryAfterMs(fields({ "Retry-After": "7" })), 7000);
  assert.equal(retryAfterMs(fields({ "Retry-After": "Fri, 31 Dec 1999 23:59:59 GMT" })), 0);
});
