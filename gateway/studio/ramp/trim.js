// A curve that begins at a later second of its clip.

import { Ramp } from "./ramp.js";

const PIECES = 16; // straight pieces that replace the rest of an S-shaped ease

/** Cut off a curve before `from` seconds; times then count from there. An ease that began earlier goes on in straight pieces. */
export function trimmedCurve(points, from) {
  const next = points.findIndex(({ t }) => t >= from);
  const later = (next < 0 ? [] : points.slice(next)).map((point) => ({ ...point, t: rounded(point.t - from) }));
  if (next === 0 || later[0]?.t === 0) return later;
  const before = next < 0 ? points.at(-1) : points[next - 1];
  if (next < 0 || before.easing === "hold") return [{ t: 0, speed: before.speed, easing: "hold" }, ...later];
  const end = later[0].t;
  const ramp = new Ramp(points.slice(0, next + 1), points[next].t);
  const times = before.easing === "smooth" ? Array.from({ length: PIECES }, (_, piece) => (end * piece) / PIECES) : [0];
  return [...times.map((t) => ({ t: rounded(t), speed: rounded(ramp.speedAt(from + t)), easing: "linear" })), ...later];
}

function rounded(number) {
  return Number(number.toFixed(6));
}
