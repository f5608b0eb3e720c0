/**
 * JSON as text: where the values inside a document stand, whether two documents say the same, and
 * how to write a changed document without touching what did not change.
 *
 * A representation is bytes that the server gives back exactly. `JSON.parse` loses digits
 * (`100.00`, `1e400`), so documents are kept as text, parsed only for the reader, and what an edit
 * left alone is written with the text it had. Nothing here validates: text comes from `JSON.parse`
 * or was accepted by it.
 */

const SPACE = new Set([0x20, 0x09, 0x0a, 0x0d]);
const QUOTE = 0x22;
const BACKSLASH = 0x5c;
const OPENING = new Set([0x7b, 0x5b]);
const CLOSING = new Set([0x7d, 0x5d]);

/** The member of each name of an object, as text; of a name that stands twice, the last. */
export function members(text: string): Map<string, string> {
  const found = new Map<string, string>();
  let at = start(text, 0) + 1;
  for (;;) {
    at = start(text, at);
    if (text.charCodeAt(at) !== QUOTE) return found;
    const nameEnd = afterString(text, at);
    const name = JSON.parse(text.slice(at, nameEnd)) as string;
    const begin = start(text, start(text, nameEnd) + 1);
    const end = afterValue(text, begin);
    found.set(name, text.slice(begin, end));
    at = start(text, end) + 1;
  }
}

/** The elements of an array, as text. */
export function elements(text: string): string[] {
  const found: string[] = [];
  let at = start(text, start(text, 0) + 1);
  while (at < text.length && !CLOSING.has(text.charCodeAt(at))) {
    const end = afterValue(text, at);
    found.push(text.slice(at, end));
    at = start(text, start(text, end) + 1);
  }
  return found;
}

/** What a text's outermost value is. */
export function shape(text: string): "object" | "array" | "scalar" {
  const first = text[start(text, 0)];
  return first === "{" ? "object" : first === "[" ? "array" : "scalar";
}

/** Whether two texts stand for the same value; numbers too large or too fine for a double count digit by digit. */
export function isSame(left: string, right: string): boolean {
  if (left === right) return true;
  const kind = shape(left);
  if (kind !== shape(right)) return false;
  if (kind === "scalar") return isSameScalar(left.trim(), right.trim());
  if (kind === "array") return isSameArray(elements(left), elements(right));
  return isSameObject(members(left), members(right));
}

function isSameArray(left: string[], right: string[]): boolean {
  return left.length === right.length && left.every((text, index) => isSame(text, right[index]!));
}

function isSameObject(left: Map<string, string>, right: Map<string, string>): boolean {
  if (left.size !== right.size) return false;
  for (const [name, text] of left) {
    const other = right.get(name);
    if (other === undefined || !isSame(text, other)) return false;
  }
  return true;
}

function isSameScalar(left: string, right: string): boolean {
  if (left === right) return true;
  const [one, other] = [JSON.parse(left) as unknown, JSON.parse(right) as unknown];
  if (typeof one === "number") return one === other && isExact(left) && isExact(right);
  return one === other;
}

/** A double tells 15 decimal digits apart; more might be two numbers in one double. */
function isExact(number: string): boolean {
  const digits = number.replace(/[eE].*$/, "").replace(/[-.]/g, "").replace(/^0+/, "");
  return digits.length <= 15 && Number.isFinite(Number(number));
}

/**
 * The text of `value`, where every part that is unchanged from `before` stands as it stood there.
 *
 * @throws TypeError when `value` has no JSON (`undefined`, a function, a cycle, a number that is not finite)
 */
export function rewrite(before: string | null, value: unknown): string {
  if (before !== null && isParsedFrom(value, before)) return before;
  if (before !== null && isPlainObject(value) && shape(before) === "object") {
    return rewriteObject(members(before), value);
  }
  if (before !== null && Array.isArray(value) && shape(before) === "array") {
    const old = elements(before);
    return `[${value.map((element, index) => rewrite(old[index] ?? null, element)).join(",")}]`;
  }
  return written(value);
}

function rewriteObject(old: Map<string, string>, value: Record<string, unknown>): string {
  const parts = Object.entries(value)
    .filter(([, member]) => member !== undefined)
    .map(([name, member]) => `${JSON.stringify(name)}:${rewrite(old.get(name) ?? null, member)}`);
  return `{${parts.join(",")}}`;
}

function written(value: unknown): string {
  refuseLosses(value);
  const text = JSON.stringify(value) as string | undefined;
  if (text === undefined) throw new TypeError("the value has no JSON: give an object, array, text, number, boolean or null");
  return text;
}

function refuseLosses(value: unknown): void {
  if (typeof value === "number" && !Number.isFinite(value)) {
    throw new TypeError(`${value} has no JSON: give a finite number`);
  }
  if (value !== null && typeof value === "object" && !("toJSON" in value)) Object.values(value).forEach(refuseLosses);
}

function isParsedFrom(value: unknown, text: string): boolean {
  return isEqual(value, JSON.parse(text) as unknown);
}

function isEqual(left: unknown, right: unknown): boolean {
  if (Object.is(left, right)) return true;
  if (Array.isArray(left) && Array.isArray(right)) {
    return left.length === right.length && left.every((element, index) => isEqual(element, right[index]));
  }
  if (!isPlainObject(left) || !isPlainObject(right)) return false;
  const names = Object.keys(left);
  return (
    names.length === Object.keys(right).length &&
    names.every((name) => Object.hasOwn(right, name) && isEqual(left[name], right[name]))
  );
}

function isPlainObject(value: unknown): value is Record<string, unknown> {
  if (value === null || typeof value !== "object" || Array.isArray(value)) return false;
  const prototype = Object.getPrototypeOf(value) as unknown;
  return (prototype === Object.prototype || prototype === null) && !("toJSON" in value);
}

function start(text: string, at: number): number {
  while (SPACE.has(text.charCodeAt(at))) at += 1;
  return at;
}

function afterString(text: string, at: number): number {
  for (;;) {
    at = text.indexOf('"', at + 1);
    if (at < 0) return text.length;
    let escapes = 0;
    while (text.charCodeAt(at - 1 - escapes) === BACKSLASH) escapes += 1;
    if (escapes % 2 === 0) return at + 1;
  }
}

function afterValue(text: string, at: number): number {
  const first = text.charCodeAt(at);
  if (first === QUOTE) return afterString(text, at);
  return OPENING.has(first) ? afterBrackets(text, at) : afterScalar(text, at);
}

function afterBrackets(text: string, at: number): number {
  let depth = 0;
  while (at < text.length) {
    const code = text.charCodeAt(at);
    if (code === QUOTE) {
      at = afterString(text, at);
      continue;
    }
    if (OPENING.has(code)) depth += 1;
    at += 1;
    if (CLOSING.has(code)) {
      depth -= 1;
      if (depth === 0) return at;
    }
  }
  return at;
}

function afterScalar(text: string, at: number): number {
  while (at < text.length) {
    const code = text.charCodeAt(at);
    if (code === 0x2c || CLOSING.has(code) || SPACE.has(code)) return at;
    at += 1;
  }
  return at;
}
