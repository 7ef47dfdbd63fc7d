// The editor of clicks or a box on a frame of the clip: drawn with the pointer, or entered as numbers.

import { Element } from "../base/element.js";
import { html } from "../base/html.js";
import "../common/picture.js";
import { timesOf } from "../viewer/frame_times.js";
import "./rows_field.js";

const SMALLEST = 0.02; // smallest side of a drawn box, as a share of the picture

class MarkField extends Element {
  /**
   * Properties of the element. `store`: of the page. `parameter`: with the widget points or box. `clip`: null if it is not known yet.
   * `marked`: {frame, time} of the frame to mark. Sends `mark` with the value.
   */
  static props = { store: null, parameter: null, value: null, clip: null, marked: null, problems: [], mark: 1, from: null, to: null, frames: null, note: "" };

  enter() {
    this.#readFrames();
  }

  changed(name) {
    if (name === "clip") Object.assign(this, { frames: null, note: "" });
    if (["clip", "marked"].includes(name) && this.isConnected) this.#readFrames();
    this.redraw();
  }

  /** Read the frame times if a time gives the frame to mark. They are those of the clip. */
  async #readFrames() {
    const { clip } = this;
    if (!clip || !this.marked || this.frames || this.#frame !== null) return;
    try {
      const frames = await timesOf(this.store.api, clip);
      if (this.clip === clip) this.frames = frames;
    } catch (error) {
      if (this.clip === clip) this.note = error.message;
    }
  }

  /** The number of the frame to mark; null without known frame times. */
  get #frame() {
    const { frame, time } = this.marked;
    if (frame !== null) return frame;
    return time > 0 ? (this.frames?.numberAt(time) ?? null) : 0;
  }

  get #isBox() {
    return this.parameter.widget === "box";
  }

  get #media() {
    return this.clip?.media ?? null;
  }

  get #marks() {
    return this.#isBox ? [] : (this.value ?? []);
  }

  /** Width and height to which the numbers refer: the picture's, or 1 for fractions. */
  get #size() {
    const numbers = this.#isBox ? (this.value ?? []) : this.#marks.flatMap(([x, y]) => [x, y]);
    return numbers.every((number) => number <= 1) ? [1, 1] : [this.#media.width, this.#media.height];
  }

  #placeOf(event) {
    const box = this.querySelector(".mark-picture").getBoundingClientRect();
    return [(event.clientX - box.left) / box.width, (event.clientY - box.top) / box.height].map((share) => Math.min(Math.max(share, 0), 0.9999));
  }

  #scaled(place) {
    const size = this.#size;
    return place.map((share, axis) => Number((share * size[axis]).toFixed(size[axis] === 1 ? 4 : 0)));
  }

  #send(value) {
    this.dispatchEvent(new CustomEvent("mark", { detail: value }));
  }

  #click(event) {
    if (!this.#isBox) this.#send([...this.#marks, [...this.#scaled(this.#placeOf(event)), this.mark]]);
  }

  #down(event) {
    if (event.button !== 0 || !this.#isBox) return;
    event.preventDefault();
    event.currentTarget.setPointerCapture(event.pointerId);
    this.from = this.to = this.#placeOf(event);
  }

  #move(event) {
    if (this.from) this.to = this.#placeOf(event);
  }

  #up() {
    const drawn = this.#drawn;
    this.from = this.to = null;
    if (drawn && drawn[2] - drawn[0] >= SMALLEST && drawn[3] - drawn[1] >= SMALLEST) this.#send([...this.#scaled(drawn.slice(0, 2)), ...this.#scaled(drawn.slice(2))]);
  }

  /** The box that is being drawn, as shares: [left, top, right, bottom]. */
  get #drawn() {
    const { from, to } = this;
    return from && to && [Math.min(from[0], to[0]), Math.min(from[1], to[1]), Math.max(from[0], to[0]), Math.max(from[1], to[1])];
  }

  view() {
    const { parameter } = this;
    const { labels = {}, options = [] } = parameter.items?.cells[2] ?? {};
    const empty = parameter.nullable ? null : undefined;
    return html`${this.clip && !this.#isBox && html`<div class="segments" role="group" aria-label="A click marks">${options.map((option) => html`<button type="button"
        aria-pressed=${String(this.mark === option)} @click=${() => (this.mark = option)}>${labels[String(option)]}</button>`)}</div>`}
      ${this.clip ? this.#picture() : html`<p class="muted small">The picture is made by an earlier step: give places as fractions of its width and height, or in its pixels.</p>`}
      <rows-field .shape=${parameter} .value=${this.value} .label=${parameter.label} .problems=${this.problems} @rows=${(event) => this.#send(event.detail ?? empty)}></rows-field>`;
  }

  #picture() {
    const { width, height } = this.#media;
    const frame = this.#frame;
    const size = this.#size;
    const box = this.#drawn ?? (this.#isBox && this.value?.every(Number.isFinite) ? this.value.map((number, index) => number / size[index % 2]) : null);
    return html`${frame === null && html`<p class="muted small" role="status">${this.note || "Reading the times of the frames…"}</p>`}
      <div class=${`mark-picture ${this.#isBox ? "dragged" : ""}`} @click=${(event) => this.#click(event)} :--shape=${`${width} / ${height}`} @pointerdown=${(event) => this.#down(event)} @pointermove=${(event) => this.#move(event)} @pointerup=${() => this.#up()}
      @pointercancel=${() => (this.from = this.to = null)}>
      <media-picture .src=${frame === null ? "" : `/v1/media/${this.clip.id}/frame?n=${frame}`} .alt=${"The frame to mark"}></media-picture>
      ${this.#marks.filter(([x, y]) => Number.isFinite(x) && Number.isFinite(y)).map(([x, y, mark]) => html`<span class=${`click-mark ${mark > 0 ? "" : "beside"}`} :--x=${x / size[0]} :--y=${y / size[1]}></span>`)}
      ${box && html`<span class="mark-box" :--x=${box[0]} :--y=${box[1]} :--w=${box[2] - box[0]} :--h=${box[3] - box[1]}></span>`}
    </div>`;
  }
}

Element.define("mark-field", MarkField);
