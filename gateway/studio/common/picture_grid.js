// The pictures in a zip file, each with the time and score that a job's result gives. Each can become a medium of its own.

import { Element } from "../base/element.js";
import { html, keyed } from "../base/html.js";
import { icon } from "../base/icons.js";
import { namesOfRole } from "../base/declared.js";
import { position, short } from "../base/format.js";
import { isTaken } from "../base/takers.js";
import { download } from "./download.js";
import { notify } from "./notices.js";
import { Stay } from "./stay.js";
import "./picture.js";

const STEP = 200; // number of pictures shown at first, and added by each press of the button
const DEEPEST = 4; // nesting depth to which a result is searched for names of pictures

class PictureGrid extends Element {
  static props = { store: null, record: null, result: null, items: null, error: "", large: null, shown: STEP, isTaking: false };

  enter() {
    this.#load();
  }

  changed(name) {
    if (name === "record" && this.isConnected) this.#load();
    this.redraw();
  }

  async #load() {
    const { record } = this;
    Object.assign(this, { items: null, shown: STEP, large: null, error: "" });
    try {
      const { items } = await this.store.api.get(record.urls.files, { signal: this.leaving });
      if (this.record === record) this.items = items;
    } catch (error) {
      if (this.isConnected && this.record === record) this.error = error.message;
    }
  }

  view() {
    const { items, error } = this;
    if (error) return html`<p class="error">${error}</p>`;
    if (!items) return html`<p class="muted">Loading…</p>`;
    const details = detailsOf(this.result, this.store.operations);
    return html`<div class="pictures-scroll">
      <ul class="pictures" aria-label=${`${items.length} pictures`}>${items.slice(0, this.shown).map((item, index) => {
        const caption = captionOf(item, details.get(item.name));
        return keyed(item.name, html`<li><button type="button" class="picture-tile" aria-label=${`Show ${item.name}`} @click=${() => this.#open(index)}>
          <media-picture .src=${item.url} .alt=${""}></media-picture></button><p class="small muted">${caption}</p></li>`);
      })}</ul>
      ${items.length > this.shown && html`<p><button type="button" @click=${() => (this.shown += STEP)}>Show more of ${items.length} pictures</button></p>`}
      ${this.large !== null && this.#dialog(items[this.large])}
    </div>`;
  }

  #dialog(item) {
    const move = (step) => (this.large = (this.large + step + this.items.length) % this.items.length);
    const key = (event) => {
      if (event.key === "ArrowLeft") move(-1);
      if (event.key === "ArrowRight") move(1);
    };
    return html`<dialog class="lightbox" aria-label=${item.name} @keydown=${key} @close=${() => (this.large = null)} @click=${(event) => event.target === event.currentTarget && event.currentTarget.close()}>
      <media-picture .src=${item.url} .alt=${item.name}></media-picture>
      <div class="row"><button type="button" @click=${() => move(-1)}>Previous</button><span>${item.name}</span><a class="button" href=${item.url} download=${item.name} @click=${(event) => download(this.store.api, event)}>Download</a>
        ${isTaken(this.store.operations, "image") && html`<button type="button" ?disabled=${this.isTaking} @click=${() => this.#take(item)}>${icon("sparkle")}Continue with this</button>`}
        <button type="button" @click=${() => move(1)}>Next</button><button type="button" @click=${(event) => event.target.closest("dialog").close()}>Close</button></div>
    </dialog>`;
  }

  /** Make a medium of one picture, and open it. */
  async #take(item) {
    if (this.isTaking) return;
    this.isTaking = true;
    const stay = new Stay(this);
    try {
      const record = await this.store.api.post(item.url);
      this.store.putMedia(record);
      stay.open(`#/clip/${record.id}`, `${item.name} is in your library.`);
    } catch (error) {
      notify(error.message, { kind: "bad" });
    }
    this.isTaking = false;
  }

  #open(index) {
    this.large = index;
    queueMicrotask(() => queueMicrotask(() => this.querySelector("dialog")?.showModal()));
  }
}

function captionOf(item, detail) {
  const parts = [];
  if (Number.isFinite(detail?.time)) parts.push(position(detail.time));
  if (Number.isFinite(detail?.score)) parts.push(`score ${short(detail.score)}`);
  return parts.length ? parts.join(" · ") : item.name;
}

/** Find the times and scores of pictures in a result: name -> {time, score}. */
function detailsOf(result, operations) {
  const [names, times, scores] = ["picture_name", "picture_time", "picture_score"].map((role) => namesOfRole(operations, role));
  const details = new Map();
  const gather = (value, depth) => {
    if (value === null || typeof value !== "object" || depth > DEEPEST) return;
    const valueOf = (fields) => value[fields.find((field) => field in value)];
    if (typeof valueOf(names) === "string") details.set(valueOf(names), { time: valueOf(times), score: valueOf(scores) });
    for (const inner of Object.values(value)) gather(inner, depth + 1);
  };
  gather(result ?? null, 0);
  return details;
}

Element.define("picture-grid", PictureGrid);
