// Requests to the server, with and without an API key.

const KEPT_AS = "reelwright-api-key";
const AGAIN_MS = 300;

/** @typedef {{ json?: any, headers?: Record<string, string>, signal?: AbortSignal }} Options */

/** An error answer of the server, from problem details (RFC 9457). */
export class Problem extends Error {
  constructor(status, body) {
    super(body?.detail || body?.title || `The server answered ${status}.`);
    this.status = status;
    this.title = body?.title ?? `Status ${status}`;
    this.errors = body?.errors ?? [];
  }
}

/** The server cannot be reached. */
export class Unreachable extends Error {
  constructor() {
    super("The server does not answer. Is it running?");
  }
}

/** Requests of this page. `askForKey(detail)` returns the promise of a key; it is called when the server demands one. */
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
  async send(method, path, { json, headers = {}, signal } = {}) {
    for (;;) {
      const authorization = this.authorization;
      const sent = { method, signal, headers: { ...authorization, ...headers } };
      if (json !== undefined) {
        sent.body = JSON.stringify(json);
        sent.headers["Content-Type"] = "application/json";
      }
      const response = await reach(path, sent);
      if (response.ok) return response;
      const problem = await problemOf(response);
      if (response.status !== 401) throw problem;
      await this.renewKey(problem.message, authorization);
    }
  }

  /** GET a path and return its JSON. @param {string} path  @param {Options} [options] */
  async get(path, options = {}) {
    return (await this.send("GET", path, options)).json();
  }

  /** POST JSON to a path and return the JSON of the answer. @param {string} path  @param {any} [json]  @param {Options} [options] */
  async post(path, json, options = {}) {
    return (await this.send("POST", path, { ...options, json })).json();
  }

  /**
   * A URL for <img>, <video> and downloads, and a function that releases it. Without a key it is the server's URL, so the browser can
   * request ranges. Elements cannot send a key, so with a key the whole file is fetched.
   */
  async mediaUrl(path, signal) {
    if (!this.keyed) return { url: path, release() {} };
    const blob = await (await this.send("GET", path, { signal })).blob();
    const url = URL.createObjectURL(blob);
    return { url, release: () => URL.revokeObjectURL(url) };
  }
}

/** Fetch; a read that fails is tried once more, because browsers drop every request when the machine's network changes. */
async function reach(path, sent, isAgain = sent.method !== "GET") {
  try {
    return await fetch(path, sent);
  } catch (error) {
    if (error.name === "AbortError") throw error;
    if (isAgain) throw new Unreachable();
  }
  await new Promise((resolve) => setTimeout(resolve, AGAIN_MS));
  return reach(path, sent, true);
}

async function problemOf(response) {
  const body = await response.json().catch(() => null);
  return new Problem(response.status, body);
}
