// A combobox: suggestions for what is typed, by the pattern of the ARIA Authoring Practices.

import { ask, newest } from "./api.js";
import { debounced, make } from "./dom.js";
import { remember } from "./names.js";
import { apart, count } from "./words.js";

const PAUSE = 80; // milliseconds after a key
const OF_EACH = 5;
const HEADINGS = { songs: "Songs", tags: "Tags", artists: "Artists", playlists: "Playlists" };

export class Search {
  // `choose(kind, value)` is called with what was chosen; `title` offers the text itself, too.
  constructor(input, { kinds, choose, fail, pinned, title = false }) {
    Object.assign(this, { input, kinds, choose, fail, pinned, title });
    this.list = make("div", {
      id: `${input.id}-list`, role: "listbox", hidden: true, className: "suggestions",
      "aria-label": "Suggestions",
    });
    input.after(this.list);
    const said = { role: "combobox", "aria-expanded": "false", "aria-autocomplete": "list" };
    for (const [name, value] of Object.entries(said)) input.setAttribute(name, value);
    input.setAttribute("aria-controls", this.list.id);
    this.options = [];
    this.active = -1;
    this.newest = newest();
    this.later = debounced(() => this.suggest(), PAUSE);
    // While a Korean syllable is composed, too: the last one is, until another key is pressed.
    input.addEventListener("input", () => this.later());
    input.addEventListener("keydown", (event) => this.pressed(event));
    input.addEventListener("blur", () => this.close());
    this.list.addEventListener("mousedown", (event) => event.preventDefault()); // keeps the focus
  }

  async suggest() {
    const text = this.input.value.trim();
    if (!text) return this.close();
    return this.newest(async (signal) => {
      const parameters = new URLSearchParams({ text, limit: OF_EACH });
      for (const kind of this.kinds) parameters.append("kinds", kind);
      if (this.pinned()) parameters.append("release", this.pinned());
      const found = await ask("find", { parameters, signal });
      if (document.activeElement === this.input) this.open(text, found);
    }, (failure) => {
      this.close();
      this.fail(failure);
    });
  }

  open(text, found) {
    this.options = [];
    const groups = [];
    const group = (heading, options) => {
      const id = `${this.list.id}-${groups.length}`;
      groups.push(
        make("div", { role: "group", "aria-labelledby": id },
          make("div", { id, className: "group", role: "presentation" }, heading), options),
      );
    };
    if (this.title) group("Title", [this.option("title", text, text, null)]);
    for (const kind of this.kinds) {
      const some = found[kind] ?? [];
      if (some.length) group(HEADINGS[kind], some.map((one) => this.found(kind, one)));
    }
    if (!groups.length) {
      groups.push(make("div", { className: "group", role: "option", "aria-disabled": "true" },
        "nothing of this name"));
    }
    this.list.replaceChildren(...groups);
    this.list.hidden = false;
    this.input.setAttribute("aria-expanded", "true");
    this.activate(-1);
  }

  found(kind, one) {
    if (kind === "songs") {
      const name = one.name ?? one.key ?? `song ${one.id}`;
      const by = one.artists.join(", ");
      const more = [by, one.issue_date, count(one.popularity ?? 0, "playlist")];
      return this.option("songs", one.id, name, more, () => remember("song", one.id, name));
    }
    if (kind === "tags") {
      return this.option("tags", one.tag, one.tag, [count(one.popularity, "playlist")]);
    }
    if (kind === "artists") {
      return this.option("artists", one.artist, one.artist, [count(one.songs, "song")]);
    }
    const name = one.title || one.key || `playlist ${one.id}`;
    const more = [one.tags?.slice(0, 3).join(", "), count(one.song_count ?? 0, "song")];
    return this.option("playlist", one.id, name, more, () => remember("playlist", one.id, name));
  }

  option(kind, value, name, more, before = () => {}) {
    const number = this.options.length;
    const choose = () => {
      before();
      this.input.value = "";
      this.close();
      this.choose(kind, value);
    };
    const element = make("div",
      { id: `${this.list.id}-option-${number}`, role: "option", "aria-selected": "false",
        onclick: choose },
      make("span", { className: "name" }, name),
      more && make("small", {}, more.filter(Boolean).map(apart).join(" · ")));
    this.options.push({ element, choose });
    return element;
  }

  pressed(event) {
    if (event.isComposing || event.keyCode === 229) return; // the key is the input method's
    const last = this.options.length - 1;
    if (event.key === "Enter") {
      event.preventDefault();
      if (!this.list.hidden && this.options.length) this.options[Math.max(this.active, 0)].choose();
      else if (this.input.value.trim()) this.later.now();
    } else if (event.key === "Escape" && !this.list.hidden) {
      event.preventDefault();
      this.close();
    } else if (event.key === "ArrowDown" || event.key === "ArrowUp") {
      event.preventDefault();
      if (this.list.hidden) this.later.now();
      else if (event.key === "ArrowDown") this.activate(this.active < last ? this.active + 1 : 0);
      else this.activate(this.active > 0 ? this.active - 1 : last);
    }
  }

  activate(number) {
    this.options[this.active]?.element.setAttribute("aria-selected", "false");
    this.active = number;
    const option = this.options[number]?.element;
    if (!option) return this.input.removeAttribute("aria-activedescendant");
    option.setAttribute("aria-selected", "true");
    option.scrollIntoView({ block: "nearest" });
    return this.input.setAttribute("aria-activedescendant", option.id);
  }

  close() {
    this.later.cancel();
    this.newest(() => {});
    this.list.hidden = true;
    this.options = [];
    this.active = -1;
    this.input.setAttribute("aria-expanded", "false");
    this.input.removeAttribute("aria-activedescendant");
  }
}
