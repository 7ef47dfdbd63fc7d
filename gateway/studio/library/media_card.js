// A medium in the library: its picture, which moves under the pointer, its name and facts, and buttons.

import { Element } from "../base/element.js";
import { html } from "../base/html.js";
import { icon } from "../base/icons.js";
import { extent, facts, tags } from "../base/words.js";
import { drawTile, stripOf } from "../server/views.js";
import { isSample } from "../state/store.js";
import { download } from "../common/download.js";
import { notify } from "../common/notices.js";
import "../common/picture.js";

class MediaCard extends Element {
  /** Properties of the element. `shownName`: the store's name of the medium, which changes when the operations are known. */
  static props = { store: null, record: null, shownName: "", strip: null, at: null, isRenaming: false };

  async #scrub(event) {
    if (this.record.kind !== "video" || event.pointerType === "touch") return;
    const box = event.currentTarget.getBoundingClientRect();
    this.at = Math.min(Math.max((event.clientX - box.left) / box.width, 0), 1);
    this.strip ??= await stripOf(this.store.api, this.record).catch(() => null);
  }

  drawn() {
    const canvas = this.querySelector("canvas");
    if (!canvas || this.at === null || !this.strip) return;
    const context = canvas.getContext("2d");
    drawTile(context, this.strip, this.at * this.record.media.duration_s, [0, 0, canvas.width, canvas.height]);
  }

  view() {
    const { record, at, strip, shownName: name } = this;
    const open = record.urls.thumbnail ? `#/clip/${record.id}` : record.urls.download;
    const words = tags(record);
    return html`<article class="media-card">
      <a class="picture" href=${open} download=${record.urls.thumbnail ? null : record.name} title=${facts(record)} aria-label=${`${record.urls.thumbnail ? "Open" : "Download"} ${name}, ${[extent(record), ...words].join(", ")}`}
        @click=${(event) => record.urls.thumbnail === null && download(this.store.api, event)} @pointermove=${(event) => this.#scrub(event)} @pointerleave=${() => (this.at = null)}>
        ${record.urls.thumbnail ? html`<media-picture .src=${record.urls.thumbnail}></media-picture>` : html`<span class="file-kind">${record.kind}</span>`}
        ${at !== null && strip && html`<canvas width="320" height="180" aria-hidden="true"></canvas><span class="scrub-line" :--at=${at}></span>`}
        <span class="extent">${extent(record)}</span>
      </a>
      <div class="media-text">
        ${this.isRenaming ? this.#renameForm() : html`<p class="name" title=${record.name}>${name}</p>`}
        <p class="tags muted small">${words.length ? words.join(" · ") : facts(record, extent(record))}</p>
        ${isSample(record) ? html`<span class="muted small">sample</span>` : this.#actions()}
      </div>
    </article>`;
  }

  #actions() {
    const name = this.shownName;
    return html`<div class="card-actions">
      <button type="button" class="icon quiet" aria-label=${`Rename ${name}`} title="Rename" @click=${() => this.#rename()}>${icon("pen")}</button>
      <a class="button icon quiet" href=${this.record.urls.download} download=${this.record.name} aria-label=${`Download ${name}`} title="Download"
        @click=${(event) => download(this.store.api, event)}>${icon("download")}</a>
      <button type="button" class="icon quiet" aria-label=${`Delete ${name}`} title="Delete" @click=${() => this.tell("delete", this.record)}>${icon("trash")}</button>
    </div>`;
  }

  #renameForm() {
    return html`<form @submit=${(event) => this.#renamed(event)}>
      <input type="text" aria-label="New name" .value=${this.record.name} maxlength="200"
        @keydown=${(event) => event.key === "Escape" && (this.isRenaming = false)} @blur=${(event) => this.#renamed(event)}>
    </form>`;
  }

  #rename() {
    this.isRenaming = true;
    queueMicrotask(() => queueMicrotask(() => this.querySelector("input")?.select()));
  }

  async #renamed(event) {
    event.preventDefault();
    if (!this.isRenaming) return;
    const name = this.querySelector("input").value.trim();
    this.isRenaming = false;
    if (!name || name === this.record.name) return;
    try {
      const record = await (await this.store.api.send("PATCH", this.record.urls.self, { json: { name } })).json();
      this.store.putMedia(record);
    } catch (error) {
      notify(error.message, { kind: "bad" });
    }
  }
}

Element.define("media-card", MediaCard);
