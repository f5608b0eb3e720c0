/**
 * The demo page, used as a person does: by labels and roles. `MILEPOST_SHOTS` names a folder that
 * screenshots go to.
 */

import assert from "node:assert/strict";
import { spawn, type ChildProcess } from "node:child_process";
import { join } from "node:path";
import { createInterface } from "node:readline";
import { after, before, test } from "node:test";
import { fileURLToPath } from "node:url";
import type { Browser, Page } from "playwright-core";
import { launch } from "../support/browser.js";
import { Server } from "../support/server.js";

const SERVE = fileURLToPath(new URL("../../../demo/serve.mjs", import.meta.url));
const SHOTS = process.env["MILEPOST_SHOTS"];

let browser: Browser;
let server: Server;
let demo: ChildProcess;
let url: string;

before(async () => {
  browser = await launch();
  server = await Server.start();
  demo = spawn(process.execPath, [SERVE, "--server", server.origin, "--port", "0"], { stdio: ["ignore", "pipe", "inherit"] });
  url = await new Promise((resolve) => createInterface({ input: demo.stdout! }).once("line", resolve));
});

after(async () => {
  await browser?.close();
  demo?.kill();
  await server?.remove();
});

async function shoot(page: Page, name: string): Promise<void> {
  if (SHOTS !== undefined) await page.screenshot({ path: join(SHOTS, `${name}.png`), fullPage: true });
}

test("a list is edited in two tabs of one device and on another, and edits that met are resolved", { timeout: 90_000 }, async () => {
  const context = await browser.newContext();
  const failures: string[] = [];
  context.on("weberror", (error) => failures.push(error.error().message));
  const [one, two, other] = [await context.newPage(), await context.newPage(), await context.newPage()];
  await one.goto(url);
  await two.goto(url);
  await other.goto(`${url}?device=2`);
  for (const page of [one, two, other]) await page.getByText("Live").waitFor();
  await one.getByText("equal to the server's").waitFor();
  await shoot(one, "list");

  await one.getByLabel("What to bring").fill("Matches");
  await one.getByRole("button", { name: "Add" }).click();
  for (const page of [two, other]) await page.getByLabel("Name of Matches").waitFor();

  await other.getByRole("switch", { name: "Work offline" }).check();
  await other.getByText("Offline", { exact: true }).waitFor();
  await rename(other, "Stove", "Gas stove");
  await other.getByLabel("Tent is packed").uncheck();
  await other.getByText("not sent yet").first().waitFor();
  await shoot(other, "offline");
  await rename(two, "Stove", "Wood stove");
  await rename(two, "Tent", "Big tent");
  await one.getByLabel("Name of Big tent").waitFor();
  await other.getByRole("switch", { name: "Work offline" }).uncheck();
  await other.getByRole("heading", { name: "Edited in two places" }).waitFor();
  const card = (title: string) => other.getByRole("listitem").filter({ has: other.getByRole("heading", { name: title }) });
  await card("Wood stove").waitFor();
  await card("Big tent").waitFor();
  await shoot(other, "conflicts");
  assert.equal(await card("Wood stove").getByRole("button", { name: "Merge both" }).count(), 0, "both changed the name");
  await card("Wood stove").getByRole("button", { name: "Keep mine" }).click();
  await card("Big tent").getByRole("button", { name: "Merge both" }).click();
  for (const page of [one, two, other]) {
    await page.getByLabel("Name of Gas stove").waitFor();
    await page.getByLabel("Name of Big tent").waitFor();
    await page.getByText("0 of 5 packed").waitFor();
    await page.getByText("equal to the server's").waitFor();
  }
  assert.deepEqual(failures, []);
  await context.close();
});

async function rename(page: Page, from: string, to: string): Promise<void> {
  const name = page.getByLabel(`Name of ${from}`, { exact: true });
  await name.fill(to);
  await name.press("Enter");
}
