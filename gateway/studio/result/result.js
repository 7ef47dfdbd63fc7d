// A job: its progress, then its result beside the clip, downloads and next steps.

import { Element } from "../base/element.js";
import { html, keyed } from "../base/html.js";
import { icon } from "../base/icons.js";
import { operationOfRole, resultOfRole } from "../base/declared.js";
import { bytes, words } from "../base/format.js";
import { clipId, mainOutput, outputOfRole, outputsOf } from "../base/outputs.js";
import { isTaken } from "../base/takers.js";
import { facts } from "../base/words.js";
import { Unreachable } from "../server/api.js";
import { download } from "../common/download.js";
import { toolAddress } from "../common/route.js";
import { Stay } from "../common/stay.js";
import { ENDED } from "../state/store.js";
import { notify } from "../common/notices.js";
import { endText, progressText, STATES, titleOf } from "../jobs/job_text.js";
import { figuresOf, requestText } from "./figures.js";
import "../base/code_block.js";
import "../jobs/job_steps.js";
import "../keyframes/keyframe_picker.js";
import "../common/picture_grid.js";
import "./compare_view.js";
import "./page_frame.js";

class ResultScreen extends Element {
  static props = { store: null, route: null, job: null, clip: null, error: "", isWaiting: false, shown: null, isBusy: false };
  enter() {
    this.store.watch(() => this.#follow(), this.leaving);
    this.#load();
  }

  changed(name, before) {
    if (name === "route" && this.isConnected && before?.id !== this.route.id) this.#load();
    this.redraw();
  }

  async #load() {
    const { id } = this.route;
    Object.assign(this, { job: null, clip: null, error: "", isWaiting: false, shown: null, isBusy: false });
    try {
      await this.#read();
    } catch (error) {
      if (this.route.id !== id) return;
      if (error instanceof Unreachable) this.isWaiting = true; // for the server
      else this.error = error.message;
    }
  }

