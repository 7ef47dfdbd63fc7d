// A row of the drawer: one job, with its progress or its end.

import { Element } from "../base/element.js";
import { html } from "../base/html.js";
import { icon } from "../base/icons.js";
import { ago } from "../base/format.js";
import { clipId, picturedOutput } from "../base/outputs.js";
import { toolAddress } from "../common/route.js";
import { ENDED } from "../state/store.js";
import { notify } from "../common/notices.js";
import { endText, progressText, titleOf } from "./job_text.js";
import "./job_steps.js";

class JobRow extends Element {
  /** Properties of the element. `retried`: id of the job that the latest retry started. */
  static props = { store: null, job: null, log: null, isBusy: false, retried: "" };

  enter() {
    this.store.watch(() => this.retried && this.redraw(), this.leaving);
  }

  view() {
    const { store, job } = this;
    const clip = store.media.get(clipId(job, store.operations));
    const output = picturedOutput(job, store.operations);
    const picture = output?.urls.thumbnail ?? clip?.urls.thumbnail ?? "";
    return html`<article class=${`job ${job.status}`}>
      <a class="job-main" href=${`#/job/${job.id}`}>
        <media-picture .src=${picture}></media-picture>
        <span class="job-text"><b>${titleOf(store, job)}</b><span class="muted small name">${clip ? store.nameOf(clip) : ""}</span></span>
        <span class="job-when muted small">${ago(job.created_at)}</span>
      </a>
      ${ENDED.has(job.status) ? this.#ended() : this.#running()}
      <job-steps .job=${job}></job-steps>
      ${this.log !== null && html`<pre class="log" tabindex="0" aria-label="Log">${this.log || "The log is empty."}</pre>`}
    </article>`;
  }

  #running() {
    const { job } = this;
    const value = job.progress ? html`<progress max="1" .value=${job.progress.fraction} aria-label="Progress"></progress>` : html`<progress max="1" aria-label="Progress"></progress>`;
    return html`${value}<div class="row"><span class="muted small">${progressText(job)}</span>
      <button type="button" class="quiet" ?disabled=${this.isBusy} @click=${() => this.#cancel()}>Cancel</button></div>`;
  }

  #ended() {
    const { job } = this;
    const clip = clipId(job, this.store.operations);
    const canChange = job.service !== "pipelines" && clip && this.store.operation(job.operation);
    return html`${job.status === "failed" && html`<p class="error">${job.error?.detail ?? job.error?.title ?? "The job failed; the server gave no reason."}</p>`}
      <div class="row"><span class=${`state ${job.status}`}>${endText(job)}</span>
        <span class="job-actions">
          ${job.status !== "succeeded" && html`<button type="button" class="quiet" ?disabled=${this.isBusy || this.#isRetried} @click=${() => this.#retry()}>${icon("retry")}Retry</button>`}
          ${canChange && html`<a class="button quiet" href=${toolAddress(clip, job.operation, { from: job.id })}>Change</a>`}
          ${job.service === "pipelines" && html`<a class="button quiet" href=${`#/pipelines?from=${job.id}`}>Change</a>`}
          ${job.urls.log && html`<button type="button" class="quiet" aria-expanded=${String(this.log !== null)} @click=${() => this.#toggleLog()}>Log</button>`}
        </span></div>`;
  }

  /** Whether a retry of the job is unfinished. */
  get #isRetried() {
    const job = this.store.jobs.get(this.retried);
    return Boolean(job) && !ENDED.has(job.status);
  }

  #cancel() {
    return this.#ask(() => this.store.api.post(this.job.urls.cancel));
  }

  async #retry() {
    if (this.#isRetried) return;
    const job = await this.#ask(() => this.store.api.start(`${this.job.urls.self}/retry`));
    if (job) this.retried = job.id;
  }

  /** Run a request; return the job in its response, or null if refused. One request runs at a time. */
  async #ask(request) {
    if (this.isBusy) return null;
    this.isBusy = true;
    try {
      const job = await request();
      this.store.putJob(job);
      return job;
    } catch (error) {
      notify(error.message, { kind: "bad" });
      return null;
    } finally {
      this.isBusy = false;
    }
  }

  async #toggleLog() {
    if (this.log !== null) return void (this.log = null);
    try {
      const response = await this.store.api.send("GET", this.job.urls.log);
      const text = await response.text();
      this.log = readable(text);
    } catch (error) {
      this.log = error.message;
    }
  }
}

/** Convert a log to text. A log is text or JSON with lines. */
function readable(text) {
  try {
    const { lines } = JSON.parse(text);
    return lines.map((line) => (typeof line === "string" ? line : `${line.time ?? ""} ${line.message ?? JSON.stringify(line)}`)).join("\n");
  } catch {
    return text;
  }
}

Element.define("job-row", JobRow);
