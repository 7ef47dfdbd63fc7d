// The chart of speed over source time, with the measured motion behind it.

import { makeSvg } from "../base/dom.js";
import { clock, position, seconds, short } from "../base/format.js";

const MARGIN = { top: 10, right: 14, bottom: 24, left: 46 };
const TICK_STEPS = [0.1, 0.2, 0.5, 1, 2, 5, 10, 15, 30, 60, 120, 300, 600, 1800, 3600];
const PIXELS_PER_TICK = 70;

/** A chart in `host`. Calls `onSeek(seconds)` on a click or drag, and `onPoint(text)` with the values at the playhead. */
export class Chart {
  #host;
  #onPoint;
  #ramp = null;
  #motion = null;
  #cuts = [];
  #duration = 0;
  #time = 0;
  #head = null;

  constructor(host, { onSeek, onPoint }) {
    this.#host = host;
    this.#onPoint = onPoint;
    new ResizeObserver(() => this.#draw()).observe(host);
    const seek = (event) => {
      if (!this.#duration || !(event.buttons & 1)) return;
      const at = (event.clientX - host.getBoundingClientRect().left - MARGIN.left) / this.#width;
      onSeek(Math.min(Math.max(at, 0), 1) * this.#duration);
    };
    host.addEventListener("pointerdown", (event) => {
      if (this.#duration) host.setPointerCapture(event.pointerId);
      seek(event);
    });
    host.addEventListener("pointermove", seek);
  }

  /** Draw a curve. `ramp`: a Ramp or null; `duration`: of the source; `motion`: {times, values} or null; `cuts`: times. In seconds. */
  set({ ramp, duration, motion = null, cuts = [] }) {
    this.#ramp = ramp;
    this.#duration = duration;
    this.#motion = motion;
    this.#cuts = cuts;
    this.#draw();
  }

  /** Move the playhead to a time of the source, in seconds. */
  setTime(time) {
    this.#time = Math.min(time, this.#duration);
    this.#placeHead();
  }

  get #width() {
    return Math.max(1, this.#host.clientWidth - MARGIN.left - MARGIN.right);
  }

  get #height() {
    return Math.max(1, this.#host.clientHeight - MARGIN.top - MARGIN.bottom);
  }

  #x(time) {
    return MARGIN.left + (time / (this.#duration || 1)) * this.#width;
  }

  #y(speed) {
    const [low, high] = this.#octaves();
    return MARGIN.top + (1 - (Math.log2(speed) - low) / (high - low)) * this.#height;
  }

  /** The range of the speed axis, as exponents of two. */
  #octaves() {
    const [min, max] = this.#ramp ? [this.#ramp.min, this.#ramp.max] : [1, 1];
    return [Math.min(-1, Math.floor(Math.log2(min) + 1e-9)), Math.max(1, Math.ceil(Math.log2(max) - 1e-9))];
  }

  #draw() {
    const [width, height] = [this.#host.clientWidth, this.#host.clientHeight];
    const svg = makeSvg("svg", { width, height, viewBox: `0 0 ${width} ${height}`, role: "img", "aria-label": this.#summary() });
    svg.append(this.#grid());
    if (this.#motion) svg.append(this.#motionArea());
    for (const cut of this.#cuts) svg.append(this.#vertical(cut, "cut"));
    if (this.#ramp) svg.append(...this.#curve());
    this.#head = makeSvg(
      "g",
      { class: "head" },
      makeSvg("line", { y1: MARGIN.top, y2: MARGIN.top + this.#height }),
      makeSvg("circle", { r: 4.5 }),
    );
    if (this.#duration) svg.append(this.#head);
    this.#host.replaceChildren(svg);
    this.#placeHead();
  }

  #grid() {
    const grid = makeSvg("g", { class: "grid" });
    const [low, high] = this.#octaves();
    const right = MARGIN.left + this.#width;
    for (let octave = low; octave <= high; octave += 1) {
      const y = this.#y(2 ** octave);
      grid.append(makeSvg("line", { x1: MARGIN.left, x2: right, y1: y, y2: y, class: octave === 0 ? "unchanged" : "" }));
      grid.append(makeSvg("text", { x: MARGIN.left - 8, y: y + 4, "text-anchor": "end" }, `${short(2 ** octave)}×`));
    }
    const most = Math.max(1, this.#width / PIXELS_PER_TICK);
    const step = TICK_STEPS.find((candidate) => this.#duration / candidate <= most) ?? TICK_STEPS.at(-1);
    for (let time = 0; this.#duration && time <= this.#duration * 1.0001; time += step) {
      const text = this.#duration < 60 ? `${Number(time.toFixed(1))} s` : clock(time);
      grid.append(makeSvg("text", { x: this.#x(time), y: MARGIN.top + this.#height + 17, "text-anchor": "middle" }, text));
    }
    return grid;
  }

  #curve() {
    const points = [];
    const steps = Math.ceil(this.#width / 2);
    for (let index = 0; index <= steps; index += 1) {
      const time = (index / steps) * this.#duration;
      points.push(`${this.#x(time).toFixed(1)},${this.#y(this.#ramp.speedAt(time)).toFixed(1)}`);
    }
    const line = `M${points.join("L")}`;
    const unchanged = this.#y(1);
    const area = `${line}L${this.#x(this.#duration)},${unchanged}L${this.#x(0)},${unchanged}Z`;
    const clip = (id, y, height) =>
      makeSvg("clipPath", { id }, makeSvg("rect", { x: 0, y, width: this.#host.clientWidth, height }));
    const below = MARGIN.top + this.#height - unchanged;
    return [
      makeSvg("defs", {}, clip("chart-faster", 0, unchanged), clip("chart-slower", unchanged, below)),
      makeSvg("path", { d: area, class: "faster", "clip-path": "url(#chart-faster)" }),
      makeSvg("path", { d: area, class: "slower", "clip-path": "url(#chart-slower)" }),
      makeSvg("path", { d: line, class: "line" }),
    ];
  }

  /** Motion as an area from the bottom. Its 98th percentile is half the height, so outliers do not flatten the rest. */
  #motionArea() {
    const { times, values } = this.#motion;
    const bottom = MARGIN.top + this.#height;
    const full = values.toSorted((a, b) => a - b)[Math.floor((values.length - 1) * 0.98)] || 1;
    const columns = new Map(); // the largest value of each pixel column
    times.forEach((time, index) => {
      const x = Math.round(this.#x(time));
      columns.set(x, Math.max(columns.get(x) ?? 0, values[index]));
    });
    const points = [...columns].map(
      ([x, value]) => `${x},${(bottom - Math.min(1.3, value / full) * this.#height * 0.5).toFixed(1)}`,
    );
    const d = `M${this.#x(times[0] ?? 0)},${bottom}L${points.join("L")}L${this.#x(times.at(-1) ?? 0)},${bottom}Z`;
    return makeSvg("path", { d, class: "motion" });
  }

  #vertical(time, name) {
    return makeSvg("line", { x1: this.#x(time), x2: this.#x(time), y1: MARGIN.top, y2: MARGIN.top + this.#height, class: name });
  }

  #placeHead() {
    if (!this.#head || !this.#duration) return void this.#onPoint("");
    const speed = this.#ramp?.speedAt(this.#time) ?? 1;
    this.#head.setAttribute("transform", `translate(${this.#x(this.#time).toFixed(2)} 0)`);
    this.#head.lastChild.setAttribute("cy", this.#y(speed).toFixed(2));
    const output = this.#ramp ? ` → ${position(this.#ramp.outAt(this.#time))}` : "";
    this.#onPoint(this.#ramp ? `${position(this.#time)}${output} · ${speed.toFixed(2)}×` : "");
  }

  #summary() {
    if (!this.#ramp) return "No speed curve yet.";
    const { min, max, sourceDuration, duration } = this.#ramp;
    const lengths = `${seconds(sourceDuration)} of source, ${seconds(duration)} of result`;
    return `Speed between ${short(min)} and ${short(max)} times over ${lengths}.`;
  }
}
