// Jobs that the studio starts for its own pages, such as previews: each is started and read until it ends.

import { patiently, pause } from "../server/views.js";
import { ENDED } from "./store.js";

const POLL_MS = 700;

/**
 * Start a job and return it once it has ended. Requests are repeated while the server does not answer. An abort of `signal` cancels the job.
 * `wait`: seconds for which the server may hold the first answer back; `onJob(job)` is called with each state of the job.
 * Throws Problem or AbortError.
 * @param {any} api  @param {string} path  @param {any} body  @param {{ wait?: number, signal?: AbortSignal, onJob?: (job: any) => void }} [options]
 */
export async function endedJob(api, path, body, { wait = 5, signal, onJob = () => {} } = {}) {
  let job = await patiently(() => api.post(path, body, { signal, headers: { Prefer: `wait=${wait}` } }), signal);
  try {
    while (!ENDED.has(job.status)) {
      onJob(job);
      await pause(POLL_MS, signal);
      job = await patiently(() => api.get(job.urls.self, { signal }), signal);
    }
  } catch (error) {
    if (signal?.aborted) api.post(job.urls.cancel).catch(() => {});
    throw error;
  }
  onJob(job);
  return job;
}
