/** A replica in memory: for programs that keep nothing, and for tests. It ends with its program. */

import { settled, type Edit } from "./edits.js";
import { advanced, empty, generation, isNewState, toldOf } from "./replica.js";
import type { Applied, EditChange, Item, Replica, Standing, Step } from "./replica.js";

/** An empty replica in memory. */
export function memoryReplica(): Replica {
  return new MemoryReplica();
}

class MemoryReplica implements Replica {
  readonly name = undefined;
  #standing = empty("");
  #generations = new Map<number, Map<string, Item>>();
  #edits = new Map<string, Edit>();

  open(of: string): Promise<Standing> {
    if (this.#standing.of !== of) {
      this.#standing = empty(of);
      this.#generations.clear();
    }
    return Promise.resolve(this.#standing);
  }

  apply(step: Step): Promise<Applied> {
    const before = this.#standing;
    if (before.bookmark !== step.from) return Promise.resolve({ done: false, standing: before });
    const filled = generation(before, step);
    if (step.begin) this.#generations.set(filled, new Map());
    const items = this.#items(filled);
    const touched = [...step.puts.map((item) => item.href), ...step.removes];
    const old = touched.map((href) => items.get(href)).filter((item) => item !== undefined);
    step.puts.forEach((item) => items.set(item.href, item));
    step.removes.forEach((href) => items.delete(href));
    const standing = advanced(before, step, old);
    this.#standing = standing;
    this.#forgetAllBut(standing.shown, filled);
    if (standing.shown === filled) this.#settle(step, isNewState(before, step));
    return Promise.resolve({ done: true, standing, changed: isNewState(before, step) ? "all" : touched });
  }

  #forgetAllBut(...kept: number[]): void {
    for (const number of this.#generations.keys()) if (!kept.includes(number)) this.#generations.delete(number);
  }

  #settle(step: Step, isNew: boolean): void {
    for (const edit of this.#edits.values()) {
      const held = this.#items(this.#standing.shown).get(edit.href);
      this.#keep(edit.href, settled(edit, toldOf(edit, step, { held, isNew }), step.now));
    }
  }

  read(href: string): Promise<{ item: Item | undefined; edit: Edit | undefined }> {
    return Promise.resolve({ item: this.#items(this.#standing.shown).get(href), edit: this.#edits.get(href) });
  }

  readAll(): Promise<{ items: readonly Item[]; edits: readonly Edit[] }> {
    const items = [...this.#items(this.#standing.shown).values()].sort(byHref);
    return Promise.resolve({ items, edits: this.#sortedEdits() });
  }

  edits(): Promise<readonly Edit[]> {
    return Promise.resolve(this.#sortedEdits());
  }

  changeEdit(href: string, change: EditChange): Promise<Edit | undefined> {
    try {
      const edit = change(this.#edits.get(href), this.#items(this.#standing.shown).get(href));
      this.#keep(href, edit);
      return Promise.resolve(edit);
    } catch (error) {
      return Promise.reject(error instanceof Error ? error : new Error(String(error)));
    }
  }

  close(): void {
    // Nothing is open.
  }

  #items(number: number): Map<string, Item> {
    const items = this.#generations.get(number) ?? new Map<string, Item>();
    this.#generations.set(number, items);
    return items;
  }

  #sortedEdits(): Edit[] {
    return [...this.#edits.values()].sort(byHref);
  }

  #keep(href: string, edit: Edit | undefined): void {
    if (edit === undefined) this.#edits.delete(href);
    else this.#edits.set(href, edit);
  }
}

function byHref(one: { href: string }, other: { href: string }): number {
  return one.href < other.href ? -1 : one.href > other.href ? 1 : 0;
}
