/**
 * Flows in a real browser whose pages run no script, used as a person does: by labels, buttons and links. Between
 * every two steps the server is killed and another one takes its place. `MILEPOST_SHOTS` names a folder that screenshots go to.
 */

import assert from "node:assert/strict";
import { join } from "node:path";
import { after, before, test } from "node:test";
import type { Browser, BrowserContextOptions, Page } from "playwright-core";
import { launch } from "../support/browser.js";
import { watched, withFlows } from "../support/flows.js";
import { Server } from "../support/server.js";

const SHOTS = process.env["MILEPOST_SHOTS"];
const patience = { timeout: 90_000 };
const NARROW = { viewport: { width: 320, height: 640 } };

let browser: Browser;
let server: Server;

before(async () => {
  browser = await launch();
  server = await Server.start();
  await withFlows(server);
});

after(async () => {
  await browser?.close();
  await server?.remove();
});

/** A page in a profile of its own, without script. */
async function profile(options: BrowserContextOptions = {}): Promise<Page> {
  const context = await browser.newContext({ ...options, javaScriptEnabled: false, locale: "en-GB" });
  return context.newPage();
}

async function shoot(page: Page, name: string): Promise<void> {
  if (SHOTS !== undefined) await page.screenshot({ path: join(SHOTS, `flow-${name}.png`), fullPage: true });
}

const flow = (name: string) => `${server.origin}/v1/-/flows/${name}`;

/** What was asked last, once the page is there. */
function heading(page: Page): Promise<string> {
  return page.getByRole("heading", { level: 1 }).innerText();
}

/** Presses a button: the next page is there when this returns. */
async function press(page: Page, name: string): Promise<void> {
  await page.getByRole("button", { name, exact: true }).click();
}

/** The server dies without a word, and another one takes its place. */
async function killed(): Promise<void> {
  server = await server.replace();
}

const person = async (page: Page) => {
  await page.getByLabel("Full name").fill("Ada Lovelace");
  await page.getByLabel("Email").fill("ada@example.org");
};
const address = async (page: Page) => {
  await page.getByLabel("Street and number").fill("St James's Square 12");
  await page.getByLabel("City").fill("London");
  await page.getByLabel("Country").selectOption("elsewhere");
};
const identity = async (page: Page) => {
  await page.getByLabel("Kind of document").selectOption("passport");
  await page.getByLabel("Its number").fill("P-1815");
};
/** A picture of one point. */
const SCAN = {
  name: "passport.png",
  mimeType: "image/png",
  buffer: Buffer.from("iVBORw0KGgoAAAANSUhEUgAAAAEAAAABCAYAAAAfFcSJAAAADUlEQVR42mNk+M9QDwADhgGAWjR9awAAAABJRU5ErkJggg==", "base64"),
};
const consents = async (page: Page) => {
  await page.getByLabel("I will bring back what I borrow").check();
};
const STEPS: [string, (page: Page) => Promise<void>][] = [
  ["About you", person],
  ["Where you live", address],
  ["A document that says who you are", identity],
  ["What you agree to", consents],
];

/** From the first step on, up to the heading that is named. */
async function walk(page: Page, to: string): Promise<void> {
  await page.goto(flow("registration"));
  for (const [title, fill] of STEPS) {
    if (title === to) return;
    assert.equal(await heading(page), title);
    await fill(page);
    await press(page, "Next");
  }
}

