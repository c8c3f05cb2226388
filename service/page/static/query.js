// The query: an object of those parameters that are given, as the API and the page's URL name them.

import { parametersOf } from "./api.js";

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

export function readQuery(search) {
  const query = {};
  for (const [name, text] of new URLSearchParams(search)) {
    if (LISTS.includes(name)) {
      const value = OF_SONGS.includes(name) ? asId(text) : text;
      query[name] = [...new Set([...(query[name] ?? []), value])];
    } else if (name === "playlist") query[name] = asId(text);
    else if (NUMBERS.includes(name)) query[name] = asNumber(text);
    else if (SWITCHES.includes(name)) query[name] = text === "true" || (text !== "false" && text);
    else query[name] = text;
  }
  return query;
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
  const [kind, ...name] = (query.beside ?? "").split(":");
  return ["strategy", "release"].includes(kind) && name.length
    ? { ...query, [kind]: name.join(":") }
    : null;
}
