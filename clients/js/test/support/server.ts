/** The real server: the binary that `MILEPOST_BIN` names, on a free port, with a folder of its own. */

import { spawn, spawnSync, type ChildProcess } from "node:child_process";
import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { createInterface } from "node:readline";
import { fileURLToPath } from "node:url";

const BINARY = process.env["MILEPOST_BIN"] ?? fileURLToPath(new URL("../../../../../target/debug/milepost", import.meta.url));
const JSON_TYPE = { "Content-Type": "application/json" };

export class Server {
  readonly #child: ChildProcess;
  readonly #ended: Promise<void>;

  private constructor(readonly origin: string, readonly folder: string, child: ChildProcess) {
    this.#child = child;
    this.#ended = new Promise((resolve) => child.once("exit", () => resolve()));
  }

  /** Starts it on a folder (a new one if left out) and waits until it listens. */
  static async start(options: { folder?: string; port?: number; words?: string[] } = {}): Promise<Server> {
    const folder = options.folder ?? mkdtempSync(join(tmpdir(), "milepost-js-"));
    const words = ["serve", "--json", "--log", "off", "--listen", `127.0.0.1:${options.port ?? 0}`, "--data", join(folder, "data"), ...(options.words ?? [])];
    const child = spawn(BINARY, words, { stdio: ["ignore", "pipe", "pipe"] });
    let said = "";
    child.stderr!.setEncoding("utf8").on("data", (text: string) => (said += text));
    const line = await new Promise<string>((resolve, reject) => {
      child.once("error", reject);
      child.once("exit", (code) => reject(new Error(`milepost serve ended with ${code}: ${said}`)));
      createInterface({ input: child.stdout! }).once("line", resolve);
    });
    const { urls } = JSON.parse(line) as { urls: string[] };
    return new Server(new URL(urls[0]!).origin, folder, child);
  }

  get port(): number {
    return Number(new URL(this.origin).port);
  }

  /** Ends it at once, as a crash does. */
  async kill(): Promise<void> {
    this.#child.kill("SIGKILL");
    await this.#ended;
  }

  /** Ends it and removes its folder. */
  async remove(): Promise<void> {
    await this.kill();
    rmSync(this.folder, { recursive: true, force: true });
  }

  /** Kills it and starts another process on the same folder and port. */
  async replace(): Promise<Server> {
    await this.kill();
    return Server.start({ folder: this.folder, port: this.port });
  }

  collection(name: string): string {
    return `${this.origin}/v1/${name}`;
  }

  async define(name: string, definition: object = {}): Promise<void> {
    await this.#send("PUT", `/v1/-/collections/${name}`, definition, [201]);
  }

  /** Writes a resource whatever stands there. */
  async put(path: string, value: unknown): Promise<void> {
    const isThere = (await fetch(`${this.origin}/v1/${path}`, { method: "HEAD" })).ok;
    await this.#send("PUT", `/v1/${path}`, value, [200, 201, 204], isThere ? { "If-Match": "*" } : {});
  }

  async delete(path: string): Promise<void> {
    await this.#send("DELETE", `/v1/${path}`, undefined, [204], { "If-Match": "*" });
  }

  /** Many writes as one. */
  async transact(operations: object[]): Promise<void> {
    await this.#send("PUT", `/v1/-/transactions/${crypto.randomUUID()}`, { operations }, [201]);
  }

  async read(path: string): Promise<unknown> {
    const response = await fetch(`${this.origin}/v1/${path}`);
    if (response.status !== 404) return response.json();
    await response.arrayBuffer();
    return undefined;
  }

  /** Everything in a collection as a plain listing shows it, by href: tag and value. */
  async listed(path: string): Promise<Record<string, [string, unknown]>> {
    const found: Record<string, [string, unknown]> = {};
    let next: string | undefined = `/v1/${path}`;
    while (next !== undefined) {
      const response = await fetch(this.origin + next, { headers: { "Cache-Control": "no-cache" } });
      const page = (await response.json()) as { items: { href: string; etag: string; value: unknown }[]; next?: string };
      for (const { href, etag, value } of page.items) found[href] = [etag, value];
      next = page.next;
    }
    return found;
  }

  async #send(method: string, path: string, value: unknown, wanted: number[], fields: Record<string, string> = {}): Promise<void> {
    const body = value === undefined ? {} : { body: JSON.stringify(value) };
    const response = await fetch(this.origin + path, { method, headers: { ...JSON_TYPE, ...fields }, ...body });
    if (!wanted.includes(response.status)) throw new Error(`${method} ${path}: ${response.status} ${await response.text()}`);
    await response.arrayBuffer();
  }
}

/** Runs another command of the binary to its end. */
export function milepost(...words: string[]): void {
  const { status, stderr } = spawnSync(BINARY, words, { encoding: "utf8" });
  if (status !== 0) throw new Error(`milepost ${words.join(" ")}: ${stderr}`);
}
