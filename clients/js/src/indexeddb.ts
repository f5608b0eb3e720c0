/**
 * A replica in IndexedDB: it stays when the page is closed, and the tabs of an origin share it.
 *
 * A page's items, the bookmark and the edits that it settles are written in one transaction, so the
 * browser may end at any moment. Which tab writes is nobody's concern here: a page that was asked
 * for from another bookmark than the one that stands is turned away.
 */

import { settled, type Edit } from "./edits.js";
import { advanced, empty, generation, isNewState, toldOf } from "./replica.js";
import type { Applied, EditChange, Item, Replica, Standing, Step } from "./replica.js";

/** The database's layout; a newer one is not opened by older code. */
const FORMAT = 1;
const STORES = ["standing", "items", "edits"];
const STANDING_KEY = "standing";

/** A database that another tab holds open in an older layout, or that is of a newer one. */
export class StorageError extends Error {
  override readonly name = "StorageError";
}

/** The replica in the database of that name, made if it is not there. */
export async function indexedDbReplica(name: string, factory: IDBFactory = indexedDB): Promise<Replica> {
  return new IndexedDbReplica(await opened(factory, name));
}

/** Deletes the database of that name, edits that were not pushed included. */
export async function deleteIndexedDbReplica(name: string, factory: IDBFactory = indexedDB): Promise<void> {
  await answer(factory.deleteDatabase(name));
}

async function opened(factory: IDBFactory, name: string): Promise<IDBDatabase> {
  const request = factory.open(name, FORMAT);
  request.onupgradeneeded = () => {
    request.result.createObjectStore("standing");
    request.result.createObjectStore("items", { keyPath: ["generation", "href"] });
    request.result.createObjectStore("edits", { keyPath: "href" });
  };
  const blocked = new Promise<never>((_, reject) => {
    request.onblocked = () => reject(new StorageError(`${name}: close the other tabs; one holds an older layout open`));
  });
  const database = await Promise.race([answer(request), blocked]);
  database.onversionchange = () => database.close();
  return database;
}

/** An item as it is stored. */
type Row = Item & { readonly generation: number };

class IndexedDbReplica implements Replica {
  readonly #database: IDBDatabase;
  #of = "";

  constructor(database: IDBDatabase) {
    this.#database = database;
  }

  get name(): string {
    return this.#database.name;
  }

  open(of: string): Promise<Standing> {
    this.#of = of;
    return this.#write(async ({ standing, items }) => {
      const found = await this.#standing(standing);
      if (found.of === of) return found;
      items.clear();
      const fresh = empty(of);
      standing.put(fresh, STANDING_KEY);
      return fresh;
    });
  }

  apply(step: Step): Promise<Applied> {
    return this.#write(async (stores) => {
      const before = await this.#standing(stores.standing);
      if (before.of !== this.#of) throw new StorageError(`${this.name}: another tab keeps ${before.of} under this name; give each collection and filter a name of its own`);
      if (before.bookmark !== step.from) return { done: false, standing: before };
      const standing = await applied(stores.items, before, step);
      stores.standing.put(standing, STANDING_KEY);
      const isNew = isNewState(before, step);
      if (standing.shown === standing.filled) await settle(stores, { step, isNew, shown: standing.shown });
      const touched = [...step.puts.map((item) => item.href), ...step.removes];
      return { done: true, standing, changed: isNew ? "all" : touched };
    });
  }

  read(href: string): Promise<{ item: Item | undefined; edit: Edit | undefined }> {
    return this.#read(async ({ standing, items, edits }) => {
      const { shown } = await this.#standing(standing);
      const [row, edit] = await Promise.all([
        answer(items.get([shown, href]) as IDBRequest<Row | undefined>),
        answer(edits.get(href) as IDBRequest<Edit | undefined>),
      ]);
      return { item: row && itemOf(row), edit };
    });
  }

  readAll(): Promise<{ items: readonly Item[]; edits: readonly Edit[] }> {
    return this.#read(async ({ standing, items, edits }) => {
      const { shown } = await this.#standing(standing);
      const [rows, all] = await Promise.all([
        answer(items.getAll(generations(shown, shown)) as IDBRequest<Row[]>),
        answer(edits.getAll() as IDBRequest<Edit[]>),
      ]);
      return { items: rows.map(itemOf), edits: all };
    });
  }

  edits(): Promise<readonly Edit[]> {
    return this.#read(({ edits }) => answer(edits.getAll() as IDBRequest<Edit[]>));
  }

  changeEdit(href: string, change: EditChange): Promise<Edit | undefined> {
    return this.#write(async ({ standing, items, edits }) => {
      const { shown } = await this.#standing(standing);
      const [row, before] = await Promise.all([
        answer(items.get([shown, href]) as IDBRequest<Row | undefined>),
        answer(edits.get(href) as IDBRequest<Edit | undefined>),
      ]);
      const edit = change(before, row && itemOf(row));
      if (edit === undefined) edits.delete(href);
      else if (edit !== before) edits.put(edit);
      return edit;
    }, "strict");
  }

  close(): void {
    this.#database.close();
  }

  async #standing(store: IDBObjectStore): Promise<Standing> {
    return (await answer(store.get(STANDING_KEY) as IDBRequest<Standing | undefined>)) ?? empty("");
  }

  #read<T>(work: (stores: Stores) => Promise<T>): Promise<T> {
    return within(this.#database.transaction(STORES, "readonly"), work);
  }

  #write<T>(work: (stores: Stores) => Promise<T>, durability: IDBTransactionDurability = "default"): Promise<T> {
    return within(this.#database.transaction(STORES, "readwrite", { durability }), work);
  }
}

