// The worker that hashes a file, so that the page goes on drawing. It gets a File, and answers {bytes} as it goes on, then {sha256} or {error}.

import { Sha256 } from "./sha256.js";

const PART_BYTES = 4 * 1024 * 1024;
const MOST_WHOLE_BYTES = 256 * 1024 * 1024; // largest file that the browser itself hashes: faster, but with the whole file in memory

addEventListener("message", async ({ data: file }) => {
  const isWhole = globalThis.crypto?.subtle && file.size <= MOST_WHOLE_BYTES; // browsers have it on https and localhost only
  try {
    postMessage({ sha256: await (isWhole ? wholeDigest(file) : digestByParts(file)) });
  } catch (error) {
    postMessage({ error: error.message }); // the file was moved or changed
  }
});

async function wholeDigest(file) {
  const digest = await crypto.subtle.digest("SHA-256", await file.arrayBuffer());
  return [...new Uint8Array(digest)].map((byte) => byte.toString(16).padStart(2, "0")).join("");
}

async function digestByParts(file) {
  const digest = new Sha256();
  for (let from = 0; from < file.size; from += PART_BYTES) {
    digest.update(new Uint8Array(await file.slice(from, from + PART_BYTES).arrayBuffer()));
    postMessage({ bytes: Math.min(from + PART_BYTES, file.size) });
  }
  return digest.hex();
}
