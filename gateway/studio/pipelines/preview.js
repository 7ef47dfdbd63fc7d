// The preview of a pipeline: the same steps on a few seconds of a small copy of its clips. Lists of jobs leave the preview out.

import { ENDED } from "../state/store.js";
import { endedJob } from "../state/ended_job.js";
import { timesOf } from "../viewer/frame_times.js";
import { previewSteps } from "./preview_steps.js";

/** Run a preview of steps. `onJob(job)` is called at each change of its job. Returns a promise of the ended job. Rejects with Problem or AbortError. */
export async function runPreview({ api, media, operations }, steps, { signal, onJob }) {
  const clips = steps.flatMap(({ inputs }) => Object.values(inputs).flat()).map((id) => media.get(id)).filter((record) => record?.kind === "video");
  const frames = new Map(await Promise.all(clips.map(async (record) => /** @type {[string, any]} */ ([record.id, await timesOf(api, record)]))));
  signal.throwIfAborted();
  const framesOf = (/** @type {any} */ record) => frames.get(record.id);
  const body = { steps: previewSteps(steps, media, operations, framesOf), metadata: { studio: "preview" }, listed: false };
  return endedJob(api, "/v1/pipelines/jobs", body, { wait: 0, signal, onJob });
}

/** Delete a preview that is no longer shown, with its files. */
export function dropPreview(api, job) {
  if (job?.urls && ENDED.has(job.status)) api.send("DELETE", `${job.urls.self}?outputs=true`).catch(() => {});
}
