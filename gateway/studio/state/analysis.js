// The motion of a clip, as the server measures it. The curve editor and the filmstrip share one job per clip and settings.

import { inputOf, operationOfRole } from "../base/declared.js";
import { endedJob } from "./ended_job.js";

const kept = new Map(); // request as text -> promise of the result

/**
 * Measure the motion of a clip on the server; null without the service. The result is {motion: {times, values}, curve, beats, cuts, ...}. Rejects
 * with the server's problem.
 */
export function analysisOf(store, record, params = {}, priority = "normal") {
  return resultOf(store, "motion_analysis", record, params, priority);
}

/** Ask the server for the plan of a ramp's render. The plan is {curve, start_s, end_s, duration_s, frame_rate, has_sound, keeps_pitch, kept}. */
export function planFor(store, record, params) {
  return resultOf(store, "ramp_plan", record, params, "high"); // a user waits for it
}

/** Run the operation with a role on a clip; return its result. Results are cached. Null without the operation. */
function resultOf(store, role, record, params, priority) {
  const operation = operationOfRole(store.operations, role);
  if (!operation) return Promise.resolve(null);
  const taken = Object.fromEntries(Object.entries(params).filter(([param]) => param in operation.params.properties));
  const key = JSON.stringify([role, record.id, taken]);
  if (!kept.has(key)) {
    const inputs = { [inputOf(operation)]: record.id };
    const promise = run(store.api, operation, { inputs, params: taken, priority, listed: false, metadata: { studio: "analysis" } });
    kept.set(key, promise);
    promise.catch(() => kept.delete(key));
  }
  return kept.get(key);
}

async function run(api, operation, body) {
  const job = await endedJob(api, operation.urls.jobs, body);
  if (job.status !== "succeeded") throw new Error(job.error?.detail ?? "The clip could not be measured.");
  return job.result;
}
