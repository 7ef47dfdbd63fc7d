// The job that is looked at: its progress, its end, and what it made.

import { byId, make, show } from "./dom.js";
import { follow } from "./events.js";
import { mainOutput, save, showFigures } from "./figures.js";
import { remaining, words } from "./format.js";
import { showPictures } from "./pictures.js";

const ENDED = new Set(["succeeded", "failed", "canceled"]);
const STATES = { queued: "Waiting", running: "Running", succeeded: "Done", failed: "Failed", canceled: "Canceled" };

/** `onResult(job)` is called when a job that is looked at has succeeded, also one that had before. */
export class JobView {
  #api;
  #player;
  #onResult;
  #looking = new AbortController();
  #told = "";

  constructor(api, player, onResult) {
    this.#api = api;
    this.#player = player;
    this.#onResult = onResult;
    byId("cancel").addEventListener("click", () => this.#cancel());
    byId("download").addEventListener("click", (event) => {
      event.preventDefault();
      save(this.#api, mainOutput(this.job));
    });
    byId("copy").addEventListener("click", () => this.#copy());
  }

  /** Take the job away. */
  clear() {
    this.#looking.abort();
    this.#looking = new AbortController();
    this.job = null;
    this.#player.set("result", null);
    this.#player.setRamp(null);
    for (const id of PARTS) show(byId(id), false);
    show(byId("result-note"), true, "What you make appears here.");
    byId("result-state").textContent = "";
    byId("result-state").className = "state";
  }

  /** Look at a job; `operations`: as GET /v1/operations tells them. Returns when it has ended or another one is looked at. */
  async open(job, operations) {
    this.clear();
    const { signal } = this.#looking;
    this.operation = operations.find((one) => one.name === job.operation);
    this.#show(job);
    if (ENDED.has(job.status)) return;
    this.#watchQueue(job, signal);
    try {
      for await (const { kind, data } of follow(this.#api, job.urls.events, signal)) {
        if (signal.aborted) return;
        this.#show(kind === "progress" ? { ...this.job, status: "running", progress: data } : data);
      }
    } catch (error) {
      if (!signal.aborted) this.#fail("The job cannot be followed", error.message);
    }
  }

  /** While a job waits no events come, but its place in the queue changes. */
  async #watchQueue(job, signal) {
    while (!signal.aborted && this.job.status === "queued") {
      await new Promise((resolve) => setTimeout(resolve, 1000));
      const now = await this.#api.get(job.urls.self, { signal }).catch(() => null);
      if (!signal.aborted && this.job.status === "queued" && now?.status === "queued") this.#show(now);
    }
  }

  #show(job) {
    this.job = job;
    const state = byId("result-state");
    state.textContent = STATES[job.status];
    state.className = `state ${job.status}`;
    this.#say(job);
    show(byId("running"), !ENDED.has(job.status));
    show(byId("result-note"), false);
    if (!ENDED.has(job.status)) return this.#showProgress(job);
    show(byId("warnings"), job.warnings.length > 0);
    byId("warnings").replaceChildren(...job.warnings.map((warning) => make("li", {}, warning)));
    showFigures(this.#api, job, this.operation);
    if (job.status === "failed") return this.#fail(job.error?.title ?? "The job failed", job.error?.detail ?? "");
    if (job.status === "canceled") return show(byId("result-note"), true, "Canceled. Nothing was kept.");
    return this.#showResult(job);
  }

  #showProgress(job) {
    const { progress } = job;
    const bar = byId("running-bar");
    if (progress) bar.value = progress.fraction;
    else bar.removeAttribute("value");
    byId("running-percent").textContent = progress ? `${Math.floor(progress.fraction * 100)} %` : "";
    byId("running-text").textContent = progressText(job);
    byId("cancel").disabled = false;
  }

  async #showResult(job) {
    const output = mainOutput(job);
    const { signal } = this.#looking;
    this.#onResult(job);
    if (!output) return show(byId("result-note"), true, "Done. There is no file; the figures are below.");
    show(byId("download"), true);
    byId("download").href = this.#api.keyed ? "#" : output.urls.download;
    this.#showMore(job, output, signal);
    if (output.kind !== "video" && output.kind !== "image")
      return show(byId("result-note"), true, output.kind === "images" ? "The pictures are below." : `${output.name} is ready to download.`);
    show(byId("result-note"), true, "Loading…");
    const held = await this.#api.mediaUrl(output.urls.content, signal).catch((error) => error);
    if (signal.aborted) return held.release?.();
    if (held instanceof Error) return show(byId("result-note"), true, held.message);
    show(byId("result-note"), false);
    if (output.kind === "video") return this.#player.set("result", held);
    byId("result-image").onload = held.release;
    byId("result-image").src = held.url;
    return show(byId("result-image"), true);
  }

  /** A page and pictures that were made, besides or instead of a video. */
  async #showMore(job, main, signal) {
    const outputs = Object.values(job.outputs);
    const page = outputs.find((output) => output.kind === "html");
    // With a key there is no address that a new tab could open: then it is downloaded.
    show(byId("open-page"), Boolean(page) && !this.#api.keyed);
    if (page) byId("open-page").href = page.urls.content;
    const many = outputs.find((output) => output.kind === "images");
    const single = Object.entries(job.outputs).filter(([, output]) => output.kind === "image" && output !== main);
    const failed = (error) => !signal.aborted && this.#fail("The pictures cannot be shown", error.message);
    if (many || single.length) await showPictures(this.#api, many, single, job.result, signal).catch(failed);
  }

  #fail(title, detail) {
    show(byId("running"), false);
    show(byId("failed"), true);
    byId("failed-title").textContent = title;
    byId("failed-detail").textContent = detail;
  }

  async #cancel() {
    byId("cancel").disabled = true;
    byId("running-text").textContent = "Canceling…";
    const { signal } = this.#looking;
    const now = await this.#api.post(this.job.urls.cancel).catch((error) => error);
    if (signal.aborted || ENDED.has(this.job.status)) return;
    if (now instanceof Error) byId("running-text").textContent = now.message;
    else this.#show(now);
  }

  /** Tell screen readers the stages and every quarter, not every frame. */
  #say(job) {
    const quarter = job.progress ? Math.floor(job.progress.fraction * 4) * 25 : 0;
    const text =
      job.status === "running" && job.progress ? `${words(job.progress.stage)}, ${quarter} percent` : STATES[job.status];
    if (text === this.#told) return;
    this.#told = text;
    byId("announce").textContent = text;
  }

  async #copy() {
    const button = byId("copy");
    try {
      await navigator.clipboard.writeText(byId("curl").textContent);
      button.textContent = "Copied";
    } catch {
      getSelection().selectAllChildren(byId("curl")); // no clipboard outside https and localhost
      button.textContent = "Selected";
    }
    setTimeout(() => (button.textContent = "Copy"), 1500);
  }
}

const PARTS = ["running", "failed", "download", "open-page", "result-image", "warnings", "figures-panel", "pictures-panel"];

function progressText({ status, queue_position: place, progress }) {
  if (status === "queued") return place ? `Place ${place} in the queue` : "Waiting to start";
  if (!progress) return "Starting";
  const said = [words(progress.stage)];
  if (progress.fps) said.push(`${Math.round(progress.fps)} frames/s`);
  if (progress.eta_s !== null && progress.eta_s !== undefined) said.push(`${remaining(progress.eta_s)} left`);
  return said.join(" · ");
}
