// Follows unfinished jobs by their events, a few at a time, so that progress is seen as it happens.

import { follow } from "../server/events.js";
import { ENDED } from "./store.js";

const MOST = 2; // browsers open six connections to a server; the lists show the other jobs

/** Follow the unfinished jobs of the store from now on. */
export function follower(store) {
  const followed = new Set();
  const forever = new AbortController().signal;
  const watch = async (id) => {
    followed.add(id);
    try {
      for await (const { kind, data } of follow(store.api, `/v1/jobs/${id}/events`, forever)) {
        const job = store.jobs.get(id) ?? data;
        store.putJob(kind === "progress" ? { ...job, status: "running", progress: data } : data);
      }
      store.dispatchEvent(new CustomEvent("ended", { detail: store.jobs.get(id) }));
      store.hurry();
    } catch {
      store.hurry(); // the job is gone; the next list shows what is left
    } finally {
      followed.delete(id);
    }
  };
  store.watch(() => {
    const waiting = [...store.jobs.values()].filter((job) => !ENDED.has(job.status) && !followed.has(job.id));
    const nextFirst = waiting.sort((a, b) => Number(b.status === "running") - Number(a.status === "running"));
    for (const job of nextFirst.slice(0, Math.max(0, MOST - followed.size))) watch(job.id);
  });
}
