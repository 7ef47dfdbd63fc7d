// The visible part of the timeline.

const LEAST_SPAN_S = 0.25;
const EDGE = 8; // pixels left free on both sides, so that the first and the last frame can be clicked

/** Shows `span` seconds from `start` on, of `duration` seconds, on `width` pixels. */
export class Viewport {
  constructor(duration) {
    this.duration = Math.max(duration, 1e-3);
    this.width = 1;
    this.fit();
  }

  fit() {
    this.start = 0;
    this.span = this.duration;
  }

  /** Return the x position of a time in pixels. */
  x(time) {
    return EDGE + ((time - this.start) / this.span) * (this.width - 2 * EDGE);
  }

  /** Return the time at an x position. */
  time(x) {
    return Math.min(Math.max(this.start + ((x - EDGE) / (this.width - 2 * EDGE)) * this.span, 0), this.duration);
  }

  /** Magnification: 1 shows everything. */
  get magnification() {
    return this.duration / this.span;
  }

  /** Magnify by `factor`; `time` keeps its position. */
  zoom(factor, time) {
    const span = Math.min(Math.max(this.span / factor, Math.min(LEAST_SPAN_S, this.duration)), this.duration);
    this.start = time - (time - this.start) * (span / this.span);
    this.span = span;
    this.#clamp();
  }

  pan(seconds) {
    this.start += seconds;
    this.#clamp();
  }

  /** Scroll to `time` unless it is visible. Returns whether the view moved. */
  reveal(time) {
    const margin = this.span * 0.04;
    if (time >= this.start && time <= this.start + this.span) return false;
    this.start = time - (time < this.start ? this.span - margin : margin);
    this.#clamp();
    return true;
  }

  #clamp() {
    this.start = Math.min(Math.max(this.start, 0), this.duration - this.span);
  }
}
