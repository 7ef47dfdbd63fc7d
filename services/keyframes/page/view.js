// The part of the time that is seen, and where a time lies in it.

const LEAST_SPAN_S = 0.25;
const EDGE = 8; // pixels left free on both sides, so that the first and the last time can be taken hold of

/** `span` seconds from `start` on `width` pixels, of a whole of `duration` seconds. */
export class View {
  constructor(duration) {
    this.duration = Math.max(duration, 1e-3);
    this.width = 1;
    this.fit();
  }

  fit() {
    this.start = 0;
    this.span = this.duration;
  }

  x(time) {
    return EDGE + ((time - this.start) / this.span) * (this.width - 2 * EDGE);
  }

  time(x) {
    return Math.min(Math.max(this.start + ((x - EDGE) / (this.width - 2 * EDGE)) * this.span, 0), this.duration);
  }

  /** How many times nearer than the whole. */
  get nearness() {
    return this.duration / this.span;
  }

  /** Show `factor` times less (or, below 1, more), with `time` staying where it is. */
  zoom(factor, time) {
    const span = Math.min(Math.max(this.span / factor, Math.min(LEAST_SPAN_S, this.duration)), this.duration);
    this.start = time - (time - this.start) * (span / this.span);
    this.span = span;
    this.#keep();
  }

  pan(seconds) {
    this.start += seconds;
    this.#keep();
  }

  /** Bring `time` into sight: nothing moves where it is already. */
  reveal(time) {
    const margin = this.span * 0.04;
    if (time >= this.start && time <= this.start + this.span) return false;
    this.start = time - (time < this.start ? this.span - margin : margin);
    this.#keep();
    return true;
  }

  #keep() {
    this.start = Math.min(Math.max(this.start, 0), this.duration - this.span);
  }
}
