"use strict";
/* Points on a canvas: to pan, to zoom, to point at, to pick. The map's page uses it, and melon's own.

   new MelonMap(canvas, data, {picked: row => …})
   data: what melon.plots.map_data gives. Rows are the points' places in its lists.
   colourBy(name), show(), mark({seeds: [row…], results: [row…]}), pick(row), hidden: sets of kinds
   (by number) and of codes that are not drawn. */
/* A text that would turn round the numbers beside it, as Arabic and Hebrew do, kept from that. */
const apart = (text) => (/[\u0590-\u08ff]/.test(text) ? `\u2068${text}\u2069` : text);

class MelonMap {
  constructor(canvas, data, { picked = () => {} } = {}) {
    this.canvas = canvas;
    this.data = data;
    this.picked = picked;
    this.count = data.x.length;
    this.dense = Math.max(0.5, Math.min(1, Math.sqrt(8000 / this.count))); // smaller where there are many
    this.hidden = { kinds: new Set(), codes: new Set() };
    this.chosen = -1;
    this.under = -1;
    this.marks = new Map();
    this.tip = document.createElement("div");
    this.tip.className = "tip";
    this.tip.hidden = true;
    canvas.parentElement.append(this.tip);
    this.labels = [...data.kind.keys()]
      .filter((row) => data.kind[row] === 1 && data.name[row])
      .sort((a, b) => data.size[b] - data.size[a])
      .slice(0, 300);
    this.cell();
    this.colourBy(data.first);
    this.listen();
    new ResizeObserver(() => this.fit()).observe(canvas);
    matchMedia("(prefers-color-scheme: dark)").addEventListener("change", () => this.show());
  }

  colourBy(name) {
    this.by = this.data.colourings[name];
    this.hidden.codes.clear();
    const groups = new Map();
    for (let row = 0; row < this.count; row++) {
      const code = this.by.codes[row];
      if (!groups.has(code)) groups.set(code, []);
      groups.get(code).push(row);
    }
    this.groups = [...groups].sort((a, b) => a[0] - b[0]);
    this.show();
  }

  colour(row) {
    const code = this.by.codes[row];
    return code < 0 ? this.data.unknown : this.by.colours[code];
  }

  isShown(row) {
    return !this.hidden.kinds.has(this.data.kind[row]) && !this.hidden.codes.has(this.by.codes[row]);
  }

  name(row) {
    const { name, kinds, kind, id } = this.data;
    return name[row] || `${kinds[kind[row]]} ${id[row]}`;
  }

  /* Its name on the map, cut where it is long. */
  label(row) {
    const letters = [...this.name(row)];
    return letters.length > 24 ? `${letters.slice(0, 23).join("")}…` : this.name(row);
  }

  /* A grid over the points, to find those near the pointer. */
  cell() {
    const { x, y } = this.data;
    const range = (values) => {
      let low = Infinity, high = -Infinity;
      for (const value of values) { low = Math.min(low, value); high = Math.max(high, value); }
      return [low, high];
    };
    [this.left, this.right] = range(x);
    [this.bottom, this.top] = range(y);
    this.side = Math.max(this.right - this.left, this.top - this.bottom, 1e-6) / 150;
    this.cells = new Map();
    for (let row = 0; row < this.count; row++) {
      const key = this.key(x[row], y[row]);
      if (!this.cells.has(key)) this.cells.set(key, []);
      this.cells.get(key).push(row);
    }
  }

  key(x, y) {
    return Math.floor((x - this.left) / this.side) * 1000 + Math.floor((y - this.bottom) / this.side);
  }

  /* Show all points, as large as they fit. */
  fit() {
    const box = this.canvas.getBoundingClientRect();
    if (!box.width || !box.height) return;
    const wide = this.right - this.left || 1, high = this.top - this.bottom || 1;
    this.whole = 0.94 * Math.min(box.width / wide, box.height / high);
    this.scale = this.whole;
    this.middle = [(this.left + this.right) / 2, (this.bottom + this.top) / 2];
    this.show();
  }

  place(row) {
    return [this.px(this.data.x[row]), this.py(this.data.y[row])];
  }
  px(x) { return (x - this.middle[0]) * this.scale + this.width / 2; }
  py(y) { return (this.middle[1] - y) * this.scale + this.height / 2; }

  radius(row) {
    return this.dense * (1.3 + 3.5 * this.data.size[row]) * Math.min(2.5, Math.sqrt(this.scale / this.whole) * 0.6 + 0.4);
  }

  zoom(factor, at = [this.width / 2, this.height / 2]) {
    const scale = Math.max(this.whole / 2, Math.min(this.whole * 200, this.scale * factor));
    const dx = at[0] - this.width / 2, dy = at[1] - this.height / 2;
    this.middle[0] += dx / this.scale - dx / scale;
    this.middle[1] -= dy / this.scale - dy / scale;
    this.scale = scale;
    this.show();
  }

  move(dx, dy) {
    this.middle[0] -= dx / this.scale;
    this.middle[1] += dy / this.scale;
    this.show();
  }

