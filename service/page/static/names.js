// Names of songs and playlists that are known by their id, of each release asked for once.

import { ask } from "./api.js";

const known = new Map();
let current = null; // the release that answers the query

const keyOf = (release, kind, id) => `${release} ${kind} ${id}`;

export function ofRelease(name) {
  current = name;
}

export function remember(kind, id, name, release = current) {
  known.set(keyOf(release, kind, id), name);
}

// Its name, else its key, else "song 7".
export function nameOf(kind, id, key = null, release = current) {
  return known.get(keyOf(release, kind, id)) || key || `${kind} ${id}`;
}

// Ask for those names of a release that are not known; of several ids at most as many as the
// service takes. `pinned` is what a query says to ask it: nothing of the live one.
export async function lookUp({ songs = [], playlists = [] }, release, pinned, signal) {
  const missing = (kind, ids) =>
    [...new Set(ids)].filter((id) => Number.isInteger(id) && !known.has(keyOf(release, kind, id)));
  const body = {
    songs: missing("song", songs).slice(0, 1000),
    playlists: missing("playlist", playlists).slice(0, 1000),
  };
  if (!body.songs.length && !body.playlists.length) return;
  if (pinned) body.release = pinned;
  const found = await ask("names", { body, signal });
  for (const song of found.songs) remember("song", song.id, song.name ?? song.key, release);
  for (const list of found.playlists) remember("playlist", list.id, list.title ?? list.key, release);
}
