/** JSON as text: slices, sameness, and rewriting that leaves alone what did not change. */

import assert from "node:assert/strict";
import { test } from "node:test";
import { elements, isSame, members, rewrite } from "../../src/json.js";
import { merge } from "../../src/merge.js";

test("every value of a document is found with the text it has", () => {
  const text = ' { "a" : [1.00, {"b\\"}": "]}"}, [] ] , "c\\u0064": -1e400 ,"": "\\\\" } ';
  assert.deepEqual([...members(text)], [["a", '[1.00, {"b\\"}": "]}"}, [] ]'], ["cd", "-1e400"], ["", '"\\\\"']]);
  assert.deepEqual(elements('[ 1.00 , {"x":[2]},"," , [ ] ]'), ["1.00", '{"x":[2]}', '","', "[ ]"]);
  assert.deepEqual([...members("{ }")], []);
  assert.deepEqual(elements(" [ ] "), []);
});

test("an edit keeps the text of everything it leaves alone", () => {
  const before = '{ "balance": 100.00,  "limit": 1e400, "tags": [ 1.0, 2.50 ], "owner": { "name": "ada", "id": 12345678901234567890 } }';
  const value = JSON.parse(before) as { owner: { name: string }; tags: number[] };
  value.owner.name = "bob";
  value.tags.push(3);
  assert.equal(
    rewrite(before, value),
    '{"balance":100.00,"limit":1e400,"tags":[1.0,2.50,3],"owner":{"name":"bob","id":12345678901234567890}}',
  );
  assert.equal(rewrite(before, JSON.parse(before)), before);
});

test("a value that JSON cannot say is refused instead of becoming null", () => {
  for (const value of [undefined, () => 1, NaN, { deep: [Infinity] }]) assert.throws(() => rewrite(null, value), TypeError);
  assert.equal(rewrite(null, { at: new Date(0), gone: undefined }), '{"at":"1970-01-01T00:00:00.000Z"}');
});

test("documents are the same by value, and numbers beyond a double digit by digit", () => {
  assert.ok(isSame('{"a":1,"b":[1.0,"\\u0061"]}', '{ "b":[1,"a"], "a":1e0 }'));
  assert.ok(!isSame("12345678901234567890", "12345678901234567891"));
  assert.ok(!isSame("1e400", "1e500"));
  assert.ok(!isSame('{"a":1}', '{"a":1,"b":null}'));
  assert.ok(!isSame("1", '"1"'));
});

test("a merge takes what either side changed, with every digit", () => {
  const base = '{"a":1.00,"b":2,"c":{"d":1,"e":1},"gone":1}';
  const mine = '{"a":1.00,"b":3,"c":{"d":2,"e":1},"gone":1,"mine":1}';
  const theirs = '{"a":1.000,"b":2,"c":{"d":1,"e":2},"theirs":1}';
  assert.deepEqual(merge(base, mine, theirs), { clean: true, text: '{"a":1.00,"b":3,"c":{"d":2,"e":2},"theirs":1,"mine":1}' });
});

test("a merge that cannot be done names each place and makes nothing up", () => {
  assert.deepEqual(merge('{"a":1,"b/c":[1]}', '{"a":2,"b/c":[1,2]}', '{"a":3,"b/c":[0,1]}'), { clean: false, clashes: ["/a", "/b~1c"] });
  assert.deepEqual(merge('{"a":1}', null, '{"a":2}'), { clean: false, clashes: [""] });
  assert.deepEqual(merge('{"a":1}', '{"a":2}', null), { clean: false, clashes: [""] });
  assert.deepEqual(merge('{"a":1}', null, null), { clean: true, text: null });
  assert.deepEqual(merge(null, '{"a":1}', '{"b":1}'), { clean: true, text: '{"b":1,"a":1}' });
});