test("a registration is made once and nothing before: back, reload, two tabs, another device, a server killed at each step", patience, async () => {
  const stored = await watched(server);
  const nothing = async () => assert.deepEqual(await stored(server.origin), [], "nothing is stored before the last step");
  const page = await profile();
  await page.goto(flow("registration"));
  await person(page);
  await killed();
  await press(page, "Next");
  assert.equal(await heading(page), "Where you live");

  await killed();
  await page.goBack();
  assert.equal(await heading(page), "About you");
  await killed();
  await page.goForward();
  assert.equal(await heading(page), "Where you live");
  await killed();
  await page.reload();
  assert.equal(await heading(page), "Where you live");
  await address(page);
  await killed();
  await press(page, "Next");
  assert.equal(await heading(page), "A document that says who you are");
  await nothing();

  // A second tab is at the same place, and both go on.
  const tab = await page.context().newPage();
  await tab.goto(page.url());
  await killed();
  await identity(tab);
  await press(tab, "Next");
  assert.equal(await heading(tab), "What you agree to");
  await killed();
  await press(tab, "Back");
  assert.equal(await tab.getByLabel("Its number").inputValue(), "P-1815", "what was answered stands there");
  await identity(page);
  await killed();
  await press(page, "Next");
  await consents(page);
  await killed();
  await press(page, "Next");
  assert.equal(await heading(page), "Look at your answers");
  await nothing();

  // Another device: a profile that shares nothing with the first.
  await page.getByText("Save my place").first().click();
  const link = await page.getByRole("link", { name: "Save my place" }).getAttribute("href");
  const device = await profile();
  await killed();
  await device.goto(new URL(link!, server.origin).href);
  assert.equal(await heading(device), "Look at your answers");
  assert.ok(await device.getByText("St James's Square 12").isVisible());
  await nothing();

  await killed();
  await press(device, "Finish");
  assert.equal(await heading(device), "Done");
  await killed();
  await press(page, "Finish");
  assert.equal(await heading(page), "Done");
  await killed();
  await page.goBack();
  await press(page, "Finish");
  assert.equal(await heading(page), "Done");
  await killed();
  await page.reload();
  assert.equal(await heading(page), "Done");

  const made = await stored(server.origin);
  const registrations = made.filter((href) => href.startsWith("/v1/registrations/"));
  assert.equal(registrations.length, 1, "exactly one registration");
  assert.deepEqual(made.filter((href) => !href.startsWith("/v1/-/transactions/")), registrations);
  const registration = (await server.read(registrations[0]!.slice("/v1/".length))) as { name: string; address: { city: string } };
  assert.deepEqual([registration.name, registration.address.city], ["Ada Lovelace", "London"]);
});

test("every step can be read and used: by its labels, on a narrow screen, in the dark, in the reader's language", patience, async () => {
  const looks: [string, BrowserContextOptions][] = [["wide", {}], ["narrow", NARROW], ["dark", { colorScheme: "dark" }]];
  for (const [look, options] of looks) {
    const page = await profile(options);
    await page.goto(flow("registration"));
    for (const [place, [title, fill]] of STEPS.entries()) {
      assert.equal(await heading(page), title);
      assert.equal(await page.getByRole("progressbar").getAttribute("value"), String(place + 1));
      assert.match(await page.title(), new RegExp(`^${title} .*Register as a reader`));
      await shoot(page, `${look}-${place + 1}`);
      await fits(page);
      await fill(page);
      await press(page, "Next");
    }
    await page.getByText("Save my place").first().click();
    await shoot(page, `${look}-5`);
    await fits(page);
    await press(page, "Finish");
    await shoot(page, `${look}-done`);
    await fits(page);
    await page.context().close();
  }
  const polish = await browser.newContext({ javaScriptEnabled: false, locale: "pl-PL" });
  const page = await polish.newPage();
  await page.goto(flow("registration"));
  assert.equal(await heading(page), "O Tobie");
  await page.getByLabel("Imię i nazwisko").fill("Ada");
  await shoot(page, "polish");
  await polish.close();
  const german = await browser.newContext({ javaScriptEnabled: false, locale: "de-DE" });
  const seite = await german.newPage();
  await seite.goto(flow("registration"));
  assert.equal(await heading(seite), "Über Sie");
  await seite.getByLabel("Vor- und Nachname").fill("Ada");
  await shoot(seite, "german");
  await german.close();
});

/** WCAG 2.2, 1.4.10: nothing has to be scrolled sideways. */
async function fits(page: Page): Promise<void> {
  const [content, window] = await page.evaluate(() => [document.documentElement.scrollWidth, document.documentElement.clientWidth]);
  assert.ok(content! <= window!, `${content} pixels wide in ${window}`);
}

