// Previews: an operation runs on a few seconds of the clip's proxy. Each service runs one preview at a time. A newer request replaces a waiting one.

import { Problem } from "../server/api.js";
import { endedJob } from "./ended_job.js";

const MOST = 2; // previews at a time: browsers open six connections to a server, and events hold two
const EARLY_MS = 60_000; // time before its expiry from which a preview is made again
const kept = new Map(); // request as text -> {promise of the ended job, until}
const line = []; // waiting previews: {queue, slot, run, resolve, reject}
const running = new Set(); // queues: previews and examples of each service

/**
 * Return the promise of the ended preview job. `slot`: a newer request of the same slot replaces a waiting one.
 * Rejects with the server's problem, or AbortError if replaced.
 */
export function previewOf(api, operation, { inputs, params, at = 0, seconds = 3, slot }) {
  return ended(api, operation, { inputs, params, preview: true, preview_at_s: at, preview_s: seconds, preview_slot: slot }, slot);
}

/** Return whether the server can make an "auto" input. The operation that makes the input is installed for its usual settings. `operations`: all of them. */
export function canMake(operations, port) {
  const maker = operations.find(({ name }) => port.auto?.startsWith(`${name}.`));
  const usual = maker?.presets?.find(({ params }) => !Object.keys(params).length);
  return Boolean(maker?.available && !usual?.install);
}

/** Return the promise of an ended, unlisted job on the whole clip. The server remembers equal results. */
export function exampleOf(api, operation, { inputs, params, slot }) {
  return ended(api, operation, { inputs, params, listed: false, priority: "low", metadata: { studio: "example" } }, slot);
}

async function ended(api, operation, body, slot) {
  const key = JSON.stringify([operation.name, { ...body, preview_slot: "" }]);
  const earlier = kept.get(key);
  if (earlier && Date.now() < earlier.until && !(earlier.job && (await isGone(api, earlier.job.urls.self)))) return earlier.promise;
  const newer = kept.get(key);
  if (newer && newer !== earlier) return newer.promise; // another card asked meanwhile
  const promise = new Promise((resolve, reject) => {
    const waiting = line.findIndex((entry) => entry.slot === `${operation.name}/${slot}`);
    if (waiting >= 0) line.splice(waiting, 1)[0].reject(new DOMException("A newer preview replaced this one.", "AbortError"));
    const queue = `${operation.service} ${body.preview ? "preview" : "example"}`; // examples do not hold up previews
    line.push({ queue, slot: `${operation.name}/${slot}`, run: () => runOne(api, operation, body), resolve, reject });
  });
  const entry = { promise, until: Infinity, job: null }; // without a job while it is made
  kept.set(key, entry);
  promise.then(
    (job) => {
      entry.job = job;
      // Both times are the server's, whose clock may differ.
      if (job.expires_at) entry.until = Date.now() + (Date.parse(job.expires_at) - Date.parse(job.completed_at)) - EARLY_MS;
    },
    () => kept.delete(key),
  );
  next();
  return promise;
}

export const GONE = "The server has deleted this preview. Press Preview to make it again.";
export const NOT_SHOWN = "This preview is not shown: the connection broke, or this browser cannot play the format.";

/** Return whether the server has deleted a preview. It keeps previews for an hour, or less if their clip is deleted. `path`: of the job. */
export async function isGone(api, path) {
  return api.get(path).then(() => false, (error) => error instanceof Problem && error.status === 404);
}

async function next() {
  const place = line.findIndex(({ queue }) => !running.has(queue));
  if (place < 0 || running.size >= MOST) return;
  const [entry] = line.splice(place, 1);
  running.add(entry.queue);
  next();
  await entry.run().then(entry.resolve, entry.reject);
  running.delete(entry.queue);
  next();
}

async function runOne(api, operation, body) {
  const job = await endedJob(api, operation.urls.jobs, body);
  if (job.status === "failed") throw new Problem(job.error?.status ?? 500, job.error ?? { detail: "The preview failed." });
  if (job.status === "canceled") throw new DOMException("The preview was canceled.", "AbortError");
  return job;
}
