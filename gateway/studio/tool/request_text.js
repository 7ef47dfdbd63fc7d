// A request of the tool as text: curl, Python, command line.

/** The body of a job request. */
export function bodyOf(inputs, params) {
  return Object.keys(params).length ? { inputs, params } : { inputs };
}

export function curlText(origin, operation, inputs, params, { keyed = false } = {}) {
  const body = JSON.stringify(bodyOf(inputs, params)).replaceAll("'", "'\\''");
  const key = keyed ? `  -H "Authorization: Bearer $REELWRIGHT_API_KEY" \\\n` : "";
  return `curl ${origin}${operation.urls.jobs} \\\n${key}  -H 'Content-Type: application/json' \\\n  -H 'Prefer: wait=60' \\\n  -d '${body}'`;
}

export function pythonText(origin, operation, inputs, params, { keyed = false } = {}) {
  const headers = keyed ? `, headers={"Authorization": "Bearer " + os.environ["REELWRIGHT_API_KEY"]}` : "";
  const lines = [
    `${keyed ? "import os\n" : ""}import time\n\nimport httpx\n`,
    `with httpx.Client(base_url="${origin}"${headers}) as client:`,
    `    body = ${pythonValue(bodyOf(inputs, params), 4)}`,
    `    job = client.post("${operation.urls.jobs}", json=body).raise_for_status().json()`,
    `    while job["status"] in ("queued", "running"):`,
    `        time.sleep(1)`,
    `        job = client.get(job["urls"]["self"]).json()`,
    `    for name, output in job["outputs"].items():`,
    `        with open(output["name"], "wb") as file:`,
    `            file.write(client.get(output["urls"]["content"]).content)`,
  ];
  return lines.join("\n");
}

/** `files`: input name -> name of the file on the user's disk. */
export function cliText(operation, files, params) {
  const [service, verb] = operation.name.split(".");
  const words = ["reelwright", service, verb];
  const [first, ...others] = Object.entries(files).filter(([, name]) => name && name !== "auto");
  if (first) words.push(...[first[1]].flat().map(quoted));
  for (const [name, file] of others) words.push(`--${dashed(name)}`, ...[file].flat().map(quoted));
  for (const [name, value] of Object.entries(params)) {
    if (typeof value === "boolean") words.push(`--${value ? "" : "no-"}${dashed(name)}`);
    else words.push(`--${dashed(name)}`, quoted(typeof value === "object" ? JSON.stringify(value) : String(value)));
  }
  return words.join(" ");
}

function dashed(name) {
  return name.replaceAll("_", "-");
}

function quoted(text) {
  return /^[\w./:@%+=-]+$/.test(text) ? text : `'${text.replaceAll("'", "'\\''")}'`;
}

function pythonValue(value, indent) {
  if (value === null) return "None";
  if (value === true) return "True";
  if (value === false) return "False";
  if (Array.isArray(value)) return `[${value.map((item) => pythonValue(item, indent)).join(", ")}]`;
  if (typeof value === "object") {
    const inner = Object.entries(value).map(([name, item]) => `${JSON.stringify(name)}: ${pythonValue(item, indent)}`);
    return `{${inner.join(", ")}}`;
  }
  return JSON.stringify(value);
}
