// The filmstrip under the viewer: a slider over the whole clip, with its pictures, motion, sound and marks.

import { Element } from "../base/element.js";
import { html } from "../base/html.js";
import { position } from "../base/format.js";
import { drawTile, stripOf } from "../server/views.js";
import { Scrub } from "../common/scrub.js";
import { drawMotion, drawSound, motionOf, soundOf } from "./lanes.js";

const LANE = 16; // height of a lane in CSS pixels

class ClipStrip extends Element {
  /**
   * Properties of the element. `marks`: times in seconds, as lines. `dots`: others, as dots. `part`: [start, end] of the part in use, or
   * null. Sends `seek` with seconds.
   */
  static props = { store: null, record: null, time: 0, marks: [], dots: [], part: null, strip: null, sound: null, motion: null, hover: null };
  #sizes = null;
  #scrub = new Scrub({ press: (event) => this.#seek(event), drag: (event) => this.#seek(event) });

  enter() {
    this.#sizes = new ResizeObserver(() => this.#paint());
    this.#load();
  }

  leave() {
    this.#sizes.disconnect();
  }

  changed(name) {
    if (name === "record" && this.isConnected) this.#load();
    this.redraw();
  }

  async #load() {
    const { record, store } = this;
    Object.assign(this, { strip: null, sound: null, motion: null });
    const take = async (name, promise) => {
      const value = await promise.catch(() => null);
      if (this.record !== record || !this.isConnected) return;
      this[name] = value;
      this.#paint();
    };
    await take("strip", stripOf(store.api, record)); // the pictures before the other lanes
    take("sound", soundOf(store.api, record));
    take("motion", motionOf(store, record));
  }

  /** The contents of the lanes below the pictures, from top to bottom. */
  get #lanes() {
    const lanes = [];
    if (this.motion?.times?.length) lanes.push([drawMotion, this.motion, "--made"]);
    if (this.sound?.channels) lanes.push([drawSound, this.sound, "--given"]);
    return lanes;
  }

  get duration() {
    return this.record.media.duration_s || 1;
  }

  drawn() {
    const canvas = this.querySelector("canvas");
    if (canvas) this.#sizes.observe(canvas);
    if (this.painted !== this.strip) this.#paint();
  }

  #paint() {
    const canvas = this.querySelector("canvas");
    if (!canvas || !canvas.clientWidth) return;
    this.painted = this.strip;
    const ratio = devicePixelRatio || 1;
    canvas.width = canvas.clientWidth * ratio;
    canvas.height = canvas.clientHeight * ratio;
    const context = canvas.getContext("2d");
    const lanes = this.#lanes;
    const pictures = canvas.height - lanes.length * LANE * ratio;
    lanes.forEach(([draw, data, colour], place) => {
      const top = pictures + place * LANE * ratio;
      draw(context, data, this.duration, [0, top + 2 * ratio, canvas.width, (LANE - 3) * ratio], resolved(canvas, colour));
    });
    if (!this.strip) return;
    const shape = Math.max(0.7, this.strip.tile_width / this.strip.tile_height);
    const count = Math.max(1, Math.round(canvas.width / (pictures * shape)));
    const width = canvas.width / count;
    for (let tile = 0; tile < count; tile += 1) {
      const time = ((tile + 0.5) / count) * this.duration;
      drawTile(context, this.strip, time, [tile * width, 0, Math.ceil(width), pictures]);
    }
  }

  #title() {
    return [this.motion && "orange: motion", this.sound && "blue: sound"].filter(Boolean).join(", ") || null;
  }

  #timeAt(event) {
    const box = event.currentTarget.getBoundingClientRect();
    return Math.min(Math.max((event.clientX - box.left) / box.width, 0), 1) * this.duration;
  }

  #seek(event) {
    this.tell("seek", this.#timeAt(event));
  }

  #moved(event) {
    this.hover = event.pointerType === "mouse" ? this.#timeAt(event) : null;
    this.#scrub.move(event);
  }

  #key(event) {
    const steps = { PageUp: this.duration / 10, PageDown: -this.duration / 10, Home: -this.duration, End: this.duration };
    if (!(event.key in steps)) return; // arrows are the viewer's: they step by frames
    event.preventDefault();
    event.stopPropagation();
    this.tell("seek", Math.min(Math.max(this.time + steps[event.key], 0), this.duration));
  }

  view() {
    const { duration, time, hover, part } = this;
    const place = (seconds) => Math.min(Math.max(seconds / duration, 0), 1);
    return html`<div class=${`strip lanes-${this.#lanes.length}`} role="slider" tabindex="0" aria-label="Position in the clip" aria-valuemin="0" aria-valuemax=${duration}
      aria-valuenow=${time.toFixed(2)} aria-valuetext=${`${position(time)} of ${position(duration)}`}
      @pointerdown=${(event) => { event.currentTarget.setPointerCapture(event.pointerId); this.#scrub.down(event); }}
      @pointermove=${(event) => this.#moved(event)} @pointerup=${(event) => this.#scrub.up(event)} @pointercancel=${() => this.#scrub.cancel()} @pointerleave=${() => (this.hover = null)} @keydown=${(event) => this.#key(event)}>
      <canvas aria-hidden="true" title=${this.#title()}></canvas>
      ${part && html`<span class="unused" :--from="0" :--to=${place(part[0])}></span><span class="unused" :--from=${place(part[1])} :--to="1"></span>`}
      ${this.marks.map((mark) => html`<span class="line" :--at=${place(mark)}></span>`)}
      ${this.dots.map((dot) => html`<span class="dot" :--at=${place(dot)}></span>`)}
      <span class="head" :--at=${place(time)}></span>
      ${hover !== null && html`<span class="hover" :--at=${place(hover)}><b>${position(hover)}</b></span>`}
    </div>`;
  }
}

/** Resolve a style property to a colour that a canvas accepts. For `light-dark()`, it is the colour in use. */
function resolved(element, property) {
  element.style.setProperty("color", `var(${property})`);
  return getComputedStyle(element).color;
}

Element.define("clip-strip", ClipStrip);
