// Uploads of many files: two at a time, each resumable, also after a reload.

import { twinOf } from "../server/known_bytes.js";
import { isBegun, isFaultOfFile, upload } from "../server/upload.js";

/** File types that the file dialog accepts for each kind of media. A browser knows some of them by their suffix only. */
export const ACCEPTED = { video: "video/*,.mkv,.mxf", image: "image/*,.heic,.avif", images: ".zip" };
const AT_ONCE = 2;
const BUSY = new Set(["comparing", "sending", "checking"]);

/**
 * The queue of uploads. An entry: {id, file, name, size, compared, sent, state, error, canRetry, record}; state: waiting|comparing|sending|
 * checking|done|failed. `canRetry`: whether a failed upload may succeed with the same file. Sends `known` with an entry whose bytes the server has.
 */
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

  /** Add files; return the promise of the records that arrive. They are in order, null for files that fail. */
  add(files) {
    const added = [...files].map((file) => {
      const entry = { id: this.#next++, file, name: file.name, size: file.size, compared: 0, sent: 0, state: "waiting", error: "", canRetry: false };
      entry.finished = new Promise((resolve) => (entry.finish = resolve));
      return entry;
    });
    this.entries = [...this.entries, ...added];
    this.#start();
    return Promise.all(added.map((entry) => entry.finished));
  }

  retry(entry) {
    if (entry.canRetry) Object.assign(entry, { state: "waiting", error: "", canRetry: false });
    this.#start();
  }

  retryAll() {
    for (const entry of this.entries) this.retry(entry);
  }

  cancel(entry) {
    entry.canceling?.abort();
    this.entries = this.entries.filter((other) => other !== entry);
    entry.finish(null);
    this.#start();
  }

  get isBusy() {
    return this.entries.some((entry) => entry.state === "waiting" || BUSY.has(entry.state));
  }

  #start() {
    const busy = this.entries.filter((entry) => BUSY.has(entry.state)).length;
    for (const entry of this.entries.filter(({ state }) => state === "waiting").slice(0, AT_ONCE - busy)) this.#send(entry);
    this.#tell();
  }

  /** Stop comparing a file with the server's media, and send the file. */
  skip(entry) {
    entry.comparing?.abort();
  }

  #tell() {
    this.dispatchEvent(new Event("change"));
  }

  async #send(entry) {
    entry.canceling = new AbortController();
    const { signal } = entry.canceling;
    try {
      const twin = await this.#twin(entry);
      signal.throwIfAborted();
      entry.record = twin ?? (await this.#upload(entry, signal));
      entry.state = "done";
      this.entries = this.entries.filter((other) => other !== entry);
      this.#store.putMedia(entry.record);
      this.#store.readUsage();
      if (twin) this.dispatchEvent(new CustomEvent("known", { detail: entry }));
      entry.finish(entry.record);
    } catch (error) {
      if (error.name === "AbortError") return;
      Object.assign(entry, { state: "failed", error: error.message, canRetry: !isFaultOfFile(error) });
    }
    this.#start();
  }

  /**
   * Find a medium on the server with the same bytes as an entry's file. Null: the server has none, or does not say. An upload that was begun
   * goes on.
   */
  async #twin(entry) {
    entry.state = "comparing"; // at once: a waiting entry could be started twice
    if (isBegun(entry.file)) return null;
    entry.comparing = new AbortController();
    const onProgress = (bytes) => {
      entry.compared = bytes;
      this.#tell();
    };
    const signal = AbortSignal.any([entry.canceling.signal, entry.comparing.signal]);
    return twinOf(this.#store.api, entry.file, { onProgress, signal }).catch(() => null);
  }

  #upload(entry, signal) {
    Object.assign(entry, { state: "sending", began: performance.now(), from: null });
    const onProgress = (sent) => {
      entry.from ??= sent;
      entry.sent = sent;
      if (sent >= entry.size) entry.state = "checking";
      this.#tell();
    };
    this.#tell();
    return upload(this.#store.api, entry.file, { onProgress, signal });
  }
}
