// Edits of a speed curve, each returning new points. A curve: [{t, speed, easing?, freeze?}], t in seconds of source, rising.

import { begunAt, Ramp } from "./ramp.js";

const SNAP_OCTAVES = 0.08; // speeds this close to 1 become 1

/** Curves by name, as [share of the clip, speed, easing]. */
export const PRESETS = {
  montage: { title: "Montage", points: [[0, 4], [0.3, 4], [0.45, 0.5], [0.6, 0.5], [0.75, 4], [1, 4]] },
  hero: { title: "Hero", points: [[0, 1], [0.4, 1], [0.5, 0.2], [0.65, 0.2], [0.75, 1], [1, 1]] },
  bullet: { title: "Bullet", points: [[0, 6], [0.45, 6], [0.5, 0.25], [0.62, 0.25], [0.67, 6], [1, 6]] },
  jump: { title: "Jump cut", points: [[0, 1, "hold"], [0.33, 4, "hold"], [0.5, 0.5, "hold"], [0.75, 2, "hold"]] },
  in: { title: "Flash in", points: [[0, 8], [0.25, 1], [1, 1]] },
  out: { title: "Flash out", points: [[0, 1], [0.75, 1], [1, 8]] },
};

export function clamp(value, low, high) {
  return Math.min(Math.max(value, low), high);
}

/** Return the points of a preset on a clip. `at`: place of its slowest part as a share of the clip; null for the preset's own place. */
export function presetPoints(name, duration, fps, at = null) {
  const { points } = PRESETS[name];
  const slowest = points.reduce((best, point) => (point[1] < best[1] ? point : best))[0];
  const moved = (share) => {
    if (at === null || slowest === 0) return share;
    return share <= slowest ? (share / slowest) * at : at + ((share - slowest) / (1 - slowest || 1)) * (1 - at);
  };
  const made = points.map(([share, speed, easing = "smooth"]) => ({ t: toFrame(moved(share) * duration, fps), speed, easing }));
  return made.filter((point, index) => index === 0 || point.t > made[index - 1].t);
}

export function toFrame(time, fps) {
  return Number((Math.round(time * fps) / fps).toFixed(6));
}

/**
 * Move a point. It stays between its neighbours; the first stays at the start. `speeds`: {min, max}; `times`: to snap to, within `reach`
 * seconds.
 */
export function movedPoint(points, index, { t, speed }, { duration, fps, speeds, times = [], reach = 0, snaps = true }) {
  const gap = 1 / fps;
  const low = index ? points[index - 1].t + gap : points[0].t;
  const high = index < points.length - 1 ? points[index + 1].t - gap : duration;
  const near = times.reduce((best, time) => (Math.abs(time - t) < Math.abs(best - t) ? time : best), Infinity);
  const wanted = Math.abs(near - t) <= reach ? near : toFrame(t, fps);
  const made = { ...points[index], t: index === 0 ? points[0].t : clamp(wanted, low, high), speed: snaps ? snappedSpeed(speed, speeds) : limited(speed, speeds) };
  return points.map((point, other) => (other === index ? made : point));
}

function limited(speed, { min, max }) {
  return Number(clamp(speed, min, max).toFixed(3));
}

function snappedSpeed(speed, speeds) {
  return Math.abs(Math.log2(speed)) < SNAP_OCTAVES ? 1 : limited(speed, speeds);
}

/** Add a point on the curve at a time; return {points, index}. The index is -1 if a point is there already. */
export function addedPoint(points, time, { duration, fps, speeds }) {
  const t = clamp(toFrame(time, fps), points[0].t, duration);
  if (points.some((point) => Math.abs(point.t - t) < 0.9 / fps)) return { points, index: -1 };
  const ramp = new Ramp(points, duration);
  const before = points.findLast((point) => point.t < t);
  const point = { t, speed: limited(ramp.speedAt(t), speeds), easing: before?.easing ?? "smooth" };
  const made = [...points, point].sort((a, b) => a.t - b.t);
  return { points: made, index: made.indexOf(point) };
}

/** Remove a point. The first stays. */
export function removedPoint(points, index) {
  return index === 0 || points.length < 2 ? points : points.filter((_, other) => other !== index);
}

export function changedPoint(points, index, change) {
  return points.map((point, other) => (other === index ? { ...point, ...change } : point));
}

/** Return the output seconds that the part {start, end} of the source takes. */
function lengthOf(points, { start, end }) {
  return new Ramp(begunAt(points, start), end, start).duration;
}

/** Return the shortest and the longest result that scaled speeds reach, in seconds. `part`: {start, end} of the source. Freezes keep their length. */
export function reachableLengths(points, part, { min, max }) {
  return [max, min].map((speed) => lengthOf(points.map((point) => ({ ...point, speed })), part));
}

/** Scale all speeds so that the result of a part {start, end} takes `seconds`. Speeds stay within `min` and `max`; freezes keep their length. */
export function stretchedTo(points, part, seconds, { min, max }) {
  const scaled = (factor) => points.map((point) => ({ ...point, speed: clamp(point.speed * factor, min, max) }));
  let [low, high] = [1 / 256, 256];
  for (let step = 0; step < 60; step += 1) {
    const middle = Math.sqrt(low * high);
    if (lengthOf(scaled(middle), part) > seconds) low = middle;
    else high = middle;
  }
  return scaled(Math.sqrt(low * high)).map((point) => ({ ...point, speed: Number(point.speed.toFixed(4)) }));
}

/** Remove points within `tolerance` octaves of a line between others. A measured curve then becomes editable. */
export function simplified(points, tolerance = 0.12) {
  if (points.length < 3) return points;
  const [first, last] = [points[0], points.at(-1)];
  let farthest = 0;
  let most = 0;
  for (let index = 1; index < points.length - 1; index += 1) {
    const share = (points[index].t - first.t) / (last.t - first.t || 1);
    const line = Math.log2(first.speed) + share * (Math.log2(last.speed) - Math.log2(first.speed));
    const off = Math.abs(Math.log2(points[index].speed) - line);
    if (off > most) [most, farthest] = [off, index];
  }
  if (most <= tolerance) return [first, last];
  return [...simplified(points.slice(0, farthest + 1), tolerance).slice(0, -1), ...simplified(points.slice(farthest), tolerance)];
}

/** Convert a point to the API's form, rounded to four decimals. */
export function roundedPoint({ t, speed, easing, freeze }) {
  const point = { t: Number(t.toFixed(4)), speed: Number(speed.toFixed(4)) };
  if (easing) point.easing = easing;
  if (freeze) point.freeze = freeze;
  return point;
}

/** Undo and redo of states. `isSame(a, b)` returns whether two states are alike. */
export class History {
  #past = [];
  #future = [];
  #isSame;

  constructor(isSame = (a, b) => a === b) {
    this.#isSame = isSame;
  }

  /** Note the state before a change. */
  note(state) {
    if (this.canUndo && this.#isSame(this.#past.at(-1), state)) return;
    this.#past.push(state);
    this.#future = [];
  }

  get canUndo() {
    return this.#past.length > 0;
  }

  get canRedo() {
    return this.#future.length > 0;
  }

  undo(now) {
    this.#future.push(now);
    return this.#past.pop();
  }

  redo(now) {
    this.#past.push(now);
    return this.#future.pop();
  }
}
