// Conversion of a time of the result to the time of the source frame that the result shows then.

import { inputOf, keepsTimes, resultOfRole, valueOfRole } from "../base/declared.js";
import { Ramp } from "../ramp/ramp.js";

const AT_START_S = 1e-4; // a time less than this before a part belongs to the part

/**
 * Return a function that converts a job's output time to source time. Both are in seconds; null if the function is unknown. Along a curve, a
 * frame of the result shows the frame of the source that is on at its middle, as the server's `nearest` has it. `operations`: the declared
 * ones; `rate`: frames per second of the result; `output`: name of the output; `clip`: id of the source, which only pipelines need.
 */
export function mappingOf(job, operations, { rate, output = "", clip = "" }) {
  const { steps } = job.params ?? {};
  const maps = steps ? mapsOfSteps(job, operations, { rate, output, clip }) : [mapOf(job, operations, { rate, output })];
  if (!maps?.every(Boolean)) return null;
  return (time) => maps.reduce((moment, map) => map(moment), time);
}

/** Return whether an output has the times of its clip. Then each frame of the clip has its own frame of the output. `length`: of the output in seconds. */
export function hasTimesOfClip(job, operations, { rate, output, clip, length }) {
  const map = mappingOf(job, operations, { rate, output, clip });
  return Boolean(map) && [0, length / 2, length].every((time) => Math.abs(map(time) - time) < 1 / rate);
}

/** Return the time conversion of each step, from the output back to the clip. Null if the steps' video inputs do not lead back to the clip. */
function mapsOfSteps(job, operations, { rate, output, clip }) {
  const { steps } = job.params;
  const maps = [];
  let at = output;
  while (at !== clip) {
    const [id, name] = String(at).split(".");
    const step = steps.find((other) => other.id === id);
    const operation = step && operations.find((other) => other.name === step.operation);
    const result = job.result?.steps?.find((ended) => ended.id === id)?.result;
    if (!operation || maps.length > steps.length) return null;
    maps.push(mapOf({ operation: step.operation, params: step.params, result }, operations, { rate, output: name }));
    at = step.inputs?.[inputOf(operation)];
  }
  return maps;
}

/** Return the time conversion of a job, from its output back to its clip. Null if only the server knows its start, or its operation is not declared. */
function mapOf({ operation: name, params, result }, operations, { rate, output }) {
  const operation = operations.find((other) => other.name === name);
  if (!operation) return null;
  if (keepsTimes(operation, params, output)) return (time) => time;
  const start = valueOfRole(operation, params, "part_start") ?? 0;
  const curve = resultOfRole(operation, result, "speed_curve");
  if (curve?.length) {
    const [first] = curve;
    if (typeof start !== "number" && first.easing === "smooth") return null; // the start may lie behind the first point, which keeps the ease whole
    const ramp = new Ramp(curve, Math.max(curve.at(-1).t, first.t + 1e-3), Math.max(first.t, Number(start) || 0));
    return (time) => ramp.sourceAt(time + 0.5 / rate);
  }
  const parts = resultOfRole(operation, result, "clip_parts");
  if (parts?.length) {
    return (time) => {
      const part = parts.findLast((other) => other.at_s <= time + AT_START_S) ?? parts[0];
      return part.start_s + time - part.at_s;
    };
  }
  return typeof start === "number" ? (time) => time + start : null;
}
