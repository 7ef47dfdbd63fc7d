// The search for a file on the server before it is sent.

import { jsonOf } from "./api.js";

/**
 * Find a medium on the server with the same bytes as a file. Null: the server has none. Only a file whose size the server knows is hashed.
 * `onProgress(bytes)` gets the hashed bytes. Throws Problem, Unreachable, AbortError, or Error for an unreadable file.
 */
export async function twinOf(api, file, { onProgress, signal }) {
  const alike = await api.get(`/v1/media?bytes=${file.size}&limit=1`, { signal });
  if (!alike.items.length) return null;
  const sha256 = await sha256Of(file, onProgress, signal);
  const response = await api.send("GET", `/v1/media/by-hash/${sha256}?or_none=true`, { signal });
  return response.status === 204 ? null : jsonOf(response);
}

/** Return the SHA-256 of a file as hexadecimal digits, computed by a worker. */
function sha256Of(file, onProgress, signal) {
  signal.throwIfAborted();
  const worker = new Worker(new URL("./hash_worker.js", import.meta.url), { type: "module" });
  const digest = new Promise((resolve, reject) => {
    worker.onmessage = ({ data: { bytes, sha256, error } }) => {
      if (sha256) resolve(sha256);
      else if (error) reject(new Error(error));
      else onProgress(bytes);
    };
    worker.onerror = () => reject(new Error("The browser cannot run the page's worker."));
    signal.addEventListener("abort", () => reject(signal.reason), { once: true });
    worker.postMessage(file);
  });
  return digest.finally(() => worker.terminate());
}
