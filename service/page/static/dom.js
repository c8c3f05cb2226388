// Elements. Names come from anywhere: they become text, never markup.

// An element; properties that begin with "on" are listeners, those with a dash attributes.
export function make(tag, properties = {}, ...children) {
  const element = document.createElement(tag);
  for (const [name, value] of Object.entries(properties)) {
    if (name.startsWith("on")) element.addEventListener(name.slice(2), value);
    else if (name === "key") element.dataset.key = value;
    else if (name.includes("-") || name === "role" || name === "for") element.setAttribute(name, value);
    else element[name] = value;
  }
  element.append(...children.flat(Infinity).filter((child) => child !== null && child !== undefined));
  return element;
}

export const byId = (id) => document.getElementById(id);

// Replace what is in an element, and keep the focus: on what has the same key, else on what takes its
// place, else on `fallback`.
export function refill(element, children, fallback) {
  const active = document.activeElement;
  const had = element.contains(active) && active !== element;
  const keyed = () => [...element.querySelectorAll("[data-key]")];
  const before = had ? active.closest("[data-key]") : null;
  const place = keyed().indexOf(before);
  element.replaceChildren(...children);
  if (!had) return;
  const now = keyed();
  const same = now.find((one) => one.dataset.key === before?.dataset.key);
  (same ?? now[Math.min(place, now.length - 1)] ?? fallback)?.focus({ preventScroll: true });
}

// Calls `work` once nothing more was asked for during so many milliseconds; `.now()` at once.
export function debounced(work, milliseconds) {
  let timer;
  const later = (...given) => {
    clearTimeout(timer);
    timer = setTimeout(work, milliseconds, ...given);
  };
  later.now = (...given) => {
    clearTimeout(timer);
    return work(...given);
  };
  later.cancel = () => clearTimeout(timer);
  return later;
}
