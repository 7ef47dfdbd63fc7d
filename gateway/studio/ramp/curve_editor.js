// The curve on its timeline: pictures, motion, beats and cuts behind, points to drag and to move by keys.

import { Element } from "../base/element.js";
import { html, keyed, svg } from "../base/html.js";
import { clock, short } from "../base/format.js";
import { drawTile, stripOf } from "../server/views.js";
import { Scrub } from "../common/scrub.js";
import { addedPoint, changedPoint, clamp, movedPoint, removedPoint } from "./edit.js";
import { Ramp } from "./ramp.js";

const LEFT = 48;
const RIGHT = 12;
const STRIP = 40;
const AXIS = 18;
const GRID = [16, 8, 4, 2, 1, 0.5, 0.25, 0.125];
const SNAP_PIXELS = 7;
const TICK_STEPS = [0.1, 0.2, 0.5, 1, 2, 5, 10, 15, 30, 60, 120, 300, 600];

let made = 0;

class CurveEditor extends Element {
  /**
   * Properties of the element. `fields`: of a point, as declared. The element sends `points` with {points, keep}. `keep` is true while a drag goes on. Also
   * sends `choose` with an index, and `seek` with seconds of source.
   */
  static props = { // `record`: null if an earlier step makes the clip
    store: null, record: null, fields: null, points: [], duration: 1, fps: 30, time: 0, chosen: 0, motion: null, beats: [], cuts: [], width: 800, height: 260,
  };
  #sizes = null;
  #dragged = null;
  #lastTap = 0;
  #number = (made += 1); // of the editor on the page
  #scrub = new Scrub({ press: (event) => this.#field(event), drag: (event) => !this.#dragged && this.tell("seek", this.#timeAt(this.#place(event).x)) });

