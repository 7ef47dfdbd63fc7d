// Results of other tools that a parameter can take over: the moments of a reel can be the frames that Best stills chose.

import { ago } from "../base/format.js";
import { clipId } from "../base/outputs.js";

const NONE = [];

/** Return a clip's results that a parameter can take over: [{label, load()}]. */
export function resultsFor({ sources }, store, record) {
  if (!sources.length) return NONE;
  return sources.flatMap(({ operation, field }) => {
    const jobs = [...store.jobs.values()].filter((job) => job.operation === operation && job.status === "succeeded" && clipId(job, store.operations) === record.id);
    const title = store.operation(operation)?.title ?? operation;
    return jobs.map((job) => ({ label: `${title}, ${ago(job.completed_at ?? job.created_at)}`, load: async () => (await store.api.get(`/v1/jobs/${job.id}`)).result[field] }));
  });
}