test("a scan is uploaded once, kept when its step is answered again, and made lasting with the registration", patience, async () => {
  const page = await profile();
  await walk(page, "A document that says who you are");
  const stored = await watched(server);
  await identity(page);
  await shoot(page, "scan-empty");
  await fits(page);
  await page.getByLabel("Scan or photo").setInputFiles({ ...SCAN, name: "letter.png", buffer: Buffer.from("Dear Sir or Madam") });
  await press(page, "Next");
  assert.match(await page.locator("#scan-error").innerText(), /JPEG, PNG, PDF/);
  await shoot(page, "scan-wrong");
  await page.getByLabel("Scan or photo").setInputFiles(SCAN);
  await killed();
  await press(page, "Next");
  assert.equal(await heading(page), "What you agree to");
  const drafts = await stored(server.origin);
  assert.equal(drafts.length, 1, "the scan, and nothing else");
  await killed();
  await press(page, "Back");
  assert.match(await page.locator("#scan-chosen").innerText(), /passport\.png/);
  await shoot(page, "scan-chosen");
  await fits(page);
  await killed();
  await press(page, "Next");
  await consents(page);
  await press(page, "Next");
  assert.ok(await page.getByText("passport.png").isVisible());
  await killed();
  await press(page, "Finish");
  assert.equal(await heading(page), "Done");
  await page.goBack();
  await press(page, "Finish");
  assert.equal(await heading(page), "Done");

  const made = await stored(server.origin);
  const scans = made.filter((href) => href.startsWith("/v1/documents/"));
  assert.deepEqual(scans, drafts, "sent again, kept and finished twice: one scan");
  const registered = made.filter((href) => href.startsWith("/v1/registrations/"));
  assert.equal(registered.length, 1);
  const registration = (await server.read(registered[0]!.slice("/v1/".length))) as { identity: { scan: string } };
  assert.equal(registration.identity.scan, scans[0]);
  const scan = (await server.read(scans[0]!.slice("/v1/".length))) as { name: string; draft?: boolean };
  assert.deepEqual([scan.name, scan.draft], ["passport.png", undefined]);
});

test("what is wrong stands beside its field and above all, and what was typed stays", patience, async () => {
  const page = await profile();
  await walk(page, "What you agree to");
  // The browser would hold back a form that it finds incomplete; another browser may not.
  await page.evaluate(() => document.querySelector("form")!.setAttribute("novalidate", ""));
  await page.getByLabel("Tell me about new books").check();
  await press(page, "Next");
  assert.match(await page.title(), /^Error: /);
  const box = page.getByLabel("I will bring back what I borrow");
  assert.equal(await box.getAttribute("aria-invalid"), "true");
  const described = (await box.getAttribute("aria-describedby"))!;
  assert.equal(await page.locator(`#${described}`).innerText(), await page.locator(".error").innerText());
  assert.equal(await page.getByLabel("Tell me about new books").isChecked(), true);
  await shoot(page, "wrong");
  await page.getByRole("alert").getByRole("link").click();
  assert.equal(await box.evaluate((element) => element === document.activeElement), true, "the summary leads to the field");
  await box.check();
  await killed();
  await press(page, "Next");
  assert.equal(await heading(page), "Look at your answers");
});

test("a price that changed meanwhile is shown, and has to be accepted", patience, async () => {
  const page = await profile();
  await page.goto(flow("checkout"));
  await page.getByLabel("Edition").selectOption("solaris-1961");
  await page.getByLabel("How many").fill("3");
  await page.getByLabel("It is a gift").check();
  await shoot(page, "checkout-1");
  await press(page, "Next");
  await page.getByLabel("What shall the card say?").fill("Happy birthday");
  await press(page, "Next");
  await shoot(page, "checkout-3");
  const stored = await watched(server);
  await server.put("editions/solaris-1961", { title: "Solaris", priceCents: 1200 });
  await killed();
  await press(page, "Finish");
  assert.match(await page.getByRole("alert").innerText(), /1000[^]*1200/);
  await shoot(page, "changed");
  assert.deepEqual(await stored(server.origin), ["/v1/editions/solaris-1961"], "nothing was ordered");
  await press(page, "Finish");
  assert.equal(await heading(page), "Done");
  const order = (await stored(server.origin)).find((href) => href.startsWith("/v1/orders/"));
  assert.equal(((await server.read(order!.slice("/v1/".length))) as { totalCents: number }).totalCents, 3600);
});
