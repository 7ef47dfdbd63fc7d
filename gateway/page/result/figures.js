// The panel of an ended job: its figures, its files, and the request that repeats it.

import { byId, make, show } from "../base/dom.js";
import { bytes, facts, rate, seconds, words } from "../base/format.js";

const SHOWN_ABOVE = new Set(["encoder", "duration_s", "source_duration_s", "ramped_duration_s", "frames", "frame_rate"]);

const SHOWN_FIRST = ["video", "image", "images", "html"];

/** Fill the panel with the figures of a job. `operation`: its entry in GET /v1/operations, if known. */
export function showFigures(api, job, operation) {
  show(byId("figures-panel"), true);
  const pairs = figuresOf(job).map(([name, value]) => make("div", {}, make("dt", {}, name), make("dd", {}, value)));
  byId("figures").replaceChildren(...pairs);
  byId("curl").textContent = curlOf(job, operation, { keyed: api.keyed });
  byId("json").textContent = JSON.stringify(job, null, 2);
  const others = Object.entries(job.outputs);
  show(byId("files"), others.length > 1);
  byId("files").replaceChildren(...others.map(([name, record]) => fileItem(api, name, record)));
}

/** The output to show for a job: a video if there is one, else pictures, else a page. */
export function mainOutput(job) {
  const rank = (output) => (SHOWN_FIRST.includes(output.kind) ? SHOWN_FIRST.indexOf(output.kind) : SHOWN_FIRST.length);
  return Object.values(job.outputs).sort((a, b) => rank(a) - rank(b))[0];
}

/** Save a medium as a file, also if the server needs a key. */
export async function save(api, record) {
  const { url, release } = await api.mediaUrl(record.urls.download);
  const link = make("a", { href: url, download: record.name });
  link.click();
  setTimeout(release, 60_000); // the browser reads the URL after the click
}

function figuresOf(job) {
  const { result, metrics } = job;
  const output = mainOutput(job);
  const figures = [];
  const add = (name, value) => value !== undefined && value !== null && value !== "" && figures.push([name, value]);
  const after = result?.ramped_duration_s ?? (output ? result?.duration_s : undefined);
  const before = result?.source_duration_s ?? (result?.ramped_duration_s !== undefined ? result.duration_s : undefined);
  if (before !== undefined && after !== undefined) add("Length", `${seconds(before)} → ${seconds(after)}`);
  else if (after !== undefined) add("Length", seconds(after));
  if (result?.frames !== undefined)
    add("Frames", `${result.frames}${result.frame_rate ? ` at ${rate(result.frame_rate)} fps` : ""}`);
  if (output) add("File", facts(output).split(" · ").slice(-1)[0]);
  if (output?.media?.width)
    add("Picture", `${output.media.width} × ${output.media.height}, ${output.media.codec ?? output.content_type}`);
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

function fileItem(api, name, record) {
  const button = make("button", { type: "button", class: "quiet" }, "Download");
  button.addEventListener("click", () => save(api, record));
  return make("li", { class: "row" }, make("span", {}, `${words(name)}: ${record.name} (${bytes(record.bytes)})`), button);
}

/** The curl command that repeats a job. */
export function curlOf(job, operation, { keyed }) {
  const steps = job.service === "pipelines"; // the params of a pipeline are the whole request
  const params = {};
  for (const [name, value] of Object.entries(job.params)) {
    const fallback = operation?.params.properties?.[name]?.default;
    if (JSON.stringify(value) !== JSON.stringify(fallback)) params[name] = value;
  }
  const body = JSON.stringify(steps ? { steps: params.steps } : { inputs: job.inputs, params }).replaceAll("'", "'\\''");
  const path = operation?.urls.jobs ?? (steps ? "/v1/pipelines/jobs" : `/v1/${job.operation.replace(".", "/")}/jobs`);
  const key = keyed ? `  -H "Authorization: Bearer $REELWRIGHT_API_KEY" \\\n` : "";
  return `curl ${location.origin}${path} \\\n${key}  -H 'Content-Type: application/json' \\\n  -d '${body}'`;
}
