// The page around every screen: header, navigation, drop area, jobs drawer, notices.

import { Element } from "./base/element.js";
import { html } from "./base/html.js";
import { icon } from "./base/icons.js";
import { ENDED } from "./state/store.js";
import { setPictureApi } from "./common/picture.js";
import { load } from "./common/load.js";
import { isDark, toggleTheme } from "./common/theme.js";
import { notify } from "./common/notices.js";
import { routeOf } from "./common/route.js";
import "./library/library.js";
import "./jobs/drawer.js";
import { titleOf } from "./jobs/job_text.js";

/** Screens that are loaded when first opened. */
const LATER = {
  clip: () => import("./clip/clip.js"),
  job: () => import("./result/result.js"),
  pipelines: () => import("./pipelines/pipelines.js"),
};

class App extends Element {
  static props = { store: null, uploads: null, route: null, isDropping: false, isDrawerOpen: false };
  #loaded = new Set();

  enter() {
    setPictureApi(this.store.api);
    this.store.watch(() => this.redraw(), this.leaving);
    this.uploads.watch(() => this.redraw(), this.leaving);
    matchMedia("(prefers-color-scheme: dark)").addEventListener("change", () => this.redraw(), { signal: this.leaving });
    addEventListener("hashchange", () => this.#follow(), { signal: this.leaving });
    const tellKnown = ({ name, record }) => notify(`${name} is already in your library${name === record.name ? "" : ` as ${record.name}`}. It was not sent again.`);
    this.uploads.addEventListener("known", ({ detail }) => tellKnown(detail), { signal: this.leaving });
    this.addEventListener("jobs-open", () => (this.isDrawerOpen = true));
    this.store.addEventListener("ended", ({ detail }) => this.#tellEnd(detail), { signal: this.leaving });
    this.#acceptDrops();
    this.#follow();
  }

  async #follow() {
    const route = routeOf(location.hash);
    if (LATER[route.screen] && !this.#loaded.has(route.screen)) {
      await load(LATER[route.screen]);
      this.#loaded.add(route.screen);
      if (routeOf(location.hash).screen !== route.screen) return; // the user has gone on
    }
    const isOther = this.route && (this.route.screen !== route.screen || this.route.id !== route.id);
    this.route = route;
    if (isOther) {
      scrollTo(0, 0);
      this.querySelector("main")?.focus({ preventScroll: true });
    }
  }

  #tellEnd(job) {
    if (!job || job.status === "canceled" || job.metadata?.studio) return; // measurements of the page itself end silently
    const isSeen = this.route?.screen === "job" && this.route.id === job.id;
    const name = titleOf(this.store, job);
    if (!isSeen) {
      const action = { label: job.status === "succeeded" ? "Show" : "See why", run: () => (location.hash = `#/job/${job.id}`) };
      notify(`${name}: ${job.status === "succeeded" ? "your result is ready." : "the job failed."}`, { action, kind: job.status === "failed" ? "bad" : "good" });
    }
    if (document.visibilityState === "hidden" && globalThis.Notification?.permission === "granted")
      new Notification(job.status === "succeeded" ? "Your result is ready" : "A job failed", { body: name, icon: /** @type {HTMLLinkElement} */ (document.querySelector("link[rel=icon]")).href });
  }

