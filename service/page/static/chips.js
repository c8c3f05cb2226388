// What the query is made of, as chips that can be taken out.

import { byId, make, refill } from "./dom.js";
import { nameOf } from "./names.js";
import { removing, withValue } from "./query.js";

const GROUPS = [
  ["Like", ["playlist", "songs", "tags"]],
  ["Not like", ["not_songs", "not_tags"]],
  ["Only", ["genres", "all_genres", "artists", "since", "until", "min_popularity",
            "max_popularity", "where"]],
  ["Never", ["not_genres", "not_artists", "exclude_songs"]],
];
const ELSEWHERE = ["title", "strategy", "release", "beside", "limit", "max_per_artist",
                   "diversity", "order", "view"];
const KINDS = {
  __proto__: null, // a name in the URL may be any
  songs: "song", not_songs: "song", exclude_songs: "song", tags: "tag", not_tags: "tag",
  playlist: "playlist", genres: "genre", not_genres: "genre", all_genres: "genre",
  artists: "artist", not_artists: "artist", since: "from", until: "to", where: "",
  min_popularity: "playlists ≥", max_popularity: "playlists ≤",
};

export function renderChips(query, change) {
  const groups = [...GROUPS, ["Also", rest(query)]].map(([heading, names]) => {
    const chips = names.flatMap((name) =>
      [query[name] ?? []].flat().map((value) => chip(query, name, value, change)));
    if (!chips.length) return null;
    return make("div", { className: `chips ${heading.toLowerCase().replace(" ", "-")}` },
      make("h2", {}, heading), make("ul", { "aria-label": heading }, chips));
  });
  const given = groups.filter(Boolean);
  if (given.length) {
    given.push(make("button",
      { type: "button", className: "plain", key: "clear", onclick: () => change(kept) },
      "Start again"));
  }
  refill(byId("chips"), given, byId("search"));
}

// Parameters that no control of the page shows: they are not hidden.
function rest(query) {
  const shown = new Set([...GROUPS.flatMap(([, names]) => names), ...ELSEWHERE]);
  return Object.keys(query).filter((name) => !shown.has(name));
}

function kept(query) {
  const names = ["strategy", "release", "beside", "order", "view"].filter((name) => name in query);
  return Object.fromEntries(names.map((name) => [name, query[name]]));
}

function chip(query, name, value, change) {
  const kind = KINDS[name] ?? name;
  const text = ["song", "playlist"].includes(kind) && Number.isInteger(value)
    ? nameOf(kind, value) : String(value);
  const remove = () =>
    change((now) => (Array.isArray(now[name]) ? removing(now, name, value) : withValue(now, name, null)));
  return make("li", { className: "chip" },
    kind && make("small", {}, kind), " ", make("span", { className: "name" }, text),
    make("button",
      { type: "button", key: `${name} ${value}`, onclick: remove, "aria-label": `Remove ${kind} ${text}` },
      "×"));
}
