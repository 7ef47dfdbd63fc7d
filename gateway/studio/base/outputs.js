// The choice of the output that is shown as a job's result.

const SHOWN_FIRST = ["video", "html", "images", "image"];

/** The outputs of a job, videos first, as [[name, record]]. Pages such as a gallery are next, then pictures. */
export function outputsOf(job) {
  const rank = ([, { kind }]) => (SHOWN_FIRST.includes(kind) ? SHOWN_FIRST.indexOf(kind) : SHOWN_FIRST.length);
  const preferred = (entry) => rank(entry) + (entry[0] === "alpha" ? 0.5 : 0); // a composite says more than its matte
  return Object.entries(job.outputs ?? {}).sort((a, b) => preferred(a) - preferred(b));
}

/** The output to show for a job; null if it makes no file. */
export function mainOutput(job) {
  return outputsOf(job)[0]?.[1] ?? null;
}

/** The best output that has a thumbnail; null if there is none. */
export function picturedOutput(job) {
  return outputsOf(job).find(([, { urls }]) => urls.thumbnail)?.[1] ?? null;
}

/** Id of the medium of a job, or of a pipeline's first step. */
export function clipId(job) {
  const steps = job.params?.steps;
  const inputs = steps?.[0]?.inputs ?? job.inputs ?? {};
  const first = inputs.video ?? Object.values(inputs)[0];
  return [first].flat()[0];
}
