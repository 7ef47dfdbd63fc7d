// Resumable uploads (tus 1.0): after a broken connection, a server restart or a reload of the page, an upload continues at its offset.

import { Problem, Unreachable } from "./api.js";

const CHUNK_BYTES = 16 * 1024 * 1024;
const MOST_FAILURES = 12;
const LONGEST_STILL_MS = 180_000; // time without a sent byte or an answer, after which the connection counts as lost
const KEPT_AS = "reelwright-uploads"; // {fingerprint of a file: location of its upload}
const MOST_KEPT = 50;

const REFUSED = new Set([413, 415, 422]); // statuses of a file that is too large, of an unknown kind, damaged or empty

/** The browser can no longer read the file. */
class Unreadable extends Error {}

/** Return whether an upload failed because of the file. The same file then fails again. */
export function isFaultOfFile(error) {
  return error instanceof Unreadable || (error instanceof Problem && REFUSED.has(error.status));
}

/** Upload a File and return its media record. `onProgress(sent)` gets the sent bytes. Throws Problem, Unreachable, or AbortError. */
export async function upload(api, file, { onProgress, signal }) {
  const print = fingerprint(file);
  const body = (offset) => file.slice(offset, offset + CHUNK_BYTES);
  let answer = await resumed(api, print, file, signal);
  if (!answer) {
    answer = await begin(api, file, body(0), onProgress, signal);
    remember(print, answer.header("Location"));
  }
  const location = answer.header("Location") ?? remembered()[print];
  let failures = 0;
  while (!answer.header("Reelwright-Media-Id")) {
    const offset = Number(answer.header("Upload-Offset"));
    onProgress(offset);
    try {
      const headers = { "Upload-Offset": String(offset), "Content-Type": "application/offset+octet-stream" };
      answer = await request(api, "PATCH", location, headers, body(offset), (sent) => onProgress(offset + sent), signal);
      failures = 0;
    } catch (error) {
      await checkReadable(file, offset);
      if (!isTemporary(error) || (failures += 1) > MOST_FAILURES) {
        if (error instanceof Problem) remember(print, null);
        throw error;
      }
      await pause(failures, signal);
      answer = await stateOf(api, location, answer, signal);
    }
  }
  remember(print, null);
  return api.get(`/v1/media/${answer.header("Reelwright-Media-Id")}`, { signal });
}

/** Return the state of an unfinished upload of the same file, or null. The upload is from before a reload. */
async function resumed(api, print, file, signal) {
  const location = remembered()[print];
  if (!location) return null;
  try {
    const answer = await request(api, "HEAD", location, {}, null, () => {}, signal);
    return Number(answer.header("Upload-Length")) === file.size ? answer : null;
  } catch (error) {
    if (!(error instanceof Problem)) throw error;
    remember(print, null);
    return null;
  }
}

/** Return the uploads that a closed or reloaded page left unfinished: [{print, name}]. They continue when the same file is chosen again. */
export function unfinished() {
  return Object.keys(remembered()).map((print) => ({ print, name: print.split("/").slice(0, -2).join("/") }));
}

/** Return whether an upload of a file was begun. This page may have begun it, or the same page before a reload. */
export function isBegun(file) {
  return fingerprint(file) in remembered();
}

/** Give up an unfinished upload, here and on the server. */
export async function giveUp(api, print) {
  const location = remembered()[print];
  remember(print, null);
  if (location) await request(api, "DELETE", location, {}, null, () => {}, new AbortController().signal).catch(() => {});
}

export function fingerprint(file) {
  return `${file.name}/${file.size}/${file.lastModified}`;
}

function remembered() {
  try {
    return JSON.parse(localStorage.getItem(KEPT_AS)) ?? {};
  } catch {
    return {};
  }
}

