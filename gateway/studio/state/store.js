// What the page knows of the server: media, jobs, operations. Elements watch it and redraw.

import { words } from "../base/format.js";
import { clipId } from "../base/outputs.js";
import { Problem } from "../server/api.js";

const BUSY_MS = 1500; // interval of refreshing the lists while a job runs
const IDLE_MS = 6000;
const SHOWN_JOBS = 30;
const MEDIA_PAGE = 200;
const MOST_MEDIA = 2000; // that the library lists
export const SAMPLE_DIGITS = "0".repeat(24); // ids of the installation's sample media begin with it
export const ENDED = new Set(["succeeded", "failed", "canceled"]);

export class Store extends EventTarget {
  media = new Map(); // id -> record, newest first
  jobs = new Map(); // id -> job, newest first
  operations = [];
  pipelines = []; // the named ones
  hasPipelines = false;
  isListed = false; // whether the lists were read, or could not be
  isReady = false; // whether the operations were, too
  offline = "";
  #api;
  #hidden = new Set(); // ids of media that are about to be deleted
  #wake = (/** @type {any} */ _value = null) => {};

  constructor(api) {
    super();
    this.#api = api;
  }

  get api() {
    return this.#api;
  }

  /** Call `changed()` after every change until `signal` aborts. */
  watch(changed, signal) {
    this.addEventListener("change", changed, { signal });
  }

  tell() {
    this.dispatchEvent(new Event("change"));
  }

  /** Refresh at intervals, for as long as the page is open. */
  async run() {
    for (;;) {
      if (document.visibilityState === "visible") await this.refresh();
      const busy = [...this.jobs.values()].some((job) => !ENDED.has(job.status));
      await new Promise((resolve) => {
        this.#wake = resolve;
        setTimeout(resolve, busy ? BUSY_MS : IDLE_MS);
      });
    }
  }

  /** Refresh soon. */
  hurry() {
    this.#wake();
  }

  async refresh() {
    const declared = this.operations.length ? null : this.#readDeclarations();
    declared?.catch(() => {}); // awaited below
    try {
      const [media, jobs] = await Promise.all([this.#readMedia(), this.#api.get(`/v1/jobs?limit=${SHOWN_JOBS}`)]);
      // Without keys the list has them, unless it is long; asking for one that is not drawn yet would be an error in the console.
      const samples = this.#api.keyed || media.next_cursor ? await this.#samples(media.items) : [];
      this.media = new Map([...media.items, ...samples].map((record) => [record.id, record]));
      this.#mergeJobs(jobs.items);
      this.isListed = true;
      if (declared) this.tell(); // the library needs no operations
      await declared;
      if (!declared && !this.hasPipelines) await this.#readPipelines();
      this.offline = "";
    } catch (error) {
      this.offline = error instanceof Problem ? error.message : "The server does not answer. Trying again…";
    }
    this.isListed = this.isReady = true;
    this.tell();
  }

  async #readMedia() {
    const items = [];
    let next = "";
    do {
      const page = await this.#api.get(`/v1/media?limit=${MEDIA_PAGE}${next && `&cursor=${encodeURIComponent(next)}`}`);
      items.push(...page.items);
      next = page.next_cursor ?? "";
    } while (next && items.length < MOST_MEDIA);
    return { items, next_cursor: next };
  }

  /** Read the operations; the named pipelines may come later, because the server checks each of them first. */
  async #readDeclarations() {
    this.operations = await this.#api.get("/v1/operations");
    this.#readPipelines().catch(() => {}); // the next refresh tries again
  }

  async #readPipelines() {
    this.pipelines = await this.#api.get("/v1/pipelines/presets");
    this.hasPipelines = true;
    this.tell();
  }

  /** The sample media, which other owners' lists leave out. */
  async #samples(listed) {
    const known = new Set(listed.map((record) => record.id));
    const ids = ["00", "01", "02", "03"].map((end) => SAMPLE_DIGITS + end).filter((id) => !known.has(id));
    const found = ids.map((id) => this.media.get(id) ?? this.#api.get(`/v1/media/${id}`).catch(() => null));
    return (await Promise.all(found)).filter(Boolean);
  }

  /** Lists have no results: keep those of jobs that were read whole, and events that are newer than the list. */
  #mergeJobs(listed) {
    const merged = listed.map((job) => {
      const known = this.jobs.get(job.id);
      if (!known) return job;
      if (ENDED.has(known.status)) return known.result === undefined || known.result === null ? { ...job, result: known.result } : known;
      return { ...job, progress: job.status === "running" ? further(known.progress, job.progress) : job.progress };
    });
    const isOlder = (job) => !merged.some((other) => other.id === job.id);
    const extra = [...this.jobs.values()].filter((job) => isOlder(job) && job.isKept);
    this.jobs = new Map([...merged, ...extra].map((job) => [job.id, job]));
  }

  /** The media to offer: not those about to be deleted. */
  get shownMedia() {
    return [...this.media.values()].filter((record) => !this.#hidden.has(record.id));
  }

  /** A record; asks the server if it is not in the list. */
  async record(id) {
    const known = this.media.get(id);
    if (known) return known;
    const record = await this.#api.get(`/v1/media/${id}`);
    this.addMedia(record);
    return record;
  }

  addMedia(record) {
    this.media = new Map([[record.id, record], ...this.media]);
    this.tell();
  }

  /** Put a job at the top of the list, or replace it. */
  putJob(job) {
    const next = { ...job, isKept: true };
    this.jobs = this.jobs.has(job.id) ? new Map(this.jobs).set(job.id, next) : new Map([[job.id, next], ...this.jobs]);
    for (const record of Object.values(job.outputs ?? {})) this.media.set(record.id, record);
    this.tell();
  }

  /** The name to show for a medium: results that nobody renamed are named after their clip and tool. */
  nameOf(record) {
    const maker = this.operations.find(({ name }) => record.name.startsWith(`${name.replace(".", "-")}-`));
    if (!maker || record.source === "upload" || record.source === "url") return record.name;
    const job = this.jobs.get(record.source);
    const clip = job && this.media.get(clipId(job));
    const outputs = Object.entries(job?.outputs ?? {});
    const [output] = outputs.length > 1 ? (outputs.find(([, { id }]) => id === record.id) ?? []) : [];
    return [clip && this.nameOf(clip).replace(/\.\w+$/, ""), maker.title, output && words(output).toLowerCase()].filter(Boolean).join(" · ");
  }

  hide(id, isHidden) {
    if (isHidden) this.#hidden.add(id);
    else this.#hidden.delete(id);
    this.tell();
  }

  operation(name) {
    return this.operations.find((operation) => operation.name === name);
  }
}

/** The later of two states of progress, either of which may be missing. */
function further(first, second) {
  return (first?.fraction ?? -1) > (second?.fraction ?? -1) ? first : second;
}

export function isSample(record) {
  return record.id.startsWith(SAMPLE_DIGITS);
}