  #acceptDrops() {
    const carries = (event) => event.dataTransfer?.types.includes("Files");
    const { leaving: signal } = this;
    let depth = 0; // dragenter and dragleave fire for every nested element
    const over = (change) => {
      depth = Math.max(0, depth + change);
      this.isDropping = depth > 0;
    };
    addEventListener("dragenter", (event) => carries(event) && over(1), { signal });
    addEventListener("dragleave", (event) => carries(event) && over(-1), { signal });
    addEventListener("dragover", (event) => carries(event) && event.preventDefault(), { signal });
    const drop = (event) => {
      if (!carries(event)) return;
      event.preventDefault();
      depth = 0;
      over(0);
      this.take(event.dataTransfer.files);
    };
    addEventListener("drop", drop, { signal });
  }

  /** Upload files; open a single file when its upload has finished. */
  async take(given) {
    const files = [...given]; // a list of the browser changes
    if (!files.length) return;
    const from = location.hash;
    if (this.route.screen !== "library") location.hash = "#/";
    const records = await this.uploads.add(files);
    const isStill = ["", "#/", from].includes(location.hash);
    if (records.length === 1 && records[0] && isStill) location.hash = `#/clip/${records[0].id}`;
  }

  drawn() {
    const busy = underWay(this.store);
    const running = busy.find((job) => job.status === "running" && job.progress);
    const percent = running ? `${Math.floor(running.progress.fraction * 100)} % · ` : busy.length ? "… · " : "";
    document.title = `${percent}${this.route?.title ?? "Reelwright"}`;
  }

  view() {
    const { store, route } = this;
    const busy = underWay(store);
    const nav = (screen, href, text) =>
      html`<a href=${href} aria-current=${route?.screen === screen ? "page" : null}>${text}</a>`;
    return html`
      <a class="skip" href="#main" @click=${(event) => this.#skip(event)}>Skip to content</a>
      <header class="top">
        <a class="brand" href="#/" aria-label="Reelwright, library"><span class="mark" aria-hidden="true"></span><span>Reelwright</span></a>
        <nav aria-label="Site">${nav("library", "#/", "Library")}${nav("pipelines", "#/pipelines", "Pipelines")}<a href="/docs">API</a></nav>
        <div class="tools">
          ${store.api.keyed && html`<button type="button" class="quiet forget" aria-label="Forget key" title="Forget key" @click=${() => this.#forgetKey()}>${icon("key")}<span>Forget key</span></button>`}
          <button type="button" class="icon quiet" aria-label=${isDark() ? "Light colours" : "Dark colours"} title=${isDark() ? "Light colours" : "Dark colours"}
            @click=${() => { toggleTheme(); this.redraw(); }}>${icon(isDark() ? "sun" : "moon")}</button>
          <button type="button" class="jobs-button" aria-label=${busy.length ? `Jobs, ${busy.length} unfinished` : "Jobs"} aria-expanded=${String(this.isDrawerOpen)} aria-controls="jobs"
            @click=${() => (this.isDrawerOpen = !this.isDrawerOpen)}>${icon("jobs")}<span>Jobs</span>
            ${busy.length > 0 && html`<span class="badge">${busy.length}</span>`}</button>
        </div>
      </header>
      ${store.offline && html`<p class="offline" role="alert">${icon("warn")}${store.offline}</p>`}
      <main id="main" tabindex="-1">${this.#screen()}</main>
      <jobs-drawer id="jobs" .store=${store} ?hidden=${!this.isDrawerOpen} .isOpen=${this.isDrawerOpen}
        @drawer-close=${() => this.#closeDrawer()}></jobs-drawer>
      <studio-notices></studio-notices>
      ${this.isDropping && html`<div class="drop-veil"><p>${icon("upload")}Drop to add to your library</p></div>`}`;
  }

  #screen() {
    const { store, route } = this;
    if (!route) return null;
    if (route.screen === "clip") return html`<clip-screen .store=${store} .uploads=${this.uploads} .route=${route}></clip-screen>`;
    if (route.screen === "job") return html`<result-screen .store=${store} .route=${route}></result-screen>`;
    if (route.screen === "pipelines") return html`<pipelines-screen .store=${store} .uploads=${this.uploads} .route=${route}></pipelines-screen>`;
    return html`<library-screen .store=${store} .uploads=${this.uploads} @files=${(event) => this.take(event.detail)}></library-screen>`;
  }

  #closeDrawer() {
    this.isDrawerOpen = false;
    this.querySelector(".jobs-button").focus();
  }

  #skip(event) {
    event.preventDefault();
    this.querySelector("main").focus();
  }

  #forgetKey() {
    this.store.api.forgetKey();
    location.reload();
  }
}

/** Return the unfinished jobs that the user started. */
function underWay(store) {
  return [...store.jobs.values()].filter((job) => !ENDED.has(job.status) && !job.metadata?.studio);
}

Element.define("studio-app", App);
