// The figures of an ended job, and the request that repeats it.

import { bytes, rate, seconds, words } from "../base/format.js";
import { mainOutput } from "../base/outputs.js";
import { curlText } from "../tool/request_text.js";

const SHOWN_ABOVE = new Set(["encoder", "duration_s", "source_duration_s", "ramped_duration_s", "frames", "frame_rate"]);

/** The figures of an ended job as [[name, value]], the most useful first. */
export function figuresOf(job) {
  const { result, metrics = {} } = job;
  const output = mainOutput(job);
  const figures = [];
  const add = (name, value) => value !== undefined && value !== null && value !== "" && figures.push([name, value]);
  const after = result?.ramped_duration_s ?? (output ? result?.duration_s : undefined);
  const before = result?.source_duration_s ?? (result?.ramped_duration_s !== undefined ? result.duration_s : undefined);
  if (before !== undefined && after !== undefined) add("Length", `${seconds(before)} → ${seconds(after)}`);
  else if (after !== undefined) add("Length", seconds(after));
  if (result?.frames !== undefined) add("Frames", `${result.frames}${result.frame_rate ? ` at ${rate(result.frame_rate)} fps` : ""}`);
  if (output) add("File", bytes(output.bytes));
  if (output?.media?.width) add("Picture", `${output.media.width} × ${output.media.height}, ${output.media.codec ?? output.content_type}`);
  add("Encoder", result?.encoder);
  if (metrics.run_s !== undefined) add("Run time", seconds(metrics.run_s));
  if (metrics.fps >= 1) add("Speed", `${Math.round(metrics.fps)} frames/s`);
  if (metrics.peak_memory_bytes) add("Peak memory", bytes(metrics.peak_memory_bytes));
  if (metrics.queue_s !== undefined) add("Time in queue", seconds(metrics.queue_s));
  for (const [name, value] of Object.entries(result ?? {})) {
    if (!SHOWN_ABOVE.has(name) && ["number", "string", "boolean"].includes(typeof value)) add(words(name), String(value));
  }
  return figures;
}

/** The curl command that repeats a job. */
export function requestText(origin, store, job) {
  const operation = store.operation(job.operation);
  const keyed = store.api.keyed;
  if (!operation) {
    const body = JSON.stringify({ steps: job.params?.steps ?? [] }).replaceAll("'", "'\\''");
    const key = keyed ? `  -H "Authorization: Bearer $REELWRIGHT_API_KEY" \\\n` : "";
    return `curl ${origin}/v1/pipelines/jobs \\\n${key}  -H 'Content-Type: application/json' \\\n  -d '${body}'`;
  }
  const defaults = operation.params.properties ?? {};
  const isSet = ([name, value]) => JSON.stringify(value) !== JSON.stringify(defaults[name]?.default);
  const inputs = Object.fromEntries(Object.entries(job.inputs).filter(([, value]) => value));
  return curlText(origin, operation, inputs, Object.fromEntries(Object.entries(job.params).filter(isSet)), { keyed });
}
