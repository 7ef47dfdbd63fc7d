// The addresses of the screens. An address is the part of the URL after "#".

/**
 * Parse an address: "#/clip/ID/speed-ramp.render?from=JOB" -> {screen, id, tool, from}. `as`: the input of the tool that the medium becomes,
 * on a clip to be chosen; `give`: an input of the tool and its medium, as "background:ID". Unknown addresses lead to the library.
 */
export function routeOf(hash) {
  const [path, query = ""] = hash.replace(/^#\/?/, "").split("?");
  const [screen, id = "", tool = ""] = path.split("/").map(decoded);
  const search = new URLSearchParams(query);
  const [from, preset, as, give] = ["from", "preset", "as", "give"].map((name) => search.get(name));
  if (screen === "clip" && id) return { screen, id, tool, from, preset, as, give, title: "Clip · Reelwright" };
  if (screen === "job" && id) return { screen, id, title: "Result · Reelwright" };
  if (hash.startsWith("#job=")) return { screen: "job", id: hash.slice(5), title: "Result · Reelwright" }; // addresses of the earlier page
  if (screen === "pipelines") return { screen, id, clip: search.get("clip"), from, title: "Pipelines · Reelwright" };
  return { screen: "library", id: "", title: "Reelwright" };
}

/** Return the text of an encoded part of an address. A malformed part stays as it is. */
function decoded(part) {
  try {
    return decodeURIComponent(part);
  } catch {
    return part;
  }
}

/** Return the address of a tool on a clip. `more`: from (a job whose settings are taken over), preset, as, give. */
export function toolAddress(clip, operation, more = {}) {
  const query = new URLSearchParams(more).toString();
  return `#/clip/${clip}/${operation}${query ? `?${query}` : ""}`;
}
