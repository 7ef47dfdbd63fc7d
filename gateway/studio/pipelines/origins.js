// The clips that the steps of a pipeline work on, directly or through earlier steps.

import { inputOf, keepsTimes, paramOf, valueOfRole } from "../base/declared.js";
import { rateOf } from "../base/words.js";
import { ownPlan } from "../ramp/own_plan.js";
import { Ramp } from "../ramp/ramp.js";

/**
 * Find the steps whose clip is known: [{operation, params, record, back, frameTime, isDirect}]. `record`: of the clip; `back(time)`: the time of the
 * clip at a time of the step's input; `frameTime(number)`: the time of a frame of that input; `isDirect`: whether the clip is the input.
 * `media`: id -> record; `framesOf(record)`: the FrameTimes of a clip.
 */
export function stepsOnClips(steps, media, operations, framesOf) {
  const made = new Map(); // output of a step -> its origin
  return steps.flatMap((step) => {
    const operation = operations.find(({ name }) => name === step.operation);
    const value = operation && [step.inputs[inputOf(operation)]].flat()[0];
    const record = operation && media.get(value);
    const origin = record?.media?.duration_s ? directOrigin(record, framesOf(record)) : made.get(value);
    if (!origin) return [];
    const output = originOfOutput(step.params, operation, origin, operations);
    const sameTimes = { ...origin, isDirect: false };
    if (output) for (const name of Object.keys(operation.outputs)) made.set(`${step.id}.${name}`, keepsTimes(operation, step.params, name) ? sameTimes : output);
    return [{ operation, params: step.params, ...origin }];
  });
}

function directOrigin(record, { times, count }) {
  const frameTime = (/** @type {number} */ number) => times[Math.min(number, count - 1)];
  return { record, back: (/** @type {number} */ time) => time, frameTime, isDirect: true, length: record.media.duration_s, rate: rateOf(record.media) };
}

/** Return the origin of a step's outputs that do not keep times. It is null if only the server knows the output's times. */
function originOfOutput(params, operation, origin, operations) {
  const { back, length, rate } = origin;
  const evenly = (/** @type {number} */ perSecond) => (/** @type {number} */ number) => number / perSecond;
  if (hasOwnTimes(operation)) {
    const ramped = rampOf(params, operation, { length, rate }, operations);
    const isWithin = (/** @type {number} */ time) => Math.min(time, ramped.ramp.duration);
    return ramped && { ...origin, back: (/** @type {number} */ time) => back(ramped.ramp.sourceAt(isWithin(time))), frameTime: evenly(ramped.rate), isDirect: false, length: ramped.ramp.duration, rate: ramped.rate };
  }
  const start = valueOfRole(operation, params, "part_start") ?? 0;
  if (typeof start !== "number") return null;
  return { ...origin, back: (/** @type {number} */ time) => back(time + start), frameTime: evenly(rate), isDirect: false, length: Math.max(0, length - start) };
}

/** Return whether an operation's outputs have other times than its clip. */
export function hasOwnTimes({ result }) {
  return Object.values(result.properties ?? {}).some(({ role }) => role === "speed_curve" || role === "clip_parts");
}

/**
 * Compute the ramp along the curve in a step's params. It is {ramp, start, end, rate}, or null if the server computes or changes the curve. `length`: of
 * the step's clip in seconds, `rate`: its frames per second.
 */
export function rampOf(params, operation, { length, rate }, operations) {
  const curve = params[paramOf(operation, "widget", "curve")];
  if (!Array.isArray(curve) || !curve.length) return null;
  const plan = ownPlan(curve, { record: { media: { duration_s: length, frame_rate: String(rate) } }, params, operations });
  if (!plan?.isExact || plan.end_s <= plan.start_s) return null;
  return { ramp: new Ramp(plan.curve, plan.end_s, plan.start_s), start: plan.start_s, end: plan.end_s, rate: rateOf(plan) };
}
