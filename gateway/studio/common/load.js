// Loading of the parts of the page that are imported on demand.

import { pause } from "../server/views.js";
import { notify } from "./notices.js";

const SOONEST_MS = 500;
const LATEST_MS = 5000;
const RELOADED = "reelwright-reloaded"; // storage key of the page's last reload by itself, in ms since 1970
const RELOAD_PAUSE_MS = 60_000;

/**
 * Import a module; try again until the server sends it. Browsers remember a module that could not be fetched, and refuse it until the page is
 * reloaded: the page does that when the server answers again. Drafts and uploads survive a reload. @param {() => Promise<any>} importModule
 */
export async function load(importModule) {
  for (let wait = SOONEST_MS; ; wait = Math.min(wait * 2, LATEST_MS)) {
    try {
      return await importModule();
    } catch {
      if (wait === 2 * SOONEST_MS) notify("A part of this page could not be loaded. Trying again. If this message stays, reload the page.", { kind: "bad" });
    }
    await pause(wait);
    if (wait > SOONEST_MS && (await isServed()) && mayReload()) return location.reload();
  }
}

/** Return whether the server sends the page's files now. */
function isServed() {
  return fetch(import.meta.url, { method: "HEAD", cache: "no-store" }).then((answer) => answer.ok, () => false);
}

/** Note a reload; return false if the last one was within a minute. */
function mayReload() {
  const last = Number(sessionStorage.getItem(RELOADED) ?? 0);
  if (Date.now() - last < RELOAD_PAUSE_MS) return false;
  sessionStorage.setItem(RELOADED, String(Date.now()));
  return true;
}
