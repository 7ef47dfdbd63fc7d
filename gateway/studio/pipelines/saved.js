// The pipelines that the user saved on the server.

const PATH = "/v1/pipelines/saved";
const KEPT_AS = "reelwright-pipelines"; // storage key of {name: steps}: earlier pages saved pipelines in the browser

export function addressOf(name) {
  return `${PATH}/${encodeURIComponent(name)}`;
}

/** Read the user's saved pipelines: [{name, steps}]. Pipelines that an earlier page kept in the browser move to the server. */
export async function readSaved(api) {
  for (const [name, steps] of Object.entries(keptHere())) await save(api, name.replaceAll("/", "-"), steps).catch(() => {});
  localStorage.removeItem(KEPT_AS);
  return api.get(PATH);
}

/** Save steps under a name, and return the saved pipeline. */
export async function save(api, name, steps) {
  const body = { steps: steps.map(({ id, operation, inputs, params }) => ({ id, operation, inputs, params })) };
  return (await api.send("PUT", addressOf(name), { json: body })).json();
}

export async function forget(api, name) {
  await api.send("DELETE", addressOf(name));
}

function keptHere() {
  try {
    return JSON.parse(localStorage.getItem(KEPT_AS)) ?? {};
  } catch {
    return {};
  }
}
