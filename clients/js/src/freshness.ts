/**
 * How long an answer says to wait: its freshness lifetime (RFC 9111 §4.2), and `Retry-After`
 * (RFC 9110 §10.2.3). Clocks are not compared, so that one that is wrong cannot lead anybody astray.
 */

/** A response's fields by lower-case name. */
export interface Fields {
  readonly get: (name: string) => string | null;
}

/** Without an explicit lifetime an answer is taken for fresh this long. */
const UNSAID_MS = 5_000;

/** For how many more milliseconds the answer is fresh, 0 and up. */
export function freshMs(fields: Fields): number {
  const directives = (fields.get("cache-control") ?? "").toLowerCase().split(",").map((part) => part.trim());
  if (directives.some((part) => part === "no-store" || part.startsWith("no-cache"))) return 0;
  const lifetime = seconds(directives, "max-age");
  if (lifetime === undefined) return UNSAID_MS;
  const age = Number(fields.get("age") ?? 0);
  return Math.max(0, lifetime - (age > 0 ? age : 0)) * 1000;
}

/** How long the server asks to stay away, in milliseconds; dates are not read. */
export function retryAfterMs(fields: Fields): number {
  const value = fields.get("retry-after") ?? "";
  return /^\d{1,9}$/.test(value) ? Number(value) * 1000 : 0;
}

function seconds(directives: string[], name: string): number | undefined {
  const value = directives.find((part) => part.startsWith(`${name}=`))?.slice(name.length + 1).replaceAll('"', "");
  return value !== undefined && /^\d+$/.test(value) ? Number(value) : undefined;
}
