// The library: all media, uploads under way, and the first steps of a newcomer.

import { Element } from "../base/element.js";
import { html, keyed } from "../base/html.js";
import { icon } from "../base/icons.js";
import { bytes } from "../base/format.js";
import { tags } from "../base/words.js";
import { isSample } from "../state/store.js";
import { notify } from "../common/notices.js";
import { askForLink } from "./link_dialog.js";
import { ACCEPTED } from "../state/uploads.js";
import "./media_card.js";
import "./upload_list.js";
import "./welcome.js";

/** @type {[string, string, (record: any) => boolean][]} */
const FILTERS = [
  ["all", "All", (record) => hasPicture(record)],
  ["clips", "Clips", (record) => record.kind === "video" && isOwn(record)],
  ["results", "Results", (record) => hasPicture(record) && !isOwn(record)],
  ["pictures", "Pictures", (record) => record.kind === "image" || record.kind === "images"],
  ["files", "Files", (record) => !hasPicture(record)],
];
const AHEAD_PX = 1200; // distance from the screen at which the next page of the list is read
const USED = "All files, also proxies and previews, which the server deletes by itself when space is short";

/** Return whether a medium can be shown. Others, such as tables and archives, are downloaded. */
function hasPicture(record) {
  return record.urls.thumbnail !== null;
}

/** Return whether a medium was uploaded, not made by a job. */
function isOwn(record) {
  return record.source === "upload" || record.source === "url";
}

class Library extends Element {
  static props = { store: null, uploads: null, filter: "all", search: "" };

  enter() {
    this.store.watch(() => this.redraw(), this.leaving);
    this.uploads.watch(() => this.redraw(), this.leaving);
    addEventListener("scroll", () => this.#readAhead(), { passive: true, signal: this.leaving });
  }

  drawn() {
    this.#readAhead();
  }

  /** Read more of the list when its end is near the screen. Scrolling, or a search that shortens the list, brings it there. */
  #readAhead() {
    const end = this.querySelector(".list-end");
    if (end && !this.store.offline && end.getBoundingClientRect().top < innerHeight + AHEAD_PX) this.store.readMore();
  }

  view() {
    const { store, uploads } = this;
    if (!store.isListed) return html`<div class="library"><p class="muted">Loading…</p></div>`;
    const media = store.shownMedia;
    const own = media.filter((record) => hasPicture(record) && !isSample(record));
    const isFirst = own.length === 0 && uploads.entries.length === 0;
    return html`<div class="library">
      ${isFirst ? html`<studio-welcome .store=${store} @pick=${() => this.#pick()} @link=${() => askForLink(store)}></studio-welcome>` : this.#bar(own)}
      <input type="file" id="file" class="unseen" multiple accept=${Object.values(ACCEPTED).join(",")} aria-label="Choose files to add" tabindex="-1" @change=${(event) => this.#chosen(event.target)}>
      <upload-list .store=${store} .uploads=${uploads} @pick=${() => this.#pick()}></upload-list>
      ${this.#grid(media, isFirst)}
    </div>`;
  }

  #bar(own) {
    const { used, hasMore } = this.store;
    const items = `${own.length}${hasMore ? "+" : ""} ${own.length === 1 ? "item" : "items"}`;
    const room = used && `${bytes(used.bytes)}${used.limit_bytes === null ? "" : ` of ${bytes(used.limit_bytes)}`} used`;
    return html`<div class="library-bar">
      <h1>Library <small class="muted" title=${USED}>${[items, room].filter(Boolean).join(" · ")}</small></h1>
      <label class="search">${icon("search")}<input type="search" placeholder="Search names" aria-label="Search names" .value=${this.search}
        @input=${(event) => (this.search = event.target.value)}></label>
      <fieldset class="segments"><legend class="unseen">Show</legend>${FILTERS.map(
        ([name, label]) => html`<label><input type="radio" name="filter" value=${name} .checked=${this.filter === name}
          @change=${() => (this.filter = name)}><span>${label}</span></label>`,
      )}</fieldset>
      <div class="row">
        <button type="button" @click=${() => askForLink(this.store)}>${icon("link")}From a link</button>
        <button type="button" class="primary" @click=${() => this.#pick()}>${icon("add")}Add clips</button>
      </div>
    </div>`;
  }

  #grid(media, isFirst) {
    const test = FILTERS.find(([name]) => name === this.filter)[2];
    const words = this.search.toLowerCase().split(/\s+/).filter(Boolean);
    const fits = (record) => {
      const text = `${this.store.nameOf(record)} ${record.name} ${tags(record).join(" ")}`.toLowerCase();
      return test(record) && words.every((word) => text.includes(word));
    };
    const shown = media.filter(fits).sort((a, b) => Number(isSample(a)) - Number(isSample(b)) || (isSample(a) ? a.id.localeCompare(b.id) : 0));
    const visible = shown.filter((record) => isSample(record) === isFirst);
    const samples = isFirst || this.filter === "results" ? [] : shown.filter((record) => isSample(record));
    const end = this.store.hasMore && html`<p class="list-end muted">Loading…</p>`;
    if (!visible.length && !samples.length) return end || html`<p class="empty muted">Nothing matches. ${this.search && html`<button type="button" class="quiet" @click=${() => (this.search = "")}>Clear the search</button>`}</p>`;
    return html`${isFirst && html`<h2 class="samples-title">Samples to play with</h2>`}
      ${this.#cards(visible, "Media")}
      ${end}
      ${samples.length > 0 && html`<section class="small-samples" aria-labelledby="samples"><h2 id="samples">Samples</h2>${this.#cards(samples, "Samples")}</section>`}`;
  }

  #cards(records, label) {
    return html`<ul class="cards" aria-label=${label}>${records.map((record) =>
      keyed(record.id, html`<li><media-card .store=${this.store} .record=${record} .shownName=${this.store.nameOf(record)} @delete=${(event) => this.#delete(event.detail)}></media-card></li>`),
    )}</ul>`;
  }

  #pick() {
    this.querySelector("#file").click();
  }

  #chosen(input) {
    const files = [...input.files];
    input.value = ""; // allows choosing the same file again
    this.tell("files", files);
  }

  #delete(record) {
    const { store } = this;
    store.hide(record.id, true);
    const gone = async () => {
      if (!store.isHidden(record.id)) return; // the same file was added again meanwhile
      try {
        await store.api.send("DELETE", record.urls.self);
        store.forget(record.id);
        store.readUsage();
      } catch (error) {
        notify(error.message, { kind: "bad" });
      }
      store.hide(record.id, false);
    };
    notify(`${store.nameOf(record)} deleted.`, { action: { label: "Undo", run: () => store.hide(record.id, false) }, gone });
  }
}

Element.define("library-screen", Library);
