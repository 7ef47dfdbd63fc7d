// The sorting of an error answer by the fields that it names.

/** The texts of a Problem by field: {params: {name: text}, inputs: {name: text}, general: text}. */
export function sorted(problem) {
  const params = {};
  const inputs = {};
  const general = [];
  for (const { field = "", detail } of problem.errors ?? []) {
    const [where, name, ...deeper] = field.split(".");
    const text = deeper.length ? `At ${deeper.join(".")}: ${detail}` : detail;
    const target = { params, inputs }[where];
    if (target && name) target[name] = target[name] ? `${target[name]}; ${text}` : text;
    else general.push(where === "params" || where === "inputs" ? detail : `${field}: ${detail}`);
  }
  if (!problem.errors?.length) general.push(problem.message);
  return { params, inputs, general: general.join(" ") };
}