interface Stores {
  readonly standing: IDBObjectStore;
  readonly items: IDBObjectStore;
  readonly edits: IDBObjectStore;
}

async function applied(items: IDBObjectStore, before: Standing, step: Step): Promise<Standing> {
  const filled = generation(before, step);
  if (step.begin) items.delete(generations(filled, filled));
  const touched = [...step.puts.map((item) => item.href), ...step.removes];
  const rows = await Promise.all(touched.map((href) => answer(items.get([filled, href]) as IDBRequest<Row | undefined>)));
  for (const item of step.puts) items.put({ ...item, generation: filled });
  for (const href of step.removes) items.delete([filled, href]);
  const standing = advanced(before, step, rows.filter((row) => row !== undefined));
  forgetAllBut(items, standing);
  return standing;
}

/** Deletes the generations below, between and above the one that is shown and the one that is filled. */
function forgetAllBut(items: IDBObjectStore, { shown, filled }: Standing): void {
  const [low, high] = [Math.min(shown, filled), Math.max(shown, filled)];
  const between = [[0, low - 1], [low + 1, high - 1], [high + 1, Number.MAX_SAFE_INTEGER]] as const;
  for (const [first, last] of between) if (first <= last) items.delete(generations(first, last));
}

async function settle(stores: Stores, at: { step: Step; isNew: boolean; shown: number }): Promise<void> {
  const edits = await answer(stores.edits.getAll() as IDBRequest<Edit[]>);
  for (const edit of edits.filter(({ state }) => state === "pushed")) {
    const row = await answer(stores.items.get([at.shown, edit.href]) as IDBRequest<Row | undefined>);
    const rest = settled(edit, toldOf(edit, at.step, { held: row, isNew: at.isNew }), at.step.now);
    if (rest === undefined) stores.edits.delete(edit.href);
  }
}

/** All keys of the generations from `first` to `last`, both included; an array sorts after every text. */
function generations(first: number, last: number): IDBKeyRange {
  return IDBKeyRange.bound([first], [last, []]);
}

function itemOf({ generation: _generation, ...item }: Row): Item {
  return item;
}

function answer<T>(request: IDBRequest<T>): Promise<T> {
  return new Promise((resolve, reject) => {
    request.onsuccess = () => resolve(request.result);
    request.onerror = () => reject(request.error ?? new StorageError("the request failed"));
  });
}

/** Runs `work` in a transaction; resolves once it is committed, rolls back when `work` throws. */
async function within<T>(transaction: IDBTransaction, work: (stores: Stores) => Promise<T>): Promise<T> {
  const committed = new Promise<void>((resolve, reject) => {
    transaction.oncomplete = () => resolve();
    transaction.onerror = () => reject(transaction.error ?? new StorageError("the transaction failed"));
    transaction.onabort = () => reject(transaction.error ?? new StorageError("the transaction was rolled back"));
  });
  // Whoever awaits below hears of it; a rejection while `work` still runs must not count as unheard.
  committed.catch(() => undefined);
  const [standing, items, edits] = STORES.map((name) => transaction.objectStore(name)) as [IDBObjectStore, IDBObjectStore, IDBObjectStore];
  let outcome: T;
  try {
    outcome = await work({ standing, items, edits });
  } catch (error) {
    if (transaction.error === null) abort(transaction);
    throw error;
  }
  await committed;
  return outcome;
}

function abort(transaction: IDBTransaction): void {
  try {
    transaction.abort();
  } catch {
    // It has ended by itself.
  }
}
