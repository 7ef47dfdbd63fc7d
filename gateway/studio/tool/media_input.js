// The choice of media for an input beside the clip: pictures to tap, an upload, or "make it automatically".

import { Element } from "../base/element.js";
import { html, keyed } from "../base/html.js";
import { icon } from "../base/icons.js";
import { words } from "../base/format.js";
import { marked } from "../base/marked.js";
import { clipId } from "../base/outputs.js";
import { isSample } from "../state/store.js";
import { ACCEPTED } from "../state/uploads.js";

const SHOWN = 11;

class MediaInput extends Element {
  /** Properties of the element. `value`: an id, "auto", a list of ids, or null. Sends `input` with {name, value}. */
  static props = { store: null, uploads: null, name: "", port: null, value: null, clip: null, error: "", isLong: false };

  enter() {
    this.store.watch(() => this.redraw(), this.leaving);
  }

  #set(value) {
    this.tell("media-input", { name: this.name, value });
  }

  get #chosen() {
    return new Set([this.value ?? []].flat());
  }

  #choose(record) {
    const chosen = this.#chosen;
    if (!this.port.many) return this.#set(chosen.has(record.id) ? null : record.id);
    if (chosen.has(record.id)) chosen.delete(record.id);
    else chosen.add(record.id);
    return this.#set([...chosen]);
  }

  /** Return whether a job made this medium as the clip's automatic input. A matte is such an input. */
  #isMadeForThis(record) {
    const job = this.store.jobs.get(record.source);
    const [output] = Object.entries(job?.outputs ?? {}).find(([, { id }]) => id === record.id) ?? [];
    return Boolean(output) && this.port.auto === `${job.operation}.${output}` && clipId(job, this.store.operations) === this.clip.id;
  }

  /** Return whether an earlier job got this medium as the same input. */
  #wasChosen(record) {
    return [...this.store.jobs.values()].some((job) => [job.inputs?.[this.name]].flat().includes(record.id));
  }

  async #upload(input) {
    const records = (await this.uploads.add([...input.files])).filter(Boolean);
    input.value = "";
    if (!records.length) return;
    this.#set(this.port.many ? [...this.#chosen, ...records.map(({ id }) => id)] : records[0].id);
  }

  #showMore() {
    if (this.isLong) this.store.readMore(); // all that were read are on the page
    this.isLong = true;
  }

  view() {
    const { port, store, clip } = this;
    const chosen = this.#chosen;
    const known = new Set([...store.shownMedia, ...[...chosen].map((id) => store.media.get(id)).filter(Boolean)]);
    const fitting = [...known].filter((record) => port.kinds.includes(record.kind) && record.id !== clip.id);
    const rank = (record) => (chosen.has(record.id) ? 0 : this.#isMadeForThis(record) ? 1 : this.#wasChosen(record) ? 2 : isSample(record) ? 4 : 3);
    const sorted = fitting.sort((a, b) => rank(a) - rank(b));
    const shown = this.isLong ? sorted : sorted.slice(0, SHOWN);
    const title = port.title ?? words(this.name);
    const id = `input-${this.name}`;
    return html`<div class=${`field media-input ${this.error ? "wrong" : ""}`} role="group" aria-labelledby=${id}>
      <div class="field-head"><span class="label" id=${id}>${title}</span><span class="muted small">${port.optional ? "optional" : "required"}</span></div>
      ${port.description && html`<p class="help">${marked(port.description)}</p>`}
      ${port.auto && html`<label class="check"><input type="checkbox" .checked=${this.value === "auto"} @change=${(event) => this.#set(event.target.checked ? "auto" : null)}>
        <span>Make it automatically <span class="muted small">(adds a step before this one)</span></span></label>`}
      ${this.value !== "auto" &&
      html`<ul class="choices">
        <li><label class="choice add"><input type="file" class="unseen" accept=${port.kinds.map((kind) => ACCEPTED[kind]).join(",")} ?multiple=${port.many}
          aria-label=${`Upload for ${title}`} @change=${(event) => this.#upload(event.target)}>${icon("add")}<span>Add</span></label></li>
        ${shown.map((record) => keyed(record.id, html`<li><button type="button" class="choice" aria-pressed=${String(this.#chosen.has(record.id))} title=${record.name}
          @click=${() => this.#choose(record)}><media-picture .src=${record.urls.thumbnail ?? ""}></media-picture><span>${store.nameOf(record)}</span></button></li>`))}
        ${(sorted.length > shown.length || store.hasMore) && html`<li><button type="button" class="choice add" @click=${() => this.#showMore()}>
          <span>${store.hasMore ? "More" : `${sorted.length - shown.length} more`}</span></button></li>`}
      </ul>`}
      ${this.error && html`<p class="error">${this.error}</p>`}
    </div>`;
  }
}

Element.define("media-input", MediaInput);
