// The clock of a speed curve: between control points the speed changes linearly with the source's time, and
// output time is the integral of 1/speed.

export class Ramp {
  #segments = [];

  /** `points`: [{t, speed}], t rising, in seconds of the source; `duration`: of the source. */
  constructor(points, duration) {
    this.sourceDuration = duration;
    const ends = [
      { ...points[0], t: 0 },
      ...points.filter((point) => point.t > 0 && point.t < duration),
      { ...points.at(-1), t: duration },
    ];
    const last = ends.length - 1;
    ends[last].speed = speedBetween(points, duration);
    let out = 0;
    for (let index = 0; index < last; index += 1) {
      const [from, to] = [ends[index], ends[index + 1]];
      const slope = (to.speed - from.speed) / (to.t - from.t);
      const segment = { start: from.t, end: to.t, speed: from.speed, slope, out };
      if (!(to.t > from.t)) continue;
      out += passed(segment, to.t);
      this.#segments.push(segment);
    }
    this.duration = out;
    this.min = Math.min(...ends.map((point) => point.speed));
    this.max = Math.max(...ends.map((point) => point.speed));
  }

  /** The speed at a second of the source. */
  speedAt(time) {
    const segment = this.#find("start", time);
    return segment.speed + segment.slope * (clamp(time, segment.start, segment.end) - segment.start);
  }

  /** Source seconds -> output seconds. */
  outAt(time) {
    const segment = this.#find("start", time);
    return segment.out + passed(segment, clamp(time, segment.start, segment.end));
  }

  /** Output seconds -> source seconds. */
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

function isFlat({ start, end, speed, slope }) {
  return Math.abs(slope * (end - start)) < 1e-9 * speed;
}

/** Output seconds from a segment's start to `time`. */
function passed(segment, time) {
  const way = time - segment.start;
  return isFlat(segment) ? way / segment.speed : Math.log1p((segment.slope * way) / segment.speed) / segment.slope;
}

function speedBetween(points, time) {
  const after = points.findIndex((point) => point.t >= time);
  if (after === -1) return points.at(-1).speed;
  if (after === 0) return points[0].speed;
  const [from, to] = [points[after - 1], points[after]];
  return from.speed + ((to.speed - from.speed) * (time - from.t)) / (to.t - from.t);
}

function clamp(value, low, high) {
  return Math.min(Math.max(value, low), high);
}