  /* Choose a point, and bring it into view if it is not; -1 for none. */
  pick(row) {
    this.chosen = row;
    if (row >= 0) {
      const [x, y] = this.place(row);
      if (!(x > 0 && y > 0 && x < this.width && y < this.height)) {
        this.middle = [this.data.x[row], this.data.y[row]];
      }
    }
    this.show();
    this.picked(row);
  }

  /* Ring the seeds and the results of a query; the others fade. */
  mark({ seeds = [], results = [] } = {}) {
    this.marks = new Map([...results.map((row) => [row, "result"]), ...seeds.map((row) => [row, "seed"])]);
    this.show();
  }

  at(x, y) {
    let best = -1, least = 14 ** 2;
    const reach = Math.ceil(14 / this.scale / this.side);
    if (reach > 40) return -1;
    const cx = (x - this.width / 2) / this.scale + this.middle[0];
    const cy = this.middle[1] - (y - this.height / 2) / this.scale;
    for (let i = -reach; i <= reach; i++) {
      for (let j = -reach; j <= reach; j++) {
        for (const row of this.cells.get(this.key(cx + i * this.side, cy + j * this.side)) || []) {
          const [px, py] = this.place(row);
          const far = (px - x) ** 2 + (py - y) ** 2;
          if (far < least && this.isShown(row)) { least = far; best = row; }
        }
      }
    }
    return best;
  }

  show() {
    if (this.waiting) return;
    this.waiting = requestAnimationFrame(() => { this.waiting = 0; this.draw(); });
  }

  draw() {
    if (!this.whole) return;
    const box = this.canvas.getBoundingClientRect(), ratio = devicePixelRatio || 1;
    [this.width, this.height] = [box.width, box.height];
    this.canvas.width = Math.round(box.width * ratio);
    this.canvas.height = Math.round(box.height * ratio);
    const pen = this.canvas.getContext("2d");
    const style = getComputedStyle(this.canvas);
    const [ink, paper] = [style.getPropertyValue("--ink").trim(), style.getPropertyValue("--paper").trim()];
    pen.scale(ratio, ratio);
    pen.fillStyle = paper;
    pen.fillRect(0, 0, this.width, this.height);
    pen.globalAlpha = this.marks.size ? 0.25 : 0.8;
    for (const [code, rows] of this.groups) {
      if (this.hidden.codes.has(code)) continue;
      pen.fillStyle = this.colour(rows[0]);
      pen.beginPath();
      for (const row of rows) this.trace(pen, row);
      pen.fill();
    }
    pen.globalAlpha = 1;
    this.drawLabels(pen, ink, paper);
    for (const [row, what] of this.marks) {
      pen.fillStyle = this.colour(row);
      pen.beginPath();
      this.trace(pen, row, 1.5);
      pen.fill();
      this.ring(pen, row, ink, what === "seed" ? 4 : 2, what === "seed" ? 6 : 3);
    }
    if (this.chosen >= 0) this.drawChosen(pen, ink, paper);
  }

  /* Songs are discs, tags triangles, playlists squares. */
  trace(pen, row, times = 1) {
    const kind = this.data.kind[row];
    if (this.hidden.kinds.has(kind)) return;
    const x = this.px(this.data.x[row]), y = this.py(this.data.y[row]), r = this.radius(row) * times;
    if (x < -r || y < -r || x > this.width + r || y > this.height + r) return;
    if (kind === 1) {
      pen.moveTo(x, y - 1.3 * r);
      pen.lineTo(x + 1.2 * r, y + 0.9 * r);
      pen.lineTo(x - 1.2 * r, y + 0.9 * r);
      pen.closePath();
    } else if (kind === 2 || r < 1.5) { // a disc takes much longer, and looks the same
      pen.rect(x - 0.9 * r, y - 0.9 * r, 1.8 * r, 1.8 * r);
    } else {
      pen.moveTo(x + r, y);
      pen.arc(x, y, r, 0, 7);
    }
  }

  ring(pen, row, ink, wide, away) {
    const [x, y] = this.place(row);
    pen.strokeStyle = ink;
    pen.lineWidth = wide;
    pen.beginPath();
    pen.arc(x, y, this.radius(row) + away, 0, 7);
    pen.stroke();
  }

  /* Half the width of a text, and its middle as near to x as it can be seen whole. */
  room(pen, text, x) {
    const half = pen.measureText(text).width / 2 + 4;
    return [half, Math.max(half, Math.min(this.width - half, x))];
  }

  write(pen, text, x, y, ink, paper) {
    pen.lineWidth = 3;
    pen.lineJoin = "round";
    pen.strokeStyle = paper;
    pen.strokeText(text, x, y);
    pen.fillStyle = ink;
    pen.fillText(text, x, y);
  }

