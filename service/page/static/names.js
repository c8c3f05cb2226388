// Names of songs and playlists that are known by their id, asked for once for each release.

import { ask } from "./api.js";

const known = new Map();
let release = null;

export function ofRelease(name) {
  if (name === release) return;
  release = name;
  known.clear();
}

export function remember(kind, id, name) {
  known.set(`${kind} ${id}`, name);
}

// Its name, else its key, else "song 7".
export function nameOf(kind, id, key = null) {
  return known.get(`${kind} ${id}`) || key || `${kind} ${id}`;
}

// Ask for those names that are not known; of several ids at most as many as the service takes.
export async function lookUp({ songs = [], playlists = [] }, pinned, signal) {
  const missing = (kind, ids) =>
    [...new Set(ids)].filter((id) => Number.isInteger(id) && !known.has(`${kind} ${id}`));
  const body = {
    songs: missing("song", songs).slice(0, 1000),
    playlists: missing("playlist", playlists).slice(0, 1000),
  };
  if (!body.songs.length && !body.playlists.length) return;
  if (pinned) body.release = pinned;
  const found = await ask("names", { body, signal });
  for (const song of found.songs) remember("song", song.id, song.name ?? song.key);
  for (const list of found.playlists) remember("playlist", list.id, list.title ?? list.key);
}
