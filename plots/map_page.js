{
  const data = JSON.parse(document.getElementById("data").textContent);
  const element = (id) => document.getElementById(id);
  const map = new MelonMap(element("canvas"), data, { picked: showPicked });
  window.melonMap = map;

  const make = (tag, text, more = {}) => Object.assign(document.createElement(tag), { textContent: text, ...more });
  const button = (row) => {
    const item = make("li", "");
    const artists = data.artists[row] ? ` · ${apart(data.artists[row])}` : "";
    const inside = make("button", `${apart(map.name(row))}${artists}`, { type: "button" });
    inside.append(make("span", ` ${data.kinds[data.kind[row]]}`, { className: "faint" }));
    inside.addEventListener("click", () => map.pick(row));
    item.append(inside);
    return item;
  };
  const check = (label, colour, on, change) => {
    const outer = make("label", "");
    const box = make("input", "", { type: "checkbox", checked: on });
    box.addEventListener("change", () => { change(box.checked); map.show(); });
    outer.append(box);
    if (colour) {
      const swatch = make("span", "", { className: "swatch" });
      swatch.style.background = colour;
      outer.append(swatch);
    }
    outer.append(make("span", label));
    return outer;
  };
  const toggle = (set, value) => (on) => (on ? set.delete(value) : set.add(value));
  const counted = (values) => {
    const counts = new Map();
    for (const value of values) counts.set(value, (counts.get(value) || 0) + 1);
    return counts;
  };

  const perKind = counted(data.kind);
  const shapes = ["●", "▲", "■"];
  data.kinds.forEach((name, kind) => {
    if (!perKind.get(kind)) return;
    const label = `${shapes[kind]} ${name}s (${perKind.get(kind).toLocaleString("en")})`;
    element("kinds").append(check(label, null, true, toggle(map.hidden.kinds, kind)));
  });

  function showLegend() {
    const counts = counted(map.by.codes);
    const legend = element("legend");
    legend.replaceChildren();
    const add = (code, label, colour) => {
      if (!counts.get(code)) return;
      const text = `${apart(label)} (${counts.get(code).toLocaleString("en")})`;
      legend.append(check(text, colour, true, toggle(map.hidden.codes, code)));
    };
    map.by.labels.forEach((label, code) => add(code, label, map.by.colours[code]));
    add(-1, "not known", data.unknown);
  }
  const colour = element("colour");
  for (const name of Object.keys(data.colourings)) colour.append(make("option", name, { value: name }));
  colour.value = data.first;
  colour.addEventListener("change", () => { map.colourBy(colour.value); showLegend(); });
  showLegend();

  const fold = (text) => text.normalize("NFKC").toLowerCase();
  const texts = data.x.map((_, row) => fold(`${map.name(row)} ${data.artists[row] || ""}`));
  const order = [...texts.keys()].sort((a, b) => data.size[b] - data.size[a]);
  const search = element("search"), found = element("found");
  const look = () => {
    const wanted = fold(search.value).split(/\s+/).filter(Boolean);
    const rows = [];
    let count = 0;
    if (wanted.length) {
      for (const row of order) {
        if (!wanted.every((part) => texts[row].includes(part))) continue;
        count += 1;
        if (rows.length < 6) rows.push(row);
      }
    }
    found.replaceChildren(...rows.map(button));
    element("count").textContent = wanted.length
      ? `${count.toLocaleString("en")} found${count > rows.length ? `, the most popular ${rows.length} shown` : ""}` : "";
    return rows;
  };
  search.addEventListener("input", look);
  search.addEventListener("keydown", (event) => {
    if (event.key !== "Enter") return;
    const [first] = look();
    if (first !== undefined) map.pick(first);
  });

  function showPicked(row) {
    element("picked").hidden = row < 0;
    if (row < 0) return;
    element("what").textContent = map.name(row);
    element("about").textContent = map.describe(row);
    element("near").replaceChildren(...data.near[row].map(button));
  }

  element("closer").addEventListener("click", () => map.zoom(1.6));
  element("away").addEventListener("click", () => map.zoom(1 / 1.6));
  element("all").addEventListener("click", () => map.fit());
}
