// The screen of a clip: its viewer, and beside it the list of tools, or one tool.

import { Element } from "../base/element.js";
import { html } from "../base/html.js";
import { icon } from "../base/icons.js";
import { extent, facts, tags } from "../base/words.js";
import { Unreachable } from "../server/api.js";
import { pause } from "../server/views.js";
import { load } from "../common/load.js";
import { notify } from "../common/notices.js";
import { GONE, isGone, NOT_SHOWN } from "../state/previews.js";
import "../common/picture_grid.js";
import "../common/sheet_handle.js";
import "../viewer/viewer.js";
import "./clip_choice.js";
import "./tool_list.js";

const AGAIN_MS = 1000; // pause before the file of a preview is requested again

class ClipScreen extends Element {
  static props = { store: null, uploads: null, route: null, record: null, error: "", isWaiting: false, isToolReady: false, stage: {} };
  #again = ""; // URL of the preview that was requested twice

  enter() {
    this.store.watch(() => this.#follow(), this.leaving);
    this.#load();
  }

  #follow() {
    if (this.isWaiting && !this.store.offline) this.#load();
    this.redraw();
  }

  changed(name) {
    if (name === "route" && this.isConnected) this.#load();
    this.redraw();
  }

  async #load() {
    const { id, tool } = this.route;
    if (this.record?.id !== id) {
      Object.assign(this, { record: null, stage: {}, error: "", isWaiting: false });
      try {
        const record = await this.store.record(id);
        if (this.route.id !== id) return; // another clip was opened meanwhile
        this.record = record;
      } catch (error) {
        if (this.route.id !== id) return;
        if (error instanceof Unreachable) this.isWaiting = true; // for the server
        else this.error = error.message;
      }
    }
    if (!tool) this.stage = {};
    if (tool && !this.isToolReady) {
      await load(() => import("../tool/tool.js"));
      this.isToolReady = true;
    }
  }

  get viewer() {
    return this.querySelector("clip-viewer");
  }

  view() {
    const { record, route } = this;
    if (this.error) return html`<div class="lost"><h1>Clip not found</h1><p>${this.error}</p><p><a class="button" href="#/">Library</a></p></div>`;
    if (!record || !this.store.isReady) return html`<div class="clip"><div class="viewer-area loading"></div></div>`;
    const words = tags(record);
    return html`<div class="clip">
      <div class="viewer-area">
        <div class="clip-title">
          <a class="icon button quiet" href=${route.tool ? `#/clip/${record.id}` : "#/"} aria-label=${route.tool ? "All tools" : "Library"} title="Back">${icon("back")}</a>
          <h1 title=${record.name}>${this.store.nameOf(record)}</h1>
          <p class="muted small" title=${facts(record)}>${[extent(record), ...words].join(" · ")}</p>
        </div>
        ${record.kind === "images" ? html`<picture-grid .store=${this.store} .record=${record}></picture-grid>` : this.#viewer()}
      </div>
      ${this.#panel()}
    </div>`;
  }

  #viewer() {
    const { record, stage } = this;
    return html`<clip-viewer .store=${this.store} .record=${record} .overlay=${stage.overlay ?? null} .preview=${stage.preview ?? null} .canvas=${stage.canvas ?? null}
      .marks=${stage.marks ?? []} .part=${stage.part ?? null} @preview-lost=${() => this.#dropPreview()}></clip-viewer>`;
  }

  /** Remove a preview from the viewer, because its file failed to load. The file is requested once more if the server has it. */
  async #dropPreview() {
    const { route, stage: { preview } } = this;
    if (!preview) return;
    this.stage = { ...this.stage, preview: null };
    const isLost = await isGone(this.store.api, preview.job);
    if (isLost || this.#again === preview.url) return void notify(isLost ? GONE : NOT_SHOWN, { kind: "bad" });
    this.#again = preview.url;
    await pause(AGAIN_MS);
    if (this.route === route && !this.stage.preview) this.stage = { ...this.stage, preview };
  }

  #panel() {
    const { record, route } = this;
    if (route.tool && route.as) return html`<clip-choice class="panel-area sheet" .store=${this.store} .record=${record} .route=${route}></clip-choice>`;
    if (!route.tool || !this.isToolReady) return html`<tool-list class="panel-area sheet" .store=${this.store} .record=${record}></tool-list>`;
    return html`<tool-panel class="tool-panel" .store=${this.store} .uploads=${this.uploads} .record=${record} .route=${route} .viewer=${() => this.viewer}
      @stage=${(event) => (this.stage = { ...this.stage, ...event.detail })}></tool-panel>`;
  }
}

Element.define("clip-screen", ClipScreen);