function remember(print, location) {
  const { [print]: _before, ...others } = remembered();
  const entries = Object.entries(others).slice(-MOST_KEPT);
  if (location) entries.push([print, location]);
  localStorage.setItem(KEPT_AS, JSON.stringify(Object.fromEntries(entries)));
}

async function begin(api, file, first, onProgress, signal) {
  const name = btoa(String.fromCharCode(...new TextEncoder().encode(file.name)));
  const headers = { "Upload-Length": String(file.size), "Upload-Metadata": `filename ${name}` };
  headers["Content-Type"] = "application/offset+octet-stream";
  for (let failures = 1; ; failures += 1) {
    try {
      // A large file begins with no bytes: its address is known, and kept, before the first can be lost.
      const start = file.size > CHUNK_BYTES ? new Blob([]) : first;
      return await request(api, "POST", "/v1/uploads", headers, start, onProgress, signal);
    } catch (error) {
      await checkReadable(file, 0);
      if (!isTemporary(error) || failures > MOST_FAILURES) throw error;
      await pause(failures, signal);
    }
  }
}

/** Throw an error if a file is no longer readable. Browsers report that like a lost connection. */
async function checkReadable(file, offset) {
  try {
    await file.slice(offset, offset + 1).arrayBuffer();
  } catch {
    throw new Unreadable(`${file.name} can no longer be read: it was changed, moved or deleted. Choose it again.`);
  }
}

/** Ask for the current state of the upload. Returns `before` if the server does not answer. */
async function stateOf(api, location, before, signal) {
  try {
    return await request(api, "HEAD", location, {}, null, () => {}, signal);
  } catch (error) {
    if (isTemporary(error)) return before;
    throw error;
  }
}

/** Return whether a retry may help. It may after a network error, a restart, or an earlier request that still holds the upload. */
function isTemporary(error) {
  return error instanceof Unreachable || (error instanceof Problem && ([409, 423].includes(error.status) || error.status >= 500));
}

/** Send one request. It uses XMLHttpRequest, because fetch does not report how much of the body has been sent. */
async function request(api, method, url, headers, body, onProgress, signal) {
  for (;;) {
    const authorization = api.authorization;
    const sent = { "Tus-Resumable": "1.0.0", ...authorization, ...headers };
    const answer = await exchange(method, url, sent, body, onProgress, signal);
    if (answer.status < 300) return answer;
    const problem = new Problem(answer.status, answer.json());
    if (answer.status !== 401) throw problem;
    await api.renewKey(problem.message, authorization);
  }
}

function exchange(method, url, headers, body, onProgress, signal) {
  return new Promise((resolve, reject) => {
    const xhr = new XMLHttpRequest();
    const abort = () => xhr.abort();
    let timer = 0;
    const isMoving = () => {
      clearTimeout(timer);
      timer = setTimeout(() => { reject(new Unreachable()); xhr.abort(); }, LONGEST_STILL_MS);
    };
    xhr.open(method, url);
    for (const [name, value] of Object.entries(headers)) xhr.setRequestHeader(name, value);
    xhr.upload.onprogress = (event) => { isMoving(); onProgress(event.loaded); };
    xhr.onload = () =>
      resolve({ status: xhr.status, header: (name) => xhr.getResponseHeader(name), json: () => parsed(xhr.responseText) });
    xhr.onerror = () => reject(new Unreachable());
    const canceled = () => reject(new DOMException("The upload was canceled.", "AbortError"));
    xhr.onabort = canceled;
    xhr.onloadend = () => { clearTimeout(timer); signal.removeEventListener("abort", abort); };
    if (signal.aborted) return canceled();
    signal.addEventListener("abort", abort);
    isMoving();
    return xhr.send(body);
  });
}

function parsed(text) {
  try {
    return JSON.parse(text);
  } catch {
    return null;
  }
}

async function pause(failures, signal) {
  await new Promise((resolve) => setTimeout(resolve, Math.min(300 * 2 ** failures, 10_000)));
  signal.throwIfAborted();
}
