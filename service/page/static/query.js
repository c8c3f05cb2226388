// The query: an object of those parameters that are given, as the API and the page's URL name them.

import { Failure, parametersOf } from "./api.js";

const LISTS = [
  "songs", "tags", "not_songs", "not_tags", "exclude_songs",
  "genres", "all_genres", "not_genres", "artists", "not_artists", "where",
];
const OF_SONGS = ["songs", "not_songs", "exclude_songs"];
const NUMBERS = [
  "min_popularity", "max_popularity", "limit", "tag_limit", "max_per_artist", "diversity",
  "song_weight", "tag_weight", "title_weight",
];
const SWITCHES = ["explain", "exact", "all_versions"];
const PAGE_ONLY = ["beside", "view"];
export const CONSTRAINTS = [
  "genres", "all_genres", "not_genres", "artists", "not_artists",
  "since", "until", "min_popularity", "max_popularity", "where",
];

// Songs and playlists are ids in the page's URL; what is written otherwise is left to the service.
const asId = (text) => (/^(0|[1-9]\d{0,9})$/.test(text) ? Number(text) : text);
const asNumber = (text) => (text.trim() !== "" && Number.isFinite(Number(text)) ? Number(text) : text);

function valueOf(name, text) {
  if (OF_SONGS.includes(name) || name === "playlist") return asId(text);
  if (NUMBERS.includes(name)) return asNumber(text);
  if (SWITCHES.includes(name)) return text === "true" || (text !== "false" && text);
  return text;
}

// What is said twice of what takes one value is kept, too: `check` refuses it.
export function readQuery(search) {
  const parameters = new URLSearchParams(search);
  return Object.fromEntries([...new Set(parameters.keys())].map((name) => {
    const values = parameters.getAll(name).map((text) => valueOf(name, text));
    if (LISTS.includes(name)) return [name, [...new Set(values)]];
    return [name, values.length > 1 ? values : values[0]];
  }));
}

// Refuses what the service would not see: it is asked one value of each, and nothing of the page.
export function check(query) {
  const refuse = (where, what, hint) => {
    throw new Failure({ where, what, hint }, 400);
  };
  for (const [name, value] of Object.entries(query)) {
    if (Array.isArray(value) && !LISTS.includes(name)) {
      refuse(name, `it takes one value, and ${value.length} are given`);
    }
  }
  if ("beside" in query && !besideOf(query)) {
    refuse("beside", `'${query.beside}' is neither a strategy nor a release`,
      "say strategy:NAME or release:NAME");
  }
  if ("view" in query && query.view !== "map") {
    refuse("view", `there is no view '${query.view}'`, "say map, or leave it out");
  }
}

export function writeQuery(query) {
  const search = parametersOf(query).toString();
  return search ? `?${search}` : location.pathname;
}

// What is asked of the API: without what only the page means.
export function asked(query, more = {}) {
  const body = { ...query, ...more };
  for (const name of PAGE_ONLY) delete body[name];
  if (typeof body.title === "string" && !body.title.trim()) delete body.title;
  return body;
}

export function constraintsOf(query, without = []) {
  const names = [...CONSTRAINTS, "release"].filter((name) => name in query && !without.includes(name));
  return Object.fromEntries(names.map((name) => [name, query[name]]));
}

// The query with a value set, or without it where that is empty.
export function withValue(query, name, value) {
  const { [name]: _, ...rest } = query;
  const empty = value === "" || value === null || value === undefined || value?.length === 0;
  return empty ? rest : { ...rest, [name]: value };
}

const OPPOSITES = {
  songs: "not_songs", tags: "not_tags", genres: "not_genres", artists: "not_artists",
};

// The query with one more value in a list, and not in the list that says the opposite.
export function adding(query, name, value) {
  const opposite =
    OPPOSITES[name] ?? Object.keys(OPPOSITES).find((key) => OPPOSITES[key] === name);
  const rest = opposite ? removing(query, opposite, value) : query;
  return withValue(rest, name, [...new Set([...(rest[name] ?? []), value])]);
}

export function removing(query, name, value) {
  return withValue(query, name, (query[name] ?? []).filter((one) => one !== value));
}

// The query with which the right side is asked: `beside` says "strategy:NAME" or "release:NAME".
export function besideOf(query) {
  const [, kind, name] = query.beside?.match(/^(strategy|release):(.+)$/s) ?? [];
  return name ? { ...query, [kind]: name } : null;
}
