// The server's problem, sorted by the fields it names.

/** {params: {name: text}, inputs: {name: text}, general: text} from a Problem. */
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
