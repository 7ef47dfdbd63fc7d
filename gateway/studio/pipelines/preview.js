// The preview of a pipeline: the same steps on a few seconds of a small copy of its clips. Lists of jobs leave the preview out.

import { ENDED } from "../state/store.js";
import { endedJob } from "../state/ended_job.js";

const SECONDS = 3;
const MOST_PIXELS = 640; // of the longer side
const CUT = "media.transcode";
const CUT_ID = "small_part";

/** The steps on small parts of their clips. `media`: id -> record; each clip is cut around `at`, a share of its length. */
export function previewSteps(steps, media, at = 0.5) {
  const cuts = new Map(); // id of a clip -> step that cuts it
  const longest = Math.max(0, ...steps.flatMap(({ inputs }) => Object.values(inputs).flat()).map((id) => media.get(id)?.media?.duration_s ?? 0));
  const start = Number(Math.max(0, longest * at - SECONDS / 2).toFixed(2));
  const cutOf = (value) => {
    const record = media.get(value);
    if (record?.kind !== "video") return value;
    if (!cuts.has(value)) {
      const params = { start, duration: SECONDS, max_edge: MOST_PIXELS };
      if (start > (record.media.duration_s ?? 0) - 0.5) params.start = 0; // a shorter one, such as a moving background
      cuts.set(value, { id: cuts.size ? `${CUT_ID}_${cuts.size + 1}` : CUT_ID, operation: CUT, inputs: { video: value }, params });
    }
    return `${cuts.get(value).id}.video`;
  };
  const small = steps.map((step) => {
    const inputs = Object.fromEntries(Object.entries(step.inputs).map(([name, value]) => [name, Array.isArray(value) ? value.map(cutOf) : cutOf(value)]));
    const isCut = Object.values(inputs).flat().some((value) => String(value).startsWith(CUT_ID));
    const { start: _start, duration: _duration, ...params } = step.params; // they count from the start of the whole clip
    return { ...step, inputs, params: isCut ? params : step.params };
  });
  return [...cuts.values(), ...small];
}

/** Run the preview. `onJob(job)` at each change. Returns the promise of the ended job, which rejects with Problem or AbortError. */
export function runPreview(api, steps, media, { signal, onJob }) {
  const body = { steps: previewSteps(steps, media), metadata: { studio: "preview" }, listed: false };
  return endedJob(api, "/v1/pipelines/jobs", body, { wait: 0, signal, onJob });
}

/** Delete a preview that is no longer shown, with its files. */
export function dropPreview(api, job) {
  if (job?.urls && ENDED.has(job.status)) api.send("DELETE", `${job.urls.self}?outputs=true`).catch(() => {});
}
