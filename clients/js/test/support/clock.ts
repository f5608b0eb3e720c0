/** A clock whose hands jump to the next alarm whenever nothing else is going on. */

import type { Clock } from "../../src/index.js";
import type { Random } from "./random.js";

interface Alarm {
  readonly at: number;
  readonly ring: () => void;
}

export class VirtualClock implements Clock {
  #now = 1_700_000_000_000;
  #alarms: Alarm[] = [];
  #isTicking = false;
  /** Every wait that ran its whole time, in milliseconds. */
  readonly waits: number[] = [];

  constructor(readonly chance: Random) {}

  now(): number {
    return this.#now;
  }

  random(): number {
    return this.chance.next();
  }

  sleep(ms: number, signal: AbortSignal): Promise<void> {
    return new Promise((resolve) => {
      if (signal.aborted) return resolve();
      const alarm = { at: this.#now + ms, ring: () => (this.waits.push(ms), resolve()) };
      this.#alarms.push(alarm);
      signal.addEventListener("abort", () => (this.#remove(alarm), resolve()), { once: true });
      this.#tick();
    });
  }

  #tick(): void {
    if (this.#isTicking || this.#alarms.length === 0) return;
    this.#isTicking = true;
    // Some turns of the event loop, so that work that is under way comes first.
    let turns = 8;
    const turn = () => {
      turns -= 1;
      if (turns > 0) return void setImmediate(turn);
      this.#isTicking = false;
      const next = this.#alarms.reduce<Alarm | undefined>((least, alarm) => (least === undefined || alarm.at < least.at ? alarm : least), undefined);
      if (next === undefined) return;
      this.#remove(next);
      this.#now = Math.max(this.#now, next.at);
      next.ring();
      this.#tick();
    };
    setImmediate(turn);
  }

  #remove(alarm: Alarm): void {
    this.#alarms = this.#alarms.filter((other) => other !== alarm);
  }
}
