// A request of the tool as text: curl, Python, command line.

/** Build the body of a job request from a tool's inputs and params. */
export function bodyOf(inputs, params) {
  return Object.keys(params).length ? { inputs, params } : { inputs };
}

export function curlText(origin, operation, inputs, params, { keyed = false } = {}) {
  const body = JSON.stringify(bodyOf(inputs, params)).replaceAll("'", "'\\''");
  const key = keyed ? `  -H "Authorization: Bearer $REELWRIGHT_API_KEY" \\\n` : "";
  return `curl ${origin}${operation.urls.jobs} \\\n${key}  -H 'Content-Type: application/json' \\\n  -H 'Prefer: wait=60' \\\n  -d '${body}'`;
}

/** Return the file names of a request's inputs. They are {input: name, list of names, or "auto"}; equal names of different media are numbered. */
export function filesOf(inputs, store) {
  const given = [...new Set(Object.values(inputs).flat())].map((id) => store.media.get(id)).filter(Boolean);
  const nameOf = (id) => {
    const record = store.media.get(id);
    if (!record) return id;
    return given.some((other) => other.id !== id && other.name === record.name) ? store.nameOf(record) : record.name;
  };
  return Object.fromEntries(Object.entries(inputs).map(([name, value]) => [name, Array.isArray(value) ? value.map(nameOf) : nameOf(value)]));
}

/** Write a request as Python code. `files`: input name -> name of the file on the user's disk, a list of names, or "auto". */
export function pythonText(origin, operation, files, params, { keyed = false } = {}) {
  const key = keyed ? `, os.environ["REELWRIGHT_API_KEY"]` : "";
  const inputs = Object.entries(files).map(([name, file]) => `${name}=${pythonValue(file)}`);
  const settings = Object.entries(params).map(([name, value]) => `${name}=${pythonValue(value)}`);
  const words = [JSON.stringify(operation.name), ...inputs, ...settings];
  const lines = [
    `${keyed ? "import os\n\n" : ""}from reelwright import Reelwright\n`,
    `client = Reelwright(${JSON.stringify(origin)}${key})`,
    `run = client.run(\n    ${words.join(",\n    ")},\n)`,
  ];
  const suffixes = Object.values(operation.suffixes);
  lines.push(suffixes.length === 1 ? `run.save("result${suffixes[0]}")` : "print(run.result)");
  return lines.join("\n");
}

/** Write a request as a command line for the user's own files. Required inputs and the result are by position, other values by name. */
export function cliText(operation, files, params) {
  const [service, verb] = operation.name.split(".");
  const words = ["reelwright", service, verb];
  const given = Object.entries(files).filter(([, file]) => file);
  const isPlaced = (/** @type {[string, any]} */ [name]) => operation.inputs?.[name] && !operation.inputs[name].optional;
  for (const [, file] of given.filter(isPlaced)) words.push(...[file].flat().map(quoted));
  const suffixes = Object.values(operation.suffixes);
  if (suffixes.length === 1) words.push(`result${suffixes[0]}`);
  else if (suffixes.length) words.push("results");
  for (const [name, file] of given.filter((entry) => !isPlaced(entry))) for (const one of [file].flat()) words.push(`--${dashed(name)}`, quoted(one));
  for (const [name, value] of Object.entries(params)) words.push(`--${dashed(name)}`, quoted(typeof value === "object" ? JSON.stringify(value) : String(value)));
  return words.join(" ");
}

function dashed(name) {
  return name.replaceAll("_", "-");
}

function quoted(text) {
  return /^[\w./:@%+=-]+$/.test(text) ? text : `'${text.replaceAll("'", "'\\''")}'`;
}

function pythonValue(value) {
  if (value === null) return "None";
  if (value === true) return "True";
  if (value === false) return "False";
  if (Array.isArray(value)) return `[${value.map(pythonValue).join(", ")}]`;
  if (typeof value === "object") return `{${Object.entries(value).map(([name, item]) => `${JSON.stringify(name)}: ${pythonValue(item)}`).join(", ")}}`;
  return JSON.stringify(value);
}
