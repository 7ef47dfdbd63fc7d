// The page's copy of the server's data: media, jobs, operations. Elements watch it and redraw.

import { words } from "../base/format.js";
import { clipId } from "../base/outputs.js";
import { jsonOf, Problem } from "../server/api.js";

const BUSY_MS = 1500; // interval of refreshing the lists while a job runs
const IDLE_MS = 6000;
const SHOWN_JOBS = 30;
const MEDIA_PAGE = 200;
const ID_DIGITS = 6; // digits of a job's id in the names that the server gives to the job's outputs
export const SAMPLE_DIGITS = "0".repeat(24); // ids of the installation's sample media begin with it
export const ENDED = new Set(["succeeded", "failed", "canceled"]);

export class Store extends EventTarget {
  media = new Map(); // id -> record: all that were read, also those that are not listed
  used = null; // {bytes, limit_bytes}: the disk space of this owner's media
  jobs = new Map(); // id -> job, newest first
  operations = [];
  pipelines = []; // named pipelines, as the server lists them
  hasPipelines = false;
  isListed = false; // whether the lists were read, or could not be
  isReady = false; // whether the operations were read, too
  offline = "";
  #api;
  #listed = []; // ids, newest first, then samples
  #pages = 1; // pages of the list that were read
  #cursor = ""; // of the next page; empty after the last one
  #mediaTag = ""; // ETag of the list; empty: unknown
  #turn = Promise.resolve(); // ends with the last read of the list
  #isReadingMore = false;
  #hidden = new Set(); // ids of media that are about to be deleted
  #numbers = null; // id -> number among the listed media of the same name, from 1; null: not counted since the last change
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
    this.#numbers = null;
    this.dispatchEvent(new Event("change"));
  }

  /** Refresh jobs and media at intervals while the page is open. */
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

  /** Refresh the jobs and media soon. */
  hurry() {
    this.#wake();
  }

  async refresh() {
    const declared = this.operations.length ? null : this.#readDeclarations();
    declared?.catch(() => {}); // awaited below
    try {
      const [, jobs] = await Promise.all([this.#inTurn(() => this.#refreshMedia()), this.#api.get(`/v1/jobs?limit=${SHOWN_JOBS}`)]);
      this.#mergeJobs(jobs.items);
      this.isListed = true;
      if (declared) this.tell(); // the library needs no operations
      await declared;
      if (!declared && !this.hasPipelines) await this.#readPipelines();
      this.offline = "";
    } catch (error) {
      this.#fail(error);
    }
    this.isListed = this.isReady = true;
    this.tell();
  }

  /** Read the list again if any medium has changed. It is read as far as before. */
  async #refreshMedia() {
    const response = await this.#api.send("GET", `/v1/media?limit=${MEDIA_PAGE}`);
    const tag = response.headers.get("ETag") ?? "";
    if (tag && tag === this.#mediaTag) return;
    const first = await jsonOf(response);
    const items = this.#pages > 1 && !tag ? this.#withLaterItems(first) : await this.#withLaterPages(first);
    // Without keys the list has them, unless it is long; asking for one that is not drawn yet would be an error in the console.
    const samples = this.#api.keyed || this.#cursor ? await this.#samples(items) : [];
    this.#list([...items, ...samples]);
    this.#mediaTag = tag;
    this.readUsage();
  }

  /** Read again the later pages that were read before; return all items. Pages are read one after the other. */
  async #withLaterPages(first) {
    const pages = [first];
    while (pages.length < this.#pages && pages.at(-1).next_cursor) pages.push(await this.#page(pages.at(-1).next_cursor));
    this.#cursor = pages.at(-1).next_cursor ?? "";
    return pages.flatMap((page) => page.items);
  }

  /** Return the items of the first page, and the known items of later pages. A list without an ETag is still changing: later pages wait for its end. */
  #withLaterItems({ items }) {
    const oldest = items.at(-1)?.id ?? "";
    const later = this.#listed.filter((id) => id < oldest).map((id) => this.media.get(id));
    return [...items, ...later.filter((record) => record && !isSample(record))];
  }

  #page(cursor) {
    return this.#api.get(`/v1/media?limit=${MEDIA_PAGE}&cursor=${encodeURIComponent(cursor)}`);
  }

  /** Read the used disk space again. */
  async readUsage() {
    this.used = await this.#api.get("/v1/media/usage").catch(() => this.used);
    this.tell();
  }

  /** Set the records of the list. Others are forgotten, unless they may be on a page that was not read. */
  #list(records) {
    const kept = new Set(records.map(({ id }) => id));
    const oldest = records.findLast((record) => !isSample(record))?.id ?? "";
    for (const id of this.#listed) if (!kept.has(id) && !(this.hasMore && id < oldest)) this.media.delete(id);
    for (const record of records) this.media.set(record.id, record);
    this.#listed = [...kept];
  }

  /** Whether the list has media that were not read. */
  get hasMore() {
    return this.#cursor !== "";
  }

  /** Read the next page of the list, unless it is being read. */
  async readMore() {
    if (!this.hasMore || this.#isReadingMore) return;
    this.#isReadingMore = true;
    try {
      await this.#inTurn(async () => {
        if (!this.hasMore) return;
        const page = await this.#page(this.#cursor);
        this.#pages += 1;
        this.#cursor = page.next_cursor ?? "";
        this.#list([...this.#listed.map((id) => this.media.get(id)), ...page.items]);
      });
    } catch (error) {
      this.#fail(error);
    }
    this.#isReadingMore = false;
    this.tell();
  }

  /** Call `read` after all earlier reads of the list have ended. */
  #inTurn(read) {
    const done = this.#turn.then(read);
    this.#turn = done.catch(() => {});
    return done;
  }

  #fail(error) {
    this.offline = error instanceof Problem ? error.message : "The server does not answer. Trying again…";
  }

  /** Read the operations, and later the named pipelines. The server checks each pipeline first. */
  async #readDeclarations() {
    this.operations = await this.#api.get("/v1/operations");
    this.#readPipelines().catch(() => {}); // the next refresh tries again
  }

  async #readPipelines() {
    this.pipelines = await this.#api.get("/v1/pipelines/presets");
    this.hasPipelines = true;
    this.tell();
  }

  /** Return the sample media that the list does not contain. */
  async #samples(listed) {
    const known = new Set(listed.map((record) => record.id));
    const ids = ["00", "01", "02", "03"].map((end) => SAMPLE_DIGITS + end).filter((id) => !known.has(id));
    const found = ids.map((id) => this.media.get(id) ?? this.#api.get(`/v1/media/${id}`).catch(() => null));
    return (await Promise.all(found)).filter(Boolean);
  }

  /** Merge listed jobs into the known jobs. Known results stay, because lists have none, and so does progress that is newer than the list's. */
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

  /** The listed media to show, newest first, without media about to be deleted. */
  get shownMedia() {
    return this.#listed.filter((id) => !this.#hidden.has(id)).map((id) => this.media.get(id));
  }

  /** Return a medium's record; ask the server if it is not in the list. */
  async record(id) {
    const known = this.media.get(id);
    if (known) return known;
    const record = await this.#api.get(`/v1/media/${id}`);
    this.media.set(id, record);
    this.tell();
    return record;
  }

  /** Put a medium at the top of the list, or replace its record. */
  putMedia(record) {
    this.media.set(record.id, record);
    this.#hidden.delete(record.id); // added again: it stays
    if (record.listed && !this.#listed.includes(record.id)) this.#listed = [record.id, ...this.#listed];
    this.tell();
  }

  /** Take a deleted medium out of the list. */
  forget(id) {
    this.media.delete(id);
    this.#listed = this.#listed.filter((other) => other !== id);
    this.tell();
  }

  /** Put a job at the top of the list, or replace it. */
  putJob(job) {
    const next = { ...job, isKept: true };
    this.jobs = this.jobs.has(job.id) ? new Map(this.jobs).set(job.id, next) : new Map([[job.id, next], ...this.jobs]);
    for (const record of Object.values(job.outputs ?? {})) this.media.set(record.id, record);
    this.tell();
  }

  /**
   * Return the name to show for a medium. Results without a user's name are named after their clip and tool. Of listed media with the same name, the
   * second oldest is "name (2)".
   */
  nameOf(record) {
    this.#numbers ??= numbered(this.#listed.map((id) => this.media.get(id)), (other) => this.#plainNameOf(other));
    const number = this.#numbers.get(record.id) ?? 1;
    return number > 1 ? `${this.#plainNameOf(record)} (${number})` : this.#plainNameOf(record);
  }

  #plainNameOf(record) {
    const job = this.jobs.get(record.source);
    const isMadeBy = ({ name }) => record.name.startsWith(`${name.replace(".", "-")}-${record.source.slice(-ID_DIGITS)}-`);
    const maker = this.operations.find(isMadeBy); // not after a user has renamed the medium
    if (!maker) return record.name;
    const clip = job && this.media.get(clipId(job, this.operations));
    const outputs = Object.entries(job?.outputs ?? {});
    const [output] = outputs.length > 1 ? (outputs.find(([, { id }]) => id === record.id) ?? []) : [];
    return [clip && this.#plainNameOf(clip).replace(/\.\w+$/, ""), maker.title, output && words(output).toLowerCase()].filter(Boolean).join(" · ");
  }

  isHidden(id) {
    return this.#hidden.has(id);
  }

  hide(id, isHidden) {
    if (isHidden) this.#hidden.add(id);
    else this.#hidden.delete(id);
    this.tell();
  }

  /** Wait until the operations are read. */
  async declared() {
    while (!this.operations.length) await new Promise((resolve) => this.addEventListener("change", resolve, { once: true }));
  }

  operation(name) {
    return this.operations.find((operation) => operation.name === name);
  }
}

/** Number the records that have the same name: id -> number. The oldest has 1; ids rise with time. */
function numbered(records, nameOf) {
  const counts = new Map();
  const numbers = new Map();
  for (const record of records.filter(Boolean).sort((a, b) => (a.id < b.id ? -1 : 1))) {
    const name = nameOf(record);
    counts.set(name, (counts.get(name) ?? 0) + 1);
    numbers.set(record.id, counts.get(name));
  }
  return numbers;
}

/** Return the later of two progress reports, either of which may be missing. */
function further(first, second) {
  return (first?.fraction ?? -1) > (second?.fraction ?? -1) ? first : second;
}

export function isSample(record) {
  return record.id.startsWith(SAMPLE_DIGITS);
}
