// The clock of a speed curve: output time is the integral of 1/speed over source time. Between control points the speed
// changes linearly, in an S ("smooth"), or stays constant ("hold"). A point may freeze the picture for some seconds.

const PIECES_OF_AN_S = 256;

export class Ramp {
  #segments = [];

  /**
   * Compute the ramp of a curve. `points`: [{t, speed, easing, freeze}], t rising, in source seconds. `end`: of the part that is used;
   * `start`: its start, not before the first point, where output time begins.
   */
  constructor(points, end, start = Math.min(points[0].t, end)) {
    this.sourceDuration = end - start;
    let out = points[0].freeze ?? 0;
    for (const piece of pieces(points, end)) {
      const segment = { ...piece, slope: (piece.to - piece.speed) / (piece.end - piece.start), out: out + piece.stop };
      out = segment.out + passed(segment, segment.end);
      this.#segments.push(segment);
    }
    if (!this.#segments.length) this.#segments.push({ start, end: end + 1e-6, speed: points[0].speed, slope: 0, out });
    const before = start > points[0].t ? this.outAt(start) : 0;
    for (const segment of this.#segments) segment.out -= before;
    out -= before;
    this.duration = out + (points.length > 1 && points.at(-1).t === end ? (points.at(-1).freeze ?? 0) : 0);
    const speeds = points.map((point) => point.speed);
    this.min = Math.min(...speeds);
    this.max = Math.max(...speeds);
  }

  /** Return the speed at a time of the source, in seconds. */
  speedAt(time) {
    const segment = this.#find("start", time);
    return segment.speed + segment.slope * (clamp(time, segment.start, segment.end) - segment.start);
  }

  /** Convert source seconds to the first output seconds that show them. At a freeze, this is its start. */
  outAt(time) {
    const segment = this.#find("start", time);
    const isFreezing = time <= segment.start && segment.stop > 0;
    return segment.out + passed(segment, clamp(time, segment.start, segment.end)) - (isFreezing ? segment.stop : 0);
  }

  /** Convert output seconds to source seconds. */
  sourceAt(out) {
    const segment = this.#find("out", out);
    const { start, end, speed, slope } = segment;
    const gone = Math.max(0, out - segment.out);
    const way = isFlat(segment) ? speed * gone : (speed * Math.expm1(slope * gone)) / slope;
    return Math.min(start + way, end);
  }

  #find(key, value) {
    let [low, high] = [0, this.#segments.length - 1];
    while (low < high) {
      const middle = (low + high + 1) >> 1;
      if (this.#segments[middle][key] <= value) low = middle;
      else high = middle - 1;
    }
    return this.#segments[low];
  }
}

/** Return a curve's points, with a point at `start` if the curve begins later. */
export function begunAt(points, start) {
  const [first] = points;
  return first.t > start ? [{ t: start, speed: first.speed, easing: "hold" }, ...points] : points;
}

function isFlat({ start, end, speed, slope }) {
  return Math.abs(slope * (end - start)) < 1e-9 * speed;
}

/** Return the output seconds that pass from a segment's start to `time`. */
function passed(segment, time) {
  const way = time - segment.start;
  return isFlat(segment) ? way / segment.speed : Math.log1p((segment.slope * way) / segment.speed) / segment.slope;
}

/** Yield the pieces of linear speed that a curve consists of, up to `end`. `stop`: output seconds of freeze before a piece. */
function* pieces(points, end) {
  for (let index = 0; index < points.length; index += 1) {
    const from = points[index];
    const to = points[index + 1] ?? { t: Math.max(end, from.t), speed: from.speed };
    const parts = from.easing === "smooth" && to.speed !== from.speed ? PIECES_OF_AN_S : 1;
    const speedAt = (u) => from.speed + (to.speed - from.speed) * (parts > 1 ? u * u * (3 - 2 * u) : u);
    for (let part = 0; part < parts; part += 1) {
      const [u, v] = [part / parts, (part + 1) / parts];
      const start = from.t + (to.t - from.t) * u;
      const full = from.t + (to.t - from.t) * v;
      if (!(full > start) || start >= end) continue;
      const stop = part === 0 && index > 0 ? (from.freeze ?? 0) : 0;
      const speed = from.easing === "hold" ? from.speed : speedAt(u);
      const last = from.easing === "hold" ? from.speed : speedAt(v);
      const cut = Math.min(full, end);
      yield { start, end: cut, speed, to: speed + ((last - speed) * (cut - start)) / (full - start), stop };
    }
  }
}

function clamp(value, low, high) {
  return Math.min(Math.max(value, low), high);
}
