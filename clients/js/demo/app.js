/**
 * The packing list: a collection, live, editable in any number of tabs and without a network.
 *
 * Tabs of one device share a replica; `?device=2` is another device, with a replica of its own.
 */

import { indexedDbReplica, openCollection } from "/client/index.js";

const device = new URLSearchParams(location.search).get("device") ?? "1";
const find = (id) => document.getElementById(id);
const PHASES = { connecting: "Connecting", live: "Live", offline: "Offline", refused: "The server says no", closed: "Closed" };
const STATES = { synced: "", waiting: "not sent yet", pushed: "", conflict: "edited in two places", refused: "not accepted" };

/** One drawing after the other; and what the cards show, as text. */
let shown = Promise.resolve();
let drawn = "[]";

const network = switchable(`milepost-demo-offline-${device}`);
const things = await openCollection("/v1/packing-list", {
  replica: await indexedDbReplica(`packing-list-${device}`),
  waitSeconds: 20,
  fetch: network.fetch,
});

things.watch(showStatus);
things.subscribe(() => (shown = shown.then(show)));
network.watch(() => {
  find("offline").checked = network.isOff;
  things.wake();
});
find("device").textContent = device;
find("other-device").href = `?device=${Number(device) + 1}`;
find("offline").addEventListener("change", (event) => network.turn(event.target.checked));
find("add").addEventListener("submit", (event) => {
  event.preventDefault();
  const title = new FormData(event.target).get("title").trim();
  if (title !== "") void things.put(crypto.randomUUID(), { title, packed: false, added: new Date().toISOString() });
  event.target.reset();
});
await (shown = shown.then(show));

/** Draws what is held; rows keep their elements, so that focus and what is being typed stay. */
async function show() {
  const all = (await things.readAll()).sort((one, other) => (one.value.added ?? "").localeCompare(other.value.added ?? ""));
  const rows = new Map([...find("things").children].map((row) => [row.dataset.id, row]));
  for (const thing of all) {
    const row = rows.get(thing.id) ?? newRow(thing.id);
    rows.delete(thing.id);
    fill(row, thing);
    if (find("things").children[all.indexOf(thing)] !== row) find("things").insertBefore(row, find("things").children[all.indexOf(thing)] ?? null);
  }
  rows.forEach((row) => row.remove());
  find("empty").hidden = all.length > 0;
  find("count").textContent = all.length === 0 ? "" : `${all.filter(({ value }) => value.packed).length} of ${all.length} packed`;
  await showConflicts();
}

function newRow(id) {
  const row = find("thing").content.firstElementChild.cloneNode(true);
  row.dataset.id = id;
  const title = row.querySelector(".title");
  row.querySelector("[type=checkbox]").addEventListener("change", (event) => edit(id, { packed: event.target.checked }));
  title.addEventListener("change", () => edit(id, { title: title.value.trim() }));
  title.addEventListener("keydown", (event) => event.key === "Enter" && title.blur());
  row.querySelector(".remove").addEventListener("click", () => {
    const next = row.nextElementSibling ?? row.previousElementSibling;
    (next?.querySelector(".title") ?? find("title")).focus();
    void things.remove(id);
  });
  return row;
}

function fill(row, { value, state }) {
  const [box, title, note] = [row.querySelector("[type=checkbox]"), row.querySelector(".title"), row.querySelector(".state")];
  row.classList.toggle("is-packed", value.packed);
  box.checked = value.packed;
  row.querySelector(".packed .hidden").textContent = `${value.title} is packed`;
  if (document.activeElement !== title) title.value = value.title;
  title.setAttribute("aria-label", `Name of ${value.title}`);
  row.querySelector(".remove").setAttribute("aria-label", `Remove ${value.title}`);
  note.textContent = STATES[state];
  note.dataset.state = state;
}

function edit(id, part) {
  void things.change(id, (value) => ({ ...value, ...part }));
}

async function showConflicts() {
  const conflicts = await things.conflicts();
  if (JSON.stringify(conflicts) === drawn) return;
  drawn = JSON.stringify(conflicts);
  const section = find("conflicts");
  const hadFocus = section.contains(document.activeElement);
  section.hidden = conflicts.length === 0;
  section.querySelector("ul").replaceChildren(...conflicts.map(card));
  if (hadFocus) (section.querySelector("button") ?? find("list-heading")).focus();
}

function card({ id, base, mine, theirs, clashes }) {
  const made = find("conflict").content.firstElementChild.cloneNode(true);
  made.querySelector("h3").textContent = (theirs ?? mine ?? base).title;
  const say = (value) => (value === undefined ? "removed" : `${value.title}${value.packed ? ", packed" : ", not packed"}`);
  made.querySelector(".base").textContent = base === undefined ? "nothing" : say(base);
  made.querySelector(".mine").textContent = say(mine);
  made.querySelector(".theirs").textContent = say(theirs);
  for (const button of made.querySelectorAll("button")) {
    const { choice } = button.dataset;
    button.hidden = choice === "merge" && clashes.length > 0;
    button.addEventListener("click", () => void things.resolve(id, choice));
  }
  return made;
}

function showStatus({ phase, reason, position, isExact, unpushed }) {
  find("status").dataset.phase = phase;
  find("phase").textContent = PHASES[phase];
  find("status").title = reason ?? "";
  find("position").textContent = position ?? "–";
  find("digest").textContent = isExact === undefined ? "not told" : isExact ? "equal to the server's" : "differs";
  find("unpushed").textContent = unpushed;
}

/** A network that can be switched off, for all tabs of a device. */
function switchable(key) {
  const listeners = new Set();
  let cut = new AbortController();
  const self = {
    get isOff() {
      return localStorage.getItem(key) === "yes";
    },
    turn(off) {
      localStorage.setItem(key, off ? "yes" : "no");
      changed();
    },
    watch(listener) {
      listeners.add(listener);
      listener();
    },
    fetch: (url, init) => (self.isOff ? Promise.reject(new TypeError("switched off")) : fetch(url, { ...init, signal: AbortSignal.any([init.signal, cut.signal]) })),
  };
  const changed = () => {
    cut.abort(new TypeError("switched off"));
    cut = new AbortController();
    listeners.forEach((listener) => listener());
  };
  addEventListener("storage", (event) => event.key === key && changed());
  return self;
}
