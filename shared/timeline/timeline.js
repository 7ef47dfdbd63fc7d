// The timeline: ruler, film strip, scores with threshold, transitions and playhead; below it an overview.

import { oncePerFrame } from "./once_per_frame.js";
import { clock } from "./timecode.js";
import { Viewport } from "./viewport.js";

// Heights of the ruler and the film strip, and the gap between parts, in pixels.
const RULER = 24;
const STRIP = 68;
const GAP = 8;
const LEAST_PICTURE = 26; // least width of a shot's own picture, in pixels; narrower shots share one
const TICKS = [0.04, 0.1, 0.2, 0.5, 1, 2, 5, 10, 15, 30, 60, 120, 300, 600, 1800, 3600]; // possible distances of ticks, in seconds
const TICK_PIXELS = 78; // least pixels between two ticks
const COLORS = ["ground", "well", "line", "edge", "text", "muted", "accent", "data", "soft", "band"]; // names of colour variables

/** Draws the timeline; pointer.js handles input. `pictureOf(shot)` returns a loaded image, a canvas, or null. */
export class Timeline {
  constructor({ canvas, overview, pictureOf }) {
    this.view = new Viewport(1);
    this.canvas = canvas;
    this.overview = overview;
    this.time = 0;
    this.hovered = null; // time under the pointer
    this.threshold = 1;
    this.shots = [];
    this.picks = []; // times of keyframes, shown as dots
    this.#pictureOf = pictureOf;
    this.redraw = oncePerFrame(() => this.draw());
    new ResizeObserver(() => this.redraw()).observe(canvas);
  }

  printing = false;
  #size = [1, 1];
  #pictureOf;
  #scores = null;
  #values = null;
  #highest = 1;
  #defaultThreshold = 1;
  #columns = null; // of the overview: {width, values}

  /** Switch to another video. */
  open(video) {
    this.view = new Viewport(video.duration);
    this.#scores = video.scores;
    this.time = 0;
  }

  /** Show scores, their threshold, and the shots that follow from both. */
  show({ values, threshold, defaultThreshold, shots }) {
    if (values !== this.#values) {
      this.#values = values;
      this.#highest = (values ?? []).reduce((most, value) => Math.max(most, value), 0);
      this.#columns = null;
    }
    this.#defaultThreshold = defaultThreshold;
    this.threshold = threshold;
    this.shots = shots;
    this.redraw();
  }

  /** Top and bottom of the score curve on the canvas. */
  get curve() {
    const top = RULER + STRIP + GAP;
    return { top, bottom: this.#size[1] - 4 };
  }

  /** Score at the top of the curve. */
  get most() {
    return Math.max(this.#highest * 1.06, this.#defaultThreshold * 1.25, 1e-6);
  }

  /** Return the y position of a score. The scale is a square root, which spreads small scores. */
  y(score) {
    const { top, bottom } = this.curve;
    return bottom - Math.sqrt(Math.min(Math.max(score / this.most, 0), 1)) * (bottom - top);
  }

  /** Return the score at a y position. */
  scoreAtY(y) {
    const { top, bottom } = this.curve;
    const part = Math.min(Math.max((bottom - y) / (bottom - top), 0.02), 1);
    return part * part * this.most;
  }

  /** Return the highest score within `pixels` of a time, or null. */
  scoreAt(time, pixels = 2) {
    const reach = (pixels / this.view.width) * this.view.span;
    let highest = null;
    for (let at = this.#firstAt(time - reach); at < (this.#values?.length ?? 0) && this.#scores.times[at] <= time + reach; at += 1) {
      if (highest === null || this.#values[at] > highest) highest = this.#values[at];
    }
    return highest;
  }

  draw() {
    const color = this.#palette();
    // Print at the size on screen and let the browser scale: the same pictures are loaded.
    if (!this.printing) this.#size = [this.canvas.clientWidth, this.canvas.clientHeight];
    const [width, height] = this.#size;
    const pen = sized(this.canvas, width, height);
    this.view.width = width;
    pen.clearRect(0, 0, width, height);
    this.#drawStrip(pen, color);
    this.#drawCurve(pen, color);
    this.#drawTransitions(pen, color);
    this.#drawPicks(pen, color);
    this.#drawRuler(pen, color);
    this.#drawThreshold(pen, color);
    if (this.hovered !== null) line(pen, this.view.x(this.hovered), RULER, height, color.muted, 1);
    this.#drawHead(pen, color, height);
    this.#drawOverview(color);
  }

  #palette() {
    const style = getComputedStyle(this.canvas);
    return Object.fromEntries(COLORS.map((name) => [name, style.getPropertyValue(`--${name}`).trim()]));
  }

  /** Return the index of the first score at or after a time. */
  #firstAt(time) {
    const times = this.#scores?.times ?? [];
    let low = 0;
    let high = times.length;
    while (low < high) {
      const middle = (low + high) >> 1;
      if (times[middle] < time) low = middle + 1;
      else high = middle;
    }
    return low;
  }

  /** Return the shots in view. */
  #visibleShots() {
    const { start, span } = this.view;
    const first = this.shots.findIndex((shot) => shot.end > start);
    const after = this.shots.findIndex((shot) => shot.start > start + span);
    return first < 0 ? [] : this.shots.slice(first, after < 0 ? undefined : after);
  }

