// Following of unfinished jobs by their events, a few at a time, so that progress is seen as it happens.

import { follow } from "../server/events.js";
import { ENDED } from "./store.js";

const PLACES = ["job events 1", "job events 2"]; // locks, one per followed job, because all tabs share six connections; lists show the other jobs

/**
 * Follow the unfinished jobs of the store from now on. The store sends `ended` for each that ends.
 *
 * All tabs share the places, where the browser has locks (not over plain HTTP). A hidden tab opens events only to notify.
 */
export function follower(store) {
  const followed = new Map(); // job -> place
  const unfinished = new Set();
  let leaving = new AbortController();
  const isWatching = () => !document.hidden || globalThis.Notification?.permission === "granted";
  const take = (place, work) => (navigator.locks ? navigator.locks.request(place, { ifAvailable: true }, (lock) => lock && work()) : work());
  const watch = async (id, signal) => {
    for await (const { kind, data } of follow(store.api, `/v1/jobs/${id}/events`, signal)) {
      const job = store.jobs.get(id) ?? data;
      store.putJob(kind === "progress" ? { ...job, status: "running", progress: data } : data);
    }
    if (!signal.aborted) store.hurry();
  };
  const changed = () => {
    for (const job of store.jobs.values()) if (!ENDED.has(job.status)) unfinished.add(job.id);
    for (const id of unfinished) {
      const job = store.jobs.get(id);
      if (job && !ENDED.has(job.status)) continue;
      unfinished.delete(id);
      if (job) store.dispatchEvent(new CustomEvent("ended", { detail: job }));
    }
    if (!isWatching()) return;
    const waiting = [...unfinished].filter((id) => !followed.has(id)).map((id) => store.jobs.get(id));
    waiting.sort((a, b) => Number(b.status === "running") - Number(a.status === "running"));
    const { signal } = leaving;
    for (const { id } of waiting) {
      const place = PLACES.find((name) => ![...followed.values()].includes(name));
      if (!place) return;
      followed.set(id, place);
      take(place, () => watch(id, signal))
        .catch(() => store.hurry()) // the job is gone: refresh the lists
        .finally(() => followed.delete(id));
    }
  };
  document.addEventListener("visibilitychange", () => {
    if (!isWatching()) leaving.abort();
    else if (leaving.signal.aborted) leaving = new AbortController();
    if (!document.hidden) store.hurry();
  });
  store.watch(changed);
}
