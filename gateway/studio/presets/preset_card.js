// A card of a preset, with a preview on the user's clip, which runs when the card comes into view.

import { Element } from "../base/element.js";
import { html } from "../base/html.js";
import { icon } from "../base/icons.js";
import { inputOf, madeFirst } from "../base/declared.js";
import { hasPicture, picturedOutput } from "../base/outputs.js";
import { toolAddress } from "../common/route.js";
import { canMake, exampleOf, previewOf } from "../state/previews.js";
import "../common/picture.js";

const MISSING = "/problems/model-missing"; // type of a refusal or failure for want of a model
const AGAIN_MS = 500; // pause after the last change of inputs or params, before the preview is made again

class PresetCard extends Element {
  /**
   * Properties of the element. `card`: {title, sentence, operation, params, presetName}. `inputs`: of the job. `chosen`: whether it is
   * selected, null for a link. `isExample`: makes the result of the whole clip and leads to it.
   */
  static props = { store: null, record: null, card: null, inputs: null, at: null, chosen: null, isExample: false, state: "waiting", url: "", kind: "", job: "" };
  #observer = null;
  #isAnew = false; // whether the preview was made again, because its file was gone
  #isSeen = false;
  #given = ""; // the inputs and params of the latest run, as text
  #timer = null;

  enter() {
    this.#observer = new IntersectionObserver((entries) => {
      if (!entries.some((entry) => entry.isIntersecting)) return;
      this.#observer.disconnect();
      this.#isSeen = true;
      this.#run();
    });
    this.#observer.observe(this);
  }

  leave() {
    this.#observer.disconnect();
    clearTimeout(this.#timer);
  }

  /** Make the preview again after the inputs or params have changed. */
  changed(name) {
    if ((name === "inputs" || name === "card") && this.#isSeen) {
      clearTimeout(this.#timer);
      this.#timer = setTimeout(() => this.isConnected && this.#asText() !== this.#given && this.#run(), AGAIN_MS);
    }
    this.redraw();
  }

  #asText() {
    return JSON.stringify([this.inputs, this.card.params]);
  }

  #hide(state) {
    Object.assign(this, { url: "", kind: "", state });
  }

  async #run() {
    const { operation, params, presetName, title } = this.card;
    const given = (this.#given = this.#asText());
    const isLacking = (operation.params.required ?? []).some((name) => params[name] === undefined);
    if (!operation.preview || !hasPicture(operation) || this.record.kind !== "video" || this.card.install || isLacking) return void this.#hide("none");
    const { operations } = this.store;
    const inputs = this.inputs ?? { [inputOf(operation)]: this.record.id, ...madeFirst(operation) };
    const isGiven = ([name, port]) => (inputs[name] === "auto" ? canMake(operations, port) : port.optional || inputs[name]);
    if (!Object.entries(operation.inputs).every(isGiven)) return void this.#hide("none");
    this.state = "running";
    const media = this.record.media;
    const at = this.at ?? (media.duration_s ?? 0) / 2;
    try {
      const slot = `card ${presetName ?? title}`;
      const request = { inputs, params, at, seconds: 3, slot };
      const job = await (this.isExample ? exampleOf : previewOf)(this.store.api, operation, request);
      if (this.#given !== given || !this.isConnected) return; // other inputs came meanwhile
      const output = picturedOutput(job, operations);
      if (!output) return void this.#hide("none");
      const isVideo = output.kind === "video";
      const path = isVideo ? output.urls.content : output.urls.thumbnail;
      const held = await this.store.api.mediaUrl(path, this.leaving);
      if (this.#given !== given) return;
      Object.assign(this, { url: held.url, kind: isVideo ? "video" : "image", state: "done", job: this.isExample ? job.id : "" });
    } catch (error) {
      if (this.isConnected && this.#given === given) this.state = error.name === "AbortError" ? "none" : error.type === MISSING ? "missing" : "failed";
    }
  }

  /** Make the preview again after its file is gone. The server keeps it for an hour. */
  #lost() {
    this.#hide("failed");
    if (this.#isAnew) return;
    this.#isAnew = true;
    this.#run();
  }

  view() {
    const { card, record, state, chosen } = this;
    const inner = html`<span class="preset-picture">
        <media-picture .src=${record.urls.thumbnail ?? ""}></media-picture>
        ${this.kind === "video" && html`<video .muted=${true} muted loop autoplay playsinline src=${this.url} aria-hidden="true" tabindex="-1"
          @loadeddata=${() => (this.#isAnew = false)} @error=${() => this.#lost()}></video>`}
        ${this.kind === "image" && html`<img src=${this.url} alt="" @load=${() => (this.#isAnew = false)} @error=${() => this.#lost()}>`}
        ${state === "running" && html`<span class="preset-state"><span class="spinner"></span>${this.isExample ? "Making it…" : "Preview…"}</span>`}
        ${state === "failed" && html`<span class="preset-state">No preview</span>`}
        ${(card.install || state === "missing") && html`<span class="preset-state">Needs a model</span>`}
        ${card.glyph && html`<span class="preset-glyph">${icon(card.glyph)}</span>`}
        ${chosen && html`<span class="preset-chosen">${icon("check")}</span>`}
      </span>
      <span class="preset-text"><b>${card.title}</b><span class="muted small">${card.sentence}</span></span>`;
    if (chosen === null) {
      const more = card.presetName ? { preset: card.presetName } : {};
      return html`<a class="preset-card" href=${this.job ? `#/job/${this.job}` : toolAddress(record.id, card.operation.name, more)}>${inner}</a>`;
    }
    return html`<button type="button" class="preset-card" aria-pressed=${String(chosen)} @click=${() => this.tell("choose", card)}>${inner}</button>`;
  }
}

Element.define("preset-card", PresetCard);
