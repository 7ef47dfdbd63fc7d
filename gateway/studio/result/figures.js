// The figures of an ended job, and the request that repeats it.

import { resultOfRole } from "../base/declared.js";
import { bytes, rate, seconds, words } from "../base/format.js";
import { mainOutput } from "../base/outputs.js";
import { curlText } from "../tool/request_text.js";

const SHOWN_ABOVE = ["clip_length", "result_length", "frame_count", "frame_rate", "encoder"]; // roles of the result fields that come first

/** Return the figures of an ended job as [[name, value]], the most useful first. `operations`: the declared ones. */
export function figuresOf(job, operations) {
  const { result, metrics = {} } = job;
  const operation = operations.find(({ name }) => name === job.operation);
  const output = mainOutput(job, operations);
  const figures = [];
  const add = (name, value) => value !== undefined && value !== null && value !== "" && figures.push([name, value]);
  const [before, after, count, frameRate, encoder] = SHOWN_ABOVE.map((role) => resultOfRole(operation, result, role) ?? null);
  const lengths = [before, after].filter((length) => length !== null);
  if (lengths.length) add("Length", lengths.map(seconds).join(" → "));
  if (count !== null) add("Frames", `${count}${frameRate ? ` at ${rate(frameRate)} fps` : ""}`);
  if (output) add("File", bytes(output.bytes));
  if (output?.media?.width) add("Picture", `${output.media.width} × ${output.media.height}, ${output.media.codec ?? output.content_type}`);
  add("Encoder", encoder);
  if (metrics.run_s !== undefined) add("Run time", seconds(metrics.run_s));
  if (metrics.fps >= 1) add("Speed", `${Math.round(metrics.fps)} frames/s`);
  if (metrics.peak_memory_bytes) add("Peak memory", bytes(metrics.peak_memory_bytes));
  if (metrics.queue_s !== undefined) add("Time in queue", seconds(metrics.queue_s));
  for (const [name, value] of Object.entries(result ?? {})) {
    const { role, title = name } = operation?.result.properties?.[name] ?? {};
    if (!SHOWN_ABOVE.includes(role) && ["number", "string", "boolean"].includes(typeof value)) add(words(title), String(value));
  }
  return figures;
}

/** Return the curl command that repeats a job. */
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
