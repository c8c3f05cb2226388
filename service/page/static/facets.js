// Constraints with live counts: genres, and the fields that the catalogue itself declares.

import { ask, newest, parametersOf } from "./api.js";
import { byId, make, refill } from "./dom.js";
import { adding, constraintsOf, removing, withValue } from "./query.js";
import { count } from "./words.js";

const VALUES = 200; // of a field, the most frequent
const BOUNDS = { integer: "number", float: "number", date: "date", datetime: "date" };

const quote = (text) => `"${String(text).replace(/[\\"]/g, "\\$&")}"`;
const oneOf = (field, values) => `${field} in (${values.map(quote).join(", ")})`;

// The condition that a field's boxes wrote, and the values that it names.
function boxesOf(query, field) {
  for (const condition of query.where ?? []) {
    const values = [...condition.matchAll(/"((?:\\.|[^"\\])*)"/gs)].map(([, one]) =>
      one.replace(/\\(.)/gs, "$1"));
    if (values.length && condition === oneOf(field, values)) return { condition, values };
  }
  return { condition: null, values: [] };
}

function boundOf(query, field, sign) {
  const begin = `${field} ${sign} `;
  const condition = (query.where ?? []).find((one) => one.startsWith(begin)) ?? null;
  return { condition, value: condition?.slice(begin.length) ?? "" };
}

function exchange(query, old, condition) {
  const kept = (query.where ?? []).filter((one) => one !== old);
  return withValue(query, "where", condition ? [...kept, condition] : kept);
}

export class Facets {
  constructor(change) {
    this.change = change;
    this.newest = newest();
    this.asked = null;
    byId("where").addEventListener("keydown", (event) => {
      const text = event.target.value.trim();
      if (event.key !== "Enter" || event.isComposing || !text) return;
      event.target.value = "";
      change((query) => adding(query, "where", text));
    });
  }

  // Count anew, where the constraints are others than those counted last, and are looked at.
  show(query, about) {
    if (!about || !byId("constraints").open) return null;
    const asked = JSON.stringify([constraintsOf(query), about.release]);
    if (asked === this.asked) return null;
    this.asked = asked;
    return this.newest((signal) => this.count(query, about, signal), (failure) => {
      this.asked = null;
      byId("passing").textContent = "";
      byId("facets").replaceChildren(make("p", { className: "note" }, `No counts: ${failure.what}`));
    });
  }

  async count(query, about, signal) {
    const own = about.fields.filter((field) => field.own);
    const boxed = own.filter(({ type, counted }) => counted && ["keyword", "bool"].includes(type));
    const facets = (given) =>
      ask("facets", { parameters: parametersOf({ limit: VALUES, ...given }), signal });
    // What else could be chosen of a field is counted without what is chosen of it.
    const free = { genres: constraintsOf(query, ["genres", "not_genres"]) };
    for (const { name } of boxed) {
      const { condition } = boxesOf(query, name);
      free[name] = condition ? constraintsOf(exchange(query, condition, null)) : constraintsOf(query);
    }
    const all = facets({ ...constraintsOf(query), facets: ["genres", ...boxed.map(({ name }) => name)] });
    const same = JSON.stringify(constraintsOf(query));
    const [{ total }, ...parts] = await Promise.all([
      all,
      ...Object.entries(free).map(async ([name, given]) => {
        const answer = JSON.stringify(given) === same ? all : facets({ ...given, facets: [name] });
        return [name, (await answer).facets[name]];
      }),
    ]);
    signal.throwIfAborted();
    byId("passing").textContent = total === 1 ? "1 song passes" : `${total.toLocaleString("en")} songs pass`;
    const counts = Object.fromEntries(parts);
    refill(byId("facets"), [
      this.genres(counts.genres, query),
      ...boxed.map(({ name }) => this.boxes(name, counts[name], query)),
      ...own.filter(({ type, name }) => type in BOUNDS && !(name in counts))
        .map((field) => this.bounds(field, query)),
    ].filter(Boolean));
  }

  genres(values, query) {
    const seen = new Set(values.flatMap(({ value, name }) => [value, name]));
    const gone = [...(query.genres ?? []), ...(query.not_genres ?? [])].filter((one) => !seen.has(one));
    const all = [...values, ...gone.map((value) => ({ value, songs: 0 }))];
    const rows = all.map(({ value, name, songs }) => {
      const genre = name ?? value;
      const chosen = (list) => (query[list] ?? []).find((one) => one === genre || one === value);
      const toggle = (list) => this.change((now) =>
        chosen(list) ? removing(now, list, chosen(list)) : adding(now, list, genre));
      return make("li", {},
        box(`genres ${value}`, genre, songs, Boolean(chosen("genres")), () => toggle("genres")),
        make("button", {
          type: "button", key: `not_genres ${value}`, "aria-pressed": String(Boolean(chosen("not_genres"))),
          "aria-label": `Never ${genre}`, onclick: () => toggle("not_genres"),
        }, "never"));
    });
    return facet("Genre", rows);
  }

  boxes(field, values, query) {
    const { condition, values: chosen } = boxesOf(query, field);
    const seen = new Set(values.map(({ value }) => String(value)));
    const gone = chosen.filter((one) => !seen.has(one)).map((value) => ({ value, songs: 0 }));
    const rows = [...values, ...gone].map(({ value, songs }) => {
      const text = String(value);
      const toggle = () => this.change((now) => {
        const next = chosen.includes(text) ? chosen.filter((one) => one !== text) : [...chosen, text];
        return exchange(now, condition, next.length ? oneOf(field, next) : null);
      });
      return make("li", {}, box(`${field} ${text}`, text, songs, chosen.includes(text), toggle));
    });
    return facet(field, rows);
  }

  bounds({ name, type }, query) {
    const input = (sign, label) => {
      const { condition, value } = boundOf(query, name, sign);
      return make("div", { className: "field" },
        make("label", {}, label, make("input", {
          type: BOUNDS[type], step: type === "float" ? "any" : "1", value, key: `${name} ${sign}`,
          "aria-label": `${name}, ${label}`,
          onchange: (event) => this.change((now) =>
            exchange(now, condition, event.target.value && `${name} ${sign} ${event.target.value}`)),
        })));
    };
    return make("fieldset", { className: "facet" }, make("legend", {}, name),
      make("div", { className: "pairs" }, input(">=", "from"), input("<=", "to")));
  }
}

function facet(legend, rows) {
  if (!rows.length) return null;
  return make("fieldset", { className: "facet" }, make("legend", {}, legend), make("ul", {}, rows));
}

function box(key, text, songs, checked, onchange) {
  return make("label", {},
    make("input", { type: "checkbox", key, checked, onchange }), make("span", {}, text),
    make("small", { title: count(songs, "song") }, songs.toLocaleString("en")));
}
