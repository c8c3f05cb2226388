// Numbers, dates and reasons, as a person would say them.

import { nameOf } from "./names.js";

const REASONS = 3;

export const count = (number, one, many = `${one}s`) =>
  `${number.toLocaleString("en")} ${number === 1 ? one : many}`;

// A text that would turn round the numbers beside it, as Arabic and Hebrew do, kept from that.
export const apart = (text) => (/[\u0590-\u08ff]/.test(text) ? `\u2068${text}\u2069` : text);

export const quoted = (text) => `‘${apart(text)}’`;

// Why a result is there: the playlists it came through, and what of the query speaks for it.
export function reasonsOf(result, release) {
  const said = [];
  const lists = result.playlists ?? [];
  if (lists.length) {
    const [first] = lists;
    const name = nameOf("playlist", first.id, null, release);
    const like = name === `playlist ${first.id}` ? name : quoted(name);
    said.push(
      lists.length === 1
        ? `${like} holds it`
        : `${count(lists.length, "playlist")} like ${like} hold it`,
    );
  }
  const { speaking, against } = shares(result.because ?? [], release);
  if (speaking) said.push(`shares ${speaking}`);
  if (against) said.push(`held back by ${against}`);
  return said.join("; ");
}

// The largest shares, in percent of all that raise the score.
function shares(parts, release) {
  const sums = new Map();
  for (const part of parts) {
    const name = seedName(part, release);
    sums.set(name, (sums.get(name) ?? 0) + part.share);
  }
  const all = [...sums].sort(([, a], [, b]) => Math.abs(b) - Math.abs(a));
  const raised = all.reduce((sum, [, share]) => sum + Math.max(share, 0), 0);
  const say = (sign) =>
    all
      .filter(([, share]) => share * sign > 0)
      .map(([name, share]) => [name, (100 * Math.abs(share)) / raised])
      .filter(([, percent]) => raised > 0 && percent >= 0.5)
      .slice(0, REASONS)
      .map(([name, percent]) => `${percent.toFixed(0)} % ${name}`)
      .join(", ");
  return { speaking: say(1), against: say(-1) };
}

function seedName(part, release) {
  if (part.kind === "tag") return apart(part.tag);
  if (part.kind === "word") return quoted(part.word);
  if (part.kind === "bigram") return "letters of the words";
  return apart(nameOf(part.kind, part.id, part.key, release));
}
