// Sorting of the texts of an error response by the fields that they are about.

export const NO_PROBLEMS = { params: {}, inputs: {}, general: "" };

/**
 * Sort the texts of a Problem by field. They are {params: {name: [{path, detail}]}, inputs: {name: text}, general: text}. `path`: names and
 * numbers within the value of a parameter, such as ["0", "timestamp_s"].
 */
export function sorted(problem) {
  const params = {};
  const inputs = {};
  const general = [];
  for (const { field = "", detail } of problem.errors ?? []) {
    const [where, name, ...path] = field.split(".");
    if (where === "params" && name) params[name] = [...(params[name] ?? []), { path, detail }];
    else if (where === "inputs" && name) inputs[name] = [inputs[name], path.length ? `At ${path.join(".")}: ${detail}` : detail].filter(Boolean).join("; ");
    else general.push(where === "params" || where === "inputs" || !field ? detail : `${field}: ${detail}`);
  }
  if (!problem.errors?.length) general.push(problem.message);
  return { params, inputs, general: general.join(" ") };
}

/** Return whether sorted problems contain any problem. */
export function hasProblem({ params, inputs, general }) {
  return Boolean(general) || Object.keys(params).length + Object.keys(inputs).length > 0;
}

/** Return the problems of a value's part `key`, with paths relative to that part. */
export function within(problems, key) {
  return problems.filter(({ path }) => path[0] === String(key)).map(({ path, detail }) => ({ path: path.slice(1), detail }));
}
