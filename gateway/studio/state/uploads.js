// Uploads of many files: two at a time, each resumable, also after a reload.

import { upload } from "../server/upload.js";

const AT_ONCE = 2;
const MOST_HASHED_BYTES = 512 * 1024 * 1024; // hashing reads the whole file into memory

/** The queue of uploads. An entry: {id, file, name, size, sent, state, error, record}; state: waiting|sending|checking|done|failed. */
export class Uploads extends EventTarget {
  entries = [];
  #store;
  #next = 1;

  constructor(store) {
    super();
    this.#store = store;
    addEventListener("online", () => this.#start());
  }

  watch(changed, signal) {
    this.addEventListener("change", changed, { signal });
  }

  /** Add files; return the promise of the records that arrive, in order, null for those that fail. */
  add(files) {
    const added = [...files].map((file) => {
      const entry = { id: this.#next++, file, name: file.name, size: file.size, sent: 0, state: "waiting", error: "" };
      entry.finished = new Promise((resolve) => (entry.finish = resolve));
      return entry;
    });
    this.entries = [...this.entries, ...added];
    this.#start();
    return Promise.all(added.map((entry) => entry.finished));
  }

  retry(entry) {
    Object.assign(entry, { state: "waiting", error: "" });
    this.#start();
  }

  retryAll() {
    for (const entry of this.entries) if (entry.state === "failed") Object.assign(entry, { state: "waiting", error: "" });
    this.#start();
  }

  cancel(entry) {
    entry.canceling?.abort();
    this.entries = this.entries.filter((other) => other !== entry);
    entry.finish(null);
    this.#start();
  }

  get isBusy() {
    return this.entries.some((entry) => ["waiting", "sending", "checking"].includes(entry.state));
  }

  #start() {
    const busy = this.entries.filter((entry) => entry.state === "sending" || entry.state === "checking").length;
    for (const entry of this.entries.filter(({ state }) => state === "waiting").slice(0, AT_ONCE - busy)) this.#send(entry);
    this.dispatchEvent(new Event("change"));
  }

  async #send(entry) {
    entry.state = "sending";
    entry.canceling = new AbortController();
    entry.began = performance.now();
    entry.from = null;
    const onProgress = (sent) => {
      entry.from ??= sent;
      entry.sent = sent;
      if (sent >= entry.size) entry.state = "checking";
      this.dispatchEvent(new Event("change"));
    };
    try {
      const twin = await twinOf(entry.file, this.#store.media.values());
      entry.record = twin ?? (await upload(this.#store.api, entry.file, { onProgress, signal: entry.canceling.signal }));
      entry.state = "done";
      this.entries = this.entries.filter((other) => other !== entry);
      this.#store.addMedia(entry.record);
      entry.finish(entry.record);
    } catch (error) {
      if (error.name === "AbortError") return;
      entry.state = "failed";
      entry.error = error.message;
    }
    this.#start();
  }
}

/** The medium of the library with the same bytes as a file; null if there is none. Only a file of the same size is read. */
async function twinOf(file, media) {
  const alike = [...media].filter((record) => record.bytes === file.size && (record.source === "upload" || record.source === "url"));
  if (!alike.length || !globalThis.crypto?.subtle || file.size > MOST_HASHED_BYTES) return null; // browsers hash on https and localhost only
  const digest = new Uint8Array(await crypto.subtle.digest("SHA-256", await file.arrayBuffer()));
  const sha256 = [...digest].map((byte) => byte.toString(16).padStart(2, "0")).join("");
  return alike.find((record) => record.sha256 === sha256) ?? null;
}
