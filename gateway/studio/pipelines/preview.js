// The preview of a pipeline: the same steps on a few seconds of a small copy of its clips. It is not listed.

import { ENDED } from "../state/store.js";
import { patiently, pause } from "../server/views.js";

const SECONDS = 3;
const MOST_PIXELS = 640; // of the longer side
const CUT = "media.transcode";
const CUT_ID = "small_part";
const POLL_MS = 700;

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

/** Run the preview. `onJob(job)` at each change. Returns the ended job. Throws Problem, Unreachable or AbortError. */
export async function runPreview(api, steps, media, { signal, onJob }) {
  const body = { steps: previewSteps(steps, media), metadata: { studio: "preview" }, listed: false };
  let job = await api.post("/v1/pipelines/jobs", body, { signal });
  try {
    while (!ENDED.has(job.status)) {
      onJob(job);
      await pause(POLL_MS, signal);
      job = await patiently(() => api.get(job.urls.self, { signal }), signal);
    }
  } catch (error) {
    if (signal.aborted) api.post(job.urls.cancel).catch(() => {});
    throw error;
  }
  onJob(job);
  return job;
}

/** Delete a preview that is no longer shown, with its files. */
export function dropPreview(api, job) {
  if (job?.urls && ENDED.has(job.status)) api.send("DELETE", `${job.urls.self}?outputs=true`).catch(() => {});
}
