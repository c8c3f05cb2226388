// The map of the release, with the seeds and the results of the query ringed in it.

import { ask, newest } from "./api.js";
import { byId, make } from "./dom.js";
import { adding, withValue } from "./query.js";
import { count } from "./words.js";

const SCRIPT = "static/map.js"; // of `melon map`: it makes MelonMap known

export class MapView {
  constructor(change) {
    this.change = change;
    this.newest = newest();
    this.map = null;
    this.release = null;
  }

  // Show the map if the query says so, and mark in it what the answer has.
  show(query, answer) {
    const open = query.view === "map";
    byId("map-button").setAttribute("aria-pressed", String(open));
    byId("map").hidden = !open;
    if (!open || !answer) return null;
    return this.newest(async (signal) => {
      if (this.release !== answer.release) await this.load(query, answer.release, signal);
      signal.throwIfAborted();
      this.mark(query, answer);
    }, (failure) => {
      this.release = null;
      byId("map").replaceChildren(make("p", { className: "note" },
        [failure.what, failure.hint].filter(Boolean).join(": ")));
    });
  }

  async load(query, release, signal) {
    byId("map").replaceChildren(make("p", { className: "note" }, "Drawing the map …"));
    const parameters = query.release ? new URLSearchParams({ release: query.release }) : null;
    const [{ layout, rule, points }] = await Promise.all([
      ask("map", { parameters, signal }), script(SCRIPT),
    ]);
    signal.throwIfAborted();
    const canvas = make("canvas", {
      id: "canvas", tabIndex: 0, role: "application",
      "aria-label": `Map of ${count(points.x.length, "point")}: arrow keys move, plus and minus zoom,`
        + " 0 shows all. What is ringed is told below.",
    });
    const chosen = make("div", { id: "chosen", role: "status" });
    const colour = make("select", { id: "colour", onchange: () => this.map.colourBy(colour.value) },
      Object.keys(points.colourings).map((name) =>
        make("option", { value: name, selected: name === points.first }, name)));
    byId("map").replaceChildren(
      make("div", { className: "canvas" }, canvas),
      make("p", { id: "marked", role: "status" }),
      chosen,
      make("p", { className: "row" }, make("label", { for: "colour" }, "Colour by"), colour),
      make("p", { className: "facts" }, `${rule} ${layout === "t-SNE" ? "" :
        "Laid out by principal components: `melon map` makes a map that tells more apart."}`),
    );
    this.map = new MelonMap(canvas, points, { picked: (row) => chosen.replaceChildren(...this.told(row)) });
    this.rows = new Map();
    for (let row = 0; row < points.x.length; row++) {
      const kind = points.kinds[points.kind[row]];
      this.rows.set(`${kind} ${kind === "tag" ? points.name[row] : points.id[row]}`, row);
    }
    this.release = release;
  }

  mark(query, answer) {
    const rows = (kind, some) => some.map((one) => this.rows.get(`${kind} ${one}`))
      .filter((row) => row !== undefined);
    const given = [...(query.songs ?? []), ...(query.tags ?? []), ...(query.playlist ? [0] : [])].length;
    const seeds = [
      ...rows("song", query.songs ?? []), ...rows("tag", query.tags ?? []),
      ...rows("playlist", "playlist" in query ? [query.playlist] : []),
    ];
    const results = rows("song", answer.songs.map((song) => song.id));
    this.map.mark({ seeds, results });
    byId("marked").textContent =
      `On the map: ${results.length} of the ${count(answer.songs.length, "song")} of the answer, in rings;`
      + ` ${seeds.length} of ${count(given, "seed")}, in thick rings.`;
  }

  // What was picked, what is nearest to it, and a way to take it into the query.
  told(row) {
    if (row < 0) return [];
    const { kinds, kind, id, name, near } = this.map.data;
    const add = () => this.change((query) => {
      const what = kinds[kind[row]];
      if (what === "playlist") return withValue(query, "playlist", id[row]);
      return what === "tag" ? adding(query, "tags", name[row]) : adding(query, "songs", id[row]);
    });
    return [
      make("p", {}, this.map.describe(row), " ",
        make("button", { type: "button", onclick: add }, "Take into the query")),
      make("p", { className: "facts" }, `nearest: ${near[row].map((one) => this.map.name(one)).join(", ")}`),
    ];
  }

  repaint() {
    this.map?.show();
  }
}

const loading = new Map();

function script(src) {
  if (!loading.has(src)) {
    loading.set(src, new Promise((resolve, reject) => {
      document.head.append(make("script", { src, onload: resolve, onerror: reject }));
    }));
  }
  return loading.get(src);
}
