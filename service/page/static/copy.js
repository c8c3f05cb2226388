// The query for other programs, and the answer for players.

import { request } from "./api.js";
import { byId, make } from "./dom.js";
import { asked } from "./query.js";

const FORMATS = { m3u8: "M3U8", jspf: "JSPF", csv: "CSV", json: "Melon JSON" };
const OF_CONSTRAINTS = [
  "genres", "all_genres", "not_genres", "artists", "not_artists", "since", "until",
  "min_popularity", "max_popularity", "where", "exclude_songs",
];
const WEIGHTS = { song_weight: "songs", tag_weight: "tags", title_weight: "title" };
const VARIETY = ["max_per_artist", "diversity"];

const WAYS = {
  curl: (query) => {
    const url = new URL("api/v1/query", location.href).href;
    const body = JSON.stringify(asked(query)).replaceAll("'", "'\\''");
    return `curl '${url}' --header 'Content-Type: application/json' \\\n  --data '${body}'\n`;
  },
  Python: (query, store) => {
    const { release, playlist, ...rest } = asked(query);
    const given = [];
    const some = (names, constructor, rename = (name) => name) => {
      const inside = names.filter((name) => name in rest)
        .map((name) => `${rename(name)}=${python(rest[name])}`);
      for (const name of names) delete rest[name];
      return inside.length ? `melon.${constructor}(${inside.join(", ")})` : null;
    };
    const constraints = some(OF_CONSTRAINTS, "Constraints");
    const weights = some(Object.keys(WEIGHTS), "ModalityWeights", (name) => WEIGHTS[name]);
    const variety = some(VARIETY, "Variety");
    if (playlist !== undefined) given.push(`retriever.playlist(${python(playlist)})`);
    for (const [name, value] of Object.entries(rest)) given.push(`${name}=${python(value)}`);
    for (const [name, value] of Object.entries({ constraints, weights, variety })) {
      if (value) given.push(`${name}=${value}`);
    }
    const opened = Object.entries({ ...placeOf(store), ...(release === undefined ? {} : { release }) })
      .map(([name, value]) => `${name}=${python(value)}`).join(", ");
    return `import melon\n\nretriever = melon.open(${opened})\nanswer = retriever.recommend(\n${
      given.map((one) => `    ${one},\n`).join("")})\n`;
  },
  JSON: (query) => `${JSON.stringify(asked(query), null, 2)}\n`,
};

// How `melon.open` is told of the store that answers here: by default it may find another.
function placeOf(store) {
  for (const [kind, name] of [["embedded store ", "path"], ["Qdrant server ", "url"]]) {
    if (store?.startsWith(kind)) return { [name]: store.slice(kind.length) };
  }
  return {};
}

// A value as Python writes it: JSON's texts are Python's, but for what is true and false.
function python(value) {
  if (Array.isArray(value)) return `[${value.map(python).join(", ")}]`;
  if (typeof value === "boolean") return value ? "True" : "False";
  return JSON.stringify(value);
}

export function copyDialog(query, store) {
  const text = make("pre", { tabIndex: 0, "aria-label": "Text to copy" });
  const said = make("span", { role: "status" });
  const ways = Object.keys(WAYS).map((name, number) =>
    make("label", {}, make("input", {
      type: "radio", name: "way", value: name, checked: number === 0, onchange: () => show(name),
    }), ` ${name}`));
  const show = (name) => {
    text.textContent = WAYS[name](query, store);
    said.textContent = "";
  };
  const copy = async () => {
    try {
      await navigator.clipboard.writeText(text.textContent);
      said.textContent = "copied";
    } catch { // a browser lets only pages of https and of this machine
      getSelection().selectAllChildren(text);
      said.textContent = "selected: copy it with the keyboard";
    }
  };
  show("curl");
  return panel("Copy the query",
    make("fieldset", { className: "ways" }, make("legend", {}, "As"), ways), text,
    make("p", { className: "row" }, make("button", { type: "button", onclick: copy }, "Copy"), said));
}

export function saveDialog(query) {
  const said = make("p", { role: "status" });
  const save = async (format) => {
    said.textContent = "";
    try {
      const response = await request("export", { body: { ...asked(query), format } });
      const link = make("a", {
        href: URL.createObjectURL(await response.blob()), download: `${fileName(query)}.${format}`,
      });
      link.click();
      setTimeout(() => URL.revokeObjectURL(link.href), 10_000);
      said.textContent = `saved: ${link.download}`;
    } catch (failure) {
      said.textContent = [failure.message, failure.hint].filter(Boolean).join(": ");
    }
  };
  return panel("Save the songs as a playlist",
    make("p", { className: "row" }, Object.entries(FORMATS).map(([format, name]) =>
      make("button", { type: "button", onclick: () => save(format) }, name))), said);
}

const fileName = (query) => (query.title ?? "").replace(/[^\p{L}\p{N} _-]/gu, "").trim().slice(0, 80) || "melon";

function panel(title, ...children) {
  return make("div", {},
    make("h2", { id: "dialog-title" }, title), children,
    make("button", { type: "button", onclick: () => byId("dialog").close() }, "Close"));
}
