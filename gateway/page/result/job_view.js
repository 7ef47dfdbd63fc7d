// The selected job: its progress, its end, and its outputs.

import { byId, make, show } from "../base/dom.js";
import { follow } from "../server/events.js";
import { mainOutput, save, showFigures } from "./figures.js";
import { remaining, words } from "../base/format.js";
import { showPictures } from "./pictures.js";

const ENDED = new Set(["succeeded", "failed", "canceled"]);
const STATES = { queued: "Waiting", running: "Running", succeeded: "Done", failed: "Failed", canceled: "Canceled" };

/** The view of a job. Calls `onResult(job)` when the shown job has succeeded, also for an older one. */
export class JobView {
  #api;
  #player;
  #onResult;
  #watching = new AbortController();
  #announced = "";

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

  /** Remove the job from view. */
  clear() {
    this.#watching.abort();
    this.#watching = new AbortController();
    this.job = null;
    this.#player.set("result", null);
    this.#player.setRamp(null);
    for (const id of PARTS) show(byId(id), false);
    show(byId("result-note"), true, "The result appears here.");
    byId("result-state").textContent = "";
    byId("result-state").className = "state";
  }

  /** Show a job. `operations`: from GET /v1/operations. Resolves when the job has ended or another one is shown. */
  async open(job, operations) {
    this.clear();
    const { signal } = this.#watching;
    this.operation = operations.find((operation) => operation.name === job.operation);
    this.#show(job);
    if (ENDED.has(job.status)) return;
    this.#watchQueue(job, signal);
    try {
      for await (const { kind, data } of follow(this.#api, job.urls.events, signal)) {
        if (signal.aborted) return;
        this.#show(kind === "progress" ? { ...this.job, status: "running", progress: data } : data);
      }
    } catch (error) {
      if (!signal.aborted) this.#fail("The progress cannot be shown", error.message);
    }
  }

  /** Poll a waiting job: it sends no events, but its place in the queue changes. */
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
    this.#announce(job);
    show(byId("running"), !ENDED.has(job.status));
    show(byId("result-note"), false);
    if (!ENDED.has(job.status)) return this.#showProgress(job);
    show(byId("warnings"), job.warnings.length > 0);
    byId("warnings").replaceChildren(...job.warnings.map((warning) => make("li", {}, warning)));
    showFigures(this.#api, job, this.operation);
    if (job.status === "failed") return this.#fail(job.error?.title ?? "The job failed", job.error?.detail ?? "");
    if (job.status === "canceled") return show(byId("result-note"), true, "Canceled. Its files were deleted.");
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
    const { signal } = this.#watching;
    this.#onResult(job);
    if (!output) return show(byId("result-note"), true, "Done. This operation makes no file; its figures are below.");
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

  /** Show a page and pictures among the outputs. */
  async #showMore(job, main, signal) {
    const outputs = Object.values(job.outputs);
    const page = outputs.find((output) => output.kind === "html");
    // A new tab cannot send a key, so with a key the page can only be downloaded.
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
    const { signal } = this.#watching;
    const now = await this.#api.post(this.job.urls.cancel).catch((error) => error);
    if (signal.aborted || ENDED.has(this.job.status)) return;
    if (now instanceof Error) byId("running-text").textContent = now.message;
    else this.#show(now);
  }

  /** Announce stages and quarters, not every frame, to screen readers. */
  #announce(job) {
    const quarter = job.progress ? Math.floor(job.progress.fraction * 4) * 25 : 0;
    const text =
      job.status === "running" && job.progress ? `${words(job.progress.stage)}, ${quarter} percent` : STATES[job.status];
    if (text === this.#announced) return;
    this.#announced = text;
    byId("announce").textContent = text;
  }

  async #copy() {
    const button = byId("copy");
    try {
      await navigator.clipboard.writeText(byId("curl").textContent);
      button.textContent = "Copied";
    } catch {
      getSelection().selectAllChildren(byId("curl")); // the clipboard works on https and localhost only
      button.textContent = "Selected";
    }
    setTimeout(() => (button.textContent = "Copy"), 1500);
  }
}

const PARTS = ["running", "failed", "download", "open-page", "result-image", "warnings", "figures-panel", "pictures-panel"];

function progressText({ status, queue_position: place, progress }) {
  if (status === "queued") return place ? `Place ${place} in the queue` : "Waiting to start";
  if (!progress) return "Starting";
  const parts = [words(progress.stage)];
  if (progress.fps) parts.push(`${Math.round(progress.fps)} frames/s`);
  if (progress.eta_s !== null && progress.eta_s !== undefined) parts.push(`${remaining(progress.eta_s)} left`);
  return parts.join(" · ");
}
