/**
 * Tabs that share one replica: which of them follows and pushes, and how the others hear of it.
 *
 * The tab that holds a Web Lock leads; when it closes, crashes or is frozen, the browser gives the lock to the
 * next. Where there are no Web Locks every tab leads: replicas turn away what was asked from an
 * old bookmark, so that is only more requests, not another outcome.
 */

import type { Edit } from "./edits.js";

/** What tabs tell each other. */
export type Message<Status> =
  | { readonly kind: "changed"; readonly hrefs: readonly string[] | "all" }
  | { readonly kind: "edited" }
  | { readonly kind: "discarded"; readonly edit: Edit }
  | { readonly kind: "status"; readonly status: Status }
  | { readonly kind: "resync" }
  | { readonly kind: "hello" };

/** A way to all other tabs. */
export interface Channel<Status> {
  tell(message: Message<Status>): void;
  close(): void;
}

/** Runs `lead` while this tab leads, at once where nothing is shared; resolves when it is over. Rejects as `lead` does. */
export async function whileLeading(name: string | undefined, signal: AbortSignal, lead: () => Promise<void>): Promise<void> {
  const locks = (globalThis.navigator as Navigator | undefined)?.locks as LockManager | undefined;
  if (locks === undefined || name === undefined) return lead();
  try {
    await locks.request(name, { signal }, () => (signal.aborted ? undefined : lead()));
  } catch (error) {
    if (!signal.aborted) throw error;
  }
}

/** The channel of that name, silent where there is none; messages of other tabs go to `heard`. */
export function openChannel<Status>(name: string | undefined, heard: (message: Message<Status>) => void): Channel<Status> {
  if (name === undefined || typeof BroadcastChannel === "undefined") return { tell: () => undefined, close: () => undefined };
  const channel = new BroadcastChannel(name);
  channel.onmessage = (event: MessageEvent<Message<Status>>) => heard(event.data);
  // In Node a channel keeps its program alive.
  (channel as { unref?: () => void }).unref?.();
  return { tell: (message) => channel.postMessage(message), close: () => channel.close() };
}