  enter() {
    this.#fit(this.clientWidth); // the first drawing has the right size: a scaled one has small points
    this.#sizes = new ResizeObserver(([entry]) => {
      this.#fit(entry.contentRect.width);
      this.#paintStrip();
    });
    this.#sizes.observe(this);
    this.#load();
  }

  #fit(width) {
    this.width = Math.max(280, Math.round(width));
    this.height = matchMedia("(max-width: 40rem)").matches ? 250 : 236;
  }

  leave() {
    this.#sizes.disconnect();
  }

  changed(name) {
    if (name === "record" && this.isConnected) this.#load();
    this.redraw();
  }

  async #load() {
    if (!this.record) return;
    this.strip = await stripOf(this.store.api, this.record).catch(() => null);
    this.#paintStrip();
  }

  get #top() {
    return STRIP + 8;
  }

  get #bottom() {
    return this.height - AXIS;
  }

  #x(time) {
    return LEFT + (time / this.duration) * (this.width - LEFT - RIGHT);
  }

  #y(speed) {
    const { min, max } = this.fields.speed;
    const share = Math.log2(clamp(speed, min, max) / min) / Math.log2(max / min);
    return this.#top + (1 - share) * (this.#bottom - this.#top);
  }

  #timeAt(x) {
    return clamp((x - LEFT) / (this.width - LEFT - RIGHT), 0, 1) * this.duration;
  }

  #speedAt(y) {
    const share = 1 - (y - this.#top) / (this.#bottom - this.#top);
    const { min, max } = this.fields.speed;
    return min * (max / min) ** share;
  }

  #place(event) {
    const box = this.querySelector("svg").getBoundingClientRect();
    return { x: event.clientX - box.left, y: event.clientY - box.top };
  }

  get #limits() {
    const reach = (SNAP_PIXELS / (this.width - LEFT - RIGHT)) * this.duration;
    return { duration: this.duration, fps: this.fps, speeds: this.fields.speed, times: [...this.beats, ...this.cuts], reach };
  }

  #send(points, { keep = false, chosen = this.chosen } = {}) {
    this.tell("points", { points, keep, chosen });
  }

  /** Take hold of a point. Its `touchstart` is prevented, or the page would scroll with the finger: in Chromium, an SVG group ignores `touch-action`. */
  #down(event, index) {
    event.preventDefault();
    event.stopPropagation();
    event.currentTarget.focus();
    event.currentTarget.setPointerCapture(event.pointerId);
    this.#dragged = { index, isNoted: false };
    this.tell("choose", index);
  }

  #drag(event, index) {
    if (this.#dragged?.index !== index) return;
    const { x, y } = this.#place(event);
    const point = this.points[index];
    const to = { t: event.shiftKey ? point.t : this.#timeAt(x), speed: event.altKey ? point.speed : this.#speedAt(y) };
    this.#send(movedPoint(this.points, index, to, this.#limits), { keep: this.#dragged.isNoted, chosen: index });
    this.#dragged.isNoted = true;
    this.tell("seek", this.points[index].t);
  }

  #field(event) {
    if (event.target.closest(".point")) return;
    const { x } = this.#place(event);
    const now = performance.now();
    const isDouble = now - this.#lastTap < 350;
    this.#lastTap = now;
    if (isDouble) return void this.#add(this.#timeAt(x));
    this.tell("seek", this.#timeAt(x));
  }

  #add(time) {
    const { points, index } = addedPoint(this.points, time, this.#limits);
    if (index < 0) return;
    this.#send(points, { chosen: index });
    this.focusPoint(index);
  }

  focusPoint(index) {
    requestAnimationFrame(() => this.querySelectorAll(".point")[index]?.focus());
  }

  #key(event, index) {
    const { points } = this;
    const point = points[index];
    const big = event.shiftKey ? 10 : 1;
    const frame = 1 / this.fps;
    const moves = {
      ArrowLeft: { t: point.t - frame * big }, ArrowRight: { t: point.t + frame * big }, ArrowUp: { speed: point.speed * 2 ** (big / 12) },
      ArrowDown: { speed: point.speed * 2 ** (-big / 12) }, PageUp: { speed: point.speed * 2 }, PageDown: { speed: point.speed / 2 }, 1: { speed: 1 },
    };
    if (event.ctrlKey || event.metaKey) return;
    const key = event.key.length === 1 ? event.key.toLowerCase() : event.key; // a capital with Caps Lock
    const move = moves[key];
    if (move) this.#send(movedPoint(points, index, { ...point, ...move }, { ...this.#limits, reach: 0, snaps: false }));
    else if (key === "Delete" || key === "Backspace") {
      this.#send(removedPoint(points, index), { chosen: Math.max(0, index - 1) });
      this.focusPoint(Math.max(0, index - 1));
    } else if (key === "e") {
      const { options, fallback } = this.fields.easing;
      const easing = options[(options.indexOf(point.easing ?? fallback) + 1) % options.length];
      this.#send(changedPoint(points, index, { easing }));
    } else if (key === "n") {
      const next = points[index + 1]?.t ?? this.duration;
      this.#add((point.t + next) / 2);
    } else if (key === "Home" || key === "End") this.focusPoint(key === "Home" ? 0 : points.length - 1);
    else return;
    event.preventDefault();
    event.stopPropagation();
  }

  #paintStrip() {
    const canvas = this.querySelector("canvas");
    if (!canvas || !this.strip) return;
    const ratio = devicePixelRatio || 1;
    canvas.width = canvas.clientWidth * ratio;
    canvas.height = canvas.clientHeight * ratio;
    const context = canvas.getContext("2d");
    const shape = Math.max(0.8, this.strip.tile_width / this.strip.tile_height);
    const count = Math.max(1, Math.round(canvas.width / (canvas.height * shape)));
    const width = canvas.width / count;
    for (let tile = 0; tile < count; tile += 1) drawTile(context, this.strip, ((tile + 0.5) / count) * this.duration, [tile * width, 0, Math.ceil(width), canvas.height]);
  }

  view() {
    const { width, height, points, duration } = this;
    const ramp = new Ramp(points, duration);
    const top = this.#top;
    const bottom = this.#bottom;
    const one = this.#y(1);
    const samples = Math.max(60, Math.min(600, Math.round(width / 2)));
    const line = Array.from({ length: samples + 1 }, (_, index) => {
      const time = (index / samples) * duration;
      return `${this.#x(time).toFixed(1)},${this.#y(ramp.speedAt(Math.min(time, duration - 1e-6))).toFixed(1)}`;
    }).join(" ");
    const area = `${LEFT},${one} ${line} ${width - RIGHT},${one}`;
    return html`<div class="curve-field">
      <canvas class="curve-strip" aria-hidden="true"></canvas>
      <svg viewBox=${`0 0 ${width} ${height}`} width=${width} height=${height} role="group" aria-label=${`Speed over time, ${points.length} points`}
        @pointerdown=${(event) => this.#scrub.down(event)} @pointermove=${(event) => this.#scrub.move(event)} @pointerup=${(event) => this.#scrub.up(event)} @pointercancel=${() => this.#scrub.cancel()}>
        <defs>
          <clipPath id=${`faster-${this.#number}`}><rect x="0" y="0" width=${width} height=${one}></rect></clipPath>
          <clipPath id=${`slower-${this.#number}`}><rect x="0" y=${one} width=${width} height=${height - one}></rect></clipPath>
        </defs>
        ${GRID.map((speed) => svg`<line class=${speed === 1 ? "one" : "grid"} x1=${LEFT} x2=${width - RIGHT} y1=${this.#y(speed)} y2=${this.#y(speed)}></line>
          <text x=${LEFT - 6} y=${this.#y(speed) + 4} text-anchor="end">${short(speed)}×</text>`)}
        ${this.#ticks()}
        ${this.#motionArea()}
        ${this.beats.map((beat) => svg`<line class="beat" x1=${this.#x(beat)} x2=${this.#x(beat)} y1=${bottom - 9} y2=${bottom}></line>`)}
        ${this.cuts.map((cut) => svg`<line class="cut" x1=${this.#x(cut)} x2=${this.#x(cut)} y1=${top} y2=${bottom}></line>`)}
        <polygon class="fast" points=${area} clip-path=${`url(#faster-${this.#number})`}></polygon>
        <polygon class="slow" points=${area} clip-path=${`url(#slower-${this.#number})`}></polygon>
        <polyline class="line" points=${line}></polyline>
        <line class="head" x1=${this.#x(this.time)} x2=${this.#x(this.time)} y1="0" y2=${bottom}></line>
        ${points.map((point, index) => keyed(index, this.#point(point, index)))}
      </svg>
    </div>`;
  }

  #point(point, index) {
    const { speed, easing: { fallback, labels } } = this.fields;
    const easing = point.easing ?? fallback;
    const label = `Point ${index + 1} of ${this.points.length}, at ${point.t.toFixed(2)} seconds`;
    const text = `${short(point.speed)} times, ${labels[easing].toLowerCase()} to the next${point.freeze ? `, freezes for ${point.freeze} seconds` : ""}`;
    return svg`<g class=${`point ${index === this.chosen ? "chosen" : ""}`} tabindex="0" role="slider" aria-orientation="vertical" data-keys="own" aria-label=${label}
      aria-valuemin=${speed.min} aria-valuemax=${speed.max} aria-valuenow=${point.speed} aria-valuetext=${text} transform=${`translate(${this.#x(point.t)} ${this.#y(point.speed)})`}
      @focus=${() => this.tell("choose", index)} @keydown=${(event) => this.#key(event, index)} @pointerdown=${(event) => this.#down(event, index)}
      @touchstart=${(event) => event.cancelable && event.preventDefault()}
      @pointermove=${(event) => this.#drag(event, index)} @pointerup=${() => (this.#dragged = null)} @pointercancel=${() => (this.#dragged = null)}>
      <circle class="hit" r="22"></circle><circle class="ring" r="12"></circle>
      ${easing === "hold" ? svg`<rect class="dot" x="-6" y="-6" width="12" height="12"></rect>` : svg`<circle class="dot" r="6.5"></circle>`}
      ${point.freeze > 0 && svg`<text class="freeze" x="10" y="-10">❄ ${short(point.freeze)} s</text>`}
    </g>`;
  }

  #ticks() {
    const step = TICK_STEPS.find((candidate) => this.duration / candidate <= this.width / 70) ?? 600;
    const times = Array.from({ length: Math.floor(this.duration / step + 1e-6) + 1 }, (_, index) => index * step);
    return times.map((time) => svg`<text x=${this.#x(time)} y=${this.height - 4} text-anchor="middle">${this.duration < 60 ? `${Number(time.toFixed(1))} s` : clock(time)}</text>`);
  }

  /** Return the template of the motion, drawn as an area from the bottom. Its 98th percentile is half the height, so outliers do not flatten the rest. */
  #motionArea() {
    if (!this.motion?.times?.length) return null;
    const { times, values } = this.motion;
    const full = [...values].sort((a, b) => a - b)[Math.floor((values.length - 1) * 0.98)] || 1;
    const bottom = this.#bottom;
    const columns = new Map(); // the largest value of each pixel column
    times.forEach((time, index) => {
      const x = Math.round(this.#x(time));
      columns.set(x, Math.max(columns.get(x) ?? 0, values[index]));
    });
    const tops = [...columns].map(([x, value]) => `${x},${(bottom - Math.min(1.3, value / full) * (bottom - this.#top) * 0.5).toFixed(1)}`);
    return svg`<path class="motion" d=${`M${this.#x(times[0])},${bottom}L${tops.join("L")}L${this.#x(times.at(-1))},${bottom}Z`}></path>`;
  }

  drawn() {
    const canvas = this.querySelector("canvas");
    if (canvas && this.painted !== canvas && this.strip) {
      this.painted = canvas;
      this.#paintStrip();
    }
  }
}

Element.define("curve-editor", CurveEditor);
