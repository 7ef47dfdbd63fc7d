// The parameters of a step for a preview, whose clip is a small part of the whole. Their roles are in their declarations.

import { keepsTimes, valueOfRole } from "../base/declared.js";
import { parametersOf } from "../form/schema.js";
import { trimmedCurve } from "../ramp/trim.js";
import { hasOwnTimes, rampOf } from "./origins.js";

const CLOSE_S = 1e-3; // a time this close to the part belongs to it

/**
 * Convert a step's params and clocks to the preview: {params, clockOf(output)}. `clock`: of its clip. No time can be mapped if `shift` is
 * null: an earlier step gave the clip other times, such as those along a measured curve. Values that earlier steps find are already the preview's.
 */
export function shifted(given, operation, clock, operations) {
  const part = partOf(given, operation, clock, operations);
  const params = {};
  for (const [name, value] of Object.entries(given)) {
    const parameter = parametersOf(operation.params).find((other) => other.name === name);
    const isGiven = parameter && value !== null && typeof value !== "undefined" && !value.from;
    const mapped = isGiven ? mappedParam(value, parameter, { given, operation, clock, part }) : value;
    if (mapped !== undefined) params[name] = mapped;
  }
  const clockOf = (/** @type {string} */ output) => (part.clock.shift !== null && keepsTimes(operation, given, output) ? clock : part.clock);
  return { params, clockOf };
}

/** Return the parameters whose times have no known place in the preview. Parameters that are not set do not count. */
export function lostTimes(given, operation, { shift }) {
  if (shift !== null) return [];
  const isSet = ({ name }) => given[name] !== undefined && given[name] !== null && !given[name].from;
  return parametersOf(operation.params).filter((parameter) => isSet(parameter) && !isUsual(given[parameter.name], parameter) && hasTimes(parameter));
}

function isUsual(value, { fallback }) {
  return JSON.stringify(value) === JSON.stringify(fallback);
}

function hasTimes({ widget, role, onePer, items, cells = [] }) {
  return ["time", "frame", "curve"].includes(widget) || role === "part_length" || Boolean(onePer) || Boolean(items && hasTimes(items)) || cells.some(hasTimes);
}

/** Return the part that a step uses of the preview's clip. It is {start, length, share, passed, clock}; `start` and `length` undefined: the whole clip. */
function partOf(given, operation, clock, operations) {
  const whole = { share: clock.seconds / clock.length, passed: 0, clock: { ...clock, shift: null, frame: null } };
  if (clock.shift === null) return whole;
  const numberOf = (role) => {
    const value = valueOfRole(operation, given, role);
    return typeof value === "number" ? value : null;
  };
  const start = numberOf("part_start") ?? 0;
  const length = numberOf("part_length");
  const from = Math.max(0, start - clock.shift);
  const until = length === null ? clock.seconds : Math.min(start + length - clock.shift, clock.seconds);
  if (until <= from) return whole; // another step has cut the clip elsewhere
  const shift = clock.shift - start + from;
  const plain = { ...clock, shift, length: length ?? Math.max(clock.length - start, until - from), seconds: until - from, frame: shift === clock.shift ? clock.frame : null };
  const made = hasOwnTimes(operation) ? rampedClock(given, operation, clock, operations) : plain;
  return {
    start: from > 0 ? rounded(from) : undefined, length: length === null ? undefined : rounded(until - from), passed: Math.max(0, clock.shift - start),
    share: (until - from) / (length ?? Math.max(clock.length - start, until - from)), clock: made,
  };
}

/** Return the clock of a step's output along a curve. Its `shift` is null if only the server knows the curve. */
function rampedClock(given, operation, clock, operations) {
  const ramped = rampOf(given, operation, clock, operations);
  if (!ramped) return { ...clock, shift: null, frame: null };
  const { ramp, start, end, rate } = ramped;
  const shift = clock.shift <= start ? 0 : ramp.outAt(clock.shift);
  const until = clock.shift + clock.seconds >= end ? ramp.duration : ramp.outAt(clock.shift + clock.seconds);
  return { ...clock, shift, seconds: until - shift, length: ramp.duration, rate, frame: Math.round(shift * rate) };
}

/** Convert a parameter's value to the preview; undefined stands for its default. */
function mappedParam(value, parameter, { given, operation, clock, part }) {
  const { role, isShare, onePer, pixels } = parameter;
  if (role === "part_start") return part.start;
  if (role === "part_length") return part.length;
  if (isShare) return rounded(value * part.share);
  if (onePer) {
    const gone = Math.floor(part.passed / (given[onePer] ?? operation.params.properties[onePer].default) + 1e-6);
    return value.length > gone ? value.slice(gone) : value.slice(-1);
  }
  return pixels === "clip" ? scaled(value, parameter, clock.scale) : mappedValue(value, parameter, clock);
}

/** Convert a value's times and places to the preview. Undefined for a time outside. */
function mappedValue(value, parameter, clock) {
  const { widget, type, cells, items, required, least } = parameter;
  if (widget === "points" || widget === "box") return fractions(value, widget, clock.size);
  if (clock.shift === null) return required || !["time", "frame"].includes(widget) ? value : undefined;
  if (widget === "curve") return trimmedCurve(value, clock.shift);
  if (widget === "frame") return clock.frame === null ? undefined : Math.min(Math.max(0, value - clock.frame), Math.max(0, Math.ceil(clock.seconds * clock.rate) - 1));
  if (widget === "time") return within(value, clock);
  if (type === "row") return Array.isArray(value) ? value.map((cell, key) => mappedValue(cell, cells[key], clock)) : mappedRow(value, cells, clock);
  if (type !== "list" || !Array.isArray(value)) return value;
  const inside = value.filter((item) => isInside(item, items, clock));
  return (inside.length || !least ? inside : value.slice(0, 1)).map((item) => mappedValue(item, items, clock));
}

function mappedRow(row, cells, clock) {
  return Object.fromEntries(Object.entries(row).map(([key, value]) => {
    const cell = cells.find((other) => other.key === key);
    return [key, cell && value !== null ? mappedValue(value, cell, clock) : value];
  }));
}

/** Return whether a list's item belongs to the preview's part. Such items have no time, a time in the part, or times around the part. */
function isInside(item, parameter, { shift, seconds }) {
  const times = parameter.widget === "time" ? [item] : (parameter.cells ?? []).filter(({ widget }) => widget === "time").map(({ key }) => item[key]);
  return !times.length || (Math.max(...times) >= shift - CLOSE_S && Math.min(...times) <= shift + seconds + CLOSE_S);
}

function within(time, { shift, seconds }) {
  return rounded(Math.min(Math.max(0, time - shift), seconds));
}

/** Convert clicks or a box to fractions of the picture. They are in pixels if a number is above 1. */
function fractions(value, widget, size) {
  const places = widget === "points" ? value.flatMap(([x, y]) => [x, y]) : value;
  if (places.every((number) => number <= 1)) return value;
  const share = (number, axis) => Math.min(number / size[axis % 2], 1);
  return widget === "points" ? value.map(([x, y, ...more]) => [share(x, 0), share(y, 1), ...more]) : value.map(share);
}

/** Scale a number of pixels, and keep it within the parameter's range. */
function scaled(value, { whole, step, min = -Infinity, max = Infinity }, scale) {
  const number = value * scale;
  return Math.min(Math.max(whole ? step * Math.round(number / step) : number, min), max);
}

function rounded(number) {
  return Number(number.toFixed(6));
}