  /* The commonest tags that are in view, as far as they have room. */
  drawLabels(pen, ink, paper) {
    if (this.hidden.kinds.has(1)) return;
    pen.font = `13px ${getComputedStyle(this.canvas).fontFamily}`;
    pen.textAlign = "center";
    const taken = [];
    for (const row of this.labels) {
      if (taken.length === 40) break;
      const [x, y] = this.place(row);
      if (!this.isShown(row) || x < 0 || y < 16 || x > this.width || y > this.height) continue;
      const text = this.label(row);
      const [half, middle] = this.room(pen, text, x);
      if (taken.some(([tx, ty, other]) => Math.abs(tx - middle) < half + other && Math.abs(ty - y) < 17)) continue;
      taken.push([middle, y, half]);
      this.write(pen, text, middle, y - 6, ink, paper);
    }
  }

  drawChosen(pen, ink, paper) {
    const [x, y] = this.place(this.chosen);
    pen.strokeStyle = ink;
    pen.lineWidth = 1;
    for (const row of this.data.near[this.chosen]) {
      const [nx, ny] = this.place(row);
      pen.beginPath();
      pen.moveTo(x, y);
      pen.lineTo(nx, ny);
      pen.stroke();
      this.ring(pen, row, ink, 1.5, 3);
    }
    this.ring(pen, this.chosen, ink, 3, 5);
    pen.font = `bold 14px ${getComputedStyle(this.canvas).fontFamily}`;
    pen.textAlign = "center";
    const name = this.label(this.chosen);
    this.write(pen, name, this.room(pen, name, x)[1], y - 14, ink, paper);
  }

  point(x, y) {
    const row = this.at(x, y);
    if (row !== this.under) {
      this.under = row;
      this.tip.hidden = row < 0;
      if (row >= 0) this.tip.textContent = this.describe(row);
    }
    if (row < 0) return;
    const right = x > this.width / 2, low = y > this.height / 2;
    Object.assign(this.tip.style, {
      left: right ? "" : `${x + 12}px`, right: right ? `${this.width - x + 12}px` : "",
      top: low ? "" : `${y + 12}px`, bottom: low ? `${this.height - y + 12}px` : "",
    });
  }

  describe(row) {
    const { kind, kinds, artists, popularity } = this.data;
    const parts = [`${apart(this.name(row))}${artists[row] ? ` · ${apart(artists[row])}` : ""}`, kinds[kind[row]]];
    const code = this.by.codes[row];
    if (code >= 0 && this.by !== this.data.colourings.kind) parts.push(apart(this.by.labels[code]));
    if (popularity[row] !== null) {
      const unit = kind[row] === 2 ? ["like", "likes"] : ["playlist", "playlists"];
      parts.push(`${popularity[row].toLocaleString("en")} ${unit[popularity[row] === 1 ? 0 : 1]}`);
    }
    return parts.join(" · ");
  }

  listen() {
    const canvas = this.canvas, down = new Map();
    let moved = 0;
    const local = (event) => {
      const box = canvas.getBoundingClientRect();
      return [event.clientX - box.left, event.clientY - box.top];
    };
    const spread = () => {
      const [[ax, ay], [bx, by]] = [...down.values()];
      return { apart: Math.hypot(ax - bx, ay - by) || 1, middle: [(ax + bx) / 2, (ay + by) / 2] };
    };
    canvas.addEventListener("pointerdown", (event) => {
      if (!down.size) moved = 0;
      down.set(event.pointerId, local(event));
      canvas.setPointerCapture(event.pointerId);
    });
    canvas.addEventListener("pointermove", (event) => {
      const [x, y] = local(event);
      if (!down.has(event.pointerId)) return this.point(x, y);
      const before = down.get(event.pointerId);
      const old = down.size === 2 ? spread() : null;
      down.set(event.pointerId, [x, y]);
      if (old) {
        const now = spread();
        this.zoom(now.apart / old.apart, now.middle);
        this.move(now.middle[0] - old.middle[0], now.middle[1] - old.middle[1]);
        moved = 99;
      } else if (down.size === 1) {
        moved += Math.abs(x - before[0]) + Math.abs(y - before[1]);
        if (moved > 4) this.move(x - before[0], y - before[1]);
      }
    });
    for (const end of ["pointerup", "pointercancel"]) {
      canvas.addEventListener(end, (event) => {
        const alone = down.size === 1;
        down.delete(event.pointerId);
        if (end === "pointerup" && alone && moved <= 4) this.pick(this.at(...local(event)));
      });
    }
    canvas.addEventListener("pointerleave", () => { this.under = -1; this.tip.hidden = true; });
    canvas.addEventListener("wheel", (event) => {
      event.preventDefault();
      this.zoom(Math.exp(-Math.max(-240, Math.min(240, event.deltaY)) / 300), local(event));
    }, { passive: false });
    canvas.addEventListener("keydown", (event) => {
      const step = { ArrowLeft: [60, 0], ArrowRight: [-60, 0], ArrowUp: [0, 60], ArrowDown: [0, -60] }[event.key];
      if (step) this.move(...step);
      else if (event.key === "+" || event.key === "=") this.zoom(1.4);
      else if (event.key === "-") this.zoom(1 / 1.4);
      else if (event.key === "0") this.fit();
      else if (event.key === "Escape") this.pick(-1);
      else return;
      event.preventDefault();
    });
  }
}
