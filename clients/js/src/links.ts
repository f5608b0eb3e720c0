/**
 * URLs: where a link leads, which question a URL asks, and how a question is written canonically.
 *
 * A client follows links within the origin it was given, and nowhere else.
 */

/** A filter: index names with one value, or several of which any holds; see the protocol's *Lists*. */
export type Filter = Readonly<Record<string, FilterValue | readonly FilterValue[]>>;
/** A value as it stands in a query; operators go before it: `gte:100`. */
export type FilterValue = string | number | boolean;

/** Keys that mean something else than a filter: they belong to paging, or leave documents in part. */
const RESERVED = ["after", "before", "pageSize", "q", "select", "sort", "tick", "total", "versions", "wait"];
/** Keys by which two URLs may differ and still ask for the same changes or the same resources. */
const NOT_THE_QUESTION = new Set(["pageSize", "tick", "total", "wait"]);

/** A URL or option that cannot be used; the message says what to give instead. */
export class UsageError extends Error {
  override readonly name = "UsageError";
}

/** A link that leads to another origin, or a response that came from one. */
export class ForeignLinkError extends Error {
  override readonly name = "ForeignLinkError";
}

/**
 * The canonical URL of a filtered collection.
 *
 * @throws UsageError when the URL is not http(s), has a query, or a key is no index name
 */
export function collectionUrl(collection: string | URL, filter: Filter = {}, pageSize?: number): string {
  const url = new URL(collection, typeof location === "undefined" ? undefined : location.href);
  if (!/^https?:$/.test(url.protocol)) throw new UsageError(`${url.href}: a collection has an http or https URL`);
  if (url.search !== "" || url.hash !== "") throw new UsageError(`${url.href}: give the filter as an option, not in the URL`);
  if (url.username !== "" || url.password !== "") throw new UsageError("give credentials by the headers option, not in the URL");
  const pairs: [string, string][] = [];
  for (const [key, value] of Object.entries(filter)) {
    if (RESERVED.includes(key)) throw new UsageError(`${key}: not an index; a replica is filtered by declared indexes only`);
    for (const one of Array.isArray(value) ? (value as readonly FilterValue[]) : [value as FilterValue]) pairs.push([key, String(one)]);
  }
  if (pageSize !== undefined) pairs.push(["pageSize", String(pageSize)]);
  return url.origin + url.pathname.replace(/\/$/, "") + query(pairs);
}

/**
 * Where a link leads.
 *
 * @throws ForeignLinkError when that is another origin
 */
export function follow(from: string, link: string): string {
  const url = new URL(link, from);
  if (url.origin !== new URL(from).origin) throw new ForeignLinkError(`${link}: a link to another origin is not followed`);
  return url.href;
}

/** The URL of a resource of a collection, as it stands in `href`. */
export function resourcePath(collection: string, id: string): string {
  if (!/^[A-Za-z0-9._~-]{1,128}$/.test(id) || [".", "..", "-"].includes(id)) {
    throw new UsageError(`${JSON.stringify(id)}: an id is 1 to 128 of A-Z a-z 0-9 . _ ~ - and not ".", ".." or "-"`);
  }
  return `${new URL(collection).pathname.replace(/\/$/, "")}/${id}`;
}

/** Whether a page whose `self` is `self` answers the question that was asked; caches may have confused them. */
export function isAnswerTo(asked: string, self: string): boolean {
  const [one, other] = [new URL(asked), new URL(self, asked)];
  return one.origin === other.origin && one.pathname === other.pathname && question(one) === question(other);
}

/** Whether both URLs are of the same filter, wherever in the feed they stand. */
export function isSameFilter(one: string, other: string): boolean {
  const filter = (url: string) => query(pairsOf(new URL(url)).filter(([key]) => !RESERVED.includes(key)));
  return filter(one) === filter(other);
}

/** The URL that asks the same and lets the server hold the answer for news, this long; 0: not at all. */
export function withWait(url: string, seconds: number): string {
  const asked = new URL(url);
  const pairs = pairsOf(asked).filter(([key]) => key !== "wait");
  return asked.origin + asked.pathname + query(seconds === 0 ? pairs : [...pairs, ["wait", String(seconds)]]);
}

function question(url: URL): string {
  return query(pairsOf(url).filter(([key]) => !NOT_THE_QUESTION.has(key)));
}

function pairsOf(url: URL): [string, string][] {
  return [...url.searchParams.entries()];
}

/** Pairs in the server's one order and encoding, so that a question has one URL and a cache one entry. */
function query(pairs: [string, string][]): string {
  const written = pairs.sort(byBytes).map(([key, value]) => `${encoded(key)}=${encoded(value)}`);
  return written.length === 0 ? "" : `?${[...new Set(written)].join("&")}`;
}

function byBytes([key, value]: [string, string], [otherKey, otherValue]: [string, string]): number {
  return compareUtf8(key, otherKey) || compareUtf8(value, otherValue);
}

function compareUtf8(one: string, other: string): number {
  const [left, right] = [[...one], [...other]];
  for (let at = 0; at < Math.min(left.length, right.length); at += 1) {
    const difference = left[at]!.codePointAt(0)! - right[at]!.codePointAt(0)!;
    if (difference !== 0) return difference;
  }
  return left.length - right.length;
}

function encoded(text: string): string {
  return encodeURIComponent(text)
    .replace(/['()]/g, (letter) => `%${letter.charCodeAt(0).toString(16).toUpperCase()}`)
    .replace(/%3A/g, ":")
    .replace(/%2C/g, ",")
    .replace(/%2F/g, "/")
    .replace(/%40/g, "@");
}
