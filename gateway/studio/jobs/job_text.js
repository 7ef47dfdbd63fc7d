// The state of a job in words.

import { remaining, seconds, words } from "../base/format.js";

export const STATES = { queued: "Waiting", running: "Running", succeeded: "Done", failed: "Failed", canceled: "Canceled" };

/** Describe the progress of a job in words. Examples: "Rendering · 48 frames/s · 12 s left", "Place 2 in the queue". */
export function progressText({ status, queue_position: place, progress }) {
  if (status === "queued") return place ? `Place ${place} in the queue` : "Waiting to start";
  if (!progress) return "Starting";
  const parts = [words(progress.stage)];
  if (progress.fps) parts.push(`${Math.round(progress.fps)} frames/s`);
  if (progress.eta_s !== null && progress.eta_s !== undefined) parts.push(`${remaining(progress.eta_s)} left`);
  return parts.join(" · ");
}

/** Return the title of a job: the title of its operation or pipeline. */
export function titleOf(store, job) {
  const operation = store.operation(job.operation);
  if (operation) return operation.title ?? words(operation.name.split(".")[1]);
  if (job.service !== "pipelines") return words(job.operation.split(".").at(-1)); // the declarations are not there yet
  const steps = job.params?.steps ?? [];
  const name = job.metadata?.pipeline ?? job.metadata?.preset;
  return name ? words(String(name)) : `Pipeline of ${steps.length} ${steps.length === 1 ? "step" : "steps"}`;
}

export function endText(job) {
  if (job.cached) return "Earlier result used";
  return job.metrics?.run_s && job.status === "succeeded" ? `Done in ${seconds(job.metrics.run_s)}` : STATES[job.status];
}
