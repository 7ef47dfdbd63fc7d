// The list of recent jobs.

import { byId, make, show } from "../base/dom.js";
import { ago, seconds, words } from "../base/format.js";

/** The list of jobs. Calls `onOpen(job)` with the selected job. */
export class JobList {
  #onOpen;
  #rows = new Map(); // job id -> {item, update}

  constructor(onOpen) {
    this.#onOpen = onOpen;
  }

  /** Show these jobs, newest first. `media`: records by id, for the names of clips; `current`: id of the shown job. */
  update(jobs, media, current) {
    show(byId("jobs-none"), jobs.length === 0);
    const kept = new Map(jobs.map((job) => [job.id, this.#rows.get(job.id) ?? this.#row()]));
    for (const job of jobs) kept.get(job.id).update(job, media, job.id === current);
    const items = [...kept.values()].map((row) => row.item);
    const list = byId("jobs");
    const same = items.length === list.children.length && items.every((item, index) => item === list.children[index]);
    if (!same) list.replaceChildren(...items); // only if changed: replacing loses the focus
    this.#rows = kept;
  }

  #row() {
    const [state, name, clip, when] = ["state", "name", "clip", "when"].map((kind) => make("span", { class: kind }));
    const button = make("button", { type: "button" }, state, name, clip, when);
    let shown = null;
    button.addEventListener("click", () => this.#onOpen(shown));
    const update = (job, media, isCurrent) => {
      shown = job;
      button.setAttribute("aria-current", String(isCurrent));
      state.className = `state ${job.status}`;
      state.textContent = stateText(job);
      name.textContent = job.operation.split(".").map(words).join(" · ");
      clip.textContent = media.get(clipId(job))?.name ?? "";
      when.textContent = job.metrics.run_s ? `${seconds(job.metrics.run_s)} · ${ago(job.created_at)}` : ago(job.created_at);
    };
    return { item: make("li", {}, button), update };
  }
}

function stateText(job) {
  if (job.status === "running" && job.progress) return `${Math.floor(job.progress.fraction * 100)} %`;
  return { queued: "Waiting", running: "Running", succeeded: "Done", failed: "Failed", canceled: "Canceled" }[job.status];
}

/** The id of the medium that a job works on; for a pipeline, that of its first step. Undefined if there is none. */
export function clipId(job) {
  const inputs = job.params.steps?.[0]?.inputs ?? job.inputs;
  return [Object.values(inputs)[0]].flat()[0];
}
