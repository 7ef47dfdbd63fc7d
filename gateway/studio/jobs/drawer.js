// The drawer of jobs: progress, place in the queue, and buttons for each job.

import { Element } from "../base/element.js";
import { html, keyed } from "../base/html.js";
import { icon } from "../base/icons.js";
import { ENDED } from "../state/store.js";
import { notify } from "../common/notices.js";
import "./job_row.js";

class JobsDrawer extends Element {
  static props = { store: null, isOpen: false };

  enter() {
    this.store.watch(() => this.isOpen && this.redraw(), this.leaving);
    this.addEventListener("keydown", (event) => event.key === "Escape" && this.tell("drawer-close"));
  }

  changed(name) {
    if (name === "isOpen" && this.isOpen) queueMicrotask(() => queueMicrotask(() => this.querySelector("button")?.focus()));
    this.redraw();
  }

  view() {
    if (!this.isOpen) return null;
    const jobs = [...this.store.jobs.values()].filter((job) => !job.metadata?.studio);
    const running = jobs.filter((job) => !ENDED.has(job.status));
    const ended = jobs.filter((job) => ENDED.has(job.status));
    const rows = (list) => list.map((job) => keyed(job.id, html`<li><job-row .store=${this.store} .job=${job}></job-row></li>`));
    const canNotify = globalThis.Notification?.permission === "default";
    return html`<aside class="drawer" aria-label="Jobs" data-keys="own">
      <div class="row"><h2>Jobs</h2>
        ${canNotify && html`<button type="button" class="quiet" @click=${() => this.#allowNotices()}>Notify me</button>`}
        <button type="button" class="icon quiet" aria-label="Close the jobs" @click=${() => this.tell("drawer-close")}>${icon("close")}</button></div>
      ${this.store.offline && html`<p class="error">${this.store.offline}</p>`}
      ${running.length > 0 && html`<h3>Unfinished</h3><ul class="jobs">${rows(running)}</ul>`}
      ${ended.length > 0 && html`<h3>Earlier</h3><ul class="jobs">${rows(ended)}</ul>`}
      ${jobs.length === 0 && html`<p class="empty muted">No jobs yet. Jobs that you start appear here.</p>`}
    </aside>`;
  }

  async #allowNotices() {
    const answer = await Notification.requestPermission();
    notify(answer === "granted" ? "This browser will notify you when a job ends." : "This browser does not allow notifications from this page.");
    this.redraw();
  }
}

Element.define("jobs-drawer", JobsDrawer);
