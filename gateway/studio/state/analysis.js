// The motion of a clip, as the server measures it. The curve editor and the filmstrip share one job per clip and settings.

import { patiently, pause } from "../server/views.js";
import { ENDED } from "./store.js";

const POLL_MS = 700;
const kept = new Map(); // request as text -> promise of the result

/**
 * The result of `speed-ramp.analyze`: {motion: {times, values}, curve, beats, cuts, ...}; null if the service is not there.
 * Rejects with the server's problem.
 */
export function analysisOf(store, record, params = {}, priority = "normal") {
  const operation = store.operation("speed-ramp.analyze");
  if (!operation) return Promise.resolve(null);
  const key = JSON.stringify([record.id, params]);
  if (!kept.has(key)) {
    const promise = run(store.api, operation, { inputs: { video: record.id }, params, priority, listed: false, metadata: { studio: "analysis" } });
    kept.set(key, promise);
    promise.catch(() => kept.delete(key));
  }
  return kept.get(key);
}

async function run(api, operation, body) {
  let job = await patiently(() => api.post(operation.urls.jobs, body, { headers: { Prefer: "wait=5" } }));
  while (!ENDED.has(job.status)) {
    await pause(POLL_MS);
    job = await patiently(() => api.get(job.urls.self));
  }
  if (job.status !== "succeeded") throw new Error(job.error?.detail ?? "The motion could not be measured.");
  return job.result;
}
