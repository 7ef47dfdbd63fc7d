// A job's outputs in order, the output to show as its result, and the medium that the job works on.

import { mainInputs } from "./takers.js";

const SHOWN_FIRST = ["video", "html", "images", "image"];
const PICTURED = new Set(["video", "images", "image"]);

/**
 * Return the outputs of a job, videos first, as [[name, record]]. Pages such as a gallery are next, then pictures. `operations`: the declared
 * ones.
 */
export function outputsOf(job, operations) {
  const rank = ([, { kind }]) => (SHOWN_FIRST.includes(kind) ? SHOWN_FIRST.indexOf(kind) : SHOWN_FIRST.length);
  const preferred = (entry) => rank(entry) + (roleOfOutput(job, entry[0], operations) ? 0.5 : 0); // a composite says more than its matte
  return Object.entries(job.outputs ?? {}).sort((a, b) => preferred(a) - preferred(b));
}

/** Return the output to show for a job; null if it makes no file. */
export function mainOutput(job, operations) {
  return outputsOf(job, operations)[0]?.[1] ?? null;
}

/** Return the best output that has a thumbnail; null if there is none. */
export function picturedOutput(job, operations) {
  return outputsOf(job, operations).find(([, { urls }]) => urls.thumbnail)?.[1] ?? null;
}

/** Return whether an operation makes a picture or a video. */
export function hasPicture(operation) {
  return Object.values(operation.outputs).some((kind) => PICTURED.has(kind));
}

/** Return the output of a role, such as a job's matte; null without one. */
export function outputOfRole(job, role, operations) {
  return Object.entries(job.outputs ?? {}).find(([name]) => roleOfOutput(job, name, operations) === role)?.[1] ?? null;
}

/** Return the declared role of a job's output; null without one. Outputs of a pipeline are named after their step: "matte.alpha". */
function roleOfOutput(job, name, operations) {
  const [id, output] = name.split(".");
  const step = output && job.params?.steps?.find((other) => other.id === id);
  const operation = operations.find((other) => other.name === (step || job).operation);
  return operation?.output_roles[output ?? name] ?? null;
}

/** Return the id of the medium that a job works on. For a pipeline, its first step counts. `operations`: the declared ones. */
export function clipId(job, operations) {
  const { operation: name, inputs = {} } = job.params?.steps?.[0] ?? job;
  const operation = operations.find((other) => other.name === name);
  const main = operation && mainInputs(operation).map((input) => inputs[input]).find(Boolean);
  return [main ?? Object.values(inputs)[0]].flat()[0];
}
