// The mapping of a moment of the result to the moment of the source that it shows.

import { Ramp } from "../ramp/ramp.js";

const AT_START_S = 1e-4; // a time this close before a part belongs to it

/**
 * The function from result time to source time, for a job's output. Both are in seconds; null if the function is unknown. Along a curve, a
 * frame of the result shows the frame of the source that is on at its middle, as the server's `nearest` has it. `rate`: frames per second
 * of the result; `output`: name of the output; `clip`: id of the source.
 */
export function mappingOf(job, rate, output = "video", clip = job.inputs?.video) {
  const steps = job.params?.steps;
  const maps = steps ? mapsOfSteps(job, output, clip, rate) : [mapOf(job, rate)];
  if (!maps?.every(Boolean)) return null;
  return (time) => maps.reduce((moment, map) => map(moment), time);
}

/** The map of each step from the output back to the clip. It is null if the steps' video inputs do not lead back to the clip. */
function mapsOfSteps(job, output, clip, rate) {
  const { steps } = job.params;
  const maps = [];
  let at = output;
  while (at !== clip) {
    const [id] = String(at).split(".");
    const place = steps.findIndex((step) => step.id === id);
    const step = steps[place];
    const result = job.result?.steps?.find((ended) => ended.id === id)?.result;
    if (!step || maps.length > steps.length) return null;
    maps.push(mapOf({ operation: step.operation, params: step.params, result }, rate));
    at = step.inputs?.video;
  }
  return maps;
}

/** The map of a job from its output back to its clip. It is null if only the server knows its start. */
function mapOf({ operation, params, result }, rate) {
  const start = params?.start ?? 0;
  if (operation === "speed-ramp.render" && result?.curve?.length) {
    const { curve } = result;
    const [first] = curve;
    if (typeof start !== "number" && first.easing === "smooth") return null; // the start may lie behind the first point, which keeps the ease whole
    const ramp = new Ramp(curve, Math.max(curve.at(-1).t, first.t + 1e-3), Math.max(first.t, Number(start) || 0));
    return (time) => ramp.sourceAt(time + 0.5 / rate);
  }
  if (operation === "media.reel" && result?.parts?.length) {
    const { parts } = result;
    return (time) => {
      const part = parts.findLast((other) => other.at_s <= time + AT_START_S) ?? parts[0];
      return part.start_s + time - part.at_s;
    };
  }
  return typeof start === "number" ? (time) => time + start : null;
}
