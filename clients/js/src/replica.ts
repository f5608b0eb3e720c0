/**
 * What a replica is: the items, the bookmark and the edits of one collection, changed together or
 * not at all. Here is what every replica does the same, as pure functions; `memory.ts` and
 * `indexeddb.ts` keep it.
 *
 * Items lie in *generations*. A page that replaces begins a new one beside the one that is shown; it
 * is shown, and the old one goes, when it is whole. So a resync never shows half a collection, and
 * one that is killed goes on.
 */

import { SetDigest } from "./digest.js";
import type { Edit } from "./edits.js";
import type { Change, Page } from "./wire.js";

/** One resource as the server's feed told it. */
export interface Item {
  readonly href: string;
  readonly id: string;
  readonly etag: string;
  readonly text: string;
  /** For the set digest; missing where there is no WebCrypto. */
  readonly hash?: Uint8Array | undefined;
}

/** Where a replica stands. */
export interface Standing {
  /** The collection and filter that it is of. */
  readonly of: string;
  /** The URL to go on from; `null`: nothing was ever applied. */
  readonly bookmark: string | null;
  /** The position of the last page, for people. */
  readonly position: string | undefined;
  /** Whether the last page was the last there was. */
  readonly isAtHead: boolean;
  /** Whether what is shown is a whole state, as of some position. */
  readonly isWhole: boolean;
  /** The generation that is read. */
  readonly shown: number;
  /** The generation that pages are applied to. */
  readonly filled: number;
  /** The digest of the filled generation; `undefined` once something in it could not be hashed. */
  readonly digest: string | undefined;
  /** How the digest compared with the server's the last time it told one. */
  readonly isExact: boolean | undefined;
}

/** A page as it is applied. */
export interface Step {
  readonly from: string | null;
  readonly begin: boolean;
  readonly finish: boolean;
  readonly bookmark: string;
  readonly position: string;
  /** The server's digest, where the page told one. */
  readonly digest: string | undefined;
  readonly puts: readonly Item[];
  readonly removes: readonly string[];
  /** This machine's clock, in milliseconds since 1970. */
  readonly now: number;
}

/** What became of a step: applied, or not because the replica had moved on. */
export type Applied =
  | { readonly done: true; readonly standing: Standing; readonly changed: readonly string[] | "all" }
  | { readonly done: false; readonly standing: Standing };

/** Changes an edit in the transaction that reads it, or leaves it; `undefined` drops it. */
export type EditChange = (edit: Edit | undefined, held: Item | undefined) => Edit | undefined;

/**
 * Keeps one collection. Every method is one transaction; several tabs may call them at once.
 *
 * Rejects with the storage's own error where there is no room or no storage; then nothing changed.
 */
export interface Replica {
  /** What tabs that share it call it; `undefined` where it belongs to one program. */
  readonly name: string | undefined;
  /** Where it stands; a replica of another collection or filter is emptied first, its edits kept. */
  open(of: string): Promise<Standing>;
  /** Applies a page if the bookmark is still `step.from`; rejects where it was opened for another collection since. */
  apply(step: Step): Promise<Applied>;
  /** One resource as the feed told it, and its edit. */
  read(href: string): Promise<{ readonly item: Item | undefined; readonly edit: Edit | undefined }>;
  /** All of them, in the order of their URLs. */
  readAll(): Promise<{ readonly items: readonly Item[]; readonly edits: readonly Edit[] }>;
  /** All edits, in the order of their URLs. */
  edits(): Promise<readonly Edit[]>;
  /** Changes one edit; the outcome is what stands afterwards. */
  changeEdit(href: string, change: EditChange): Promise<Edit | undefined>;
  /** Lets go of what it holds open. */
  close(): void;
}

/** The standing of an empty replica. */
export function empty(of: string): Standing {
  return {
    of,
    bookmark: null,
    position: undefined,
    isAtHead: false,
    isWhole: false,
    shown: 0,
    filled: 0,
    digest: SetDigest.empty.toString(),
    isExact: undefined,
  };
}

/** The generation that a step's items belong to. */
export function generation(standing: Standing, step: Step): number {
  // The first ever is shown while it is filled; there is nothing else to show.
  return step.begin && standing.bookmark !== null ? standing.filled + 1 : standing.filled;
}

/** Where the replica stands after a step; `old` are the versions that the step's items take the place of. */
export function advanced(standing: Standing, step: Step, old: readonly Item[]): Standing {
  const filled = generation(standing, step);
  const before = step.begin ? SetDigest.empty.toString() : standing.digest;
  const digest = summed(before, old, step.puts);
  const isIdle = !step.begin && step.puts.length + step.removes.length === 0;
  const isCompared = step.finish && step.digest !== undefined && digest !== undefined;
  return {
    of: standing.of,
    bookmark: step.bookmark,
    position: step.position,
    isAtHead: step.finish,
    isWhole: step.finish || standing.isWhole,
    shown: step.finish ? filled : standing.shown,
    filled,
    digest,
    isExact: isCompared ? digest === step.digest : isIdle ? standing.isExact : undefined,
  };
}

function summed(before: string | undefined, old: readonly Item[], puts: readonly Item[]): string | undefined {
  if (before === undefined) return undefined;
  let digest = SetDigest.parse(before);
  for (const { hash } of old) {
    if (hash === undefined) return undefined;
    digest = digest.remove(hash);
  }
  for (const { hash } of puts) {
    if (hash === undefined) return undefined;
    digest = digest.add(hash);
  }
  return digest.toString();
}

/** Whether everything that is shown may be another with this step. */
export function isNewState(before: Standing, step: Step): boolean {
  return step.begin || (step.finish && before.filled !== before.shown);
}

/** What a step says of an edit's resource; a whole new state says something of every resource. */
export function toldOf(edit: Edit, step: Step, now: { readonly held: Item | undefined; readonly isNew: boolean }): Change | undefined {
  const gone = { href: edit.href, id: edit.id, deleted: true } as const;
  if (now.isNew && step.finish) return now.held ?? gone;
  if (step.removes.includes(edit.href)) return gone;
  const isTold = step.puts.some((item) => item.href === edit.href) || now.held?.etag === edit.pushed?.etag;
  return isTold ? now.held : undefined;
}

/** A page's step: later entries of a page win over earlier ones. */
export function stepOf(
  page: Page,
  way: Pick<Step, "from" | "begin" | "finish" | "bookmark" | "now">,
  hashes: ReadonlyMap<string, Uint8Array>,
): Step {
  const puts = new Map<string, Item>();
  const removes = new Set<string>();
  for (const change of page.items) {
    puts.delete(change.href);
    removes.delete(change.href);
    if ("deleted" in change) removes.add(change.href);
    else puts.set(change.href, { ...change, hash: hashes.get(change.href) });
  }
  return { ...way, position: page.position, digest: page.digest, puts: [...puts.values()], removes: [...removes] };
}