  #drawStrip(pen, color) {
    const { width } = this.view;
    pen.fillStyle = color.well;
    pen.fillRect(0, RULER, width, STRIP);
    let free = -Infinity; // left edge of the next picture
    for (const shot of this.#visibleShots()) {
      const left = this.view.x(shot.start);
      const right = this.view.x(shot.end);
      if (shot.index % 2) {
        pen.fillStyle = color.band;
        pen.fillRect(left, RULER, right - left, STRIP);
      }
      const from = Math.max(left, free);
      const wide = right - left >= LEAST_PICTURE;
      if (!wide && (from > right || from > left)) continue;
      const picture = this.#pictureOf(shot);
      const room = wide ? Math.max(right - left - 1, 1) : LEAST_PICTURE;
      if (picture) paint(pen, picture, left, RULER + 1, room, STRIP - 2, this.view.width);
      free = wide ? right : left + LEAST_PICTURE;
    }
  }

  #drawCurve(pen, color) {
    const { width, start, span } = this.view;
    if (!this.#values) return;
    const from = Math.max(this.#firstAt(start) - 1, 0);
    const to = Math.min(this.#firstAt(start + span) + 1, this.#values.length);
    const points = []; // highest score of each pixel column
    for (let at = from; at < to; at += 1) {
      const x = Math.round(this.view.x(this.#scores.times[at]));
      const last = points[points.length - 1];
      if (last && last.x === x) last.value = Math.max(last.value, this.#values[at]);
      else points.push({ x, value: this.#values[at] });
    }
    if (points.length > width / 3) this.#drawBars(pen, color, points);
    else if (points.length) this.#drawLine(pen, color, points);
  }

  /** Draw dense scores as rectangles: filling a path of as many corners is slow. */
  #drawBars(pen, color, points) {
    const { bottom } = this.curve;
    const limit = this.y(this.threshold);
    const bars = points.map(({ x, value }, at) => ({ x, y: this.y(value), width: Math.max((points[at + 1]?.x ?? x + 1) - x, 1) }));
    pen.fillStyle = color.soft;
    for (const { x, y, width } of bars) pen.fillRect(x, y, width, bottom - y);
    pen.fillStyle = color.data;
    for (const { x, y, width } of bars) if (y > limit) pen.fillRect(x, y, width, Math.min(2.5, bottom - y));
    pen.fillStyle = color.accent;
    for (const { x, y, width } of bars) if (y <= limit) pen.fillRect(x, y, width, limit - y + 1);
  }

  #drawLine(pen, color, points) {
    const { bottom } = this.curve;
    const path = new Path2D();
    path.moveTo(points[0].x, bottom);
    for (const { x, value } of points) path.lineTo(x, this.y(value));
    path.lineTo(points[points.length - 1].x, bottom);
    path.closePath();
    pen.fillStyle = color.soft;
    pen.fill(path);
    pen.lineWidth = 1.25;
    pen.strokeStyle = color.data;
    pen.stroke(path);
    pen.save();
    pen.beginPath();
    pen.rect(0, 0, this.view.width, this.y(this.threshold));
    pen.clip();
    pen.strokeStyle = color.accent;
    pen.lineWidth = 2;
    pen.stroke(path);
    pen.restore();
    if (this.view.width / points.length < 7) return;
    pen.fillStyle = color.data;
    for (const { x, value } of points) pen.fillRect(x - 1.5, this.y(value) - 1.5, 3, 3);
  }

  #drawTransitions(pen, color) {
    const { bottom } = this.curve;
    const visible = this.#visibleShots();
    const dense = visible.length > this.view.width / 10; // then draw only ticks between strip and scores
    for (const shot of visible) {
      if (!shot.index) continue;
      const x = this.view.x(shot.start);
      const kindColor = shot.kind === "cut" ? color.accent : color.data;
      if (dense) {
        line(pen, x, RULER + STRIP + 1, RULER + STRIP + GAP - 1, kindColor, 1);
        continue;
      }
      const frameDuration = (shot.end - shot.start) / Math.max(shot.endFrame - shot.startFrame, 1);
      const [from, to] = shot.transition.map((frame) => this.view.x(shot.start + (frame - shot.startFrame) * frameDuration));
      if (to - from > 1) {
        pen.fillStyle = color.soft;
        pen.fillRect(from, RULER, to - from, bottom - RULER);
      }
      line(pen, x, RULER, bottom, kindColor, 1);
      mark(pen, x, RULER + STRIP + GAP / 2, shot.kind, kindColor);
    }
  }

  #drawPicks(pen, color) {
    for (const time of this.picks) {
      pen.beginPath();
      pen.arc(this.view.x(time), RULER + STRIP - 9, 5, 0, Math.PI * 2);
      pen.fillStyle = color.accent;
      pen.fill();
      pen.strokeStyle = color.ground;
      pen.lineWidth = 1.5;
      pen.stroke();
    }
  }

  #drawRuler(pen, color) {
    const { width, start, span, duration } = this.view;
    pen.fillStyle = color.ground;
    pen.fillRect(0, 0, width, RULER);
    const step = TICKS.find((tick) => span / tick <= width / TICK_PIXELS) ?? TICKS[TICKS.length - 1] * Math.ceil((span * TICK_PIXELS) / width / 3600);
    pen.font = "11.5px system-ui, sans-serif";
    pen.textBaseline = "middle";
    pen.fillStyle = color.muted;
    const digits = step < 0.1 ? 2 : step < 1 ? 1 : 0;
    for (let number = Math.floor(start / step); number * step <= Math.min(start + span, duration); number += 1) {
      const x = this.view.x(number * step);
      line(pen, x, RULER - 6, RULER, color.edge, 1);
      const text = clock(number * step, digits);
      if (x + 4 + pen.measureText(text).width <= width) pen.fillText(text, x + 4, RULER / 2 - 1);
    }
  }

  #drawThreshold(pen, color) {
    if (!this.#values) return;
    const y = Math.round(this.y(this.threshold)) + 0.5;
    pen.strokeStyle = color.accent;
    pen.lineWidth = 1;
    pen.setLineDash([5, 4]);
    pen.beginPath();
    pen.moveTo(0, y);
    pen.lineTo(this.view.width, y);
    pen.stroke();
    pen.setLineDash([]);
    pen.fillStyle = color.accent;
    pen.beginPath();
    pen.roundRect(this.view.width - 22, y - 8, 18, 16, 5);
    pen.fill();
    pen.strokeStyle = color.ground;
    pen.lineWidth = 1.5;
    for (const shift of [-3, 0, 3]) {
      pen.beginPath();
      pen.moveTo(this.view.width - 17, y + shift);
      pen.lineTo(this.view.width - 9, y + shift);
      pen.stroke();
    }
  }

  #drawHead(pen, color, height) {
    const x = this.view.x(this.time);
    line(pen, x, RULER - 8, height, color.text, 1.5);
    pen.fillStyle = color.text;
    pen.beginPath();
    pen.moveTo(x - 6, RULER - 12);
    pen.lineTo(x + 6, RULER - 12);
    pen.lineTo(x + 6, RULER - 5);
    pen.lineTo(x, RULER + 1);
    pen.lineTo(x - 6, RULER - 5);
    pen.fill();
  }

  #drawOverview(color) {
    if (this.printing) return;
    const [width, height] = [this.overview.clientWidth, this.overview.clientHeight];
    const pen = sized(this.overview, width, height);
    const { duration, start, span } = this.view;
    pen.clearRect(0, 0, width, height);
    pen.fillStyle = color.well;
    pen.fillRect(0, 0, width, height);
    pen.fillStyle = color.data;
    const columns = this.#overviewColumns(width);
    columns.forEach((value, x) => pen.fillRect(x, height - value * (height - 6), 1, value * (height - 6)));
    pen.fillStyle = color.accent;
    let last = -1;
    for (const shot of this.shots) {
      const x = Math.floor((shot.start / duration) * width);
      if (shot.index && x !== last) pen.fillRect(x, 0, 1, 5);
      last = x;
    }
    const [from, to] = [(start / duration) * width, ((start + span) / duration) * width];
    pen.save();
    pen.globalAlpha = 0.62;
    pen.fillStyle = color.ground;
    pen.fillRect(0, 0, from, height);
    pen.fillRect(to, 0, width - to, height);
    pen.restore();
    pen.strokeStyle = color.edge;
    pen.strokeRect(from + 0.75, 0.75, Math.max(to - from - 1.5, 2), height - 1.5);
    line(pen, (this.time / duration) * width, 0, height, color.text, 1.5);
  }

  /** Return the highest score of each pixel column, as a square root. Values are from 0 to 1. */
  #overviewColumns(width) {
    if (this.#columns?.width === width) return this.#columns.values;
    const values = new Float32Array(width);
    (this.#values ?? []).forEach((value, at) => {
      const x = Math.min(Math.floor((this.#scores.times[at] / this.view.duration) * width), width - 1);
      values[x] = Math.max(values[x], Math.sqrt(value / (this.#highest || 1)));
    });
    this.#columns = { width, values };
    return values;
  }
}

/** Size a canvas in CSS pixels; return its context. The context counts in CSS pixels, too. */
function sized(canvas, wide, high) {
  const scale = Math.min(window.devicePixelRatio || 1, 3);
  const [width, height] = [Math.round(wide * scale), Math.round(high * scale)];
  if (canvas.width !== width || canvas.height !== height) [canvas.width, canvas.height] = [width, height];
  const pen = canvas.getContext("2d");
  pen.setTransform(scale, 0, 0, scale, 0, 0);
  return pen;
}

function line(pen, x, from, to, color, width) {
  pen.fillStyle = color;
  pen.fillRect(Math.round(x) - width / 2, from, width, to - from);
}

/** Mark a cut with a dot, a gradual transition with two wedges. */
function mark(pen, x, y, kind, color) {
  pen.fillStyle = color;
  pen.beginPath();
  if (kind === "cut") pen.arc(x, y, 2.5, 0, Math.PI * 2);
  else {
    pen.moveTo(x - 6, y - 4);
    pen.lineTo(x + 6, y + 4);
    pen.lineTo(x + 6, y - 4);
    pen.lineTo(x - 6, y + 4);
  }
  pen.fill();
}

/** Draw the middle of a picture at full height, `room` pixels wide. A narrower picture is repeated faintly beside it. */
function paint(pen, picture, x, y, room, height, end) {
  const [wide, high] = [picture.naturalWidth ?? picture.width, picture.naturalHeight ?? picture.height];
  const scale = height / high;
  const whole = wide * scale;
  const width = Math.min(whole, room);
  const from = (wide - width / scale) / 2;
  pen.drawImage(picture, from, 0, width / scale, high, x, y, width, height);
  pen.globalAlpha = 0.22;
  const first = Math.max(1, Math.floor(-x / whole)); // skips those left of the canvas
  for (let at = x + first * whole; at < Math.min(x + room, end); at += whole) {
    const part = Math.min(whole, x + room - at);
    pen.drawImage(picture, 0, 0, part / scale, high, at, y, part, height);
  }
  pen.globalAlpha = 1;
}
