// The page: what is typed and clicked changes the query, which the URL holds, and which is asked.

import { Failure, ask, keepKey, newest, parametersOf } from "./api.js";
import { renderChips } from "./chips.js";
import { copyDialog, saveDialog } from "./copy.js";
import { byId, debounced, make, refill } from "./dom.js";
import { Facets } from "./facets.js";
import { MapView } from "./mapview.js";
import { lookUp, ofRelease } from "./names.js";
import { adding, asked, besideOf, check, readQuery, withValue, writeQuery } from "./query.js";
import { namesIn, renderAnswer, renderFailure } from "./results.js";
import { Search } from "./search.js";
import { count } from "./words.js";

const PAUSE = 80; // milliseconds after a key
const PATIENCE = 200; // until it is shown that something is awaited
const RETRY = 2; // seconds, where the service does not say

let query = readQuery(location.search);
let about = null; // of the release that the query names, or else of the live one
let aboutOf = null; // the name that the query had for it
let releases = [];
let ownFields = [];
let retry = null;
let searched = null; // the query in the URL that was answered last, or is being answered
const answering = newest();
const facets = new Facets(change);
const map = new MapView(change);

// Go on with another query; `replace` keeps the number of steps back.
function change(edit, { replace = false } = {}) {
  const next = edit(query);
  if (writeQuery(next) !== writeQuery(query)) {
    history[replace ? "replaceState" : "pushState"](null, "", writeQuery(next));
    query = readQuery(location.search);
  }
  refresh();
}

function refresh() {
  searched = location.search;
  clearTimeout(retry);
  showQuery();
  return answering(answer, fail);
}

async function answer(signal) {
  const slow = setTimeout(() => busy(true), PATIENCE);
  signal.addEventListener("abort", () => clearTimeout(slow));
  const begun = performance.now();
  try {
    if (!about || aboutOf !== query.release) await readAbout(signal);
    facets.show(query, about);
    check(query);
    const both = [query, besideOf(query)].filter(Boolean);
    const answers = (more) =>
      Promise.all(both.map((one) => ask("query", { body: asked(one, more), signal })));
    const sides = await answers({});
    signal.throwIfAborted();
    await follow(sides[0].release, signal);
    const took = performance.now() - begun;
    showAnswers(sides);
    map.show(query, sides[0]);
    byId("status").textContent = summary(sides[0], took);
    clearTimeout(slow);
    busy(false);
    await explain(answers, both, signal);
    document.body.dataset.shows = location.search;
  } finally {
    clearTimeout(slow);
    if (!signal.aborted) busy(false);
  }
}

// Where another release was promoted, what the page says of it is read again.
async function follow(release, signal) {
  ofRelease(release);
  if (query.release || release === about.release) return;
  await readAbout(signal);
  facets.show(query, about);
}

// Of a release that is not there, the live one's choices are shown: others can be made.
async function readAbout(signal) {
  const some = await ask("releases", { signal });
  const named = query.release, there = some.some(({ release }) => release === named);
  const found = await ask("about", { parameters: parametersOf(there ? { release: named } : {}), signal });
  signal.throwIfAborted();
  [releases, about, aboutOf] = [some, found, named];
  showAbout();
}

// The reasons take thrice as long as the answer, which does not wait for them, nor need them.
async function explain(answers, both, signal) {
  try {
    const sides = await answers({ explain: true });
    for (const [number, side] of sides.entries()) {
      await lookUp(namesIn(side, query), side.release, both[number].release, signal);
    }
    await follow(sides[0].release, signal);
    signal.throwIfAborted();
    showAnswers(sides);
    renderChips(query, change);
  } catch (failure) {
    if (!(failure instanceof Failure)) throw failure;
    byId("status").textContent += ` · no reasons: ${failure.message}`;
  }
}

function summary(side, took) {
  const found = `${count(side.songs.length, "song")}, ${count(side.tags.length, "tag")}`;
  return `${found} · ${side.strategy} · ${took.toFixed(0)} ms`;
}

function showAnswers(sides) {
  const [, right] = sides;
  const heading = (side) => `${side.strategy} · ${side.release}`;
  const shown = sides.map((side, number) => renderAnswer(side, {
    change, own: ownFields, other: sides[1 - number], side: right ? `${number} ` : "",
    none: query.limit === 0 ? null : "No songs: there are no others, or none passes the constraints.",
    heading: right ? heading(side) : null,
  }));
  byId("failure").replaceChildren();
  byId("answers").classList.toggle("two", sides.length === 2);
  refill(byId("answers"), shown, byId("results"));
}

function busy(is) {
  byId("busy").hidden = !is;
  byId("results").setAttribute("aria-busy", String(is));
  if (is) byId("status").textContent = "Asking …";
}

