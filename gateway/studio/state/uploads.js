// Uploads of many files: two at a time, each resumable, also after a reload.

import { upload } from "../server/upload.js";

const AT_ONCE = 2;

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
      entry.record = await upload(this.#store.api, entry.file, { onProgress, signal: entry.canceling.signal });
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
