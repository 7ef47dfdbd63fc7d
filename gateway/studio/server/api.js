// Requests to the server, with and without an API key.

const KEPT_AS = "reelwright-api-key";
const AGAIN_MS = 300;
const LONGEST_READ_MS = 20_000; // longest wait for an answer; a later one was lost with its connection
const LONGEST_WRITE_MS = 90_000; // the same for requests other than GET: the server may hold their answers for 60 s

/**
 * Options of a request. `limit`: milliseconds for the whole answer. Null: no limit, for large files and streams. `mayRepeat`: whether the
 * request may arrive twice.
 * @typedef {{ json?: any, headers?: Record<string, string>, signal?: AbortSignal, limit?: number | null, mayRepeat?: boolean }} Options
 */

/** An error answer of the server, made from its problem details (RFC 9457). */
export class Problem extends Error {
  constructor(status, body) {
    super(body?.detail || body?.title || `The server answered ${status}.`);
    this.status = status;
    this.type = body?.type ?? ""; // such as "/problems/model-missing"
    this.title = body?.title ?? `Status ${status}`;
    this.errors = body?.errors ?? [];
  }
}

/** The server cannot be reached. */
export class Unreachable extends Error {
  constructor() {
    super("The server does not answer. Check that it is running.");
  }
}

/** Client for the requests of this page. `askForKey(detail)` returns the promise of a key; it is called when the server demands one. */
export class Api {
  #askForKey;
  #asking = null;
  #key = sessionStorage.getItem(KEPT_AS) ?? "";

  constructor(askForKey) {
    this.#askForKey = askForKey;
  }

  /** Whether requests carry a key. */
  get keyed() {
    return this.#key !== "";
  }

  /** The authorization header, if there is a key. */
  get authorization() {
    return this.keyed ? { Authorization: `Bearer ${this.#key}` } : {};
  }

  /** Ask for a key, once for all requests that were refused meanwhile. */
  async renewKey(detail, refused = this.authorization) {
    if (refused.Authorization !== this.authorization.Authorization) return; // another request already got a new key
    this.#asking ??= this.#askForKey(this.keyed ? detail : "This server needs an API key.");
    try {
      this.#key = await this.#asking;
      sessionStorage.setItem(KEPT_AS, this.#key);
    } finally {
      this.#asking = null;
    }
  }

  forgetKey() {
    sessionStorage.removeItem(KEPT_AS);
    this.#key = "";
  }

  /**
   * Send a request and return its successful response. Throws Problem, Unreachable, or AbortError.
   * @param {string} method  @param {string} path  @param {Options} [options]
   */
  async send(method, path, { json, headers = {}, signal, limit = method === "GET" ? LONGEST_READ_MS : LONGEST_WRITE_MS, mayRepeat = method === "GET" } = {}) {
    for (;;) {
      const authorization = this.authorization;
      const sent = { method, headers: { ...authorization, ...headers } };
      if (json !== undefined) {
        sent.body = JSON.stringify(json);
        sent.headers["Content-Type"] = "application/json";
      }
      const response = await reach(path, sent, signal, { limit, mayRepeat });
      if (response.ok) return response;
      const problem = await problemOf(response);
      if (response.status !== 401) throw problem;
      await this.renewKey(problem.message, authorization);
    }
  }

  /** GET a path and return its JSON. @param {string} path  @param {Options} [options] */
  async get(path, options = {}) {
    return jsonOf(await this.send("GET", path, options));
  }

  /** POST JSON to a path and return the JSON of the answer. @param {string} path @param {any} [json] @param {Options} [options] */
  async post(path, json, options = {}) {
    return jsonOf(await this.send("POST", path, { ...options, json }));
  }

  /** POST the request of a job, and return the job. It starts once even if the request arrives twice. @param {string} path  @param {any} [json] */
  async start(path, json) {
    return this.post(path, json, { headers: { "Idempotency-Key": crypto.randomUUID?.() ?? `${Date.now()}-${Math.random()}` }, mayRepeat: true });
  }

  /**
   * Return a URL for <img>, <video> and downloads, and a function that releases it. Without a key it is the server's URL, so the browser can
   * request ranges. Elements cannot send a key, so with a key the whole file is fetched. It is released when `signal` aborts, too.
   */
  async mediaUrl(path, signal) {
    if (!this.keyed) return { url: path, release() {} };
    const blob = await (await this.send("GET", path, { signal, limit: null })).blob();
    signal?.throwIfAborted();
    const url = URL.createObjectURL(blob);
    const release = () => URL.revokeObjectURL(url);
    signal?.addEventListener("abort", release, { once: true });
    return { url, release };
  }
}

/** Send a request; repeat it once after a failure if `mayRepeat`. Browsers drop every request when the machine's network changes. */
async function reach(path, sent, signal, { limit, mayRepeat }) {
  try {
    return await fetch(path, { ...sent, signal: within(limit, signal) });
  } catch (error) {
    if (signal?.aborted) throw error;
    if (!mayRepeat) throw new Unreachable();
  }
  await new Promise((resolve) => setTimeout(resolve, AGAIN_MS));
  return reach(path, sent, signal, { limit, mayRepeat: false });
}

/** Return a signal that aborts with `signal`, or after `limit` milliseconds. */
function within(limit, signal) {
  if (!limit) return signal;
  const timeout = AbortSignal.timeout(limit);
  return signal ? AbortSignal.any([signal, timeout]) : timeout;
}

/** Return the JSON of an answer. Throws Unreachable if its connection is lost meanwhile. */
export async function jsonOf(response) {
  try {
    return await response.json();
  } catch (error) {
    throw error.name === "AbortError" ? error : new Unreachable();
  }
}

async function problemOf(response) {
  const body = await response.json().catch(() => null);
  return new Problem(response.status, body);
}