function fail(failure) {
  byId("status").textContent = "";
  byId("answers").replaceChildren();
  if (failure.status === 401) return askForKey(failure);
  byId("failure").replaceChildren(...renderFailure(failure, refresh));
  if (failure.status === 0 || failure.status >= 503) {
    retry = setTimeout(refresh, 1000 * Math.max(failure.retryAfter ?? RETRY, RETRY));
  }
  return null;
}

function askForKey(failure) {
  const input = make("input", { id: "key", type: "password", required: true, autocomplete: "off" });
  const form = make("form", { method: "dialog", onsubmit: () => { keepKey(input.value); refresh(); } },
    make("h2", { id: "dialog-title" }, "API key"),
    make("p", {}, `${failure.what}.`),
    make("label", { for: "key" }, "Key"), input,
    make("button", {}, "Use it"));
  openDialog([form]);
}

function openDialog(children) {
  const dialog = byId("dialog");
  dialog.replaceChildren(...children);
  if (!dialog.open) dialog.showModal();
}

function showAbout() {
  const { songs, tags, playlists } = about.counts;
  byId("about").textContent =
    `${count(songs, "song")}, ${count(tags, "tag")}, ${count(playlists, "playlist")}`;
  choices("strategy", [["", `the release's: ${about.strategy}`], ...about.strategies]);
  choices("beside", [
    ["", "nothing"],
    ...about.strategies.map((one) => [`strategy:${one}`, one]),
    ...(releases.length > 1 ? releases : []).map(({ release }) => [`release:${release}`, release]),
  ]);
  const live = releases.find((one) => one.live);
  choices("release", [["", `live: ${live?.release ?? "none"}`], ...releases.map((one) => one.release)]);
  ownFields = about.fields.filter((field) => field.own);
  showQuery();
}

function choices(id, some) {
  byId(id).replaceChildren(...some.map((one) => {
    const [value, text] = Array.isArray(one) ? one : [one, one];
    return make("option", { value }, text);
  }));
}

// Controls show the query, except the one that is being typed into, if any is.
function showQuery(typed = document.activeElement) {
  if (typed !== byId("title")) byId("title").value = query.title ?? "";
  for (const control of document.querySelectorAll("[data-of]")) {
    if (control === typed && control.tagName === "INPUT") continue;
    const value = String(query[control.dataset.of] ?? "");
    if (control.tagName === "SELECT" && ![...control.options].some((one) => one.value === value)) {
      control.append(make("option", { value }, value));
    }
    control.value = value;
  }
  renderChips(query, change);
}

function listen() {
  let typing = false; // a title that is being typed is one step back
  const typed = debounced(() => {
    change((now) => withValue(now, "title", byId("title").value), { replace: typing });
    typing = true;
  }, PAUSE);
  byId("title").addEventListener("input", () => typed());
  byId("title").addEventListener("change", () => { typed.now(); typing = false; });
  byId("query").addEventListener("submit", (event) => event.preventDefault());
  for (const control of document.querySelectorAll("[data-of]")) {
    control.addEventListener("change", () => {
      const value = control.type === "number" && control.value ? Number(control.value) : control.value;
      change((now) => withValue(now, control.dataset.of, value));
    });
  }
  const pinned = () => query.release;
  new Search(byId("search"), {
    kinds: ["tags", "songs", "artists", "playlists"], title: true, fail, pinned,
    choose: (kind, value) => change((now) =>
      ["title", "playlist"].includes(kind) ? withValue(now, kind, value) : adding(now, kind, value)),
  });
  new Search(byId("artist"), {
    kinds: ["artists"], fail, pinned,
    choose: (kind, value) => change((now) => adding(now, kind, value)),
  });
  byId("constraints").addEventListener("toggle", () => facets.show(query, about));
  const turn = () => change((now) => withValue(now, "view", now.view === "map" ? null : "map"));
  byId("tools").append(
    make("button", { type: "button", id: "map-button", onclick: turn }, "Map"),
    make("button", { type: "button", onclick: () => openDialog([copyDialog(query, about?.store)]) }, "Copy as …"),
    make("button", { type: "button", onclick: () => openDialog([saveDialog(query)]) }, "Save as …"),
  );
  addEventListener("popstate", () => {
    // To the results leads to a part of the page: what is focused there would be replaced.
    if (location.search === searched) return;
    typed.cancel();
    typing = false;
    query = readQuery(location.search);
    showQuery(null);
    refresh();
  });
  byId("theme").addEventListener("click", () => {
    const all = ["auto", "light", "dark"];
    const next = all[(all.indexOf(document.documentElement.dataset.theme) + 1) % all.length];
    localStorage.setItem("melon-theme", next);
    document.documentElement.dataset.theme = next;
    showTheme();
    map.repaint();
  });
  showTheme();
}

function showTheme() {
  byId("theme").textContent = `theme: ${document.documentElement.dataset.theme}`;
}

listen();
refresh();