  async #read() {
    const [job] = await Promise.all([this.store.api.get(`/v1/jobs/${this.route.id}`), this.store.declared()]);
    const id = clipId(job, this.store.operations);
    const clip = id && this.clip?.id !== id ? await this.store.record(id).catch(() => null) : this.clip;
    if (this.route.id !== job.id) return; // another result was opened meanwhile
    this.clip = clip; // before the job: both are compared
    this.job = job;
    this.store.putJob(job);
  }

  #follow() {
    if (this.isWaiting && !this.store.offline) this.#load();
    const known = this.store.jobs.get(this.route.id);
    if (known && this.job && (known.status !== this.job.status || !ENDED.has(known.status))) {
      this.job = known;
      if (ENDED.has(known.status) && !known.result) this.#read().catch(() => {});
    }
    this.redraw();
  }

  view() {
    const { job, error } = this;
    if (error) return html`<div class="lost"><h1>Job not found</h1><p>${error}</p><p><a class="button" href="#/">Library</a></p></div>`;
    if (!job) return html`<div class="result"><div class="viewer-area loading"></div></div>`;
    return html`<div class="result">
      <div class="viewer-area">
        <div class="clip-title">
          <a class="icon button quiet" href=${this.clip ? `#/clip/${this.clip.id}` : "#/"} aria-label="Back to the clip" title="Back to the clip">${icon("back")}</a>
          <h1>${titleOf(this.store, job)}</h1>
          <p class=${`state ${job.status}`}>${ENDED.has(job.status) ? endText(job) : STATES[job.status]}</p>
          <p class="unseen" aria-live="polite">${this.#announcement()}</p>
        </div>
        ${this.#stage()}
      </div>
      <div class="panel panel-area">${this.#panel()}</div>
    </div>`;
  }

  /** Describe the job's progress for screen readers: stages and quarters, not every frame. */
  #announcement() {
    const { job } = this;
    const quarter = job.progress ? Math.floor(job.progress.fraction * 4) * 25 : 0;
    return job.status === "running" && job.progress ? `${words(job.progress.stage)}, ${quarter} percent` : STATES[job.status];
  }

  #stage() {
    const { job, clip, store } = this;
    if (!ENDED.has(job.status)) return this.#progress();
    if (job.status === "failed")
      return html`<div class="stage plain"><div class="failed" role="alert"><h2>${job.error?.title ?? "The job failed"}</h2><p>${job.error?.detail ?? ""}</p></div></div>`;
    if (job.status === "canceled") return html`<div class="stage plain"><p class="muted">Canceled. Its files were deleted.</p></div>`;
    if (this.#isPicking) return html`<keyframe-picker .store=${store} .job=${job} .record=${clip} .video=${this.#pickable}></keyframe-picker>`;
    const output = this.#shownOutput;
    if (!output) return html`<div class="stage plain"><p class="muted">Done. This tool makes no file; see its figures under Details.</p></div>`;
    if (output.kind === "video" || output.kind === "image")
      return html`<compare-view .store=${store} .job=${job} .clip=${clip} .output=${output} .matte=${outputOfRole(job, "matte", store.operations)}></compare-view>`;
    if (output.kind === "images") return html`<picture-grid .store=${store} .record=${output} .result=${job.result}></picture-grid>`;
    if (output.kind === "html") return html`<page-frame .store=${store} .record=${output}></page-frame>`;
    return html`<div class="stage plain"><p class="muted">${output.name} is ready to download.</p></div>`;
  }

  /** The shots and keyframes of the clip in the result. It is null for results without any. */
  get #pickable() {
    const { job, clip, store } = this;
    const videos = (clip?.kind === "video" && resultOfRole(store.operation(job.operation), job.result, "clip_shots")) || [];
    return videos.length === 1 && !videos[0].error ? videos[0] : null;
  }

  get #isPicking() {
    return Boolean(this.#pickable) && this.shown === null;
  }

  get #shownOutput() {
    const { job, shown, store } = this;
    return outputsOf(job, store.operations).find(([name]) => name === shown)?.[1] ?? mainOutput(job, store.operations);
  }

  #progress() {
    const { job, clip } = this;
    const fraction = job.progress?.fraction;
    return html`<div class="stage plain running">
      <media-picture class="behind" .src=${clip?.urls.thumbnail ?? ""}></media-picture>
      <div class="running-card">
        <p class="percent">${fraction === undefined ? "…" : `${Math.floor(fraction * 100)} %`}</p>
        ${fraction === undefined ? html`<progress max="1" aria-label="Progress"></progress>` : html`<progress max="1" .value=${fraction} aria-label="Progress"></progress>`}
        <p>${progressText(job)}</p>
        <button type="button" ?disabled=${this.isBusy} @click=${() => this.#cancel()}>Cancel</button>
        <p class="muted small">You can leave this page; the result will be in your library.</p>
      </div>
    </div>`;
  }

  #panel() {
    const { job } = this;
    return html`
      ${job.status === "succeeded" && !this.#isPicking && this.#next()}
      ${job.warnings?.length > 0 && html`<ul class="warnings" aria-label="Warnings">${job.warnings.map((warning) => html`<li>${warning}</li>`)}</ul>`}
      <job-steps .job=${job}></job-steps>
      ${ENDED.has(job.status) && html`<div class="row start">
        ${job.status !== "succeeded" && html`<button type="button" ?disabled=${this.isBusy} @click=${() => this.#retry()}>${icon("retry")}Retry</button>`}
        ${this.#changeLink()}
        ${job.status === "succeeded" && this.#exportLink()}
      </div>`}
      ${job.status === "succeeded" && this.#files()}
      <details ?open=${job.status === "succeeded" && !mainOutput(job, this.store.operations)}><summary>Details</summary>
        <dl class="figures">${figuresOf(job, this.store.operations).map(([name, value]) => html`<div><dt>${name}</dt><dd>${value}</dd></div>`)}</dl>
      </details>
      <details><summary>Repeat from a terminal</summary><code-block .text=${requestText(location.origin, this.store, job)} .label=${"curl command"}></code-block></details>
      <details><summary>Job as JSON</summary><code-block .text=${JSON.stringify(withoutMarks(job), null, 2)} .label=${"Job as JSON"}></code-block></details>`;
  }

  #changeLink() {
    const { job, clip } = this;
    if (job.service === "pipelines") return html`<a class="button" href=${`#/pipelines?from=${job.id}`}>Change and run again</a>`;
    return clip && html`<a class="button" href=${toolAddress(clip.id, job.operation, { from: job.id })}>Change and run again</a>`;
  }

  /** Return a link that exports a ramp to editing programs, as timelines. */
  #exportLink() {
    const { job, clip, store } = this;
    const exporter = operationOfRole(store.operations, "ramp_export");
    const isRamp = Boolean(resultOfRole(store.operation(job.operation), job.result, "speed_curve")) && job.operation !== exporter?.name;
    if (!clip || !exporter || !isRamp) return null;
    return html`<a class="button" href=${toolAddress(clip.id, exporter.name, { from: job.id })}>Export for editors</a>`;
  }

  #next() {
    const output = this.#shownOutput;
    if (!output) return null;
    return html`<div class="next">
      <a class="button primary" href=${output.urls.download} download=${output.name} @click=${(event) => download(this.store.api, event)}>${icon("download")}Download</a>
      ${isTaken(this.store.operations, output.kind) && html`<a class="button" href=${`#/clip/${output.id}`}>${icon("sparkle")}Continue with this</a>`}
    </div>`;
  }

  #files() {
    const outputs = outputsOf(this.job, this.store.operations);
    if (!outputs.length) return null;
    const isShowable = ({ kind }) => ["video", "image", "images", "html"].includes(kind);
    return html`<section aria-labelledby="files"><h2 id="files">Files</h2>
      ${this.#pickable && this.shown !== null && html`<button type="button" @click=${() => (this.shown = null)}>${icon("frames")}Pick keyframes</button>`}
      <ul class="files">${outputs.map(([name, record]) =>
      keyed(name, html`<li aria-current=${record === this.#shownOutput && !this.#isPicking ? "true" : null}>
        ${isShowable(record)
          ? html`<button type="button" class="file-main quiet" @click=${() => (this.shown = name)}>${record.urls.thumbnail ? html`<media-picture .src=${record.urls.thumbnail}></media-picture>` : html`<span class="file-kind">${record.kind === "html" ? "page" : record.kind}</span>`}
              <span><b>${words(name)}</b><span class="muted small">${facts(record)}</span></span></button>`
          : html`<span class="file-main"><span class="file-kind">${record.kind}</span><span><b>${words(name)}</b><span class="muted small">${bytes(record.bytes)}</span></span></span>`}
        ${record.kind === "html" && !this.store.api.keyed && html`<a class="icon button quiet" href=${record.urls.content} target="_blank" rel="noopener" aria-label=${`Open ${words(name)}`} title="Open">${icon("full")}</a>`}
        <a class="icon button quiet" href=${record.urls.download} download=${record.name} aria-label=${`Download ${words(name)}`} title="Download"
          @click=${(event) => download(this.store.api, event)}>${icon("download")}</a>
      </li>`),
    )}</ul></section>`;
  }

  async #cancel() {
    if (this.isBusy) return;
    const stay = new Stay(this);
    await this.#ask(() => this.store.api.post(this.job.urls.cancel));
    if (!stay.isOver) this.isBusy = false;
  }

  /** Retry the job. After that the button stays off until the new job is shown. */
  async #retry() {
    if (this.isBusy) return;
    const stay = new Stay(this);
    const job = await this.#ask(() => this.store.api.start(`${this.job.urls.self}/retry`));
    if (job) stay.open(`#/job/${job.id}`, "Your job is started again.");
    else if (!stay.isOver) this.isBusy = false;
  }

  /** Run a request; return the job in its response, or null if refused. */
  async #ask(request) {
    this.isBusy = true;
    try {
      const job = await request();
      this.store.putJob(job);
      return job;
    } catch (error) {
      notify(error.message, { kind: "bad" });
      return null;
    }
  }
}

/** Remove the page's own marks from a job. */
function withoutMarks({ isKept: _isKept, ...job }) {
  return job;
}

Element.define("result-screen", ResultScreen);
