// Answers: songs with bars and reasons, tags, and what of the query is not known.

import { make } from "./dom.js";
import { nameOf } from "./names.js";
import { adding, removing, withValue } from "./query.js";
import { apart, count, reasonsOf } from "./words.js";

// An answer as elements. `other` is the answer beside it, if there is one; `own` the catalogue's
// own fields; `side` tells the two apart; `none` is said where there are no songs.
export function renderAnswer(
  answer, { change, none, other = null, own = [], side = "", heading = null },
) {
  const { release } = answer;
  const popular = new Set(answer.popular);
  return make("section", { className: "answer", "aria-label": heading ?? "Answer" },
    heading && make("h3", { className: "side" }, heading),
    unknown(answer.unknown, change),
    notes(answer),
    answer.tags.length
      ? tags(answer.tags, popular.has("tags"), change, { release, side })
      : null,
    answer.songs.length
      ? songs(answer.songs, popular.has("songs"), change, { other, own, release, side })
      : none && make("p", { className: "none" }, none));
}

function notes(answer) {
  const kinds = answer.popular.filter((kind) => answer[kind].length);
  if (!kinds.length) return null;
  const text = answer.fallback
    ? "Nothing to go by: these are the most popular."
    : `Nothing to go by for ${kinds[0]}: those are the most popular.`;
  return make("p", { className: "note" }, text);
}

function unknown({ songs, tags, words, near }, change) {
  const alike = new Map(Object.entries(near.tags));
  const items = [
    ...songs.map((song) => [`song ${song}`]),
    ...tags.map((tag) => [`tag ${tag}`, ...nearTags(tag, alike.get(tag) ?? [], change)]),
    ...words.map((word) => [`title word ${word}`]),
  ];
  if (!items.length) return null;
  return make("div", { className: "note" },
    make("p", {}, "The store does not know:"),
    make("ul", {}, items.map((parts) => make("li", {}, parts))));
}

function nearTags(tag, near, change) {
  if (!near.length) return [];
  const buttons = near.map((one) => [" ", make("button",
    { type: "button", className: "tag", key: `near ${one}`,
      onclick: () => change((query) => {
        const list = query.tags?.includes(tag) ? "tags" : "not_tags";
        return adding(removing(query, list, tag), list, one);
      }) },
    one)]);
  return [" – did you mean", ...buttons.flat(), "?"];
}

function tags(some, popular, change, { release, side }) {
  return make("div", { className: "tags" },
    make("h3", {}, "Tags"),
    make("ul", { className: "row", "aria-label": "Tags" }, some.map((one) => make("li", {},
      make("button", {
        type: "button", className: "tag", key: `${side}tag ${one.tag}`,
        title: popular ? count(one.score, "playlist") : reasonsOf(one, release),
        onclick: () => change((query) => adding(query, "tags", one.tag)),
        "aria-label": `Add tag ${one.tag}`,
      }, one.tag),
      thumb("not_tags", one.tag, one.tag, change, side)))));
}

// A button that takes a song or a tag into a list of the query, as liked or disliked.
function thumb(list, value, name, change, side) {
  const label = list.startsWith("not_") ? "Less like this" : "More like this";
  return make("button", {
    type: "button", className: `thumb ${list}`, key: `${side}${list} ${value}`,
    title: label, "aria-label": `${label}: ${name}`,
    onclick: () => change((query) => adding(query, list, value)),
  });
}

function songs(some, popular, change, { other, own, release, side }) {
  const largest = Math.max(...some.map((song) => song.score), 0);
  const elsewhere = new Map((other?.songs ?? []).map((song, place) => [song.id, place + 1]));
  return make("div", {},
    make("h3", {}, "Songs"),
    make("ol", { className: "songs", "aria-label": "Songs" }, some.map((song) => {
      const place = elsewhere.get(song.id);
      return renderSong(song, { popular, largest, change, own, release, side, other, place });
    })));
}

function renderSong(song, { popular, largest, change, own, release, side, other, place }) {
  const name = song.name ?? nameOf("song", song.id, song.key, release);
  const filler = !popular && song.score <= 0;
  const bar = make("div", { className: "score", "aria-hidden": "true" }, make("div"));
  bar.firstChild.style.width = `${largest > 0 ? Math.max(0, (100 * song.score) / largest) : 0}%`;
  const said = popular ? `in ${count(song.score, "playlist")}`
    : filler ? "popular" : `score ${song.score.toPrecision(3)}`;
  const fields = own.filter(({ name: field }) => Object.hasOwn(song, field) && song[field] !== null);
  return make("li", { key: `${side}song ${song.id}`, tabIndex: -1 },
    make("div", { className: "title" },
      make("h4", {}, name),
      make("span", { className: "said" }, said),
      thumb("songs", song.id, name, change, side),
      thumb("not_songs", song.id, name, change, side)),
    bar,
    make("p", { className: "facts" },
      song.artists.map((artist) => [make("button", {
        type: "button", className: "plain", key: `${side}artist ${song.id} ${artist}`,
        title: `Only by ${artist}`, onclick: () => change((query) => adding(query, "artists", artist)),
      }, artist), " "]),
      [...song.genres, song.issue_date].filter(Boolean).map(apart).join(" · ")),
    fields.length
      ? make("p", { className: "facts" }, fields.map((field) => ownValue(field, song[field.name])).join(" · "))
      : null,
    make("p", { className: "because" }, reasonsOf(song, release)),
    other && make("p", { className: "facts" }, place ? `place ${place} on the other side` : "not on the other side"),
    song.versions?.length ? versions(song, change, { release, side }) : null);
}

function ownValue({ name, type }, value) {
  const values = [value].flat().map((one) => (type === "date" ? one.slice(0, 10) : apart(String(one))));
  return `${name}: ${values.join(", ")}`;
}

function versions(song, change, { release, side }) {
  return make("details", { className: "versions" },
    make("summary", { key: `${side}versions ${song.id}` }, count(song.versions.length, "other version")),
    make("ul", {}, song.versions.map((one) => make("li", {},
      one.name ?? nameOf("song", one.id, one.key, release), " ",
      make("small", {}, [...one.artists, one.issue_date].filter(Boolean).map(apart).join(" · ")), " ",
      thumb("songs", one.id, one.name ?? one.id, change, side)))));
}

// The ids that the words of an answer need names for.
export function namesIn(answer, query) {
  const songs = [query.songs, query.not_songs, query.exclude_songs].flatMap((some) => some ?? []);
  const playlists = query.playlist === undefined ? [] : [query.playlist];
  for (const result of [...answer.songs, ...answer.tags]) {
    for (const part of result.because ?? []) if (part.kind === "song") songs.push(part.id);
    if (result.playlists?.length) playlists.push(result.playlists[0].id);
  }
  return { songs, playlists };
}

// A failure, and a way on.
export function renderFailure(failure, again) {
  if (!failure) return [];
  return [
    make("p", { className: "what" }, [failure.where, failure.what].filter(Boolean).join(": ")),
    failure.hint && make("p", { className: "hint" }, failure.hint),
    make("button", { type: "button", onclick: again }, "Try again"),
  ].filter(Boolean);
}
