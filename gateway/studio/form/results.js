// Results of other tools that a parameter takes, such as the frames that Best stills chose for the moments of a reel.

import { ago } from "../base/format.js";
import { clipId } from "../base/outputs.js";

const NONE = [];

/** Results of other tools on a clip that a parameter accepts: [{label, load()}]. */
export function resultsFor({ sources }, store, record) {
  if (!sources.length) return NONE;
  return sources.flatMap(({ operation, field }) => {
    const jobs = [...store.jobs.values()].filter((job) => job.operation === operation && job.status === "succeeded" && clipId(job, store.operations) === record.id);
    const title = store.operation(operation)?.title ?? operation;
    return jobs.map((job) => ({ label: `${title}, ${ago(job.completed_at ?? job.created_at)}`, load: async () => (await store.api.get(`/v1/jobs/${job.id}`)).result[field] }));
  });
}
