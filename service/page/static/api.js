// What asks the service. A request that is made again takes the place of the one before.

const KEY = "melon-key";

// What went wrong, as the service says it.
export class Failure extends Error {
  constructor({ what, where = null, hint = null }, status = 0, retryAfter = null) {
    super(what);
    Object.assign(this, { what, where, hint, status, retryAfter });
  }
}

export function keepKey(key) {
  sessionStorage.setItem(KEY, key);
}

// A response of the service: `body` is sent as JSON, else `parameters` in the URL.
export async function request(path, { body, parameters, signal } = {}) {
  const headers = {};
  const key = sessionStorage.getItem(KEY);
  if (key) headers.Authorization = `Bearer ${key}`;
  const asked = { headers, signal };
  if (body) {
    headers["Content-Type"] = "application/json";
    Object.assign(asked, { method: "POST", body: JSON.stringify(body) });
  }
  const search = parameters ? `?${parameters}` : "";
  let response;
  try {
    response = await fetch(`api/v1/${path}${search}`, asked);
  } catch (error) {
    if (error.name === "AbortError") throw error;
    throw new Failure(
      { what: "the service does not answer", hint: "is `melon serve` still running?" }, 0, 2,
    );
  }
  if (response.ok) return response;
  const retryAfter = Number(response.headers.get("Retry-After")) || null;
  const said = await response.json().catch(() => ({}));
  throw new Failure(
    said.error ?? { what: `the service answered ${response.status}` }, response.status, retryAfter,
  );
}

export async function ask(path, how) {
  return (await request(path, how)).json();
}

// Runs one piece of work at a time: a newer one aborts the older, whose result goes nowhere.
export function newest() {
  let running = null;
  return async (work, onFailure) => {
    running?.abort();
    const mine = (running = new AbortController());
    try {
      await work(mine.signal);
    } catch (error) {
      if (mine.signal.aborted) return;
      if (!(error instanceof Failure)) throw error;
      onFailure(error);
    } finally {
      if (running === mine) running = null;
    }
  };
}

// Of a list of values, parameters of a URL: lists are repeated.
export function parametersOf(values) {
  const parameters = new URLSearchParams();
  for (const [name, value] of Object.entries(values)) {
    for (const one of [value].flat()) parameters.append(name, one);
  }
  return parameters;
}
