/** Wire documents: the golden fixtures that the server's tests read too, and everything that is no page. */

import assert from "node:assert/strict";
import { readFileSync } from "node:fs";
import { test } from "node:test";
import { fileURLToPath } from "node:url";
import { hashOf, SetDigest } from "../../src/index.js";
import { idsOf } from "../../src/digest.js";
import { parsePage, parseProblem, WireError } from "../../src/wire.js";

const FIXTURES = new URL("../../../../../crates/milepost-semantics/fixtures/", import.meta.url);
const fixture = (name: string) => readFileSync(fileURLToPath(new URL(name, FIXTURES)), "utf8").trim();

test("the fixture of a first page is read, its values byte for byte", () => {
  const page = parsePage(fixture("page-snapshot.json"));
  assert.equal(page.kind, "snapshot");
  assert.equal(page.replace, true);
  assert.deepEqual(page.items, [
    { href: "/v1/accounts/17", id: "17", etag: '"k3f7.1041-0abc"', text: '{ "owner": "ada",  "balance": 100.00 }' },
    { href: "/v1/accounts/18", id: "18", etag: '"k3f7.7-9zzz"', text: "[1,2]" },
  ]);
  assert.deepEqual(page.end, { rel: "next", href: "/v1/accounts/snapshots/k3f7.1042-x7qa?after=18&pageSize=2" });
  assert.equal(page.position, "k3f7.1042-x7qa");
});

test("the fixtures of a last page, of changes and of a sorted listing are read", () => {
  assert.deepEqual(parsePage(fixture("page-snapshot-last.json")).end, { rel: "resume", href: "/v1/accounts/changes/k3f7.1042-x7qa" });
  const changes = parsePage(fixture("page-changes.json"));
  assert.deepEqual(changes.items[1], { href: "/v1/accounts/9", id: "9", deleted: true });
  assert.equal(changes.digest, "c2V0");
  assert.deepEqual(parsePage(fixture("page-sorted.json")).end, { rel: "closed" });
});

test("the fixture of a problem is read", () => {
  const problem = parseProblem(400, fixture("problem.json"));
  assert.equal(problem.type, "urn:problem-type:milepost:invalidQuery");
  assert.equal(problem.detail, "2 parameters cannot be used");
});

test("no beginning of a page is taken for a page", () => {
  const whole = fixture("page-snapshot.json");
  for (let length = 0; length < whole.length; length += 1) assert.throws(() => parsePage(whole.slice(0, length)), WireError);
});

test("what is not exactly a page is refused", () => {
  const whole = JSON.parse(fixture("page-changes.json")) as Record<string, unknown>;
  const wrong: Record<string, unknown>[] = [
    { next: "/v1/more" },
    { items: {} },
    { items: [{ href: "/v1/a/1", id: "1", etag: '"x"' }] },
    { items: [{ href: "/v1/a/1", id: "1", etag: 'W/"x"', value: 1 }] },
    { items: [{ href: "https://elsewhere.example/1", id: "1", etag: '"x"', value: 1 }] },
    { resume: "//elsewhere.example/changes" },
    { resume: "/\\elsewhere.example/changes" },
    { resume: "https://elsewhere.example/changes" },
    { kind: "news" },
    { replace: "no" },
    { position: 7 },
    { self: undefined },
  ];
  for (const part of wrong) assert.throws(() => parsePage(JSON.stringify({ ...whole, ...part })), WireError, JSON.stringify(part));
  assert.throws(() => parsePage("<html>Log in to this network</html>"), WireError);
});

test("what another program answered becomes a problem by its status", () => {
  assert.deepEqual(parseProblem(502, "<h1>Bad gateway</h1>").title, "the server answered 502");
});

test("the set digest is the sum that the server's own test has", async () => {
  const one = SetDigest.empty.add((await hashOf("17", '"k3f7.1050-x7qa"'))!);
  assert.equal(SetDigest.empty.toString(), "0".repeat(64));
  assert.equal(one.toString(), "2235b8c92712a0a3993ef3d64b234b51b3609af6adb3491e35d732d0e11b4e97");
  const both = one.add((await hashOf("17/t-9", '"k3f7.1051-0000"'))!);
  assert.equal(both.toString(), "d7172a0c2171aca0aaf1b414a3ceb154817504fd567f61099d8b34fe1d3e3aa2");
  assert.equal(SetDigest.empty.remove((await hashOf("a", '"b"'))!).add((await hashOf("a", '"b"'))!).toString(), "0".repeat(64));
});

test("a resource below parents is named by all the ids that the collection leaves open", () => {
  assert.equal(idsOf("/v1/accounts", "/v1/accounts/17"), "17");
  assert.equal(idsOf("/v1/accounts/-/transactions", "/v1/accounts/17/transactions/t-9"), "17/t-9");
});
