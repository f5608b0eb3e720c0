/**
 * The set digest, by which a replica proves that it holds exactly what the server holds.
 *
 * For each resource: SHA-256 of `{id} {etag}` in UTF-8, the tag with its quotes, the id with those of
 * its parents before it (`17/t-9`); the hashes added up modulo 2^256, in 64 hexadecimal digits. It is
 * kept with every page, so proving costs no walk over what is held.
 */

const MODULUS = 1n << 256n;

/** The hash of one version; `undefined` where there is no WebCrypto: a page that came by plain http. */
export async function hashOf(ids: string, etag: string): Promise<Uint8Array | undefined> {
  const subtle = (globalThis.crypto as Crypto | undefined)?.subtle as SubtleCrypto | undefined;
  if (subtle === undefined) return undefined;
  return new Uint8Array(await subtle.digest("SHA-256", new TextEncoder().encode(`${ids} ${etag}`)));
}

/** The ids of a resource, outermost first: its own, and those that `-` stands for in the collection's path. */
export function idsOf(collectionPath: string, href: string): string {
  const [pattern, segments] = [collectionPath.split("/"), href.split("/")];
  const ids = segments.filter((_, index) => pattern[index] === "-" || index === segments.length - 1);
  return ids.join("/");
}

/** A sum of hashes; immutable. */
export class SetDigest {
  readonly #sum: bigint;

  private constructor(sum: bigint) {
    this.#sum = ((sum % MODULUS) + MODULUS) % MODULUS;
  }

  /** The digest of nothing. */
  static readonly empty = new SetDigest(0n);

  /** Reads what {@link toString} wrote. */
  static parse(text: string): SetDigest {
    return new SetDigest(BigInt(`0x${text}`));
  }

  /** With one version more. */
  add(hash: Uint8Array): SetDigest {
    return new SetDigest(this.#sum + numberOf(hash));
  }

  /** With one version less. */
  remove(hash: Uint8Array): SetDigest {
    return new SetDigest(this.#sum - numberOf(hash));
  }

  /** 64 lower-case hexadecimal digits, as on the wire. */
  toString(): string {
    return this.#sum.toString(16).padStart(64, "0");
  }
}

function numberOf(hash: Uint8Array): bigint {
  let hex = "0x";
  for (const byte of hash) hex += byte.toString(16).padStart(2, "0");
  return BigInt(hex);
}
